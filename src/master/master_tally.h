/* SPDX-License-Identifier: ISC */
/*
 * Who counts as one client, and how many sessions each client and each user has. Pure bookkeeping:
 * no clock, no messages. Serves master_limits.c; the counts are changed there alone, when a session
 * begins, logs in and ends.
 */
#ifndef SP_MASTER_MASTER_TALLY_H
#define SP_MASTER_MASTER_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "src/master/master_map.h"

/* An IPv4 address, or the first half of an IPv6 one. */
struct client_key {
    uint64_t bits;   /* as they stand in the address */
    uint64_t family; /* enum addr_family; as wide, so that there is no padding */
};

struct client_key client_key(const struct addr *a);
struct addr_prefix client_prefix(struct client_key key);

static inline bool
client_same(struct client_key a, struct client_key b)
{
    return a.bits == b.bits && a.family == b.family;
}

/* ---- clients ---- */

struct tally_client {
    struct map_node node;
    struct client_key key;
    uint32_t sessions;
    uint32_t pending; /* of this epoch */
    uint32_t epoch;
    uint32_t waiting; /* at the door; no session yet */
};

/* ---- users ---- */

struct tally_user {
    struct map_node node;
    uint32_t sessions; /* that count against the limit */
    uint32_t holders;  /* sessions that name it */
    char name[];
};

struct tally {
    struct map clients;
    struct map users;
    struct tally_client *free; /* given back, through node.next */
    struct tally_chunk *chunks;
    uint32_t epoch;   /* of the pending counts; a new one forgets them all */
    uint64_t pending; /* of this epoch */
};

void tally_init(struct tally *t);
void tally_free(struct tally *t);

struct tally_client *tally_client_find(const struct tally *t, struct client_key key);
/* The same, made when it is missing; NULL: no memory. */
struct tally_client *tally_client_get(struct tally *t, struct client_key key);
/* Given back when nothing is counted any more. */
void tally_client_settle(struct tally *t, struct tally_client *c);
/* Pending connections of this epoch. */
uint32_t tally_pending(const struct tally *t, const struct tally_client *c);
void tally_pending_add(struct tally *t, struct tally_client *c);
void tally_pending_end(struct tally *t, struct tally_client *c);
/* No connection is pending any more, whoever was. */
void tally_pending_forget(struct tally *t);

/* Another session of this name. NULL: no memory. */
struct tally_user *tally_user_hold(struct tally *t, const char *name);
/* One session less; the last one takes it away. */
void tally_user_drop(struct tally *t, struct tally_user *u);

#endif
