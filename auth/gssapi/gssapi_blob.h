/* SPDX-License-Identifier: ISC */
/*
 * An established context on its way from whoever spoke to libgssapi (acceptor, initiator) to whoever
 * protects the messages: the lucid context (protocol 1) as a versioned blob. The bytes hold a key:
 * whoever has them zeroes them. Free of library types; nothing fails but as said.
 */
#ifndef SP_AUTH_GSSAPI_BLOB_H
#define SP_AUTH_GSSAPI_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"
#include "lib/krb5msg/krb5msg.h"

#define GSSAPI_BLOB_VERSION 1U
#define GSSAPI_BLOB_MAX 256U /* bytes of the longest blob */

struct gssapi_context {
    enum krb5msg_role role; /* of the side that will use it */
    bool acceptor_subkey;
    int32_t enctype;
    uint32_t flags;    /* GSS_C_* as gss_accept_sec_context() or gss_init_sec_context() gave them */
    uint64_t send_seq;
    uint64_t recv_seq;
    uint8_t key[KRB5MSG_KEY_MAX];
    size_t key_len;
};

/* Bytes written, or 0 when it does not fit. */
size_t gssapi_blob_encode(const struct gssapi_context *in, uint8_t *out, size_t size);
/* 0, or -1 when malformed: version, role, lengths, anything behind it. */
int gssapi_blob_decode(const void *data, size_t len, struct gssapi_context *out) SP_MUST_USE;

#endif
