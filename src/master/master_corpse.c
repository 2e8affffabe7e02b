/* SPDX-License-Identifier: ISC */
/*
 * What is left of a dead process: its ring, which the logger drains first, and its sessions, whose
 * closing records the master then writes. Serves master_watch.c and master_stop.c. A logger that is
 * missing or slow delays the records by MASTER_DRAIN_SECONDS at most; the ring is kept until it was
 * drained, within bounds.
 */
#include "src/master/master_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <stdlib.h>

#define REAP_SLICE 64                  /* closing records a turn */
#define REAP_PAUSE_US (10 * CLOCK_MSEC_US) /* while the master's ring is full */
#define REAP_PATIENCE 500              /* such pauses, then records are dropped and counted */
#define REAP_ROOM (REAP_SLICE * EVENT_RECORD_MAX / 4)

static void
corpse_free(struct process *p)
{
    struct master *m = p->m;
    struct process **at = &m->corpses;

    while (*at != p)
        at = &(*at)->next_corpse;
    *at = p->next_corpse;
    m->corpse_count--;
    loop_timer_cancel(m->loop, &p->limit);
    loop_timer_cancel(m->loop, &p->reap_timer);
    loop_task_cancel(m->loop, &p->reap_task);
    reaper_free(&p->reaper);
    fd_close(&p->ring_data);
    fd_close(&p->ring_index);
    fd_close(&p->table_fd);
    fd_close(&p->accepted_fd);
    fd_close(&p->pidfd);
    free(p);
}

static void
corpse_settle(struct process *p)
{
    struct master *m = p->m;

    if (!p->reaped)
        return;
    if (p->drained)
        corpse_free(p);
    stop_advance(m); /* which waits for closing records, not for a log target that takes nothing */
}

/* ---- closing records ---- */

static void
reap_one(struct process *p)
{
    struct master *m = p->m;
    struct session *s = p->sessions.head;

    if (reaper_close(
            p->reaper, s, master_listener_name(m, s->listener), loop_wall(m->loop), m->ring))
        metrics_count_lost_session(m);
    session_list_remove(&p->sessions, s);
    session_over(m, s);
}

static void
reap_slice(struct loop_task *task)
{
    struct process *p = CONTAINER(task, struct process, reap_task);
    struct master *m = p->m;

    if (p->sessions.count > 0 && ring_room(m->ring) < REAP_ROOM && p->reap_pauses < REAP_PATIENCE
        && !m->stop_now) {
        p->reap_pauses++;
        if (loop_timer_set(
                m->loop, &p->reap_timer, mono_add_us(loop_now(m->loop), REAP_PAUSE_US)) == 0)
            return;
    }
    for (int i = 0; i < REAP_SLICE && p->sessions.count > 0; i++)
        reap_one(p);
    dispatch_wake(m);
    if (p->sessions.count > 0) {
        loop_defer(m->loop, &p->reap_task);
        return;
    }
    p->reaped = true;
    reaper_free(&p->reaper);
    corpse_settle(p);
}

static void
reap_pause_over(struct loop_timer *timer)
{
    struct process *p = CONTAINER(timer, struct process, reap_timer);

    loop_defer(p->m->loop, &p->reap_task);
}

static void
reap_begin(struct process *p)
{
    if (p->reaped || p->reaper != NULL)
        return;
    p->reaper = reaper_new(p->table_fd, p->ring_data);
    if (p->reaper == NULL)
        log_error("no memory for the audit of worker %s: its closing records know less",
            p->label);
    p->reap_task.run = reap_slice;
    p->reap_timer.expired = reap_pause_over;
    loop_defer(p->m->loop, &p->reap_task);
}

static void
drain_over(struct loop_timer *timer)
{
    struct process *p = CONTAINER(timer, struct process, limit);

    if (!p->reaped)
        log_warn("the records of %s %s are not written after %d s; its sessions are closed meanwhile",
            role_name(p->place->role), p->label, MASTER_DRAIN_SECONDS);
    reap_begin(p);
}

/* ---- draining ---- */

static void
drain_ask(struct process *logger, const struct process *p)
{
    if (logger != NULL && logger->was_ready && !p->drained)
        process_send_u32(logger, IPC_RING_DRAIN, p->incarnation);
}

/* The oldest ring goes when there are too many: nobody has accepted records for long. */
static void
bound_corpses(struct master *m)
{
    struct process *oldest = m->corpses;

    if (m->corpse_count <= MASTER_CORPSES_MAX)
        return;
    while (oldest->next_corpse != NULL)
        oldest = oldest->next_corpse;
    log_warn("the records of %s %s were never accepted and are given up",
        role_name(oldest->place->role), oldest->label);
    oldest->drained = true;
    reap_begin(oldest);
    corpse_settle(oldest);
}

static void
note_next_seq(struct process *p)
{
    uint64_t next = p->ring_data < 0 ? 0 : ring_next_seq_of(p->ring_data);

    if (p->life != p->place->life)
        return; /* nobody goes on with its numbers */
    /* A writer that spoiled its ring leaves a gap in the numbers, never one used twice. */
    if (next >= p->place->next_seq)
        p->place->next_seq = next;
    else if (p->ring_data >= 0)
        p->place->next_seq += UINT64_C(1) << 32;
}

static void
close_channel(struct process *p)
{
    if (p->peer.fd >= 0)
        loop_io_del(p->m->loop, &p->io, p->peer.fd);
    fd_close(&p->peer.fd);
    for (size_t i = 0; i < MASTER_POOLS_MAX; i++)
        fd_close(&p->queues[i]);
    outbox_clear(p);
}

void
corpse_make(struct process *p)
{
    struct master *m = p->m;

    process_unlist(p);
    dispatch_recall(m, p);
    ledger_forget(&m->bandwidth.ledger, p, &p->accounts);
    answers_free(p);
    broker_forget(p);
    close_channel(p);
    process_set_phase(p, PROCESS_DEAD);
    note_next_seq(p);
    metrics_absorb(p);
    p->next_corpse = m->corpses;
    m->corpses = p;
    m->corpse_count++;
    /* Without a pidfd the logger never heard of the ring, and the process never of anything. */
    p->drained = p->ring_data < 0 || p->pidfd < 0;
    p->reaped = p->place->role != IPC_WORKER;
    loop_timer_cancel(m->loop, &p->limit);
    p->limit.expired = drain_over;
    if (p->drained
        || loop_timer_set(
               m->loop, &p->limit, mono_add_seconds(loop_now(m->loop), MASTER_DRAIN_SECONDS)) < 0)
        reap_begin(p);
    drain_ask(master_logger(m), p);
    bound_corpses(m);
    corpse_settle(p);
}

void
corpse_announce_all(struct process *logger)
{
    for (struct process *p = logger->m->corpses; p != NULL; p = p->next_corpse) {
        if (!p->drained)
            equip_announce_ring(logger, p);
    }
}

void
corpse_drain_all(struct process *logger)
{
    for (struct process *p = logger->m->corpses; p != NULL; p = p->next_corpse)
        drain_ask(logger, p);
}

void
corpse_drained(struct master *m, uint32_t ring)
{
    for (struct process *p = m->corpses; p != NULL; p = p->next_corpse) {
        if (p->incarnation != ring)
            continue;
        p->drained = true;
        loop_timer_cancel(m->loop, &p->limit);
        reap_begin(p);
        corpse_settle(p);
        return;
    }
}

void
corpse_reap_all(struct master *m)
{
    for (struct process *p = m->corpses; p != NULL; p = p->next_corpse)
        reap_begin(p);
}

bool
corpse_reaping(const struct master *m)
{
    for (const struct process *p = m->corpses; p != NULL; p = p->next_corpse) {
        if (!p->reaped)
            return true;
    }
    return false;
}

void
corpses_free(struct master *m)
{
    while (m->corpses != NULL)
        corpse_free(m->corpses);
}
