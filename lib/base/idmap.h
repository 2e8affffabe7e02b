/* SPDX-License-Identifier: ISC */
/*
 * A hash map from a 64-bit id (never 0) to a pointer, in one array: open addressing, no allocation
 * per entry, removal without tombstones. For ids that we issue ourselves (the hash is not keyed).
 */
#ifndef SP_BASE_IDMAP_H
#define SP_BASE_IDMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/attr.h"

struct idmap_slot {
    uint64_t id; /* 0: empty */
    void *value; /* a borrow, the caller's */
};

struct idmap {
    struct idmap_slot *slots; /* owned; NULL while nothing was put */
    uint32_t size;            /* slots: 0 or a power of two */
    uint32_t count;           /* entries */
    uint32_t max;             /* entries allowed */
};

#define IDMAP_MAX (UINT32_C(1) << 28)

/* An empty map for at most max (up to IDMAP_MAX) entries. Allocates nothing. */
void idmap_init(struct idmap *m, uint32_t max);

/* Puts or replaces. 0, or -1 with ENOMEM when memory or the allowed entries are used up, or EINVAL
   for id 0; then nothing changed. A map never shrinks before idmap_free(). */
int idmap_put(struct idmap *m, uint64_t id, void *value) SP_MUST_USE;

/* The value, or NULL. */
void *idmap_get(const struct idmap *m, uint64_t id);

/* Takes the entry out and returns its value, or NULL when there is none. */
void *idmap_remove(struct idmap *m, uint64_t id);

uint32_t idmap_count(const struct idmap *m);

/* Gives the memory back; the map is empty and usable again, with the same bound. */
void idmap_free(struct idmap *m);

/*
 * Every entry once, in no order:
 *     struct idmap_iter it = idmap_iterate(&m);
 *     while (idmap_next(&it, &id, &value)) ...
 * Entries already returned may be removed on the way, nothing else changed.
 */
struct idmap_iter {
    const struct idmap *map;
    uint32_t at;
    uint32_t left;
};

struct idmap_iter idmap_iterate(const struct idmap *m);

/* False at the end. id or value may be NULL. */
bool idmap_next(struct idmap_iter *it, uint64_t *id, void **value);

#endif
