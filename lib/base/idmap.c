/* SPDX-License-Identifier: ISC */
/*
 * The id map. Serves the master (session ids) and the workers. Out of memory is an answer; nothing
 * here is fatal.
 */
#include "lib/base/idmap.h"

#include <errno.h>
#include <stdlib.h>

#define IDMAP_MIN_SIZE 16U

void
idmap_init(struct idmap *m, uint32_t max)
{
    *m = (struct idmap){ NULL, 0, 0, max < IDMAP_MAX ? max : IDMAP_MAX };
}

/* The slot where the search for id begins. Fibonacci hashing spreads ids issued one after the other
   evenly: its upper bits differ most between neighbours. */
static uint32_t
idmap_home(uint64_t id, uint32_t size)
{
    const uint64_t h = id * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 32) & (size - 1);
}

/* The slot that holds id, or the empty one where it belongs. There is always an empty one. */
static uint32_t
idmap_find(const struct idmap_slot *slots, uint32_t size, uint64_t id)
{
    uint32_t i = idmap_home(id, size);
    while (slots[i].id != 0 && slots[i].id != id) {
        i = (i + 1) & (size - 1);
    }
    return i;
}

static int
idmap_grow(struct idmap *m)
{
    const uint32_t size = m->size > 0 ? m->size * 2 : IDMAP_MIN_SIZE;
    struct idmap_slot *slots = calloc(size, sizeof(*slots));
    if (slots == NULL) {
        errno = ENOMEM;
        return -1;
    }
    for (uint32_t i = 0; i < m->size; i++) {
        if (m->slots[i].id != 0) {
            slots[idmap_find(slots, size, m->slots[i].id)] = m->slots[i];
        }
    }
    free(m->slots);
    m->slots = slots;
    m->size = size;
    return 0;
}

/* At most three quarters full: the runs stay short. */
static bool
idmap_is_full(const struct idmap *m)
{
    return (uint64_t)(m->count + 1) * 4 > (uint64_t)m->size * 3;
}

int
idmap_put(struct idmap *m, uint64_t id, void *value)
{
    if (id == 0) {
        errno = EINVAL;
        return -1;
    }
    if (m->size > 0) {
        struct idmap_slot *slot = &m->slots[idmap_find(m->slots, m->size, id)];
        if (slot->id == id) {
            slot->value = value;
            return 0;
        }
    }
    if (m->count >= m->max) {
        errno = ENOMEM;
        return -1;
    }
    if (idmap_is_full(m) && idmap_grow(m) != 0) {
        return -1;
    }
    m->slots[idmap_find(m->slots, m->size, id)] = (struct idmap_slot){ id, value };
    m->count++;
    return 0;
}

void *
idmap_get(const struct idmap *m, uint64_t id)
{
    if (id == 0 || m->size == 0) {
        return NULL;
    }
    return m->slots[idmap_find(m->slots, m->size, id)].value;
}

/* Closes the gap at hole: each entry of the run behind it moves up unless its home lies after the
   hole. So a search never meets a hole inside its run. */
static void
idmap_close_gap(struct idmap *m, uint32_t hole)
{
    const uint32_t mask = m->size - 1;
    for (uint32_t i = (hole + 1) & mask; m->slots[i].id != 0; i = (i + 1) & mask) {
        const uint32_t home = idmap_home(m->slots[i].id, m->size);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct idmap_slot){ 0, NULL };
}

void *
idmap_remove(struct idmap *m, uint64_t id)
{
    if (id == 0 || m->size == 0) {
        return NULL;
    }
    const uint32_t i = idmap_find(m->slots, m->size, id);
    if (m->slots[i].id == 0) {
        return NULL;
    }
    void *value = m->slots[i].value;
    idmap_close_gap(m, i);
    m->count--;
    return value;
}

uint32_t
idmap_count(const struct idmap *m)
{
    return m->count;
}

void
idmap_free(struct idmap *m)
{
    free(m->slots);
    idmap_init(m, m->max);
}

struct idmap_iter
idmap_iterate(const struct idmap *m)
{
    /* From an empty slot downwards: each run is walked from its last entry to its first, so that
       closing the gap of a removed one moves only entries that were returned already. */
    uint32_t start = 0;
    while (start < m->size && m->slots[start].id != 0) {
        start++;
    }
    return (struct idmap_iter){ m, start, m->size };
}

bool
idmap_next(struct idmap_iter *it, uint64_t *id, void **value)
{
    while (it->left > 0) {
        it->left--;
        it->at = (it->at - 1) & (it->map->size - 1);
        const struct idmap_slot *slot = &it->map->slots[it->at];
        if (slot->id == 0) {
            continue;
        }
        if (id != NULL) {
            *id = slot->id;
        }
        if (value != NULL) {
            *value = slot->value;
        }
        return true;
    }
    return false;
}
