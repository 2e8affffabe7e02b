/* SPDX-License-Identifier: ISC */
/*
 * relay: pumps both directions, carries half-close and resets through, and keeps the idle and the
 * half-closed deadline and the end of the identity. The deadline's timer is not moved for every byte: it fires, looks at the
 * time of the last progress and arms itself again.
 */
#include "src/session/session_private.h"

static bool
half_closed(const struct session *s)
{
    return s->up.ended != s->down.ended;
}

static struct mono
relay_deadline(const struct session *s)
{
    const struct image_timeouts *t = session_timeouts(s);
    struct mono quiet =
        mono_add_seconds(s->active, (int64_t)(half_closed(s) ? t->half_closed : t->idle));

    return mono_before(s->expires, quiet) ? s->expires : quiet;
}

static struct relay_shared
relay_shared(struct session *s)
{
    return (struct relay_shared) { s->host->scratch, &s->host->pipes };
}

/* What came before a reset still lies in our socket: it goes on as far as it can go at once, but no
   end of file that would hide the reset. */
static void
last_words(struct session *s, struct relay_flow *flow, struct channel *source, struct channel *sink)
{
    struct relay_shared shared = relay_shared(s);
    bool moved = false;

    flow->last = true;
    source->readable = true;
    (void)relay_pump(flow, source, sink, &shared, RELAY_UNLIMITED, &moved);
}

/* The other side learns of a reset by a reset. */
static struct session_step
client_failed(struct session *s)
{
    last_words(s, &s->up, &s->client, &s->target);
    channel_reset(&s->target);
    return step_fail(s, REASON_CLIENT_RESET, NULL);
}

static struct session_step
target_failed(struct session *s)
{
    last_words(s, &s->down, &s->target, &s->client);
    channel_reset(&s->client);
    return step_fail(s, REASON_DESTINATION_RESET, NULL);
}

/* What the client sent before the violation has gone on; the destination sees no end of file behind
   it, and the client nothing more. */
static struct session_step
client_broken(struct session *s)
{
    const char *fault = channel_fault(&s->client);

    channel_reset(&s->target);
    channel_reset(&s->client);
    return step_fail(s, REASON_BAD_MESSAGE, fault);
}

static void
relay_progress(struct session *s, bool was_half)
{
    s->active = loop_now(s->host->loop);
    session_count_traffic(s);
    if (half_closed(s) && !was_half)
        session_deadline(s, relay_deadline(s));
}

static bool
relay_failed(enum relay_result result)
{
    return result == RELAY_SOURCE_FAILED || result == RELAY_SOURCE_BROKEN ||
        result == RELAY_SINK_FAILED;
}

/* What one pump of both flows has come to. */
struct pumped {
    enum relay_result up, down;
    bool moved;
};

/* Within the allowance of both together: what comes from both sides is halved. */
static struct pumped
pump_flows(struct session *s, size_t allowance)
{
    struct relay_shared shared = relay_shared(s);
    struct pumped p = { RELAY_WAIT, RELAY_WAIT, false };
    uint64_t before = relay_read(&s->up);
    size_t share = allowance - (s->target.readable ? allowance / 2 : 0);

    s->up.last = s->down.shut;
    p.up = relay_pump(&s->up, &s->client, &s->target, &shared, share, &p.moved);
    if (allowance != RELAY_UNLIMITED) {
        uint64_t used = relay_read(&s->up) - before;

        allowance = used < allowance ? allowance - (size_t)used : 0;
    }
    s->down.last = s->up.shut;
    if (!relay_failed(p.up))
        p.down = relay_pump(&s->down, &s->target, &s->client, &shared, allowance, &p.moved);
    return p;
}

/* The same for a session whose rule limits it. */
static struct pumped
pump_limited(struct session *s)
{
    uint64_t before = relay_read(&s->up) + relay_read(&s->down);
    struct pumped p = pump_flows(s, budget_allowance(s));

    budget_spend(s, relay_read(&s->up) + relay_read(&s->down) - before);
    if (p.up == RELAY_SPENT || p.down == RELAY_SPENT)
        budget_park(s);
    return p;
}

static struct session_step
pump(struct session *s)
{
    bool was_half = half_closed(s);
    struct pumped p = s->budget == NULL ? pump_flows(s, RELAY_UNLIMITED) : pump_limited(s);

    client_note_wire(s); /* a message that is empty, or bad, moves nothing */
    if (p.moved)
        relay_progress(s, was_half);
    if (p.up == RELAY_SOURCE_BROKEN)
        return client_broken(s);
    if (p.up == RELAY_SOURCE_FAILED || p.down == RELAY_SINK_FAILED)
        return client_failed(s);
    if (p.up == RELAY_SINK_FAILED || p.down == RELAY_SOURCE_FAILED)
        return target_failed(s);
    if (p.up == RELAY_COMPLETE && p.down == RELAY_COMPLETE)
        return step_fail(s, REASON_CLOSED, NULL);
    if (p.up == RELAY_MORE || p.down == RELAY_MORE)
        session_again(s);
    return step_wait();
}

static struct session_step
relay_timer(struct session *s)
{
    struct mono deadline;

    if (s->budget != NULL && budget_parked(s))
        s->active = loop_now(s->host->loop); /* it is us it waits for */
    deadline = relay_deadline(s);
    if (mono_before(loop_now(s->host->loop), deadline)) {
        session_deadline(s, deadline);
        return step_wait();
    }
    if (!mono_before(loop_now(s->host->loop), s->expires))
        return step_fail(s, REASON_TICKET_EXPIRED, NULL);
    return step_fail(s, half_closed(s) ? REASON_HALF_CLOSED : REASON_IDLE, NULL);
}

static struct session_step
relay_enter(struct session *s)
{
    struct buffer *in = &s->setup->in;

    /* What the client sent behind its request goes first; as payload, in ordinary memory: there is
       too little of the locked kind for what a flow may hold back. */
    if (buffer_append(&s->up.pending, buffer_head(in), buffer_len(in), AUTH_TOKEN_MAX) < 0)
        return step_fail(s, REASON_INTERNAL, NULL);
    setup_free(&s->setup);
    if (budget_bind(s) < 0)
        return step_fail(s, REASON_INTERNAL, NULL);
    if (s->budget != NULL)
        budget_spend(s, buffer_len(&s->up.pending));
    s->active = loop_now(s->host->loop);
    session_deadline(s, relay_deadline(s));
    return pump(s);
}

static struct session_step
relay_event(struct session *s, enum session_event event)
{
    if (event == SESSION_TIMER)
        return relay_timer(s);
    if (s->client.failed && channel_error(&s->client) != 0)
        return client_failed(s);
    if (s->target.failed && channel_error(&s->target) != 0)
        return target_failed(s);
    return pump(s);
}

const struct phase_row phase_relay = { "relay", relay_enter, relay_event, session_judge_live };
