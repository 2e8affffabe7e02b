/* SPDX-License-Identifier: ISC */
/*
 * Adding blocks up: cell by cell, and by name where a label's values were learnt. Serves the master. The
 * other block may be another process's: every count is bounded, every text ended, and what the master counts
 * itself is not taken from it.
 */
#include "src/core/stats_private.h"

#include <string.h>

static unsigned
used_of(const struct stats *s, enum stats_set set)
{
    uint32_t used = atomic_load_explicit(&s->block->used[set], memory_order_acquire);

    return used < stats_sets[set].count ? used : stats_sets[set].count;
}

static void
name_of(const struct stats *s, enum stats_set set, unsigned i, char *room)
{
    memcpy(room, s->block->names[stats_sets[set].first + i].text, STATS_NAME_SIZE);
    room[STATS_NAME_SIZE - 1] = '\0';
}

unsigned
stats_label_used(const struct stats *stats, enum stats_label label)
{
    const struct stats_label_row *row = &stats_labels[label];

    return row->values != NULL ? row->count : used_of(stats, row->set);
}

const char *
stats_label_text(const struct stats *stats, enum stats_label label, unsigned i, char *room)
{
    const struct stats_label_row *row = &stats_labels[label];

    if (row->values != NULL)
        return i < row->count ? row->values[i] : "";
    if (i >= used_of(stats, row->set))
        return STATS_OTHER;
    name_of(stats, row->set, i, room);
    return room;
}

void
stats_learn(struct stats *into, const struct stats *from)
{
    char name[STATS_NAME_SIZE];

    for (unsigned set = 0; set < STATS_SET_OF_MASTER; set++) {
        for (unsigned i = 0; i < used_of(from, set); i++) {
            name_of(from, set, i, name);
            (void)stats_name(into, set, name);
        }
    }
}

/* ---- merging ---- */

/* Index of each name of `from` in `into`; of what is no name there, "(other)". */
struct translation {
    uint16_t to[STATS_NAMES_TOTAL];
};

static void
translate(struct stats *into, const struct stats *from, struct translation *t)
{
    char name[STATS_NAME_SIZE];

    for (unsigned set = 0; set < STATS_SET_OF_MASTER; set++) {
        const struct stats_set_row *row = &stats_sets[set];
        unsigned used = used_of(from, set);

        for (unsigned i = 0; i < row->count; i++) {
            t->to[row->first + i] = (uint16_t)row->count;
            if (i >= used)
                continue;
            name_of(from, set, i, name);
            t->to[row->first + i] = (uint16_t)stats_name(into, set, name);
        }
    }
}

static unsigned
translated(const struct translation *t, enum stats_label label, unsigned i)
{
    const struct stats_label_row *row = &stats_labels[label];

    if (row->values != NULL || i == row->count - 1)
        return i;
    return t->to[stats_sets[row->set].first + i];
}

/* The cell of `into` that a cell (counted from the metric's first) of `from` means. */
static uint32_t
target_cell(const struct stats_row *row, const struct translation *t, uint32_t cell)
{
    uint32_t target = 0, scale = 1;

    for (int i = STATS_LABELS_MAX - 1; i >= 0; i--) {
        unsigned count = stats_labels[row->labels[i]].count;

        target += scale * translated(t, row->labels[i], cell % count);
        cell /= count;
        scale *= count;
    }
    return target;
}

static void
merge_row(struct stats *into, const struct stats *from, const struct stats_row *row,
    const struct translation *t)
{
    uint32_t wide = row->kind == STATS_KIND_HISTOGRAM ? STATS_WIDE_HISTOGRAM : 1U;

    for (uint32_t i = 0; i < row->cells; i++) {
        uint64_t n = atomic_load_explicit(&from->block->cells[row->first + i], memory_order_relaxed);

        if (n == 0)
            continue;
        uint32_t cell = target_cell(row, t, i / wide) * wide + i % wide;

        atomic_fetch_add_explicit(&into->block->cells[row->first + cell], n, memory_order_relaxed);
    }
}

void
stats_merge(struct stats *into, const struct stats *from)
{
    struct translation t;

    translate(into, from, &t);
    for (size_t i = 0; i < STATS_OF_MASTER; i++)
        merge_row(into, from, &stats_rows[i], &t);
}

void
stats_copy(struct stats *into, const struct stats *from)
{
    memcpy(into->block, from->block, sizeof *into->block);
    memcpy(into->index, from->index, STATS_INDEX_SIZE * sizeof *into->index);
}
