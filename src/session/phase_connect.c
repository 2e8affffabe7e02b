/* SPDX-License-Identifier: ISC */
/* connect: waits for the first of the judged addresses that answers. */
#include "src/session/session_private.h"

void
session_target_ready(struct channel *channel)
{
    session_dispatch(
        (struct session *)((char *)channel - offsetof(struct session, target)), SESSION_TARGET);
}

static void
dial_done(struct dial *dial, const struct dial_result *result, void *ctx)
{
    struct session *s = ctx;

    (void)dial;
    s->setup->dialed = result;
    session_dispatch(s, SESSION_DIALED);
}

int
session_dial_add(struct session *s, const struct addr *address)
{
    struct session_setup *setup = s->setup;

    if (setup->dial == NULL) {
        setup->dial = dial_start(s->host->loop, &s->host->dial, setup->deadline, dial_done, s);
        if (setup->dial == NULL)
            return -1;
        setup->dial_since = loop_now(s->host->loop);
    }
    return dial_add(setup->dial, address);
}

bool
client_vanished(struct session *s)
{
    /* A client that only ended its own stream still waits for its answer. */
    return client_flush(s) < 0 || (s->client.failed && channel_error(&s->client) != 0);
}

bool
session_met_itself(struct session *s, const struct addr *ours, const struct addr *theirs,
    struct policy_verdict *verdict)
{
    struct policy_own own = { .count = 1 };

    if (!addr_equal_ip(ours, theirs) || addr_special(theirs, NULL) != NULL)
        return false;
    own.list[0] = *theirs;
    *verdict = session_judge(s, &own, theirs);
    return !verdict->allowed;
}

static struct session_step
connected(struct session *s, const struct dial_result *r)
{
    struct policy_verdict verdict = session_judge(s, s->host->own, &r->address);
    int fd;

    if (!verdict.allowed || session_met_itself(s, &r->egress, &r->address, &verdict))
        return session_deny(s, &verdict);
    session_set_verdict(s, &verdict);
    table_change_begin(s->slot);
    s->slot->address = r->address;
    s->slot->egress = r->egress;
    table_change_end(s->slot);
    fd = dial_take(s->setup->dial, &s->target.io);
    channel_adopt(&s->target, s->host->loop, fd, r->events, session_target_ready);
    dial_free(&s->setup->dial);
    resolver_cancel(&s->setup->query);
    return step_go(SESSION_REPLY);
}

static struct session_step
dialed(struct session *s)
{
    const struct dial_result *r = s->setup->dialed;

    s->setup->dialed = NULL;
    session_count_dialed(s, r->error == 0);
    if (r->error == 0)
        return connected(s, r);
    struct reply_row row = reply_for_errno(r->error);

    if (r->address.family != ADDR_NONE) {
        struct policy_verdict verdict = session_judge(s, s->host->own, &r->address);

        session_set_verdict(s, &verdict);
    }
    table_change_begin(s->slot);
    s->slot->address = r->address;
    table_change_end(s->slot);
    return step_refuse(s, row.reason, row.reply, NULL);
}

static struct session_step
connect_enter(struct session *s)
{
    if (s->setup->dial != NULL)
        return step_wait();
    if (session_dial_add(s, &s->setup->address) < 0)
        return step_refuse(s, REASON_INTERNAL, SOCKS5_GENERAL_FAILURE, NULL);
    dial_more(s->setup->dial, false, false);
    return step_wait();
}

static struct session_step
connect_event(struct session *s, enum session_event event)
{
    if (event == SESSION_DIALED)
        return dialed(s);
    if (event == SESSION_CLIENT && client_vanished(s))
        return step_fail(s, REASON_CLIENT_GONE, NULL);
    return step_wait();
}

/* An address that is refused now is not tried, nor waited for. */
static bool
still_allowed(void *ctx, const struct addr *address)
{
    struct session *s = ctx;
    struct policy_verdict verdict = session_judge(s, s->host->own, address);

    if (!verdict.allowed)
        session_note_refusal(s, &verdict);
    return verdict.allowed;
}

static struct session_step
connect_judge(struct session *s)
{
    unsigned refused = s->setup->refused;

    if (dial_retain(s->setup->dial, still_allowed, s) > 0 || s->setup->refused == refused ||
        s->setup->pending_ipv4 || s->setup->pending_ipv6)
        return step_wait();
    return session_deny_noted(s);
}

const struct phase_row phase_connect = { "connect", connect_enter, connect_event, connect_judge };
