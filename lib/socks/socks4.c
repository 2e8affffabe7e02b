/* SPDX-License-Identifier: ISC */
/*
 * SOCKS 4 and 4A messages. Serves the session's phases and the client. Bytes that are wrong are an
 * answer; nothing here is fatal.
 */
#include "lib/socks/socks4.h"

#include <string.h>

#include "lib/base/cursor.h"

/* DSTIP of a request that carries a name: 0.0.0.x, x not 0. */
static bool
announces_name(const struct addr *a)
{
    return a->ip[0] == 0 && a->ip[1] == 0 && a->ip[2] == 0 && a->ip[3] != 0;
}

/* Octets up to a NUL. False when there are more of them than may be. */
static bool
text_read(struct cursor *c, uint8_t out[SOCKS4_TEXT_MAX], uint8_t *len)
{
    for (unsigned n = 0;; n++) {
        const uint8_t octet = cursor_u8(c);
        if (!cursor_ok(c) || octet == 0) {
            *len = (uint8_t)n;
            return true;
        }
        if (n == SOCKS4_TEXT_MAX) {
            return false;
        }
        out[n] = octet;
    }
}

/* NULL, or the text that is over its bound. */
static const char *
request_read_texts(struct cursor *c, struct socks4_request *r)
{
    if (!text_read(c, r->user, &r->user_len)) {
        return "user-id";
    }
    if (!r->named) {
        return NULL;
    }
    return text_read(c, r->name, &r->name_len) ? NULL : "name";
}

static const char *
request_judge(const struct socks4_request *r)
{
    if (r->command != SOCKS_CONNECT && r->command != SOCKS_BIND) {
        return "command";
    }
    return r->named && r->name_len == 0 ? "name" : NULL;
}

enum socks_result
socks4_request_decode(const void *data, size_t len, struct socks4_request *out)
{
    struct cursor c = cursor_init(data, len);
    const uint8_t version = cursor_u8(&c);
    uint8_t ip[4];
    if (cursor_ok(&c) && version != SOCKS_VERSION_4) {
        out->error = "version";
        return SOCKS_BAD;
    }
    struct socks4_request r = { .command = cursor_u8(&c) };
    const uint16_t port = cursor_u16_be(&c);
    cursor_copy(&c, ip, sizeof(ip));
    r.addr = addr_ipv4(ip, port);
    r.named = announces_name(&r.addr);
    if (r.named) {
        r.addr = (struct addr){ .family = ADDR_NONE, .port = port };
    }
    const char *over = request_read_texts(&c, &r);
    if (over != NULL) {
        out->error = over;
        return SOCKS_BAD;
    }
    if (!cursor_ok(&c)) {
        return SOCKS_MORE;
    }
    r.error = request_judge(&r);
    r.used = cursor_used(&c, data);
    *out = r;
    return SOCKS_DONE;
}

void
socks4_reply_encode(
    enum socks4_reply reply, const struct addr *bound, uint8_t out[SOCKS4_REPLY_SIZE])
{
    static const struct addr nowhere = { .family = ADDR_IPV4 };
    const struct addr *a = bound->family == ADDR_IPV4 ? bound : &nowhere;
    struct writer w = writer_init(out, SOCKS4_REPLY_SIZE);
    writer_u8(&w, 0);
    writer_u8(&w, (uint8_t)reply);
    writer_u16_be(&w, a->port);
    writer_bytes(&w, a->ip, 4);
}

/* --- the client's side ------------------------------------------------------------------------- */

static void
text_write(struct writer *w, const char *text)
{
    writer_text(w, text);
    writer_u8(w, 0);
}

/* True when the protocol can say it: 0.0.0.x as an address would be taken for a name's. */
static bool
expressible(const struct addr *addr, const char *name, const char *user)
{
    if (strlen(user) > SOCKS4_TEXT_MAX) {
        return false;
    }
    if (name != NULL) {
        return name[0] != '\0' && strlen(name) <= SOCKS4_TEXT_MAX;
    }
    return addr->family == ADDR_IPV4 && !announces_name(addr);
}

size_t
socks4_request_encode(enum socks_command command, const struct addr *addr, const char *name,
    const char *user, uint8_t out[SOCKS4_REQUEST_MAX])
{
    static const uint8_t named[4] = { 0, 0, 0, 1 };
    struct writer w = writer_init(out, SOCKS4_REQUEST_MAX);
    if (!expressible(addr, name, user)) {
        return 0;
    }
    writer_u8(&w, SOCKS_VERSION_4);
    writer_u8(&w, (uint8_t)command);
    writer_u16_be(&w, addr->port);
    writer_bytes(&w, name != NULL ? named : addr->ip, 4);
    text_write(&w, user);
    if (name != NULL) {
        text_write(&w, name);
    }
    return writer_len(&w);
}

enum socks_result
socks4_answer_decode(const void *data, size_t len, struct socks4_answer *out)
{
    struct cursor c = cursor_init(data, len);
    const uint8_t version = cursor_u8(&c);
    uint8_t ip[4];
    if (cursor_ok(&c) && version != 0) {
        out->error = "version";
        return SOCKS_BAD;
    }
    struct socks4_answer a = { .reply = cursor_u8(&c), .used = SOCKS4_REPLY_SIZE };
    const uint16_t port = cursor_u16_be(&c);
    cursor_copy(&c, ip, sizeof(ip));
    a.bound = addr_ipv4(ip, port);
    if (!cursor_ok(&c)) {
        return SOCKS_MORE;
    }
    *out = a;
    return SOCKS_DONE;
}
