/* SPDX-License-Identifier: ISC */
/*
 * Metrics: what the workers count, what the master counts itself, and the counts of the dead, as one text.
 * Serves sallyportctl (master_control*.c) and sallyport-metrics. No counter ever goes back while the master
 * lives: the counts of a process that ended are added to the master's own.
 */
#ifndef SP_MASTER_MASTER_METRICS_H
#define SP_MASTER_MASTER_METRICS_H

#include <stdbool.h>

#include "lib/base/attr.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "src/core/ipc_metrics.h"
#include "src/core/stats.h"

struct master;
struct process;

#define METRICS_TEXT_MAX (64U * 1024 * 1024)

/* Appends the OpenMetrics text of this moment. 0, or -1 with errno (ENOMEM, ENOBUFS); out may have a part of
   it then. */
int metrics_render(struct master *m, struct buffer *out) SP_MUST_USE;
int metrics_render_as(struct master *m, enum metrics_format format, struct buffer *out) SP_MUST_USE;

/* ---- for the master's own files ---- */

/* The text of one block (master_metrics_text.c), until out holds limit octets. 0, or -1 with errno. */
int metrics_text(const struct stats *stats, enum metrics_format format, size_t limit, struct buffer *out)
    SP_MUST_USE;

struct metrics_kept {
    int fd; /* sealed; -1: none */
    struct mono made;
};

/* The master's own counts with those of the dead, and room to add up. */
struct metrics_sum {
    struct stats *own;
    struct stats *total;
    size_t limit;        /* octets of a text */
    uint64_t audit_lost; /* the most that was ever told */
    int listen_fd;       /* sallyport-metrics serves on it; -1: nowhere */
    struct metrics_kept kept[METRICS_FORMAT_COUNT];
};

/* Memory for it all; fatal when there is none. */
void metrics_init(struct master *m);
void metrics_free(struct master *m);

/* A worker has a table with counters; it died: they become ours. Harmless for a process without. */
void metrics_attach(struct process *worker);
void metrics_absorb(struct process *p);

/* Facts the master counts. */
void metrics_count_restart(struct master *m, const struct process *p);
void metrics_count_refused(struct master *m, const char *limit);
void metrics_count_lost_session(struct master *m);
void metrics_count_reload(struct master *m, bool adopted);
void metrics_count_file(struct master *m, bool adopted);

/* sallyport-metrics (master_metrics_serve.c): whether there is to be one; its socket, 0 or -1 (told); what
   it gets behind INIT; its question, false when malformed. */
bool metrics_wanted(const struct master *m);
int metrics_listen(struct master *m) SP_MUST_USE;
void metrics_equip(struct process *p);
bool metrics_asked(struct process *p, struct ipc_message *message);

#endif
