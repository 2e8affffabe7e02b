/* SPDX-License-Identifier: ISC */
/*
 * A hash map whose nodes are embedded in what they find: nothing is allocated per entry. Keys may come
 * from strangers, so the hash is keyed. Serves the limits, penalties and budgets.
 */
#ifndef SP_MASTER_MASTER_MAP_H
#define SP_MASTER_MASTER_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"

struct map_node {
    struct map_node *next; /* of the same bucket */
    uint64_t hash;
};

struct map {
    struct map_node **buckets; /* owned; NULL while nothing was put */
    uint32_t size;             /* 0 or a power of two */
    uint32_t count;
    uint64_t seed[2];
};

/* Empty, with a seed of its own. */
void map_init(struct map *map);
void map_free(struct map *map); /* the nodes are the caller's */

/* Of len bytes; `before` is the hash of what comes before them, or 0. */
uint64_t map_hash(const struct map *map, uint64_t before, const void *bytes, size_t len);

/* The first node with this hash, and the next one; NULL at the end. The caller compares the keys. */
struct map_node *map_first(const struct map *map, uint64_t hash);
struct map_node *map_next(const struct map_node *node);

/* Puts a node whose hash is set. 0, or -1 with ENOMEM. */
int map_put(struct map *map, struct map_node *node) SP_MUST_USE;
void map_remove(struct map *map, struct map_node *node);

/* The nodes of bucket i < size, through their `next`. */
static inline struct map_node *
map_bucket(const struct map *map, uint32_t i)
{
    return map->buckets[i];
}

#endif
