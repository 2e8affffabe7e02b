/* SPDX-License-Identifier: ISC */
/*
 * ident: asks the client's host whether its connection belongs to the USERID of the request (RFC 1413),
 * before the policy is asked. Who is confirmed is of method ident; the name stays a claim, since the
 * client's host vouches for it and nobody vouches for that host. Who is contradicted is refused (5D).
 * Where nobody answers, or nothing that names a user, the client is refused (5C), but where the
 * listener's methods hold none too it goes on as method none.
 */
#include "src/session/session_private.h"

#include "src/net/ident.h"

#include <string.h>

static void
ident_done(void *ctx, const struct ident_answer *answer)
{
    struct session *s = ctx;

    s->setup->identified = answer;
    session_dispatch(s, SESSION_IDENTIFIED);
}

static struct session_step
unanswered(struct session *s, const char *detail)
{
    if (session_take_none(s))
        return step_go(SESSION_DECIDE);
    return step_refuse_socks4(s, REASON_NO_IDENTD, SOCKS4_NO_IDENTD, detail);
}

static struct session_step
identified(struct session *s)
{
    const struct ident_answer *answer = s->setup->identified;
    const char *claimed = s->slot->user;
    const char *detail = answer->detail;
    bool same = detail == NULL && answer->user_len == strlen(claimed)
        && memcmp(answer->user, claimed, answer->user_len) == 0;

    s->setup->identified = NULL;
    ident_free(&s->setup->ident);
    if (detail != NULL)
        return unanswered(s, detail);
    if (!same)
        return step_refuse_socks4(s, REASON_IDENT_MISMATCH, SOCKS4_WRONG_USER, NULL);
    session_count_login(s, REASON_NONE);
    return step_go(SESSION_DECIDE);
}

static struct session_step
ident_enter(struct session *s)
{
    uint32_t seconds = image_settings(s->host->image)->socks4.ident_timeout;
    struct ident_question question = {
        .client = s->slot->client,
        .local = s->setup->local,
        .port = s->host->ident_port,
    };

    s->setup->login_since = loop_now(s->host->loop);
    s->setup->ident = ident_ask(s->host->loop, &question,
        mono_add_seconds(loop_now(s->host->loop), (int64_t)seconds), ident_done, s);
    if (s->setup->ident == NULL)
        return step_refuse(s, REASON_INTERNAL, SOCKS5_GENERAL_FAILURE, NULL);
    return step_wait();
}

static struct session_step
ident_event(struct session *s, enum session_event event)
{
    if (event == SESSION_IDENTIFIED)
        return identified(s);
    if (event == SESSION_CLIENT && client_vanished(s))
        return step_fail(s, REASON_CLIENT_GONE, NULL);
    return step_wait();
}

const struct phase_row phase_ident = { "ident", ident_enter, ident_event, NULL };
