/* SPDX-License-Identifier: ISC */
/* A keyed hash map of embedded nodes, see the header. It grows with its entries and never shrinks. */
#include "src/master/master_map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SIZE_FIRST 64U
#define SIZE_MAX_BUCKETS (1U << 26)

void
map_init(struct map *map)
{
    memset(map, 0, sizeof *map);
    /* Without random bytes the map works; it is only easier to make it slow. */
    (void)!getrandom(map->seed, sizeof map->seed, GRND_NONBLOCK);
    map->seed[1] |= 1;
}

void
map_free(struct map *map)
{
    free(map->buckets);
    map->buckets = NULL;
    map->size = map->count = 0;
}

/* Both halves of the product: each bit of either side reaches every bit of the hash. */
static uint64_t
mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t
map_hash(const struct map *map, uint64_t before, const void *bytes, size_t len)
{
    uint64_t h = mix(before ^ map->seed[0], map->seed[1] ^ len);

    for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
        uint64_t word = 0;

        memcpy(&word, (const char *)bytes + at, len - at < sizeof word ? len - at : sizeof word);
        h = mix(h ^ word ^ map->seed[0], map->seed[1]);
    }
    return h;
}

static uint32_t
bucket_of(const struct map *map, uint64_t hash)
{
    return (uint32_t)hash & (map->size - 1);
}

static struct map_node *
with_hash(struct map_node *node, uint64_t hash)
{
    while (node != NULL && node->hash != hash)
        node = node->next;
    return node;
}

struct map_node *
map_first(const struct map *map, uint64_t hash)
{
    return map->size == 0 ? NULL : with_hash(map->buckets[bucket_of(map, hash)], hash);
}

struct map_node *
map_next(const struct map_node *node)
{
    return with_hash(node->next, node->hash);
}

static void
push(struct map *map, struct map_node *node)
{
    struct map_node **at = &map->buckets[bucket_of(map, node->hash)];

    node->next = *at;
    *at = node;
}

/* Twice the buckets. Without memory the chains get longer, that is all. */
static void
grow(struct map *map)
{
    struct map old = *map;
    uint32_t size = old.size == 0 ? SIZE_FIRST : old.size * 2;
    struct map_node **buckets = size > SIZE_MAX_BUCKETS ? NULL : calloc(size, sizeof(struct map_node *));

    if (buckets == NULL)
        return;
    map->buckets = buckets;
    map->size = size;
    for (uint32_t i = 0; i < old.size; i++) {
        for (struct map_node *n = old.buckets[i], *next; n != NULL; n = next) {
            next = n->next;
            push(map, n);
        }
    }
    free(old.buckets);
}

int
map_put(struct map *map, struct map_node *node)
{
    if (map->count >= map->size)
        grow(map);
    if (map->size == 0)
        return -1;
    push(map, node);
    map->count++;
    return 0;
}

void
map_remove(struct map *map, struct map_node *node)
{
    struct map_node **at = &map->buckets[bucket_of(map, node->hash)];

    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    node->next = NULL;
    map->count--;
}
