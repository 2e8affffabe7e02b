/* SPDX-License-Identifier: ISC */
/*
 * Which worker gets a session: the one with the fewest by the master's own count. Serves
 * master_accept.c. Descriptors travel up to 32 in a message, once a turn and worker. A worker whose
 * channel is full is passed over for a moment; what nobody can take waits, and nothing is accepted
 * meanwhile.
 */
#include "src/master/master_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <string.h>

#define RETRY_US (5 * CLOCK_MSEC_US)

static void retry(struct loop_timer *timer);

void
dispatch_init(struct master *m)
{
    memset(&m->dispatch, 0, sizeof m->dispatch);
    m->dispatch.retry.expired = retry;
}

static bool
has_room(const struct process *w)
{
    return w != NULL && w->phase == PROCESS_RUNNING && !w->bypassed && !w->blocked
        && w->sessions.count < w->capacity && w->generation == w->m->generation;
}

/* The worker with the fewest sessions, or NULL. */
static struct process *
choose(const struct master *m)
{
    struct process *best = NULL;

    for (uint32_t i = 0; i < m->capacity.workers; i++) {
        struct process *w = m->workers[i].process;

        if (has_room(w) && (best == NULL || w->sessions.count < best->sessions.count))
            best = w;
    }
    return best;
}

bool
dispatch_room(const struct master *m)
{
    return m->dispatch.waiting.count == 0 && sessions_count(&m->sessions) < m->sessions.limit
        && choose(m) != NULL;
}

/* ---- sending ---- */

/* Not sent to its worker: it waits for another. */
static void
take_back(struct master *m, struct session *session)
{
    session_list_remove(&session->worker->sessions, session);
    session->worker = NULL;
    session_list_push(&m->dispatch.waiting, session);
}

void
dispatch_recall(struct master *m, struct process *worker)
{
    for (uint32_t i = 0; i < worker->batch_count; i++)
        take_back(m, worker->batch[i]);
    m->dispatch.batched -= worker->batch_count;
    worker->batch_count = 0;
}

static int
send_batch(struct process *w)
{
    struct ipc_session list[IPC_SESSIONS_MAX];
    int fds[IPC_SESSIONS_MAX];
    uint8_t body[IPC_BODY_MAX];

    /* What waits for it may be a COMMIT, which its sessions must not overtake. */
    if (w->outbox != NULL) {
        errno = EAGAIN;
        return -1;
    }
    for (uint32_t i = 0; i < w->batch_count; i++) {
        const struct session *s = w->batch[i];

        list[i] = (struct ipc_session) { s->id, s->listener, s->client, s->local };
        fds[i] = s->fd;
    }
    size_t len = ipc_sessions_encode(list, w->batch_count, body, sizeof body);

    return ipc_send(&w->peer, IPC_SESSIONS, body, len, fds, w->batch_count);
}

static void
send_failed(struct master *m, struct process *w)
{
    int error = errno;

    dispatch_recall(m, w);
    if (error == EPIPE || error == ECONNRESET || error == ENOTCONN) {
        process_gone(w);
        return;
    }
    w->blocked = true;
    if (!loop_timer_armed(&m->dispatch.retry)
        && loop_timer_set(m->loop, &m->dispatch.retry, mono_add_us(loop_now(m->loop), RETRY_US)) < 0)
        log_fatal("no memory for a timer");
    if (error != EAGAIN && error != ETOOMANYREFS && error != ENOBUFS && error != ENOMEM)
        log_warn("handing sessions to worker %s: %s", w->label, strerror(error));
}

static void
flush_worker(struct master *m, struct process *w)
{
    if (w == NULL || w->batch_count == 0)
        return;
    if (send_batch(w) < 0) {
        send_failed(m, w);
        return;
    }
    for (uint32_t i = 0; i < w->batch_count; i++)
        fd_close(&w->batch[i]->fd);
    m->dispatch.batched -= w->batch_count;
    w->batch_count = 0;
}

static void
give(struct master *m, struct process *w, struct session *session)
{
    session->worker = w;
    session_list_push(&w->sessions, session);
    w->batch[w->batch_count++] = session;
    m->dispatch.batched++;
    if (w->batch_count == IPC_SESSIONS_MAX)
        flush_worker(m, w);
}

void
dispatch_session(struct master *m, struct session *session)
{
    struct process *w = choose(m);

    if (w != NULL)
        give(m, w, session);
    else
        session_list_push(&m->dispatch.waiting, session);
}

/* Closes what no worker has got. */
static void
refuse(struct master *m, struct session *s)
{
    fd_close(&s->fd);
    events_refused(m, EVENT_REQUEST_FAILED, s->id, s->listener, &s->client, "stopping");
    session_over(m, s);
}

/* Hands out what waits as far as there is room. */
static void
hand_out(struct master *m)
{
    struct process *w;

    while (m->dispatch.waiting.count > 0 && (w = choose(m)) != NULL) {
        struct session *session = m->dispatch.waiting.head;

        session_list_remove(&m->dispatch.waiting, session);
        if (listener_gone(m, session->listener))
            refuse(m, session);
        else
            give(m, w, session);
    }
}

void
dispatch_flush(struct master *m)
{
    /* A refused batch goes to the others; each round blocks or kills a worker, or sends all. */
    do {
        hand_out(m);
        for (uint32_t i = 0; i < m->capacity.workers; i++)
            flush_worker(m, m->workers[i].process);
    } while (m->dispatch.waiting.count > 0 && choose(m) != NULL);
    if (m->dispatch.waiting.count > 0) {
        accept_pause(m, PAUSE_BLOCKED);
        return;
    }
    accept_resume(m, PAUSE_BLOCKED);
    /* What was passed to others may have been all that kept us from accepting. */
    if ((m->acceptor.paused & PAUSE_FULL) != 0 && dispatch_room(m))
        accept_resume(m, PAUSE_FULL);
}

static void
retry(struct loop_timer *timer)
{
    struct master *m = CONTAINER(timer, struct master, dispatch.retry);

    for (struct process *p = m->processes; p != NULL; p = p->next)
        p->blocked = false;
    dispatch_wake(m);
}

void
dispatch_wake(struct master *m)
{
    /* Batches leave with the end of this turn. */
    hand_out(m);
    if (dispatch_room(m))
        accept_resume(m, PAUSE_FULL);
}

void
dispatch_close(struct master *m)
{
    loop_timer_cancel(m->loop, &m->dispatch.retry);
    while (m->dispatch.waiting.count > 0) {
        struct session *s = m->dispatch.waiting.head;

        session_list_remove(&m->dispatch.waiting, s);
        refuse(m, s);
    }
}
