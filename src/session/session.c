/* SPDX-License-Identifier: ISC */
/*
 * The life of a session: making it, moving it through its phases, ending it. The only place that
 * changes a phase. Serves src/worker; every error ends one session at most.
 */
#include "src/session/udp_association.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <stdlib.h>

static const struct phase_row *const phases[SESSION_PHASE_COUNT] = {
    [SESSION_NEGOTIATE] = &phase_negotiate,
    [SESSION_AUTHENTICATE] = &phase_authenticate,
    [SESSION_PROTECT] = &phase_protect,
    [SESSION_REQUEST] = &phase_request,
    [SESSION_SOCKS4] = &phase_socks4,
    [SESSION_IDENT] = &phase_ident,
    [SESSION_DECIDE] = &phase_decide,
    [SESSION_RESOLVE] = &phase_resolve,
    [SESSION_CONNECT] = &phase_connect,
    [SESSION_ASSOCIATE] = &phase_associate,
    [SESSION_BIND] = &phase_bind,
    [SESSION_AUDIT] = &phase_audit,
    [SESSION_REPLY] = &phase_reply,
    [SESSION_RELAY] = &phase_relay,
    [SESSION_LINGER] = &phase_linger,
};

const char *
session_phase_name(enum session_phase phase)
{
    return phase < SESSION_END ? phases[phase]->name : "end";
}

static void
phase_set(struct session *s, enum session_phase phase)
{
    if (log_debugging())
        log_trace("session %016llx: %s -> %s", (unsigned long long)s->id,
            session_phase_name(s->phase), session_phase_name(phase));
    s->phase = phase;
    s->slot->phase = phase;
}

/* ---- leaving ---- */

static void
walk_moves_on(struct session **next, struct session *gone)
{
    if (*next == gone)
        *next = gone->next;
}

static void
session_unlink(struct session *s)
{
    walk_moves_on(&s->host->rejudge.next, s);
    walk_moves_on(&s->host->kill.next, s);
    walk_moves_on(&s->host->interim.next, s);
    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        s->host->first = s->next;
    if (s->next != NULL)
        s->next->prev = s->prev;
    s->host->count--;
}

static void
session_release(struct session *s)
{
    struct session_host *host = s->host;

    loop_timer_cancel(host->loop, &s->timer);
    loop_task_cancel(host->loop, &s->task);
    budget_release(s);
    udp_association_free(&s->udp);
    setup_free(&s->setup);
    relay_flow_free(&s->up, &host->pipes);
    relay_flow_free(&s->down, &host->pipes);
    channel_close(&s->target);
    channel_close(&s->client);
    groups_release(&host->groups, &s->groups);
    listener_release(host, &s->listener);
}

/* Gives everything back. The worker keeps id and slot until the master knows. */
static void
session_finish(struct session *s)
{
    struct session_host *host = s->host;
    struct table_slot *slot = s->slot;
    uint64_t id = s->id;

    phase_set(s, SESSION_END);
    record_close(s);
    session_release(s);
    session_unlink(s);
    free(s);
    host->ended(host, id, slot);
}

struct session_step
step_fail(struct session *s, enum session_reason reason, const char *detail)
{
    s->reason = reason;
    s->detail = detail;
    return (struct session_step) { SESSION_STOP, SESSION_END };
}

struct session_step
step_refuse(struct session *s, enum session_reason reason, enum socks5_reply reply,
    const char *detail)
{
    (void)session_reply(s, reply, NULL);
    return step_fail(s, reason, detail);
}

/* Who goes like this gets no answer. */
static const uint8_t wordless[] = {
    REASON_CLIENT_GONE, REASON_CLIENT_RESET, REASON_UNKNOWN_PROTOCOL
};

/* Its request was answered last with a success. */
static bool
was_granted(const struct session *s)
{
    return s->replied && s->reply == (session_speaks_socks4(s) ? SOCKS4_GRANTED : SOCKS5_SUCCEEDED);
}

/* Before it has started the client still has to get an answer; afterwards there is nothing to say,
   nor to one who broke the protection that was agreed. */
static bool
worth_lingering(const struct session *s)
{
    if (s->setup == NULL || (s->started && was_granted(s)) || !channel_is_open(&s->client))
        return false;
    if (s->reason == REASON_BAD_MESSAGE && channel_protection(&s->client) != NULL)
        return false;
    for (size_t i = 0; i < SP_COUNT(wordless); i++)
        if (s->reason == wordless[i])
            return false;
    return true;
}

/* ---- moving ---- */

void
session_follow(struct session *s, struct session_step step)
{
    while (step.kind != SESSION_WAIT) {
        enum session_phase next = step.phase;

        if (step.kind == SESSION_STOP) {
            if (s->phase == SESSION_LINGER || !worth_lingering(s)) {
                session_finish(s);
                return;
            }
            next = SESSION_LINGER;
        }
        loop_timer_cancel(s->host->loop, &s->timer);
        phase_set(s, next);
        step = phases[next]->enter(s);
    }
}

void
session_dispatch(struct session *s, enum session_event event)
{
    session_follow(s, phases[s->phase]->event(s, event));
}

/* Where a timer stands for the time since something moved, its event finds out when it is due now. */
static bool
timer_moves(const struct session *s)
{
    return s->phase == SESSION_RELAY || s->phase == SESSION_ASSOCIATE;
}

void
session_dispatch_judge(struct session *s)
{
    const struct phase_row *row = phases[s->phase];
    struct session_step step = row->judge != NULL ? row->judge(s) : step_wait();

    if (step.kind == SESSION_WAIT && s->host->rejudge.now.timers && timer_moves(s))
        step = row->event(s, SESSION_TIMER);
    session_follow(s, step);
}

static struct session *
session_of(void *member, size_t offset)
{
    return (struct session *)((char *)member - offset);
}

static void
client_ready(struct channel *channel)
{
    session_dispatch(session_of(channel, offsetof(struct session, client)), SESSION_CLIENT);
}

static void
timer_expired(struct loop_timer *timer)
{
    session_dispatch(session_of(timer, offsetof(struct session, timer)), SESSION_TIMER);
}

static void
task_run(struct loop_task *task)
{
    session_dispatch(session_of(task, offsetof(struct session, task)), SESSION_TURN);
}

void
session_deadline(struct session *s, struct mono deadline)
{
    s->timer.expired = timer_expired;
    if (loop_timer_set(s->host->loop, &s->timer, deadline) < 0)
        log_error("session %016llx: no memory for its timer", (unsigned long long)s->id);
}

void
session_again(struct session *s)
{
    s->task.run = task_run;
    loop_defer(s->host->loop, &s->task);
}

/* ---- beginning ---- */

static void
slot_fill(struct session_host *host, struct table_slot *slot, const struct ipc_session *from)
{
    table_change_begin(slot);
    slot->accepted = loop_wall(host->loop);
    slot->client = from->client;
    slot->listener = from->listener;
    table_change_end(slot);
}

static struct session *
session_make(struct session_host *host, const struct ipc_session *from, struct table_slot *slot)
{
    struct session *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->host = host;
    s->id = from->id;
    s->slot = slot;
    s->listener = listener_take(host, from->listener);
    s->accepted = loop_now(host->loop);
    s->expires = MONO_NEVER;
    s->up.pending = BUFFER_INIT;
    s->down.pending = BUFFER_INIT;
    s->next = host->first;
    if (host->first != NULL)
        host->first->prev = s;
    host->first = s;
    host->count++;
    return s;
}

/* A connection that never became a session: its closing record all the same. */
static void
session_stillborn(struct session_host *host, const struct ipc_session *from,
    struct table_slot *slot, enum session_reason reason)
{
    struct session s = { .host = host, .id = from->id, .slot = slot, .reason = reason };

    s.accepted = loop_now(host->loop);
    s.listener = listener_take(host, from->listener);
    record_close(&s);
    listener_release(host, &s.listener);
    host->ended(host, from->id, slot);
}

void
session_new(struct session_host *host, const struct ipc_session *from, int fd)
{
    struct table_slot *slot = table_take(host->table, from->id);
    struct session *s;

    if (slot == NULL)
        log_panic("the master gave more sessions than the table has slots");
    slot_fill(host, slot, from);
    s = session_make(host, from, slot);
    if (s == NULL) {
        fd_close(&fd);
        session_stillborn(host, from, slot, REASON_INTERNAL);
        return;
    }
    s->setup = setup_new(s);
    if (s->setup != NULL)
        s->setup->local = from->local;
    if (s->setup == NULL || channel_open(&s->client, host->loop, fd_take(&fd), client_ready) < 0) {
        fd_close(&fd);
        s->reason = REASON_INTERNAL;
        session_finish(s);
        return;
    }
    session_follow(s, phases[SESSION_NEGOTIATE]->enter(s));
}

void
session_lost(struct session_host *host, const struct ipc_session *from)
{
    struct table_slot *slot = table_take(host->table, from->id);

    if (slot == NULL)
        log_panic("the master gave more sessions than the table has slots");
    slot_fill(host, slot, from);
    session_stillborn(host, from, slot, REASON_DESCRIPTOR_LOST);
}

void
session_end_all(struct session_host *host, enum session_reason reason)
{
    while (host->first != NULL) {
        struct session *s = host->first;

        if (s->phase != SESSION_LINGER)
            s->reason = reason;
        session_finish(s);
    }
}
