/* SPDX-License-Identifier: ISC */
/*
 * The client's side of a GSS-API login: a context with a service, token by token, then its export.
 * Serves src/client. Blocks while a KDC is asked. Texts of errors are for a person and say what to do
 * where that is known ("no Kerberos ticket: run kinit").
 */
#ifndef SP_AUTH_GSSAPI_INITIATOR_H
#define SP_AUTH_GSSAPI_INITIATOR_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"

struct gssapi_initiator;

/* A context with service@host (krb5; mutual, replay, sequence, integrity, confidentiality; never
   delegation) with the caller's own credentials. NULL with error filled. */
struct gssapi_initiator *gssapi_initiator_new(const char *service, const char *host, char *error,
    size_t size) SP_MUST_USE;
void gssapi_initiator_free(struct gssapi_initiator **initiator);

/* One round: in is the server's token (NULL, 0 at first). *out, *out_len: a token to send, owned by the
   initiator until the next call; length 0: none. 1: established, 0: goes on, -1: failed, error filled. */
int gssapi_initiator_step(struct gssapi_initiator *initiator, const void *in, size_t len,
    const void **out, size_t *out_len, char *error, size_t size) SP_MUST_USE;

/* Established: the blob of gssapi_blob.h for gssapi_protect_initiator(); the context is gone
   afterwards. Bytes written, 0 with error filled (an enctype lib/krb5msg does not know, ...). */
size_t gssapi_initiator_export(struct gssapi_initiator *initiator, uint8_t *blob, size_t blob_size,
    char *error, size_t size) SP_MUST_USE;

#endif
