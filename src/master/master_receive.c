/* SPDX-License-Identifier: ISC */
/*
 * What children say. Serves the loop. A message that the table forbids, that does not decode or that
 * names a session its sender was not given is a violation: the sender is killed and replaced. Reads
 * are bounded per turn, so that a child that floods its channel starves nobody.
 */
#include "src/master/master_private.h"

#include "src/core/log.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOST_TELL_SECONDS 10
#define REST_MAX 65536 /* messages; more than a channel's buffer holds */

void
process_set_phase(struct process *p, enum process_phase phase)
{
    p->phase = phase;
    if (phase == PROCESS_RUNNING)
        ipc_set_state(&p->peer, IPC_RUNNING);
    else if (phase == PROCESS_STOPPING)
        ipc_set_state(&p->peer, IPC_STOPPING);
}

bool
process_alive(const struct process *p)
{
    return p->phase == PROCESS_STARTING || p->phase == PROCESS_RUNNING
        || p->phase == PROCESS_STOPPING;
}

/* Nothing more is sent to it or read from it until it is reaped. */
static void
detach(struct process *p)
{
    process_set_phase(p, PROCESS_KILLED);
    loop_io_del(p->m->loop, &p->io, p->peer.fd);
    outbox_clear(p);
    dispatch_recall(p->m, p);
}

void
process_signal(const struct process *p, int signo)
{
    /* The pidfd names this process and no other that got its number later. */
    if (p->pidfd < 0 || syscall(SYS_pidfd_send_signal, p->pidfd, signo, NULL, 0) < 0)
        (void)kill(p->pid, signo);
}

void
process_kill(struct process *p, const char *reason)
{
    if (!process_alive(p))
        return;
    p->reason = reason;
    detach(p);
    process_signal(p, SIGKILL);
}

void
process_gone(struct process *p)
{
    if (!process_alive(p))
        return;
    detach(p);
    watch_limit(p, MASTER_KILL_SECONDS);
}

static void
violation(struct process *p, const char *what)
{
    log_error("%s %s broke the rules (%s); it is replaced", role_name(p->place->role),
        p->label, what);
    process_kill(p, "violation");
}

/* ---- one handler a message; false: it is malformed or untrue ---- */

static bool
on_ready(struct process *p, struct ipc_message *message)
{
    (void)message;
    if (p->phase == PROCESS_STOPPING)
        return true; /* it crossed our STOP */
    if (p->was_ready)
        return false;
    p->was_ready = true;
    process_set_phase(p, PROCESS_RUNNING);
    watch_ready(p);
    return true;
}

static bool
on_pong(struct process *p, struct ipc_message *message)
{
    uint32_t number;

    if (ipc_u32_decode(message, &number) < 0)
        return false;
    watch_pong(p, number);
    return true;
}

static bool
end_session(struct process *p, uint64_t id)
{
    struct session *s = sessions_get(&p->m->sessions, id);

    if (s == NULL || s->worker != p || s->fd >= 0)
        return false;
    session_list_remove(&p->sessions, s);
    session_over(p->m, s);
    return true;
}

static bool
on_ended(struct process *p, struct ipc_message *message)
{
    uint64_t ids[IPC_ENDED_MAX];
    size_t count = 0;

    if (ipc_ended_decode(message, ids, &count) < 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!end_session(p, ids[i]))
            return false;
    }
    dispatch_wake(p->m);
    drain_look(p->m);
    return true;
}

static bool
on_lost(struct process *p, struct ipc_message *message)
{
    uint32_t count;

    if (ipc_u32_decode(message, &count) < 0 || count == 0 || count > IPC_SESSIONS_MAX)
        return false;
    struct master *m = p->m;

    m->lost += count;
    if (m->lost_told.us != 0
        && mono_diff_us(loop_now(m->loop), m->lost_told) < LOST_TELL_SECONDS * CLOCK_SECOND_US)
        return true;
    m->lost_told = loop_now(m->loop);
    log_warn("worker %s: %" PRIu32 " descriptors did not arrive (%" PRIu64
             " so far): it is out of them",
        p->label, count, m->lost);
    return true;
}

static bool
on_file_result(struct process *p, struct ipc_message *message)
{
    struct ipc_file_result result;

    if (ipc_file_result_decode(message, &result) < 0)
        return false;
    return broker_result(p, &result);
}

static struct process *
worker_of(const struct master *m, uint32_t incarnation)
{
    for (struct process *p = m->processes; p != NULL; p = p->next) {
        if (p->incarnation == incarnation && p->place->role == IPC_WORKER)
            return p;
    }
    return NULL;
}

/* The id came from the worker through its own queue: an untrue one is the worker's doing. One that
   ended meanwhile is not: its client may have gone. */
static bool
on_auth_result(struct process *p, struct ipc_message *message)
{
    struct ipc_auth_result r;
    struct master *m = p->m;

    if (ipc_auth_result_decode(message, &r) < 0 || r.incarnation > m->incarnations)
        return false;
    struct process *worker = worker_of(m, r.incarnation); /* NULL: dead, its sessions may live on */
    struct session *s = sessions_get(&m->sessions, r.session);

    if (s == NULL ? !sessions_was_issued(&m->sessions, r.session)
                  : s->worker == NULL || s->worker->incarnation != r.incarnation) {
        if (worker != NULL)
            violation(worker, "login for a session it was not given");
        return true;
    }
    if (s != NULL)
        limits_login(m, s, &r);
    else
        limits_login_late(m, &r);
    return true;
}

/* One that ended in the same moment is none of the worker's any more. */
static bool
on_requested(struct process *p, struct ipc_message *message)
{
    uint64_t ids[IPC_REQUESTED_MAX];
    struct master *m = p->m;
    size_t count = 0;

    if (ipc_requested_decode(message, ids, &count) < 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct session *s = sessions_get(&m->sessions, ids[i]);

        if (s == NULL ? !sessions_was_issued(&m->sessions, ids[i]) : s->worker != p)
            return false;
        if (s != NULL)
            limits_requested(m, s);
    }
    return true;
}

static bool
on_budget_ask(struct process *p, struct ipc_message *message)
{
    return bandwidth_asked(p, message);
}

static bool
on_ring_drained(struct process *p, struct ipc_message *message)
{
    uint32_t ring;

    if (ipc_u32_decode(message, &ring) < 0)
        return false;
    corpse_drained(p->m, ring);
    return true;
}

static bool
on_audit_state(struct process *p, struct ipc_message *message)
{
    return audit_told(p, message);
}

static bool
on_prepared(struct process *p, struct ipc_message *message)
{
    struct ipc_prepared answer;

    return ipc_prepared_decode(message, &answer) == 0 && prepare_answered(p, &answer);
}

static bool
on_rejudged(struct process *p, struct ipc_message *message)
{
    struct ipc_rejudged r;

    if (ipc_rejudged_decode(message, &r) < 0 || r.generation > p->m->generation)
        return false;
    if (r.ended > 0)
        log_info("%s %s: %u sessions are no longer allowed", role_name(p->place->role), p->label,
            (unsigned)r.ended);
    judged_told(p, &r);
    return true;
}

static const struct {
    enum ipc_type type;
    bool (*handle)(struct process *p, struct ipc_message *message);
} handlers[] = {
    { IPC_READY, on_ready },
    { IPC_PONG, on_pong },
    { IPC_ENDED, on_ended },
    { IPC_LOST, on_lost },
    { IPC_FILE_RESULT, on_file_result },
    { IPC_AUTH_RESULT, on_auth_result },
    { IPC_METRICS_ASK, metrics_asked },
    { IPC_REQUESTED, on_requested },
    { IPC_BUDGET_ASK, on_budget_ask },
    { IPC_RING_DRAINED, on_ring_drained },
    { IPC_PREPARED, on_prepared },
    { IPC_REJUDGED, on_rejudged },
    { IPC_AUDIT_STATE, on_audit_state },
};

static void
handle(struct process *p, struct ipc_message *message)
{
    for (size_t i = 0; i < SP_COUNT(handlers); i++) {
        if (handlers[i].type != message->type)
            continue;
        if (!handlers[i].handle(p, message))
            violation(p, ipc_type_name(message->type));
        return;
    }
    violation(p, "a message without a meaning");
}

/* ---- the channel ---- */

/* False when there is nothing more to read now. */
static bool
receive_one(struct process *p)
{
    struct ipc_message message;
    const char *why = NULL;

    switch (ipc_recv(&p->peer, &message, &why)) {
    case IPC_OK:
        handle(p, &message);
        ipc_message_close(&message);
        return true;
    case IPC_AGAIN:
        return false;
    case IPC_EOF:
        process_gone(p);
        return false;
    case IPC_VIOLATION:
        violation(p, why);
        return false;
    case IPC_ERROR:
        log_error("control channel of %s: %s", p->label, strerror(errno));
        process_kill(p, "channel");
        return false;
    }
    return false;
}

void
process_readable(struct loop_io *io, uint32_t events)
{
    struct process *p = CONTAINER(io, struct process, io);

    if ((events & EPOLLOUT) != 0)
        outbox_flush(p);
    int budget = burst_budget(&p->burst, MASTER_READ_BUDGET);

    for (int i = 0; i < budget && process_alive(p); i++) {
        if (!receive_one(p)) {
            burst_end(&p->burst);
            return;
        }
    }
}

/* Only the ends of sessions and the fates of logins still matter of what a dead child said. What breaks
   the rules between them is passed over: the records of those that ended are in its ring, and must not be
   doubled. */
void
process_read_rest(struct process *p)
{
    struct ipc_message message;
    const char *why = NULL;

    for (int i = 0; i < REST_MAX; i++) {
        enum ipc_result result = ipc_recv(&p->peer, &message, &why);

        if (result == IPC_VIOLATION)
            continue;
        if (result != IPC_OK)
            return;
        if (message.type == IPC_ENDED)
            (void)on_ended(p, &message);
        if (message.type == IPC_AUTH_RESULT)
            (void)on_auth_result(p, &message);
        ipc_message_close(&message);
    }
}
