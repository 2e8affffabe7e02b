/* SPDX-License-Identifier: ISC */
/*
 * A method of the private range, in an object of its own: what a site may write without touching a
 * line of ours. Two rounds:
 *     client  LEN NAME            server  LEN CHALLENGE
 *     client  LEN RESPONSE        server  02 "ok" or 02 "no"
 * RESPONSE is CHALLENGE and the section's `phrase` behind it, read backwards.
 */
#include <string.h>

#include "lib/base/cursor.h"
#include "tests/module/testpriv.h"

/* The first message is the name. */
struct testpriv_wire_state {
    bool named;
};

static enum auth_frame
testpriv_frame(void *state, const void *data, size_t len, struct auth_frame_result *out)
{
    struct testpriv_wire_state *s = state;
    struct cursor c = cursor_init(data, len);
    const uint8_t n = cursor_u8(&c);
    const uint8_t *text = cursor_bytes(&c, n);

    memset(out, 0, sizeof *out);
    if (!cursor_ok(&c))
        return AUTH_FRAME_MORE;
    if (n == 0) {
        out->error = "length";
        return AUTH_FRAME_BAD;
    }
    out->used = cursor_used(&c, data);
    out->payload = text;
    out->payload_len = n;
    if (!s->named) {
        memcpy(out->claimed, text, n);
        out->claimed_len = n;
    }
    s->named = true;
    return AUTH_FRAME_READY;
}

static int
put(struct auth_out *out, const void *data, size_t len)
{
    struct writer w = writer_init(out->data + out->len, out->size - out->len);

    if (len == 0 || len > UINT8_MAX)
        return -1;
    writer_u8(&w, (uint8_t)len);
    writer_bytes(&w, data, len);
    out->len += writer_len(&w);
    return writer_ok(&w) ? 0 : -1;
}

static int
testpriv_answer(void *state, enum auth_outcome outcome, const void *answer, size_t len,
    struct auth_out *out)
{
    (void)state;
    if (outcome == AUTH_CONTINUE)
        return put(out, answer, len);
    return put(out, outcome == AUTH_SUCCESS ? "ok" : "no", 2);
}

static void
testpriv_refuse(void *state, struct auth_out *out)
{
    (void)state;
    (void)put(out, "no", 2);
}

AUTH_WIRE_MODULE(testpriv) = {
    .version = TESTPRIV_VERSION,
    .name = "testpriv",
    .method = TESTPRIV_METHOD,
    .needs_pool = true,
    .message_max = 256,
    .state_size = sizeof(struct testpriv_wire_state),
    .config = { .pool = &testpriv_pool, .options = testpriv_options },
    .frame = testpriv_frame,
    .answer = testpriv_answer,
    .refuse = testpriv_refuse,
};
