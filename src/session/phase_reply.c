/* SPDX-License-Identifier: ISC */
/*
 * reply: the session has started; queues the success reply, for BIND the second one, and waits until all
 * of it is sent. Where log.required says so the audit comes first (phase_audit.c).
 */
#include "src/session/session_private.h"

static struct session_step
reply_flush(struct session *s)
{
    int done = client_flush(s);

    if (done < 0)
        return step_fail(s, REASON_CLIENT_RESET, NULL);
    return done > 0 ? step_go(SESSION_RELAY) : step_wait();
}

/* What stands behind the code: our address towards the destination; BIND: who connected. */
static const struct addr *
bound(const struct session *s)
{
    return s->slot->command == SOCKS_BIND ? &s->slot->address : &s->slot->egress;
}

static struct session_step
reply_enter(struct session *s)
{
    if (audit_comes_first(s))
        return audit_before(s, SESSION_REPLY);
    session_deadline(s, mono_add_seconds(
        loop_now(s->host->loop), (int64_t)session_timeouts(s)->negotiate));
    session_note_reply(s, SOCKS5_SUCCEEDED);
    session_count_start(s);
    if (!s->started)
        record_start(s);
    if (session_reply(s, SOCKS5_SUCCEEDED, bound(s)) < 0)
        return step_fail(s, REASON_CLIENT_RESET, NULL);
    return reply_flush(s);
}

static struct session_step
reply_event(struct session *s, enum session_event event)
{
    if (event == SESSION_TIMER)
        return step_fail(s, REASON_CLIENT_TIMEOUT, NULL);
    return reply_flush(s);
}

const struct phase_row phase_reply = { "reply", reply_enter, reply_event, session_judge_live };
