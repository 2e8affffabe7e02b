/* SPDX-License-Identifier: ISC */
/*
 * decide: asks the policy with what is known; session_judge() is asked again for each address. A BIND is
 * asked about with its expected peer as destination, and again with the one that connects; the port is
 * DST.PORT both times, for a peer may come from any.
 */
#include "src/session/session_private.h"

#include <string.h>

static uint32_t
protection(const struct session *s)
{
    return s->slot->protection > 0 ? terms_worth((enum auth_protection)(s->slot->protection - 1)) : 0;
}

void
session_query(const struct session *s, uint32_t command, struct policy_query *q)
{
    *q = (struct policy_query) {
        .client = s->slot->client,
        .user = s->authenticated ? s->slot->user : NULL,
        .method = s->method,
        .protection = protection(s),
        .command = command,
    };
}

static void
fill_query(const struct session *s, const struct addr *address, struct policy_query *q)
{
    session_query(
        s, s->slot->command == SOCKS_BIND ? IMAGE_COMMAND_BIND : IMAGE_COMMAND_CONNECT, q);
    q->bind_any = s->setup->bind_any;
    q->name = s->setup->name[0] != '\0' ? s->setup->name : NULL;
    q->port = s->setup->address.port;
    if (address != NULL)
        q->address = *address;
}

struct policy_verdict
session_judge(const struct session *s, const struct policy_own *own, const struct addr *address)
{
    struct policy_query q;

    fill_query(s, address, &q);
    return policy_judge(s->host->image, own, &q);
}

void
session_set_verdict(struct session *s, const struct policy_verdict *verdict)
{
    const char *title = policy_rule_title(s->host->image, verdict->rule);

    s->setup->verdict = *verdict;
    table_change_begin(s->slot);
    table_text(s->slot->rule, sizeof s->slot->rule, title, strlen(title));
    table_change_end(s->slot);
}

struct session_step
session_deny(struct session *s, const struct policy_verdict *verdict)
{
    enum session_reason reason = REASON_RULE;

    session_set_verdict(s, verdict);
    if (strcmp(verdict->reason, "special-destination") == 0)
        reason = REASON_SPECIAL;
    else if (verdict->rule == POLICY_NO_RULE)
        reason = REASON_NO_RULE;
    return step_refuse(s, reason, SOCKS5_NOT_ALLOWED, verdict->detail);
}

static struct session_step
decide_address(struct session *s)
{
    const struct addr *address = &s->setup->address;
    struct policy_verdict verdict = session_judge(s, s->host->own, address);

    if (!verdict.allowed)
        return session_deny(s, &verdict);
    session_set_verdict(s, &verdict);
    if (s->slot->command != SOCKS_BIND)
        return step_go(SESSION_CONNECT);
    if (bind_expect(s, address) < 0)
        return step_refuse(s, REASON_INTERNAL, SOCKS5_GENERAL_FAILURE, NULL);
    return step_go(SESSION_BIND);
}

/* A name, or a BIND for anybody: only what no address could change. */
static struct session_step
decide_early(struct session *s, enum session_phase next)
{
    struct policy_verdict verdict;
    struct policy_query q;

    fill_query(s, NULL, &q);
    if (policy_refuses_any(s->host->image, &q, &verdict))
        return session_deny(s, &verdict);
    return step_go(next);
}

static struct session_step
decide_enter(struct session *s)
{
    struct session_setup *setup = s->setup;

    if (s->slot->command == SOCKS_UDP_ASSOCIATE)
        return step_go(SESSION_ASSOCIATE);
    /* One deadline for finding and reaching the destination. */
    setup->deadline =
        mono_add_seconds(loop_now(s->host->loop), (int64_t)session_timeouts(s)->connect);
    if (setup->name[0] != '\0')
        return decide_early(s, SESSION_RESOLVE);
    setup->bind_any = s->slot->command == SOCKS_BIND && addr_is_zero(&setup->address);
    return setup->bind_any ? decide_early(s, SESSION_BIND) : decide_address(s);
}

static struct session_step
decide_event(struct session *s, enum session_event event)
{
    (void)s;
    (void)event;
    return step_wait();
}

const struct phase_row phase_decide = { "decide", decide_enter, decide_event };
