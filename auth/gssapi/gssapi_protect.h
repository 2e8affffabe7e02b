/* SPDX-License-Identifier: ISC */
/*
 * RFC 1961 message protection for both ends: agreeing on the level, sealing, opening, on lib/krb5msg.
 * The acceptor's side is the protect face (gssapi_protect.c); this header adds what the client needs.
 * A state is for one thread. Errors are words for the audit.
 */
#ifndef SP_AUTH_GSSAPI_PROTECT_H
#define SP_AUTH_GSSAPI_PROTECT_H

#include <stddef.h>
#include <stdint.h>

#include "auth/auth_module.h"
#include "lib/base/attr.h"

extern const struct auth_protect_module auth_gssapi_protect; /* built in */

struct gssapi_protect; /* what the face's import() makes */

/* The initiator's state from its own blob. NULL with *error. Free with the face's free(). */
struct gssapi_protect *gssapi_protect_initiator(const void *blob, size_t len, const char **error);

/* Writes the client's level message (MTYP 02). nec: the octet travels bare. 0, or -1. */
int gssapi_protect_propose(struct gssapi_protect *p, enum auth_protection level, bool nec,
    struct auth_out *out) SP_MUST_USE;

/* Reads the server's answer from the start of data (changed in place). READY: *used bytes of it, and
   *level is what the server agrees to: the caller decides whether that will do, and the state seals and
   opens at it from now on. BAD with *error ("refused" when the server sent 01 FF). */
enum auth_frame gssapi_protect_confirm(struct gssapi_protect *p, uint8_t *data, size_t len,
    size_t *used, enum auth_protection *level, const char **error);

#endif
