/* SPDX-License-Identifier: ISC */
/*
 * src/session/udp_fragments.c: any sequence of datagrams, each behind an octet of its length, as an
 * association would queue them. What is whole holds exactly the fragments since the last position 1.
 */
#include "tests/fuzz/fuzz.h"

#include "src/session/udp_fragments.h"

/* What the queue should say, kept beside it. */
struct model {
    uint64_t taken, lost, whole;
    size_t octets;
    unsigned held;
};

static void
add(struct udp_fragments *f, struct model *m, const struct socks_udp_header *h, const uint8_t *data,
    size_t len)
{
    unsigned position = h->fragment & SOCKS_UDP_POSITION;
    enum udp_fragment_result result = udp_fragments_add(f, h, data, len, &m->lost);

    m->taken++;
    if (result == UDP_FRAGMENT_DROPPED) {
        FUZZ_ASSERT(f->highest == 0 && buffer_len(&f->data) == 0);
        m->held = 0;
        m->octets = 0;
        return;
    }
    FUZZ_ASSERT(position >= 1 && f->highest == position);
    m->held = position;
    m->octets = position == 1 ? len : m->octets + len;
    FUZZ_ASSERT(buffer_len(&f->data) == m->octets);
    FUZZ_ASSERT((result == UDP_FRAGMENT_WHOLE) == ((h->fragment & SOCKS_UDP_LAST) != 0));
    if (result == UDP_FRAGMENT_WHOLE) {
        const struct socks_udp_header whole = udp_fragments_header(f);

        FUZZ_ASSERT(whole.atyp == h->atyp && whole.fragment == 0);
        FUZZ_ASSERT(addr_equal(&whole.addr, &h->addr) && whole.name_len == h->name_len);
        FUZZ_ASSERT(udp_fragments_clear(f) == position);
        m->whole += position;
        m->held = 0;
        m->octets = 0;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct udp_fragments f = { .highest = 0 };
    struct model m = { .taken = 0 };
    size_t at = 0;

    while (at < size) {
        size_t len = data[at++];
        struct socks_udp_header h;

        if (len > size - at)
            len = size - at;
        if (socks_udp_decode(data + at, len, &h) && h.fragment != 0)
            add(&f, &m, &h, data + at + h.used, len - h.used);
        at += len;
        /* Every fragment is in the queue, in something whole, or lost. */
        FUZZ_ASSERT(m.taken == m.lost + m.whole + m.held);
    }
    (void)udp_fragments_clear(&f);
    return 0;
}
