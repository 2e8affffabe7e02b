/* SPDX-License-Identifier: ISC */
/*
 * The header of a relayed datagram (RFC 1928 section 7). Serves the associations of a session and the
 * client. Bytes that are wrong are an answer; nothing here is fatal.
 */
#include "lib/socks/udp.h"

#include "lib/base/cursor.h"
#include "lib/socks/socks5.h"

static void
header_read_target(struct cursor *c, struct socks_udp_header *h)
{
    uint8_t ip[16];

    switch (h->atyp) {
    case SOCKS5_IPV4:
        cursor_copy(c, ip, 4);
        h->addr = addr_ipv4(ip, 0);
        break;
    case SOCKS5_IPV6:
        cursor_copy(c, ip, 16);
        h->addr = addr_ipv6(ip, 0);
        break;
    case SOCKS5_NAME:
        h->name_len = cursor_u8(c);
        h->name = cursor_bytes(c, h->name_len);
        break;
    default:
        return;
    }
    h->addr.port = cursor_u16_be(c);
}

/* What is wrong, in the order of the fields; NULL: nothing. */
static const char *
header_fault(const struct cursor *c, const struct socks_udp_header *h, uint16_t reserved)
{
    if (!cursor_ok(c))
        return "length";
    if (reserved != 0)
        return "reserved";
    if (h->atyp != SOCKS5_IPV4 && h->atyp != SOCKS5_NAME && h->atyp != SOCKS5_IPV6)
        return "address-type";
    return h->atyp == SOCKS5_NAME && h->name_len == 0 ? "name" : NULL;
}

bool
socks_udp_decode(const void *data, size_t len, struct socks_udp_header *out)
{
    struct cursor c = cursor_init(data, len);
    const uint16_t reserved = cursor_u16_be(&c);
    struct socks_udp_header h = { .fragment = cursor_u8(&c) };

    h.atyp = cursor_u8(&c);
    header_read_target(&c, &h);
    h.error = header_fault(&c, &h, reserved);
    h.used = h.error == NULL ? cursor_used(&c, data) : 0;
    *out = h;
    return h.error == NULL;
}

size_t
socks_udp_encode(uint8_t fragment, const struct addr *addr, uint8_t out[SOCKS_UDP_HEADER_MAX])
{
    const bool six = addr->family == ADDR_IPV6;
    struct writer w = writer_init(out, SOCKS_UDP_HEADER_MAX);

    writer_u16_be(&w, 0);
    writer_u8(&w, fragment);
    writer_u8(&w, six ? SOCKS5_IPV6 : SOCKS5_IPV4);
    writer_bytes(&w, addr->ip, six ? 16 : 4);
    writer_u16_be(&w, addr->port);
    return writer_len(&w);
}
