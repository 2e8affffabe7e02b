/* SPDX-License-Identifier: ISC */
/*
 * The command and its replies, sealed when that was agreed. Serves client_main.c. A reply ends
 * where its fields say: what stands behind it, in its message or after it, is the target's.
 */
#include "src/client/client_private.h"

#include <string.h>
#include <sys/socket.h>

#define REQUEST "the request"

static struct addr
gateway_addr(const struct client_wire *w)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;

    if (getpeername(w->fd, (struct sockaddr *)&ss, &len) != 0)
        return (struct addr){ .family = ADDR_NONE };
    return addr_from_sockaddr((const struct sockaddr *)&ss, len);
}

static bool
same_ip(const struct addr *a, const struct addr *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

struct addr
client_bound(const struct client_wire *w, const struct socks5_answer *answer)
{
    const struct addr gateway = gateway_addr(w);
    struct addr bound = answer->bound;

    if (bound.family == ADDR_NONE || (!addr_is_zero(&bound) && !same_ip(&bound, &gateway)))
        return bound;
    bound = gateway; /* its scope as well */
    bound.port = answer->bound.port;
    return bound;
}

/* SOCKS 5: where an association's datagrams will come from is left open, as behind a router that
   translates addresses it could not be told. */
static size_t
request_encode(const struct client_wire *w, const struct client_options *o, uint8_t *out)
{
    const struct addr *to = &o->target.addr;
    const struct socks5_target any = { .addr = { .family = gateway_addr(w).family } };
    struct addr at = *to;

    at.port = o->target.port;
    if (o->version != CLIENT_SOCKS5)
        return socks4_request_encode(o->command, &at, to->family == ADDR_NONE ? o->name : NULL,
            o->user != NULL ? o->user : "", out);
    return socks5_request_encode(
        o->command, o->command == SOCKS_UDP_ASSOCIATE ? &any : &o->target, out);
}

static enum client_status
request_send(struct client_wire *w, const struct client_options *o)
{
    struct auth_sealed message;
    const size_t len = request_encode(w, o, w->out + CLIENT_OUT_HEAD);

    if (len == 0 || client_wire_seal(w, len, &message) != 0)
        return client_fail(CLIENT_BROKEN, "the request cannot be made");
    return client_wire_send(w, message.data, message.len, REQUEST);
}

/* The next octet the gateway says. */
static enum client_status
octet_take(struct client_wire *w, uint8_t *out, const char *phase)
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
        const enum client_status status = client_wire_fill(w, CLIENT_BROKEN, phase);

        if (status != CLIENT_OK)
            return status;
    }
}

static enum socks_result
answer4_decode(const uint8_t *bytes, size_t len, struct socks5_answer *answer)
{
    struct socks4_answer four;
    const enum socks_result result = socks4_answer_decode(bytes, len, &four);

    if (result == SOCKS_BAD)
        answer->error = four.error;
    if (result == SOCKS_DONE)
        *answer = (struct socks5_answer){
            .reply = four.reply == SOCKS4_GRANTED ? (uint8_t)SOCKS5_SUCCEEDED : four.reply,
            .atyp = SOCKS5_IPV4,
            .bound = four.bound,
        };
    return result;
}

enum client_status
client_answer(struct client_wire *w, const struct client_options *o, struct socks5_answer *answer,
    const char *phase)
{
    uint8_t bytes[SOCKS5_ANSWER_MAX];

    for (size_t len = 0; len < sizeof bytes;) {
        const enum client_status status = octet_take(w, bytes + len, phase);

        if (status != CLIENT_OK)
            return status;
        len++;
        const enum socks_result result = o->version == CLIENT_SOCKS5
                                             ? socks5_answer_decode(bytes, len, answer)
                                             : answer4_decode(bytes, len, answer);

        if (result == SOCKS_DONE)
            return CLIENT_OK;
        if (result == SOCKS_BAD)
            return client_fail(
                CLIENT_BROKEN, "the gateway's reply is malformed: %s", answer->error);
    }
    return client_fail(CLIENT_BROKEN, "the gateway's reply is malformed: length");
}

enum client_status
client_request(struct client_wire *w, const struct client_options *o, struct socks5_answer *answer)
{
    enum client_status status = request_send(w, o);

    if (status == CLIENT_OK)
        status = client_answer(w, o, answer, REQUEST);
    if (status != CLIENT_OK || answer->reply == SOCKS5_SUCCEEDED)
        return status;
    return client_fail(
        CLIENT_REFUSED, "%s: %s", o->target_text, client_reply_text(o->command, answer->reply));
}
