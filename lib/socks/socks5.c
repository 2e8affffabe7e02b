/* SPDX-License-Identifier: ISC */
/*
 * SOCKS 5 messages (RFC 1928). Serves the session's phases and the client. Bytes that are wrong are
 * an answer; nothing here is fatal.
 */
#include "lib/socks/socks5.h"

#include "lib/base/cursor.h"

enum socks_result
socks5_hello_decode(const void *data, size_t len, struct socks5_hello *out)
{
    struct cursor c = cursor_init(data, len);
    const uint8_t version = cursor_u8(&c);
    if (cursor_ok(&c) && version != SOCKS_VERSION_5) {
        out->error = "version";
        return SOCKS_BAD;
    }
    struct socks5_hello hello = { .count = cursor_u8(&c) };
    for (unsigned i = 0; i < hello.count && cursor_ok(&c); i++) {
        const uint8_t method = cursor_u8(&c);
        hello.offered[method / 8] |= (uint8_t)(1U << (method % 8));
    }
    if (!cursor_ok(&c)) {
        return SOCKS_MORE;
    }
    hello.used = cursor_used(&c, data);
    *out = hello;
    return SOCKS_DONE;
}

bool
socks5_hello_offers(const struct socks5_hello *hello, uint8_t method)
{
    return (hello->offered[method / 8] & (1U << (method % 8))) != 0;
}

void
socks5_choice_encode(uint8_t method, uint8_t out[SOCKS5_CHOICE_SIZE])
{
    struct writer w = writer_init(out, SOCKS5_CHOICE_SIZE);
    writer_u8(&w, SOCKS_VERSION_5);
    writer_u8(&w, method);
}

/* The first thing wrong with the fixed part, in the order of its fields. */
static void
request_judge(struct socks5_request *r, uint8_t reserved)
{
    if (r->command < SOCKS_CONNECT || r->command > SOCKS_UDP_ASSOCIATE) {
        r->reply = SOCKS5_COMMAND_NOT_SUPPORTED;
        r->error = "command";
    } else if (reserved != 0) {
        r->reply = SOCKS5_GENERAL_FAILURE;
        r->error = "reserved";
    } else if (r->atyp != SOCKS5_IPV4 && r->atyp != SOCKS5_NAME && r->atyp != SOCKS5_IPV6) {
        r->reply = SOCKS5_ADDRESS_NOT_SUPPORTED;
        r->error = "address type";
    }
}

static void
request_read_name(struct cursor *c, struct socks5_request *r)
{
    r->name_len = cursor_u8(c);
    cursor_copy(c, r->name, r->name_len);
    if (cursor_ok(c) && r->name_len == 0 && r->reply == SOCKS5_SUCCEEDED) {
        r->reply = SOCKS5_GENERAL_FAILURE;
        r->error = "name";
    }
}

/* Address and port; nothing where the type does not tell how long they are. */
static void
request_read_target(struct cursor *c, struct socks5_request *r)
{
    uint8_t ip[16];
    switch (r->atyp) {
    case SOCKS5_IPV4:
        cursor_copy(c, ip, 4);
        r->addr = addr_ipv4(ip, 0);
        break;
    case SOCKS5_IPV6:
        cursor_copy(c, ip, 16);
        r->addr = addr_ipv6(ip, 0);
        break;
    case SOCKS5_NAME:
        request_read_name(c, r);
        break;
    default:
        return;
    }
    r->addr.port = cursor_u16_be(c);
}

enum socks_result
socks5_request_decode(const void *data, size_t len, struct socks5_request *out)
{
    struct cursor c = cursor_init(data, len);
    const uint8_t version = cursor_u8(&c);
    if (cursor_ok(&c) && version != SOCKS_VERSION_5) {
        out->error = "version";
        return SOCKS_BAD;
    }
    struct socks5_request r = { .command = cursor_u8(&c) };
    const uint8_t reserved = cursor_u8(&c);
    r.atyp = cursor_u8(&c);
    request_judge(&r, reserved);
    request_read_target(&c, &r);
    if (!cursor_ok(&c)) {
        return SOCKS_MORE;
    }
    r.used = cursor_used(&c, data);
    *out = r;
    return SOCKS_DONE;
}

size_t
socks5_reply_encode(
    enum socks5_reply reply, const struct addr *bound, uint8_t out[SOCKS5_REPLY_MAX])
{
    const bool six = bound->family == ADDR_IPV6;
    struct writer w = writer_init(out, SOCKS5_REPLY_MAX);
    writer_u8(&w, SOCKS_VERSION_5);
    writer_u8(&w, (uint8_t)reply);
    writer_u8(&w, 0);
    writer_u8(&w, six ? SOCKS5_IPV6 : SOCKS5_IPV4);
    if (bound->family == ADDR_NONE) {
        writer_u32_be(&w, 0);
        writer_u16_be(&w, 0);
    } else {
        writer_bytes(&w, bound->ip, six ? 16 : 4);
        writer_u16_be(&w, bound->port);
    }
    return writer_len(&w);
}

const char *
socks5_reply_text(enum socks5_reply reply)
{
    static const char *const texts[] = {
        [SOCKS5_SUCCEEDED] = "succeeded",
        [SOCKS5_GENERAL_FAILURE] = "general failure",
        [SOCKS5_NOT_ALLOWED] = "not allowed by ruleset",
        [SOCKS5_NETWORK_UNREACHABLE] = "network unreachable",
        [SOCKS5_HOST_UNREACHABLE] = "host unreachable",
        [SOCKS5_CONNECTION_REFUSED] = "connection refused",
        [SOCKS5_TTL_EXPIRED] = "TTL expired",
        [SOCKS5_COMMAND_NOT_SUPPORTED] = "command not supported",
        [SOCKS5_ADDRESS_NOT_SUPPORTED] = "address type not supported",
    };
    return (size_t)reply < SP_COUNT(texts) ? texts[reply] : "unknown reply";
}
