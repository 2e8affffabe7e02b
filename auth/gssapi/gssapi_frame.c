/* SPDX-License-Identifier: ISC */
/*
 * Reads and writes the four octets before a token. Serves the wire face, the protect face and the
 * client. Nothing can fail but what the peer sent.
 */
#include "auth/gssapi/gssapi_frame.h"

#include "lib/base/cursor.h"

static enum auth_frame
frame_bad(struct gssapi_frame *out, const char *error)
{
    out->error = error;
    return AUTH_FRAME_BAD;
}

/* LEN and TOKEN: any length is a legal one. */
static enum auth_frame
frame_token(struct cursor *c, struct gssapi_frame *out)
{
    const size_t len = cursor_u16_be(c);

    if (cursor_ok(c))
        out->used = GSSAPI_HEAD + len;
    cursor_skip(c, len);
    if (!cursor_ok(c))
        return AUTH_FRAME_MORE;
    out->token_at = GSSAPI_HEAD;
    out->token_len = len;
    return AUTH_FRAME_READY;
}

enum auth_frame
gssapi_frame(uint8_t mtyp, const void *data, size_t len, struct gssapi_frame *out)
{
    struct cursor c = cursor_init(data, len);

    *out = (struct gssapi_frame) { .error = NULL };
    const uint8_t version = cursor_u8(&c);

    if (!cursor_ok(&c))
        return AUTH_FRAME_MORE;
    if (version != GSSAPI_VERSION)
        return frame_bad(out, "wrong-version");
    const uint8_t type = cursor_u8(&c);

    if (!cursor_ok(&c))
        return AUTH_FRAME_MORE;
    out->refused = type == GSSAPI_REFUSED;
    if (out->refused)
        return frame_bad(out, "refused");
    if (type != mtyp)
        return frame_bad(out, "wrong-message-type");
    return frame_token(&c, out);
}

void
gssapi_frame_head(uint8_t mtyp, size_t token_len, uint8_t out[GSSAPI_HEAD])
{
    struct writer w = writer_init(out, GSSAPI_HEAD);

    writer_u8(&w, GSSAPI_VERSION);
    writer_u8(&w, mtyp);
    writer_u16_be(&w, (uint16_t)token_len);
}
