/* SPDX-License-Identifier: ISC */
/*
 * SOCKS 5 messages (RFC 1928) as the client makes and reads them. Serves src/client. Bytes that are
 * wrong are an answer; nothing here is fatal.
 */
#include "lib/socks/socks5.h"

#include <string.h>

#include "lib/base/cursor.h"

size_t
socks5_hello_encode(const uint8_t *methods, uint8_t count, uint8_t out[SOCKS5_HELLO_MAX])
{
    struct writer w = writer_init(out, SOCKS5_HELLO_MAX);
    writer_u8(&w, SOCKS_VERSION_5);
    writer_u8(&w, count);
    writer_bytes(&w, methods, count);
    return writer_len(&w);
}

enum socks_result
socks5_choice_decode(const void *data, size_t len, struct socks5_choice *out)
{
    struct cursor c = cursor_init(data, len);
    const uint8_t version = cursor_u8(&c);
    if (cursor_ok(&c) && version != SOCKS_VERSION_5) {
        out->error = "version";
        return SOCKS_BAD;
    }
    const struct socks5_choice choice = { .method = cursor_u8(&c), .used = SOCKS5_CHOICE_SIZE };
    if (!cursor_ok(&c)) {
        return SOCKS_MORE;
    }
    *out = choice;
    return SOCKS_DONE;
}

/* ATYP and DST.ADDR. False for a name that does not fit its length octet. */
static bool
target_write(struct writer *w, const struct socks5_target *target)
{
    if (target->addr.family == ADDR_IPV4 || target->addr.family == ADDR_IPV6) {
        const bool six = target->addr.family == ADDR_IPV6;
        writer_u8(w, six ? SOCKS5_IPV6 : SOCKS5_IPV4);
        writer_bytes(w, target->addr.ip, six ? 16 : 4);
        return true;
    }
    const size_t len = strlen(target->name);
    writer_u8(w, SOCKS5_NAME);
    writer_u8(w, (uint8_t)len);
    writer_bytes(w, target->name, len);
    return len >= 1 && len <= 255;
}

size_t
socks5_request_encode(
    enum socks_command command, const struct socks5_target *target, uint8_t out[SOCKS5_REQUEST_MAX])
{
    struct writer w = writer_init(out, SOCKS5_REQUEST_MAX);
    writer_u8(&w, SOCKS_VERSION_5);
    writer_u8(&w, (uint8_t)command);
    writer_u8(&w, 0);
    const bool fits = target_write(&w, target);
    writer_u16_be(&w, target->port);
    return fits ? writer_len(&w) : 0;
}

/* NULL, or the field that is wrong. */
static const char *
answer_read_bound(struct cursor *c, struct socks5_answer *a)
{
    uint8_t ip[16];
    switch (a->atyp) {
    case SOCKS5_IPV4:
        cursor_copy(c, ip, 4);
        a->bound = addr_ipv4(ip, 0);
        break;
    case SOCKS5_IPV6:
        cursor_copy(c, ip, 16);
        a->bound = addr_ipv6(ip, 0);
        break;
    case SOCKS5_NAME:
        a->name_len = cursor_u8(c);
        cursor_copy(c, a->name, a->name_len);
        if (cursor_ok(c) && a->name_len == 0) {
            return "name";
        }
        break;
    default:
        return cursor_ok(c) ? "address type" : NULL;
    }
    a->bound.port = cursor_u16_be(c);
    return NULL;
}

enum socks_result
socks5_answer_decode(const void *data, size_t len, struct socks5_answer *out)
{
    struct cursor c = cursor_init(data, len);
    const uint8_t version = cursor_u8(&c);
    if (cursor_ok(&c) && version != SOCKS_VERSION_5) {
        out->error = "version";
        return SOCKS_BAD;
    }
    struct socks5_answer a = { .reply = cursor_u8(&c) };
    cursor_skip(&c, 1);
    a.atyp = cursor_u8(&c);
    const char *wrong = answer_read_bound(&c, &a);
    if (wrong != NULL) {
        out->error = wrong;
        return SOCKS_BAD;
    }
    if (!cursor_ok(&c)) {
        return SOCKS_MORE;
    }
    a.used = cursor_used(&c, data);
    *out = a;
    return SOCKS_DONE;
}
