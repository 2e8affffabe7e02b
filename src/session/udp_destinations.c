/* SPDX-License-Identifier: ISC */
/*
 * The table of an association's destinations; see udp_destinations.h. A hash table over the address
 * without its port, since answers may be looked up by that alone, with a list by age through it. The
 * client chooses what is in it: a chain is at most the whole table, and the time is its own.
 */
#include "src/session/udp_destinations.h"

#include <stdlib.h>

#define FIRST_SIZE 8U

static uint16_t *
chain_of(const struct udp_destinations *t, const struct addr *addr)
{
    return &t->chains[addr_hash_ip(addr) & (t->size - 1U)];
}

static struct udp_destination *
entry(const struct udp_destinations *t, uint16_t i)
{
    return i > 0 ? &t->list[i - 1] : NULL;
}

/* ---- age ---- */

static void
age_unlink(struct udp_destinations *t, uint16_t i)
{
    struct udp_destination *d = entry(t, i);

    if (d->newer > 0)
        entry(t, d->newer)->older = d->older;
    else
        t->newest = d->older;
    if (d->older > 0)
        entry(t, d->older)->newer = d->newer;
    else
        t->oldest = d->newer;
}

static void
age_newest(struct udp_destinations *t, uint16_t i)
{
    struct udp_destination *d = entry(t, i);

    d->newer = 0;
    d->older = t->newest;
    if (t->newest > 0)
        entry(t, t->newest)->newer = i;
    else
        t->oldest = i;
    t->newest = i;
}

/* ---- chains ---- */

static uint16_t
find(const struct udp_destinations *t, const struct addr *addr)
{
    uint16_t i = t->size > 0 ? *chain_of(t, addr) : 0;

    while (i > 0 && !addr_equal(&entry(t, i)->addr, addr))
        i = entry(t, i)->next;
    return i;
}

static void
chain_add(struct udp_destinations *t, uint16_t i)
{
    uint16_t *chain = chain_of(t, &entry(t, i)->addr);

    entry(t, i)->next = *chain;
    *chain = i;
}

static void
chain_remove(struct udp_destinations *t, uint16_t i)
{
    uint16_t *at = chain_of(t, &entry(t, i)->addr);

    while (*at != i)
        at = &entry(t, *at)->next;
    *at = entry(t, i)->next;
}

/* ---- room ---- */

static bool
grow(struct udp_destinations *t)
{
    uint16_t size = t->size > 0 ? (uint16_t)(t->size * 2U) : FIRST_SIZE;
    uint16_t *chains = calloc(size, sizeof *chains);
    struct udp_destination *list = realloc(t->list, size * sizeof *list);

    if (list != NULL)
        t->list = list;
    if (list == NULL || chains == NULL) {
        free(chains);
        return false;
    }
    free(t->chains);
    t->chains = chains;
    t->size = size;
    for (uint16_t i = 1; i <= t->count; i++)
        chain_add(t, i);
    return true;
}

/* An unused entry: a new one, or the oldest. 0: no memory. */
static uint16_t
room(struct udp_destinations *t)
{
    uint16_t i = t->oldest;

    if (t->count < t->size || (t->size < UDP_DESTINATIONS_MAX && grow(t)))
        return ++t->count;
    if (i > 0) {
        chain_remove(t, i);
        age_unlink(t, i);
    }
    return i;
}

struct udp_destination *
udp_destinations_take(struct udp_destinations *t, const struct addr *addr)
{
    uint16_t i = find(t, addr);

    if (i > 0 && i == t->newest)
        return entry(t, i);
    if (i > 0) {
        age_unlink(t, i);
    } else {
        i = room(t);
        if (i == 0)
            return NULL;
        *entry(t, i) = (struct udp_destination) { .addr = *addr };
        chain_add(t, i);
    }
    age_newest(t, i);
    return entry(t, i);
}

struct udp_destination *
udp_destinations_written(const struct udp_destinations *t, const struct addr *addr, bool any_port,
    const struct udp_destination *after)
{
    uint16_t i = after != NULL ? after->next : t->size > 0 ? *chain_of(t, addr) : 0;

    for (; i > 0; i = entry(t, i)->next) {
        struct udp_destination *d = entry(t, i);

        if (d->written && addr_equal_ip(&d->addr, addr) && (any_port || d->addr.port == addr->port))
            return d;
    }
    return NULL;
}

struct udp_destination *
udp_destinations_newest(const struct udp_destinations *t)
{
    return entry(t, t->newest);
}

void
udp_destinations_free(struct udp_destinations *t)
{
    free(t->list);
    free(t->chains);
    *t = (struct udp_destinations) { .size = 0 };
}
