/* SPDX-License-Identifier: ISC */
/*
 * Method 0x01, RFC 1961 sections 3.4 to 3.8, in the worker: framing only. Serves the authenticate
 * phase. What a token says is the pool's to find out; only an empty one ends here: no mechanism
 * makes one for its peer (RFC 2743 section 1.1.7), and an acceptor that offered SPNEGO would answer
 * it before anybody has shown a ticket.
 */
#include <string.h>

#include "auth/gssapi/gssapi_frame.h"
#include "auth/gssapi/gssapi_options.h"
#include "lib/base/cursor.h"

static enum auth_frame
wire_frame(void *state, const void *data, size_t len, struct auth_frame_result *out)
{
    struct gssapi_frame f;
    const enum auth_frame result = gssapi_frame(GSSAPI_CONTEXT, data, len, &f);

    (void)state;
    memset(out, 0, sizeof *out);
    if (result == AUTH_FRAME_BAD)
        out->error = f.refused ? "refused-by-client" : f.error;
    if (result != AUTH_FRAME_READY)
        return result;
    if (f.token_len == 0) {
        out->error = "empty-token";
        return AUTH_FRAME_BAD;
    }
    out->used = f.used;
    out->payload = (const uint8_t *)data + f.token_at;
    out->payload_len = f.token_len;
    return AUTH_FRAME_READY;
}

/* 0, or -1: no room, and nothing was written. */
static int
wire_put(struct auth_out *out, const void *head, size_t head_len, const void *token, size_t len)
{
    struct writer w = writer_init(out->data + out->len, out->size - out->len);

    writer_bytes(&w, head, head_len);
    if (len > 0)
        writer_bytes(&w, token, len);
    if (!writer_ok(&w))
        return -1;
    out->len += writer_len(&w);
    return 0;
}

static int
wire_refusal(struct auth_out *out)
{
    static const uint8_t refusal[] = { GSSAPI_VERSION, GSSAPI_REFUSED };

    return wire_put(out, refusal, sizeof refusal, NULL, 0);
}

static int
wire_answer(void *state, enum auth_outcome outcome, const void *answer, size_t len,
    struct auth_out *out)
{
    uint8_t head[GSSAPI_HEAD];

    (void)state;
    /* RFC 1961 has no room for a mechanism's error token. */
    if (outcome == AUTH_FAILURE)
        return wire_refusal(out);
    if (len > GSSAPI_TOKEN_MAX || (outcome == AUTH_CONTINUE && len == 0))
        return -1;
    gssapi_frame_head(GSSAPI_CONTEXT, len, head);
    return wire_put(out, head, sizeof head, answer, len);
}

static void
wire_refuse(void *state, struct auth_out *out)
{
    (void)state;
    (void)wire_refusal(out);
}

AUTH_WIRE_MODULE(gssapi) = {
    .version = AUTH_MODULE_VERSION,
    .name = "gssapi",
    .method = GSSAPI_METHOD,
    .needs_pool = true,
    .protects = true,
    .message_max = GSSAPI_MESSAGE_MAX,
    .state_size = 0,
    .config = {
        .pool = &gssapi_pool,
        .options = gssapi_options,
        .check = gssapi_check,
        .check_file = gssapi_check_file,
    },
    .frame = wire_frame,
    .answer = wire_answer,
    .refuse = wire_refuse,
};
