/* SPDX-License-Identifier: ISC */
/* stats.def as const tables, and where each metric's cells lie. Serves stats.c and who shows metrics. */
#include "src/core/stats_private.h"

#define LABEL(id, label, count, ...)                                                               \
    static const char *const values_##id[] = { __VA_ARGS__ };                                      \
    _Static_assert(SP_COUNT(values_##id) == (count), "values of " #id);
#include "src/core/stats.def"
#undef LABEL

const struct stats_label_row stats_labels[STATS_LABEL_COUNT] = {
#define LABEL(id, label, count, ...) { label, count, values_##id, STATS_SET_COUNT },
#include "src/core/stats.def"
#undef LABEL
#define NAMES(id, label, count) { label, (count) + 1, NULL, STATS_SET_##id },
#include "src/core/stats.def"
#undef NAMES
};

#define METRIC(id, name, kind, unit, a, b, c, d, sentence)                                         \
    { name, STATS_KIND_##kind, unit,                                                               \
        { STATS_LABEL_##a, STATS_LABEL_##b, STATS_LABEL_##c, STATS_LABEL_##d }, sentence,          \
        offsetof(struct stats_cells, id) / sizeof(uint64_t),                                       \
        sizeof(((struct stats_cells *)NULL)->id) / sizeof(uint64_t) },
const struct stats_row stats_rows[STATS_METRIC_COUNT] = {
#include "src/core/stats.def"
};
#undef METRIC

const uint32_t stats_bounds_us[STATS_BOUNDS] = { 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000 };

const struct stats_set_row stats_sets[STATS_SET_COUNT] = {
#define NAMES(id, label, count)                                                                    \
    { offsetof(struct stats_name_list, id) / sizeof(struct stats_name), count },
#include "src/core/stats.def"
#undef NAMES
};
