/* SPDX-License-Identifier: ISC */
/*
 * Blocks of counters: their memory, and counting. Serves the writer; adding up is stats_merge.c's. The
 * names are found with a table of the writer's own memory. No error here is fatal.
 */
#include "src/core/stats_private.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

size_t
stats_size(void)
{
    return (sizeof(struct stats_block) + STATS_PAGE - 1) / STATS_PAGE * STATS_PAGE;
}

static struct stats *
handle_new(bool writer)
{
    struct stats *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    if (writer)
        s->index = calloc(STATS_INDEX_SIZE, sizeof *s->index);
    if (writer && s->index == NULL)
        stats_close(&s);
    return s;
}

struct stats *
stats_new(void)
{
    struct stats *s = handle_new(true);

    if (s == NULL)
        return NULL;
    s->block = calloc(1, stats_size());
    if (s->block == NULL)
        stats_close(&s);
    return s;
}

static struct stats *
open_block(int fd, off_t at, bool writer)
{
    off_t size = memfd_check(fd, F_SEAL_GROW | F_SEAL_SHRINK);

    if (size < 0)
        return NULL;
    if (at < 0 || at % (off_t)STATS_PAGE != 0 || size < at || (size_t)(size - at) < stats_size()) {
        errno = EINVAL;
        return NULL;
    }
    struct stats *s = handle_new(writer);

    if (s == NULL)
        return NULL;
    void *p = mmap(NULL, stats_size(), writer ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, at);

    if (p == MAP_FAILED) {
        stats_close(&s);
        return NULL;
    }
    s->block = p;
    s->mapped = true;
    return s;
}

struct stats *
stats_open_writer(int fd, off_t at)
{
    struct stats *s = open_block(fd, at, true);

    if (s == NULL)
        return NULL;
    s->block->magic = STATS_MAGIC;
    s->block->layout = STATS_LAYOUT;
    return s;
}

struct stats *
stats_open_reader(int fd, off_t at)
{
    return open_block(fd, at, false);
}

void
stats_close(struct stats **stats)
{
    struct stats *s = *stats;
    int saved = errno;

    if (s == NULL)
        return;
    *stats = NULL;
    if (s->mapped)
        munmap(s->block, stats_size());
    else
        free(s->block);
    free(s->index);
    free(s);
    errno = saved;
}

/* ---- names ---- */

static uint32_t
hash_name(enum stats_set set, const char *name, size_t len)
{
    uint32_t h = UINT32_C(2166136261) ^ (uint32_t)set;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)name[i]) * UINT32_C(16777619);
    return h ^ h >> 15;
}

static bool
same_name(const struct stats_name *have, const char *name, size_t len)
{
    return memcmp(have->text, name, len) == 0 && have->text[len] == '\0';
}

unsigned
stats_name(struct stats *stats, enum stats_set set, const char *name)
{
    const struct stats_set_row *row = &stats_sets[set];

    if (stats == NULL || strcmp(name, STATS_OTHER) == 0)
        return row->count;
    size_t len = strnlen(name, STATS_NAME_SIZE - 1);
    uint32_t at = hash_name(set, name, len);
    uint32_t used = atomic_load_explicit(&stats->block->used[set], memory_order_relaxed);

    for (; stats->index[at % STATS_INDEX_SIZE] != 0; at++) {
        unsigned i = stats->index[at % STATS_INDEX_SIZE] - 1U;

        if (i >= row->first && i - row->first < row->count
            && same_name(&stats->block->names[i], name, len))
            return i - row->first;
    }
    if (used >= row->count)
        return row->count;
    memcpy(stats->block->names[row->first + used].text, name, len);
    stats->index[at % STATS_INDEX_SIZE] = (uint16_t)(row->first + used + 1);
    atomic_store_explicit(&stats->block->used[set], used + 1, memory_order_release);
    return used;
}

/* ---- cells ---- */

static uint32_t
cell_of(enum stats_metric metric, struct stats_at at)
{
    const struct stats_row *row = &stats_rows[metric];
    uint32_t cell = 0;

    for (int i = 0; i < STATS_LABELS_MAX; i++) {
        unsigned count = stats_labels[row->labels[i]].count;

        cell = cell * count + (at.i[i] < count ? at.i[i] : count - 1);
    }
    return row->first + cell * (row->kind == STATS_KIND_HISTOGRAM ? STATS_WIDE_HISTOGRAM : 1U);
}

static void
add(struct stats *stats, uint32_t cell, uint64_t n)
{
    atomic_fetch_add_explicit(&stats->block->cells[cell], n, memory_order_relaxed);
}

void
stats_add(struct stats *stats, enum stats_metric metric, struct stats_at at, uint64_t n)
{
    if (stats != NULL && n != 0)
        add(stats, cell_of(metric, at), n);
}

void
stats_set(struct stats *stats, enum stats_metric metric, struct stats_at at, uint64_t value)
{
    if (stats != NULL)
        atomic_store_explicit(&stats->block->cells[cell_of(metric, at)], value, memory_order_relaxed);
}

void
stats_observe(struct stats *stats, enum stats_metric metric, struct stats_at at, int64_t us)
{
    uint32_t bucket = 0;

    if (stats == NULL)
        return;
    if (us < 0)
        us = 0;
    while (bucket < STATS_BOUNDS && us > (int64_t)stats_bounds_us[bucket])
        bucket++;
    uint32_t cell = cell_of(metric, at);

    add(stats, cell + bucket, 1);
    add(stats, cell + STATS_BUCKETS, (uint64_t)us);
}

static uint64_t
get(const struct stats *stats, uint32_t cell)
{
    return atomic_load_explicit(&stats->block->cells[cell], memory_order_relaxed);
}

uint64_t
stats_get(const struct stats *stats, enum stats_metric metric, struct stats_at at)
{
    return get(stats, cell_of(metric, at));
}

void
stats_read_histogram(const struct stats *stats, enum stats_metric metric, struct stats_at at,
    struct stats_histogram *out)
{
    uint32_t cell = cell_of(metric, at);

    out->count = 0;
    for (uint32_t i = 0; i < STATS_BUCKETS; i++) {
        out->buckets[i] = get(stats, cell + i);
        out->count += out->buckets[i];
    }
    out->sum_us = get(stats, cell + STATS_BUCKETS);
}
