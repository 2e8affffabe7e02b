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
        .groups = s->authenticated ? groups_bits(&s->host->groups, s->groups) : NULL,
        .when = loop_wall(s->host->loop).us / CLOCK_SECOND_US,
        .method = s->method,
        .protection = protection(s),
        .command = command,
    };
}

/* Of a session that relays, the slot knows: what inet_pton reads is no name. */
static void
fill_destination(const struct session *s, struct policy_query *q)
{
    const struct table_slot *slot = s->slot;
    struct addr asked;

    q->port = slot->dest_port;
    if (addr_parse_ip(slot->destination, &asked) < 0)
        q->name = slot->destination;
    else
        q->bind_any = slot->command == SOCKS_BIND && addr_is_zero(&asked);
}

static void
fill_query(const struct session *s, const struct addr *address, struct policy_query *q)
{
    session_query(
        s, s->slot->command == SOCKS_BIND ? IMAGE_COMMAND_BIND : IMAGE_COMMAND_CONNECT, q);
    if (s->setup != NULL) {
        q->bind_any = s->setup->bind_any;
        q->name = s->setup->name[0] != '\0' ? s->setup->name : NULL;
        q->port = s->setup->address.port;
    } else {
        fill_destination(s, q);
    }
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
session_show_rule(struct session *s, const char *title)
{
    if (strcmp(s->slot->rule, title) == 0)
        return;
    table_change_begin(s->slot);
    table_text(s->slot->rule, sizeof s->slot->rule, title, strlen(title));
    table_change_end(s->slot);
}

void
session_set_verdict(struct session *s, const struct policy_verdict *verdict)
{
    session_show_rule(s, policy_rule_title(s->host->image, verdict->rule));
    session_rule_changed(s);
}

/* ---- refusals ---- */

static struct session_step
deny(struct session *s, const char *reason, const char *detail, bool no_rule)
{
    enum session_reason why = no_rule ? REASON_NO_RULE : REASON_RULE;

    if (strcmp(reason, "special-destination") == 0)
        why = REASON_SPECIAL;
    return step_refuse(s, why, SOCKS5_NOT_ALLOWED, detail);
}

struct session_step
session_deny(struct session *s, const struct policy_verdict *verdict)
{
    session_show_rule(s, policy_rule_title(s->host->image, verdict->rule));
    return deny(s, verdict->reason, verdict->detail, verdict->rule == POLICY_NO_RULE);
}

/* The rule by its title: its number is another's once the rules change. */
void
session_note_refusal(struct session *s, const struct policy_verdict *verdict)
{
    const char *title = policy_rule_title(s->host->image, verdict->rule);
    struct session_setup *setup = s->setup;

    if (setup->refused++ > 0)
        return;
    setup->refusal.reason = verdict->reason;
    setup->refusal.detail = verdict->detail;
    setup->refusal.no_rule = verdict->rule == POLICY_NO_RULE;
    table_text(setup->refusal.rule, sizeof setup->refusal.rule, title, strlen(title));
}

struct session_step
session_deny_noted(struct session *s)
{
    const struct session_setup *setup = s->setup;

    session_show_rule(s, setup->refusal.rule);
    return deny(s, setup->refusal.reason, setup->refusal.detail, setup->refusal.no_rule);
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

bool
session_refuses_early(const struct session *s, struct policy_verdict *verdict)
{
    struct policy_query q;

    fill_query(s, NULL, &q);
    return policy_refuses_any(s->host->image, &q, verdict);
}

struct session_step
session_judge_early(struct session *s)
{
    struct policy_verdict verdict;

    return session_refuses_early(s, &verdict) ? session_deny(s, &verdict) : step_wait();
}

/* A name, or a BIND for anybody: only what no address could change. */
static struct session_step
decide_early(struct session *s, enum session_phase next)
{
    struct session_step step = session_judge_early(s);

    return step.kind == SESSION_WAIT ? step_go(next) : step;
}

static struct session_step
decide_enter(struct session *s)
{
    struct session_setup *setup = s->setup;

    if (verdict_awaited(s))
        return verdict_wait(s);
    if (setup->sessions_verdict == VERDICT_REFUSED)
        return verdict_refuse(s);
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
    if (event == SESSION_VERDICT)
        return decide_enter(s);
    if (event == SESSION_TIMER)
        return verdict_refuse(s);
    if (event == SESSION_CLIENT && client_vanished(s))
        return step_fail(s, REASON_CLIENT_GONE, NULL);
    return step_wait();
}

const struct phase_row phase_decide = { "decide", decide_enter, decide_event, NULL };
