/* SPDX-License-Identifier: ISC */
/* Places that clients share, see the header. Nobody is told of errors but the caller. */
#include "src/net/shares.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define MANY(all) ((all)->max / 2)
#define PART(all) ((all)->max / 8)

void
shares_init(struct shares *all, uint32_t max)
{
    memset(all, 0, sizeof *all);
    all->max = max;
    /* Without random bytes it is only easier to make it slow. */
    (void)!getrandom(&all->seed, sizeof all->seed, GRND_NONBLOCK);
    all->seed |= 1;
}

static struct share **
bucket_of(struct shares *all, uint64_t bits)
{
    return &all->buckets[(bits * all->seed >> 32) % SHARES_BUCKETS];
}

void
shares_free(struct shares *all)
{
    for (uint32_t i = 0; i < SHARES_BUCKETS; i++) {
        while (all->buckets[i] != NULL) {
            struct share *share = all->buckets[i];

            all->buckets[i] = share->next;
            free(share);
        }
    }
    all->count = 0;
}

static struct share *
share_get(struct shares *all, const struct addr *client)
{
    struct share key = { .family = client->family, .count = 0 }, *share;

    memcpy(&key.bits, client->ip, client->family == ADDR_IPV4 ? 4 : sizeof key.bits);
    struct share **bucket = bucket_of(all, key.bits);

    for (share = *bucket; share != NULL; share = share->next) {
        if (share->bits == key.bits && share->family == key.family)
            return share;
    }
    share = malloc(sizeof *share);
    if (share == NULL)
        return NULL;
    *share = key;
    share->next = *bucket;
    *bucket = share;
    return share;
}

static void
share_drop(struct shares *all, struct share *share)
{
    struct share **at = bucket_of(all, share->bits);

    while (*at != share)
        at = &(*at)->next;
    *at = share->next;
    free(share);
}

struct share *
shares_take(struct shares *all, const struct addr *client)
{
    struct share *share = all->count < all->max ? share_get(all, client) : NULL;

    if (share == NULL) {
        errno = all->count < all->max ? ENOMEM : EAGAIN;
        return NULL;
    }
    if (all->count >= MANY(all) && share->count >= PART(all)) {
        errno = EAGAIN;
        return NULL;
    }
    share->count++;
    all->count++;
    return share;
}

void
shares_give(struct shares *all, struct share *share)
{
    all->count--;
    if (--share->count == 0)
        share_drop(all, share);
}
