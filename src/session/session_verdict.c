/* SPDX-License-Identifier: ISC */
/*
 * Waiting for the master's word about a user's number of sessions. It is asked for nowhere: the master
 * hears of each login from the pool, and says for each whether the session may go on, often before the
 * session itself has heard of its login. So sessions are looked for by id from the moment their login is
 * on its way. Serves authenticate and decide.
 */
#include "src/session/session_private.h"

void
verdict_expect(struct session *s)
{
    struct session_host *host = s->host;

    if (image_settings(host->image)->limits.sessions_per_user == 0
        || s->setup->sessions_verdict != VERDICT_NONE)
        return;
    if (host->verdicts.max == 0)
        idmap_init(&host->verdicts, IDMAP_MAX);
    /* Without memory it is let through: the limit is one of many, and the machine has other worries. */
    if (idmap_put(&host->verdicts, s->id, s) == 0)
        s->setup->sessions_verdict = VERDICT_AWAITED;
}

void
verdict_forget(struct session *s)
{
    if (s->setup->sessions_verdict == VERDICT_AWAITED)
        (void)idmap_remove(&s->host->verdicts, s->id);
    s->setup->sessions_verdict = VERDICT_NONE;
}

void
session_verdict(struct session_host *host, uint64_t id, bool allowed)
{
    struct session *s = idmap_remove(&host->verdicts, id);

    if (s == NULL)
        return; /* it ended, or began when there was no limit */
    s->setup->sessions_verdict = allowed ? VERDICT_GO : VERDICT_REFUSED;
    if (s->phase == SESSION_DECIDE)
        session_dispatch(s, SESSION_VERDICT);
}

bool
verdict_awaited(const struct session *s)
{
    return s->authenticated && s->setup->sessions_verdict == VERDICT_AWAITED;
}

struct session_step
verdict_wait(struct session *s)
{
    session_deadline(s, s->setup->deadline); /* still that of the negotiation */
    return step_wait();
}

struct session_step
verdict_refuse(struct session *s)
{
    if (s->setup->sessions_verdict == VERDICT_REFUSED)
        return step_refuse(s, REASON_USER_SESSIONS, SOCKS5_NOT_ALLOWED, NULL);
    return step_refuse(s, REASON_INTERNAL, SOCKS5_GENERAL_FAILURE, "no word about limits.sessions-per-user");
}
