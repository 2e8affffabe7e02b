/* SPDX-License-Identifier: ISC */
/* The queue of fragments of an association; see udp_fragments.h. */
#include "src/session/udp_fragments.h"

#include <string.h>

#include "lib/socks/socks5.h"

static bool
same_target(const struct udp_fragments *f, const struct socks_udp_header *h)
{
    return addr_equal(&f->addr, &h->addr) && f->name_len == h->name_len &&
        (h->name_len == 0 || memcmp(f->name, h->name, h->name_len) == 0);
}

static void
take_target(struct udp_fragments *f, const struct socks_udp_header *h)
{
    f->addr = h->addr;
    f->name_len = h->name_len;
    if (h->name_len > 0)
        memcpy(f->name, h->name, h->name_len);
}

unsigned
udp_fragments_clear(struct udp_fragments *f)
{
    unsigned held = f->highest;

    buffer_clear(&f->data);
    f->highest = 0;
    return held;
}

enum udp_fragment_result
udp_fragments_add(struct udp_fragments *f, const struct socks_udp_header *h, const void *data,
    size_t len, uint64_t *lost)
{
    unsigned position = h->fragment & SOCKS_UDP_POSITION;

    if (f->highest > 0 && (position != f->highest + 1U || !same_target(f, h)))
        *lost += udp_fragments_clear(f);
    if (position != f->highest + 1U ||
        buffer_append(&f->data, data, len, SOCKS_UDP_DATAGRAM_MAX) < 0) {
        *lost += udp_fragments_clear(f) + 1U;
        return UDP_FRAGMENT_DROPPED;
    }
    if (f->highest == 0)
        take_target(f, h);
    f->highest = (uint8_t)position;
    return (h->fragment & SOCKS_UDP_LAST) != 0 ? UDP_FRAGMENT_WHOLE : UDP_FRAGMENT_HELD;
}

struct socks_udp_header
udp_fragments_header(const struct udp_fragments *f)
{
    return (struct socks_udp_header) {
        .atyp = f->name_len > 0 ? SOCKS5_NAME : f->addr.family == ADDR_IPV6 ? SOCKS5_IPV6 : SOCKS5_IPV4,
        .addr = f->addr,
        .name_len = f->name_len,
        .name = f->name,
    };
}
