/* SPDX-License-Identifier: ISC */
/*
 * The exported context as bytes. Serves the acceptor and the initiator, who write it, and message
 * protection, which reads it. Nothing is fatal.
 */
#include "auth/gssapi/gssapi_blob.h"

#include <string.h>

#include "lib/base/cursor.h"

size_t
gssapi_blob_encode(const struct gssapi_context *in, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size < GSSAPI_BLOB_MAX ? size : GSSAPI_BLOB_MAX);

    if (in->key_len > sizeof in->key)
        return 0;
    writer_u8(&w, GSSAPI_BLOB_VERSION);
    writer_u8(&w, in->role == KRB5MSG_ACCEPTOR);
    writer_u8(&w, in->acceptor_subkey);
    writer_u32(&w, (uint32_t)in->enctype);
    writer_u32(&w, in->flags);
    writer_u64(&w, in->send_seq);
    writer_u64(&w, in->recv_seq);
    writer_u8(&w, (uint8_t)in->key_len);
    writer_bytes(&w, in->key, in->key_len);
    return writer_len(&w);
}

/* A truth value of the blob; any octet but 0 and 1 is malformed. */
static bool
read_bool(struct cursor *c)
{
    const uint8_t v = cursor_u8(c);

    if (v > 1)
        cursor_fail(c);
    return v == 1;
}

int
gssapi_blob_decode(const void *data, size_t len, struct gssapi_context *out)
{
    struct cursor c = cursor_init(data, len);

    *out = (struct gssapi_context) { .role = KRB5MSG_INITIATOR };
    if (cursor_u8(&c) != GSSAPI_BLOB_VERSION)
        return -1;
    out->role = read_bool(&c) ? KRB5MSG_ACCEPTOR : KRB5MSG_INITIATOR;
    out->acceptor_subkey = read_bool(&c);
    out->enctype = (int32_t)cursor_u32(&c);
    out->flags = cursor_u32(&c);
    out->send_seq = cursor_u64(&c);
    out->recv_seq = cursor_u64(&c);
    out->key_len = cursor_u8(&c);
    if (out->key_len > sizeof out->key)
        cursor_fail(&c);
    else
        cursor_copy(&c, out->key, out->key_len);
    if (cursor_ok(&c) && cursor_left(&c) == 0)
        return 0;
    explicit_bzero(out, sizeof *out);
    return -1;
}
