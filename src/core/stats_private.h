/* SPDX-License-Identifier: ISC */
/* The layout of a block, shared by the files of stats alone. */
#ifndef SP_CORE_STATS_PRIVATE_H
#define SP_CORE_STATS_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "src/core/stats.h"

#define STATS_MAGIC UINT32_C(0x53505343)
#define STATS_LAYOUT 1U
#define STATS_PAGE 4096U

struct stats_name {
    char text[STATS_NAME_SIZE];
};

/* How many names there are in all, one after the other. */
struct stats_name_list {
#define NAMES(id, label, count) struct stats_name id[count];
#include "src/core/stats.def"
#undef NAMES
};
#define STATS_NAMES_TOTAL (sizeof(struct stats_name_list) / sizeof(struct stats_name))

struct stats_set_row {
    unsigned first; /* index of its first name */
    unsigned count;
};
extern const struct stats_set_row stats_sets[STATS_SET_COUNT];

enum {
#define LABEL(id, label, count, ...) STATS_WIDTH_##id = (count),
#include "src/core/stats.def"
#undef LABEL
#define NAMES(id, label, count) STATS_WIDTH_##id = (count) + 1,
#include "src/core/stats.def"
#undef NAMES
};

/* A histogram's cell is its buckets and its sum. */
enum {
    STATS_WIDE_COUNTER = 1,
    STATS_WIDE_GAUGE = 1,
    STATS_WIDE_HISTOGRAM = STATS_BUCKETS + 1
};

/* Where each metric's cells lie. */
struct stats_cells {
#define METRIC(id, name, kind, unit, a, b, c, d, sentence)                                         \
    uint64_t id[STATS_WIDE_##kind * STATS_WIDTH_##a * STATS_WIDTH_##b * STATS_WIDTH_##c            \
        * STATS_WIDTH_##d];
#include "src/core/stats.def"
#undef METRIC
};
#define STATS_CELLS_TOTAL (sizeof(struct stats_cells) / sizeof(uint64_t))

/* One block. A name's text is there before the number of names says so, and never changes. */
struct stats_block {
    uint32_t magic;
    uint32_t layout;
    _Atomic uint32_t used[STATS_SET_COUNT];
    _Atomic uint64_t cells[STATS_CELLS_TOTAL];
    struct stats_name names[STATS_NAMES_TOTAL];
};

/* A power of two with room: the writer's own way from a name to its index. */
#define STATS_INDEX_SIZE 4096U
_Static_assert(STATS_INDEX_SIZE >= 2 * STATS_NAMES_TOTAL, "the index stays half empty");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "atomics in shared memory must be lock-free");

struct stats {
    struct stats_block *block;
    bool mapped;
    uint16_t *index; /* name index + 1 by hash; NULL: a reader */
};

#endif
