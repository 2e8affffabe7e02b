/* SPDX-License-Identifier: ISC */
/* Sets of groups, found again by their content; see groups.h. */
#include "src/session/groups.h"

#include "src/policy/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 64U

struct group_set {
    struct group_set *next; /* in its chain */
    uint64_t hash;
    uint64_t *bits;  /* owned, words of them; NULL: none yet */
    uint32_t words;
    uint32_t epoch;  /* which image's they are */
    uint32_t references;
    uint32_t len;
    char names[];
};

/* FNV-1a. The names come from the host's own databases, not from clients. */
static uint64_t
hash_of(const uint8_t *at, size_t len)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

static struct group_set **
chain_of(const struct groups *g, uint64_t hash)
{
    return &g->chains[hash & (g->size - 1U)];
}

/* Without memory the chains get longer, and that is all. */
static void
grow(struct groups *g)
{
    uint32_t old_size = g->size;
    struct group_set **old = g->chains, **larger;

    if (g->count < g->size)
        return;
    larger = calloc(old_size > 0 ? old_size * 2U : FIRST_SIZE, sizeof(struct group_set *));
    if (larger == NULL)
        return;
    g->chains = larger;
    g->size = old_size > 0 ? old_size * 2U : FIRST_SIZE;
    for (uint32_t i = 0; i < old_size; i++)
        for (struct group_set *s = old[i], *next; s != NULL; s = next) {
            struct group_set **chain = chain_of(g, s->hash);

            next = s->next;
            s->next = *chain;
            *chain = s;
        }
    free(old);
}

static struct group_set *
find(const struct groups *g, uint64_t hash, const void *names, size_t len)
{
    struct group_set *s = *chain_of(g, hash);

    while (s != NULL && (s->hash != hash || s->len != len || memcmp(s->names, names, len) != 0))
        s = s->next;
    return s;
}

static struct group_set *
add(struct groups *g, uint64_t hash, const void *names, size_t len)
{
    struct group_set **chain = chain_of(g, hash);
    struct group_set *s = calloc(1, sizeof *s + len);

    if (s == NULL)
        return NULL;
    s->hash = hash;
    s->len = (uint32_t)len;
    s->epoch = g->epoch - 1U;
    memcpy(s->names, names, len);
    s->next = *chain;
    *chain = s;
    g->count++;
    return s;
}

struct group_set *
groups_take(struct groups *g, const void *names, size_t len)
{
    struct group_set *s;
    uint64_t hash;

    if (len > GROUPS_SET_MAX || len == 0 || ((const uint8_t *)names)[len - 1] != '\0') {
        errno = len > GROUPS_SET_MAX ? E2BIG : EINVAL;
        return NULL;
    }
    grow(g);
    if (g->size == 0) {
        errno = ENOMEM;
        return NULL;
    }
    hash = hash_of(names, len);
    s = find(g, hash, names, len);
    if (s == NULL)
        s = add(g, hash, names, len);
    if (s != NULL)
        s->references++;
    return s;
}

void
groups_release(struct groups *g, struct group_set **set)
{
    struct group_set *s = *set, **at;

    *set = NULL;
    if (s == NULL || --s->references > 0)
        return;
    for (at = chain_of(g, s->hash); *at != s; at = &(*at)->next)
        ;
    *at = s->next;
    g->count--;
    free(s->bits);
    free(s);
}

/* ---- bits ---- */

uint64_t *
groups_spare(const struct image *image)
{
    size_t words = POLICY_GROUP_WORDS(image);

    return calloc(words > 0 ? words : 1, sizeof(uint64_t));
}

void
groups_adopt(struct groups *g, const struct image *image, uint64_t **spare)
{
    free(g->spare);
    g->spare = *spare;
    *spare = NULL;
    g->image = image;
    g->words = POLICY_GROUP_WORDS(image);
    g->epoch++;
}

/* Room for the image's bits, in the set where there is memory. */
static uint64_t *
room_for(struct groups *g, struct group_set *s)
{
    uint64_t *larger;

    if (s->words >= g->words)
        return s->bits;
    larger = reallocarray(s->bits, g->words, sizeof *larger);
    if (larger == NULL)
        return g->spare;
    s->bits = larger;
    s->words = g->words;
    return larger;
}

/* Made when first asked for: an image comes into force in one step, however many sets there are. */
const uint64_t *
groups_bits(struct groups *g, struct group_set *set)
{
    uint64_t *bits;

    if (set == NULL || g->words == 0)
        return NULL;
    if (set->epoch == g->epoch)
        return set->bits;
    bits = room_for(g, set);
    policy_groups_of(g->image, set->names, set->len, bits);
    if (bits == set->bits)
        set->epoch = g->epoch;
    return bits;
}

void
groups_free(struct groups *g)
{
    free(g->chains);
    free(g->spare);
    *g = (struct groups) { .size = 0 };
}
