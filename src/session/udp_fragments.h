/* SPDX-License-Identifier: ISC */
/*
 * Putting a client's fragments together (RFC 1928 section 7): one queue an association. Positions come
 * one after another, from 1; whatever else comes takes the queue with it. The timer is the owner's. No
 * I/O, no clock.
 */
#ifndef SP_SESSION_UDP_FRAGMENTS_H
#define SP_SESSION_UDP_FRAGMENTS_H

#include "lib/base/buffer.h"
#include "lib/socks/udp.h"

struct udp_fragments {
    struct addr addr; /* where they all go, as in the header */
    uint8_t name_len;
    uint8_t name[255];
    uint8_t highest;    /* 0: the queue is empty */
    struct buffer data;
};

enum udp_fragment_result {
    UDP_FRAGMENT_HELD,
    UDP_FRAGMENT_WHOLE,  /* data and destination are complete: udp_fragments_clear() when used */
    UDP_FRAGMENT_DROPPED /* the fragment did not fit; it is not in the queue */
};

/* h->fragment is not 0. *lost grows by the fragments dropped, this one included. */
enum udp_fragment_result udp_fragments_add(struct udp_fragments *f, const struct socks_udp_header *h,
    const void *data, size_t len, uint64_t *lost);
/* What is whole, as if it had come in one piece (a borrow). */
struct socks_udp_header udp_fragments_header(const struct udp_fragments *f);
/* Empties the queue. Returns how many fragments were in it. */
unsigned udp_fragments_clear(struct udp_fragments *f);

#endif
