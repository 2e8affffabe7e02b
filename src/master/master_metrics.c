/* SPDX-License-Identifier: ISC */
/*
 * The sum of all counters: the workers' blocks, the blocks of those that are gone, and what the master counts
 * itself. Serves whoever shows metrics. Names (rules, methods) are learnt by the master's own block first
 * and for good, so that none wanders between itself and "(other)".
 */
#include "src/master/master_metrics.h"

#include "lib/base/fd.h"
#include "src/core/log.h"
#include "src/master/master_limits.h"
#include "src/master/master_private.h"

#include <errno.h>
#include <string.h>

void
metrics_init(struct master *m)
{
    m->metrics.own = stats_new();
    m->metrics.total = stats_new();
    if (m->metrics.own == NULL || m->metrics.total == NULL)
        log_fatal("counters: %s", strerror(errno));
    m->metrics.limit = METRICS_TEXT_MAX;
    stats_set(m->metrics.own, STATS_START_TIME, STATS_AT(0), (uint64_t)m->started.us);
    stats_set(m->metrics.own, STATS_RELOAD_TIME, STATS_AT(0), (uint64_t)m->started.us);
    stats_set(m->metrics.own, STATS_RELOAD_OK, STATS_AT(0), 1);
    stats_set(m->metrics.own, STATS_BUILD, STATS_AT(0), 1);
}

void
metrics_free(struct master *m)
{
    stats_close(&m->metrics.own);
    stats_close(&m->metrics.total);
    fd_close(&m->metrics.listen_fd);
    for (unsigned i = 0; i < METRICS_FORMAT_COUNT; i++)
        fd_close(&m->metrics.kept[i].fd);
}

void
metrics_attach(struct process *worker)
{
    worker->stats = stats_open_reader(worker->table_fd, TABLE_STATS_AT);
    if (worker->stats == NULL)
        log_error("counters of worker %s: %s", worker->place->label, strerror(errno));
}

void
metrics_absorb(struct process *p)
{
    if (p->stats == NULL)
        return;
    stats_merge(p->m->metrics.own, p->stats);
    stats_close(&p->stats);
}

/* ---- what the master counts ---- */

void
metrics_count_restart(struct master *m, const struct process *p)
{
    static const struct {
        enum ipc_role role;
        unsigned value;
    } rows[] = {
        { IPC_WORKER, STATS_WORKER },
        { IPC_AUTH, STATS_AUTH },
        { IPC_LOGGER, STATS_LOGGER },
        { IPC_METRICS, STATS_METRICS },
    };

    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        if (rows[i].role == p->place->role)
            stats_add(m->metrics.own, STATS_RESTARTS, STATS_AT(rows[i].value), 1);
    }
}

/* Those that master_limits.c counts are asked for when they are shown. */
void
metrics_count_refused(struct master *m, const char *limit)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        if (strcmp(limit_name((enum limit)i), limit) == 0)
            return;
    }
    stats_add(m->metrics.own, STATS_LIMITS, STATS_AT(stats_name(m->metrics.own, STATS_SET_LIMIT, limit)), 1);
}

void
metrics_count_lost_session(struct master *m)
{
    unsigned reason = stats_name(m->metrics.own, STATS_SET_REASON, "worker-lost");

    stats_add(m->metrics.own, STATS_ENDED, STATS_AT(reason), 1);
}

void
metrics_count_reload(struct master *m, bool adopted)
{
    stats_add(m->metrics.own, STATS_RELOADS,
        STATS_AT(STATS_CONFIGURATION, adopted ? STATS_SUCCESS : STATS_FAILURE), 1);
    stats_set(m->metrics.own, STATS_RELOAD_OK, STATS_AT(0), adopted);
    stats_set(m->metrics.own, STATS_RELOAD_TIME, STATS_AT(0), (uint64_t)loop_wall(m->loop).us);
}

void
metrics_count_file(struct master *m, bool adopted)
{
    stats_add(m->metrics.own, STATS_RELOADS,
        STATS_AT(STATS_FILE, adopted ? STATS_SUCCESS : STATS_FAILURE), 1);
}

/* ---- this moment ---- */

static void
show_limits(struct master *m)
{
    struct stats *own = m->metrics.own, *total = m->metrics.total;
    struct limits_status s;

    limits_status(m, &s);
    for (unsigned i = LIMIT_NONE + 1; i < LIMIT_COUNT; i++)
        stats_add(total, STATS_LIMITS,
            STATS_AT(stats_name(own, STATS_SET_LIMIT, limit_name((enum limit)i))), s.refused[i]);
    stats_set(total, STATS_PENDING, STATS_AT(0), s.pending);
    stats_set(total, STATS_PENALTIES, STATS_AT(0), s.penalties);
    stats_set(total, STATS_PENALTIES_NOW, STATS_AT(0),
        (uint64_t)s.client_penalties + s.user_penalties);
}

/* A logger that dies may take along what it said it would report: the most that was ever known counts. */
static uint64_t
audit_lost(struct master *m)
{
    uint64_t lost = audit_state(m).lost;

    if (lost > m->metrics.audit_lost)
        m->metrics.audit_lost = lost;
    return m->metrics.audit_lost;
}

static uint64_t
workers_serving(const struct master *m)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < m->capacity.workers; i++) {
        const struct process *p = m->workers[i].process;

        count += p != NULL && p->phase == PROCESS_RUNNING && !p->bypassed;
    }
    return count;
}

static void
show_gauges(struct master *m)
{
    struct stats *total = m->metrics.total;

    stats_set(total, STATS_AUDIT_LOST, STATS_AT(0), audit_lost(m));
    stats_set(total, STATS_SESSIONS_NOW, STATS_AT(0), sessions_count(&m->sessions));
    stats_set(total, STATS_WORKERS, STATS_AT(0), workers_serving(m));
    stats_set(total, STATS_GENERATION, STATS_AT(0), m->generation);
}

static void
add_up(struct master *m)
{
    for (unsigned i = LIMIT_NONE + 1; i < LIMIT_COUNT; i++)
        (void)stats_name(m->metrics.own, STATS_SET_LIMIT, limit_name((enum limit)i));
    for (struct process *p = m->processes; p != NULL; p = p->next) {
        if (p->stats != NULL)
            stats_learn(m->metrics.own, p->stats);
    }
    stats_copy(m->metrics.total, m->metrics.own);
    for (struct process *p = m->processes; p != NULL; p = p->next) {
        if (p->stats != NULL)
            stats_merge(m->metrics.total, p->stats);
    }
    show_limits(m);
    show_gauges(m);
}

int
metrics_render_as(struct master *m, enum metrics_format format, struct buffer *out)
{
    add_up(m);
    return metrics_text(m->metrics.total, format, m->metrics.limit, out);
}

int
metrics_render(struct master *m, struct buffer *out)
{
    return metrics_render_as(m, METRICS_OPENMETRICS, out);
}
