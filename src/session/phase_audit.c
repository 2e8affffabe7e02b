/* SPDX-License-Identifier: ISC */
/*
 * audit: where log.required says so a success reply waits here until the log target has accepted the
 * record that states it: session.start; for the second reply of a BIND, whose first one waited for that,
 * a session.update with the peer. What the client sends ahead stays in the kernel. Without room for the
 * record, or without an answer of the target in time, the request is refused. A reload that requires it no
 * longer ends the wait.
 */
#include "src/session/session_private.h"

#define AUDIT_SECONDS 30 /* or timeouts.connect, where that is less */

bool
audit_comes_first(const struct session *s)
{
    return image_settings(s->host->image)->log.required != 0 && !s->setup->audited;
}

struct session_step
audit_before(struct session *s, enum session_phase next)
{
    s->setup->audited_next = (uint8_t)next;
    return step_go(SESSION_AUDIT);
}

static struct session_step
unavailable(struct session *s, const char *detail)
{
    channel_close(&s->target);
    return step_refuse(s, REASON_AUDIT_UNAVAILABLE, SOCKS5_GENERAL_FAILURE, detail);
}

static void
accepted(struct audit_wait *wait)
{
    struct session_setup *setup =
        (struct session_setup *)((char *)wait - offsetof(struct session_setup, audit));

    session_dispatch(setup->session, SESSION_AUDITED);
}

static int64_t
patience(const struct session *s)
{
    int64_t connect = (int64_t)session_timeouts(s)->connect;

    return connect < AUDIT_SECONDS ? connect : AUDIT_SECONDS;
}

static struct session_step
audit_enter(struct session *s)
{
    uint64_t end = ring_end(s->host->ring);

    session_note_reply(s, SOCKS5_SUCCEEDED);
    if (s->started)
        record_update(s);
    else
        record_start(s);
    if (ring_end(s->host->ring) == end) {
        record_start_dropped(s);
        return unavailable(s, "the event ring is full");
    }
    session_deadline(s, mono_add_seconds(loop_now(s->host->loop), patience(s)));
    s->setup->audit.accepted = accepted;
    audit_wait_begin(&s->host->audit, &s->setup->audit);
    return step_wait();
}

static struct session_step
audit_event(struct session *s, enum session_event event)
{
    if (event == SESSION_AUDITED) {
        s->setup->audited = true;
        return step_go((enum session_phase)s->setup->audited_next);
    }
    if (event == SESSION_TIMER)
        return unavailable(s, "the log target does not take the record");
    if (event == SESSION_CLIENT && client_vanished(s))
        return step_fail(s, REASON_CLIENT_GONE, NULL);
    return step_wait();
}

/* As where it is going. */
static struct session_step
judge(struct session *s)
{
    if (s->setup->audited_next == SESSION_BIND)
        return phase_bind.judge(s);
    if (s->setup->audited_next == SESSION_ASSOCIATE)
        return phase_associate.judge(s);
    return session_judge_live(s);
}

/* Where the audit is no longer required nobody waits for it any more. */
static struct session_step
audit_judge(struct session *s)
{
    struct session_step step = judge(s);

    if (step.kind != SESSION_WAIT || image_settings(s->host->image)->log.required != 0)
        return step;
    audit_wait_end(&s->setup->audit);
    s->setup->audited = true;
    return step_go((enum session_phase)s->setup->audited_next);
}

const struct phase_row phase_audit = { "audit", audit_enter, audit_event, audit_judge };
