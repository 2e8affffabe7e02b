/* SPDX-License-Identifier: ISC */
/*
 * What a session adds to the worker's counters. Serves the phases and the records; nothing here decides
 * anything. Bytes are counted where the session table learns of them: what it did not know yet is added.
 */
#include "src/session/udp_association.h"

/* How a reason ends a login; the others are no end of one. In the order of stats.def. */
static const uint8_t logins[] = { REASON_NONE, REASON_BAD_CREDENTIALS, REASON_AUTH_UNAVAILABLE,
    REASON_AUTH_LOST, REASON_AUTH_TIMEOUT, REASON_NO_IDENTD, REASON_IDENT_MISMATCH,
    REASON_TICKET_EXPIRED };

static const struct {
    enum event_id event;
    unsigned verdict;
} verdicts[] = {
    { EVENT_REQUEST_DENIED, STATS_DENIED },
    { EVENT_AUTH_FAILURE, STATS_AUTH_FAILURE },
    { EVENT_LIMIT_REACHED, STATS_LIMITED },
    { EVENT_PROTOCOL_ERROR, STATS_PROTOCOL_ERROR },
};

static unsigned
method_of(const struct session *s)
{
    return stats_name(s->host->stats, STATS_SET_METHOD, s->slot->method);
}

static unsigned
protocol_of(const struct session *s)
{
    switch (s->slot->protocol) {
    case SOCKS_VERSION_4: return 1;
    case TABLE_SOCKS4A: return 2;
    case SOCKS_VERSION_5: return 3;
    default: return 0;
    }
}

static int64_t
since(const struct session *s, struct mono start)
{
    return mono_diff_us(loop_now(s->host->loop), start);
}

static void
count_verdict(struct session *s, unsigned verdict)
{
    stats_add(s->host->stats, STATS_SESSIONS,
        STATS_AT(protocol_of(s), method_of(s), s->slot->protection, verdict), 1);
}

/* A session may have its start record and end before the client was told (log.required). */
static unsigned
verdict_of(enum event_id event)
{
    for (size_t i = 0; i < SP_COUNT(verdicts); i++) {
        if (verdicts[i].event == event)
            return verdicts[i].verdict;
    }
    return STATS_FAILED;
}

/* ---- logins ---- */

void
session_count_login(struct session *s, enum session_reason reason)
{
    struct stats *stats = s->host->stats;
    unsigned method = method_of(s), outcome = SP_COUNT(logins);

    for (unsigned i = 0; i < SP_COUNT(logins); i++) {
        if (logins[i] == reason)
            outcome = i;
    }
    stats_add(stats, STATS_LOGINS, STATS_AT(method, outcome), 1);
    /* Without a process to ask there was no conversation. */
    if (s->setup != NULL && s->setup->login_since.us != 0 && reason != REASON_AUTH_UNAVAILABLE)
        stats_observe(stats, STATS_LOGIN_TIME, STATS_AT(method), since(s, s->setup->login_since));
}

/* ---- resolving and connecting ---- */

void
session_count_resolved(struct session *s, bool success)
{
    struct mono *start = &s->setup->resolve_since;

    if (start->us != 0)
        stats_observe(s->host->stats, STATS_RESOLVE_TIME,
            STATS_AT(success ? STATS_SUCCESS : STATS_FAILURE), since(s, *start));
    start->us = 0;
}

void
session_count_dialed(struct session *s, bool success)
{
    stats_observe(s->host->stats, STATS_CONNECT_TIME, STATS_AT(success ? STATS_SUCCESS : STATS_FAILURE),
        since(s, s->setup->dial_since));
}

/* ---- beginning and end ---- */

void
session_count_start(struct session *s)
{
    s->counted = true;
    count_verdict(s, STATS_ACCEPTED);
}

static void
count_denial(struct session *s)
{
    struct stats *stats = s->host->stats;
    unsigned why = s->reason == REASON_SPECIAL ? STATS_SPECIAL
        : s->reason == REASON_NO_RULE          ? STATS_NO_RULE
                                               : STATS_BY_RULE;

    stats_add(stats, STATS_DENIALS, STATS_AT(stats_name(stats, STATS_SET_RULE, s->slot->rule), why), 1);
}

void
session_count_end(struct session *s, enum event_id event, const char *reason)
{
    struct stats *stats = s->host->stats;

    stats_add(stats, STATS_ENDED, STATS_AT(stats_name(stats, STATS_SET_REASON, reason)), 1);
    if (s->counted) {
        session_count_traffic(s);
        return;
    }
    count_verdict(s, verdict_of(event));
    if (event == EVENT_REQUEST_DENIED)
        count_denial(s);
    if (event == EVENT_AUTH_FAILURE)
        session_count_login(s, (enum session_reason)s->reason);
}

/* ---- traffic ---- */

static void
add_bytes(struct session *s, unsigned direction, uint64_t *shown, uint64_t bytes)
{
    stats_add(s->host->stats, STATS_PAYLOAD,
        STATS_AT(s->udp != NULL ? STATS_UDP : STATS_TCP, direction), bytes - *shown);
    *shown = bytes;
}

static void
count_datagrams(struct session *s)
{
    struct stats *stats = s->host->stats;
    struct udp_association *a = s->udp;

    stats_add(stats, STATS_DATAGRAMS, STATS_AT(STATS_UP), a->datagrams_up - a->counted.up);
    stats_add(stats, STATS_DATAGRAMS, STATS_AT(STATS_DOWN), a->datagrams_down - a->counted.down);
    stats_add(stats, STATS_DATAGRAMS_DROPPED, STATS_AT(0), a->dropped - a->counted.dropped);
    a->counted.up = a->datagrams_up;
    a->counted.down = a->datagrams_down;
    a->counted.dropped = a->dropped;
}

void
session_count_traffic(struct session *s)
{
    add_bytes(s, STATS_UP, &s->slot->bytes_up, s->up.bytes);
    add_bytes(s, STATS_DOWN, &s->slot->bytes_down, s->down.bytes);
    if (s->udp != NULL)
        count_datagrams(s);
}
