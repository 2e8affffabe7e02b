/* SPDX-License-Identifier: ISC */
/*
 * What the master says: rings come and go, files are replaced, it is time to end. Serves the loop.
 * A message that cannot be true ends the logger: the master starts another one.
 */
#include "src/logger/logger.h"

#include "src/core/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct logger *
logger_of(struct child *child)
{
    return child->owner;
}

static void
on_ring_add(struct child *child, struct ipc_message *m)
{
    struct logger *lg = logger_of(child);
    struct ipc_ring what;

    if (ipc_ring_decode(m, &what) < 0)
        log_fatal("the master sent a ring that cannot be read");
    /* Without the ring its records would never be written, nor its drain be answered. A successor is
       told of all rings anew. */
    if (m->fd_lost > 0)
        log_fatal("ring of %s: its descriptors were lost on the way", what.label);
    int none = -1;
    struct log_ring *ring = rings_add(&lg->rings, &what, m->fds[0], m->fds[1], &m->fds[2],
        m->fd_count > 3 ? &m->fds[3] : &none);

    if (ring == NULL)
        log_fatal("ring of %s: %s", what.label, strerror(errno));
    batch_resume(&lg->batch, ring);
    pump_soon(lg);
}

static void
on_ring_drain(struct child *child, struct ipc_message *m)
{
    struct logger *lg = logger_of(child);
    uint32_t id;

    if (ipc_u32_decode(m, &id) < 0)
        log_fatal("the master named a ring that cannot be read");
    struct log_ring *ring = rings_find(&lg->rings, id);

    if (ring == NULL) {
        log_error("the master wants ring %u drained, which is not here", (unsigned)id);
        return;
    }
    ring->draining = true;
    pump_run(lg);
}

static void
answer_file(struct child *child, const struct ipc_file *file, const char *error)
{
    struct ipc_file_result result = { .file = *file, .accepted = error == NULL };
    uint8_t body[IPC_BODY_MAX];
    int n = snprintf(result.error, sizeof result.error, "%s", error == NULL ? "" : error);

    if (n < 0)
        result.error[0] = '\0';
    size_t len = ipc_file_result_encode(&result, body, sizeof body);

    if (child_send(child, IPC_FILE_RESULT, body, len) < 0)
        log_warn("answer about the log file: %s", strerror(errno));
}

static void
on_file(struct child *child, struct ipc_message *m)
{
    struct logger *lg = logger_of(child);
    struct ipc_file file;
    const char *error = "this log target wants no file";

    if (ipc_file_decode(m, &file) < 0)
        log_fatal("the master sent a file that cannot be read");
    if (m->fd_lost > 0)
        error = "the descriptor was lost on the way";
    else if (file.kind == IPC_FILE_LOG && lg->target.ops->give != NULL)
        error = lg->target.ops->give(&lg->target, &m->fds[0]);
    answer_file(child, &file, error);
    if (error == NULL)
        pump_run(lg);
}

const struct child_handler logger_handlers[] = {
    { IPC_RING_ADD, on_ring_add },
    { IPC_RING_DRAIN, on_ring_drain },
    { IPC_FILE, on_file },
    { IPC_PREPARE, logger_prepare },
    { IPC_COMMIT, logger_commit },
    { IPC_ABORT, logger_abort },
    { IPC_TYPE_COUNT, NULL },
};

/* ---- the end ---- */

/* True when the master knows that the ring is empty. */
static bool
tell_drained(struct logger *lg, const struct log_ring *ring)
{
    uint8_t body[4];
    size_t len = ipc_u32_encode(ring->id, body, sizeof body);

    if (lg->child.orphan || child_send(&lg->child, IPC_RING_DRAINED, body, len) == 0)
        return true;
    if (errno == EAGAIN)
        child_want_write(&lg->child);
    return errno != EAGAIN;
}

void
logger_release(struct logger *lg)
{
    for (size_t i = lg->rings.count; i-- > 0;) {
        struct log_ring *ring = lg->rings.list[i];

        if (ring->draining && ring_done(ring) && tell_drained(lg, ring))
            rings_remove(&lg->rings, ring);
    }
    if ((lg->stopping && rings_done(&lg->rings)) || (lg->child.orphan && lg->rings.count == 0))
        loop_stop(lg->child.loop);
}

static void
on_stop_timer(struct loop_timer *timer)
{
    struct logger *lg = (struct logger *)((char *)timer - offsetof(struct logger, stop_timer));

    log_error("ends although %zu rings hold records that the log target did not take",
        rings_waiting(&lg->rings));
    loop_stop(lg->child.loop);
}

void
logger_stop(struct child *child, uint32_t seconds)
{
    struct logger *lg = logger_of(child);
    struct mono deadline = mono_add_seconds(loop_now(child->loop), seconds);

    lg->stopping = true;
    lg->stop_timer.expired = on_stop_timer;
    if (loop_timer_set(child->loop, &lg->stop_timer, deadline) < 0)
        log_fatal("stop: %s", strerror(errno));
    pump_run(lg);
}

static void
on_writer_ended(struct log_rings *rings)
{
    pump_run((struct logger *)((char *)rings - offsetof(struct logger, rings)));
}

/* Sessions live on without a master, so their records are still wanted: until the last writer ends. */
void
logger_orphaned(struct child *child)
{
    struct logger *lg = logger_of(child);

    lg->rings.ended = on_writer_ended;
    rings_watch_writers(&lg->rings);
    pump_run(lg);
}

void
logger_writable(struct child *child)
{
    pump_run(logger_of(child));
}
