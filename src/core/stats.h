/* SPDX-License-Identifier: ISC */
/*
 * Counters and histograms: one block of them in memory that one process writes and another may read, of a
 * layout that stats.def fixes. Serves the workers, each with a block in the memfd of its session table, and
 * the master, which adds them up. Nothing is decided by them, so the order of additions does not matter
 * (relaxed atomics), and a reader bounds whatever it finds. Nothing here is fatal.
 */
#ifndef SP_CORE_STATS_H
#define SP_CORE_STATS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/attr.h"

#define STATS_LABELS_MAX 4
#define STATS_NAME_SIZE 64 /* with its NUL; longer ones are cut */
#define STATS_OTHER "(other)"

/* Sets of names, and all labels: fixed ones first. */
enum stats_set {
#define NAMES(id, label, count) STATS_SET_##id,
#include "src/core/stats.def"
#undef NAMES
    STATS_SET_COUNT
};
enum stats_label {
#define LABEL(id, label, count, ...) STATS_LABEL_##id,
#include "src/core/stats.def"
#undef LABEL
#define NAMES(id, label, count) STATS_LABEL_##id,
#include "src/core/stats.def"
#undef NAMES
    STATS_LABEL_COUNT
};
enum stats_metric {
#define METRIC(id, ...) STATS_##id,
#include "src/core/stats.def"
#undef METRIC
    STATS_METRIC_COUNT
};

/* stats.def: from here on the master's own. */
#define STATS_OF_MASTER STATS_LIMITS
#define STATS_SET_OF_MASTER STATS_SET_LIMIT

/* Values of fixed labels that code names. */
enum { STATS_ACCEPTED, STATS_DENIED, STATS_FAILED, STATS_AUTH_FAILURE, STATS_LIMITED, STATS_PROTOCOL_ERROR };
enum { STATS_SUCCESS, STATS_FAILURE };
enum { STATS_TCP, STATS_UDP };
enum { STATS_UP, STATS_DOWN };
enum { STATS_BY_RULE, STATS_NO_RULE, STATS_SPECIAL };
enum { STATS_CONFIGURATION, STATS_FILE };
enum { STATS_WORKER, STATS_AUTH, STATS_LOGGER, STATS_METRICS };

enum stats_kind { STATS_KIND_COUNTER, STATS_KIND_GAUGE, STATS_KIND_HISTOGRAM };

/* Upper bounds in microseconds; one more bucket takes what is above. */
#define STATS_BOUNDS 15
#define STATS_BUCKETS (STATS_BOUNDS + 1)
extern const uint32_t stats_bounds_us[STATS_BOUNDS];

struct stats_label_row {
    const char *label;
    unsigned count;             /* values; of a set of names with one more for "(other)" */
    const char *const *values;  /* NULL: a set of names, */
    enum stats_set set;         /* this one */
};
extern const struct stats_label_row stats_labels[STATS_LABEL_COUNT];

struct stats_row {
    const char *name;
    enum stats_kind kind;
    const char *unit; /* "" for none */
    enum stats_label labels[STATS_LABELS_MAX];
    const char *sentence;
    uint32_t first; /* cell */
    uint32_t cells;
};
extern const struct stats_row stats_rows[STATS_METRIC_COUNT];

/* One value of each label, in the row's order; absent ones are 0. */
struct stats_at {
    unsigned i[STATS_LABELS_MAX];
};
#define STATS_AT(...) ((struct stats_at) { { __VA_ARGS__ } })

struct stats;

/* Bytes of a block, whole pages. */
size_t stats_size(void);

/* In memory of our own. NULL with errno. */
struct stats *stats_new(void) SP_MUST_USE;
/* The block at this offset (of whole pages) of a memfd sealed against growing and shrinking. The writer
   writes its header; the descriptor stays the caller's. NULL with errno. */
struct stats *stats_open_writer(int fd, off_t at) SP_MUST_USE;
struct stats *stats_open_reader(int fd, off_t at) SP_MUST_USE;
/* Leaves NULL; NULL is fine. */
void stats_close(struct stats **stats);

/* ---- the writer; stats may be NULL: nothing is counted ---- */

/* The value of a named label, learnt when it is new; its set's count when the set is full. */
unsigned stats_name(struct stats *stats, enum stats_set set, const char *name);
void stats_add(struct stats *stats, enum stats_metric metric, struct stats_at at, uint64_t n);
void stats_set(struct stats *stats, enum stats_metric metric, struct stats_at at, uint64_t value);
/* One value into a histogram; a negative one is 0. */
void stats_observe(struct stats *stats, enum stats_metric metric, struct stats_at at, int64_t us);

/* ---- adding up, in memory of our own ---- */

/* Learns the names of another block, so that stats_merge() into a copy finds them all. */
void stats_learn(struct stats *into, const struct stats *from);
/* Adds what workers count, by name where there are names. */
void stats_merge(struct stats *into, const struct stats *from);
/* All of it, names included. */
void stats_copy(struct stats *into, const struct stats *from);

/* ---- the reader ---- */

uint64_t stats_get(const struct stats *stats, enum stats_metric metric, struct stats_at at);
struct stats_histogram {
    uint64_t buckets[STATS_BUCKETS]; /* each for itself */
    uint64_t count;
    uint64_t sum_us;
};
void stats_read_histogram(const struct stats *stats, enum stats_metric metric, struct stats_at at,
    struct stats_histogram *out);
/* How many values of a label are in use, "(other)" not among them; and the text of one: "(other)" for the
   set's count. room has STATS_NAME_SIZE bytes; the answer may point elsewhere. */
unsigned stats_label_used(const struct stats *stats, enum stats_label label);
const char *stats_label_text(const struct stats *stats, enum stats_label label, unsigned i, char *room);

#endif
