/* SPDX-License-Identifier: ISC */
/*
 * A number of places that clients share: one client may take as many as are free while less than half of
 * all are taken; from there on who has an eighth gets no more. So whatever one client does, half of the
 * places are there for others. A client is an IPv4 address or the /64 of an IPv6 one. Pure bookkeeping,
 * serves resolver.c.
 */
#ifndef SP_NET_SHARES_H
#define SP_NET_SHARES_H

#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"

#define SHARES_BUCKETS 1024U

/* What one client has; there while that is something. */
struct share {
    struct share *next;
    uint64_t bits; /* as they stand in the address */
    uint8_t family;
    uint32_t count;
};

struct shares {
    struct share *buckets[SHARES_BUCKETS];
    uint64_t seed;
    uint32_t count;
    uint32_t max;
};

/* Before the sandbox: asks for random bytes. */
void shares_init(struct shares *all, uint32_t max);
/* Every place has been given back. */
void shares_free(struct shares *all);
/* A place. NULL with errno: EAGAIN, or ENOMEM. */
struct share *shares_take(struct shares *all, const struct addr *client) SP_MUST_USE;
/* Gives it back; the share may be gone then. */
void shares_give(struct shares *all, struct share *share);

#endif
