/* SPDX-License-Identifier: ISC */
/*
 * CONNECT and its reply, sealed when that was agreed. Serves client_main.c. The reply ends where
 * its fields say: what stands behind it, in its message or after it, is the target's.
 */
#include "src/client/client_private.h"

#include <string.h>

#define REQUEST "the request"

static enum client_status
request_send(struct client_wire *w, const struct client_options *o)
{
    struct auth_sealed message;
    const size_t len = socks5_request_encode(SOCKS_CONNECT, &o->target, w->out + CLIENT_OUT_HEAD);

    if (len == 0 || client_wire_seal(w, len, &message) != 0)
        return client_fail(CLIENT_BROKEN, "the request cannot be sealed");
    return client_wire_send(w, message.data, message.len, REQUEST);
}

/* The next octet the gateway says. */
static enum client_status
octet_take(struct client_wire *w, uint8_t *out)
{
    for (;;) {
        const char *error = NULL;
        const enum auth_frame result = client_wire_next(w, &error);

        if (result == AUTH_FRAME_BAD)
            return client_fail(
                CLIENT_BROKEN, "the gateway's reply violates the protection: %s", error);
        if (result == AUTH_FRAME_READY && w->plain_len > 0) {
            *out = *w->plain;
            client_wire_used(w, 1);
            return CLIENT_OK;
        }
        if (result == AUTH_FRAME_READY)
            continue;
        const enum client_status status = client_wire_fill(w, CLIENT_BROKEN, REQUEST);

        if (status != CLIENT_OK)
            return status;
    }
}

static enum client_status
answer_take(struct client_wire *w, struct socks5_answer *answer)
{
    uint8_t bytes[SOCKS5_ANSWER_MAX];

    for (size_t len = 0; len < sizeof bytes;) {
        const enum client_status status = octet_take(w, bytes + len);

        if (status != CLIENT_OK)
            return status;
        len++;
        const enum socks_result result = socks5_answer_decode(bytes, len, answer);

        if (result == SOCKS_DONE)
            return CLIENT_OK;
        if (result == SOCKS_BAD)
            return client_fail(
                CLIENT_BROKEN, "the gateway's reply is malformed: %s", answer->error);
    }
    return client_fail(CLIENT_BROKEN, "the gateway's reply is malformed: length");
}

enum client_status
client_request(struct client_wire *w, const struct client_options *o)
{
    struct socks5_answer answer;
    enum client_status status = request_send(w, o);

    if (status == CLIENT_OK)
        status = answer_take(w, &answer);
    if (status != CLIENT_OK || answer.reply == SOCKS5_SUCCEEDED)
        return status;
    return client_fail(CLIENT_REFUSED, "%s: %s", o->target_text, client_reply_text(answer.reply));
}
