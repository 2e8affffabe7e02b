/* SPDX-License-Identifier: ISC */
/*
 * resolve: asks for the addresses of the name and has each one judged as it arrives; only judged
 * addresses reach the dial. The first allowed one moves the session on to connect while the other
 * family may still be out (RFC 8305). A BIND waits for both: any of the name's addresses may connect.
 */
#include "src/session/session_private.h"

/* Of two families' answers the one that says more about why there is no address. */
static const uint8_t status_weight[] = {
    [RESOLVER_OK] = 0,
    [RESOLVER_NODATA] = 1,
    [RESOLVER_FAILED] = 2,
    [RESOLVER_TIMEOUT] = 3,
    [RESOLVER_SERVFAIL] = 4,
    [RESOLVER_NXDOMAIN] = 5,
};

static void
note_status(struct session_setup *setup, enum resolver_status status)
{
    if (status_weight[status] > status_weight[setup->status])
        setup->status = status;
}

static bool
is_bind(const struct session *s)
{
    return s->slot->command == SOCKS_BIND;
}

static int
take_address(struct session *s, const struct addr *address)
{
    return is_bind(s) ? bind_expect(s, address) : session_dial_add(s, address);
}

static void
judge_one(struct session *s, struct addr address)
{
    struct session_setup *setup = s->setup;

    address = addr_unmap(&address);
    address.port = setup->address.port;
    struct policy_verdict verdict = session_judge(s, s->host->own, &address);

    if (!verdict.allowed) {
        session_note_refusal(s, &verdict);
        return;
    }
    if (take_address(s, &address) == 0)
        setup->judged_ok++;
    else
        note_status(setup, RESOLVER_FAILED);
}

static void
query_answered(struct resolver_query *query, enum addr_family family, enum resolver_status status,
    const struct addr *addresses, size_t count, unsigned pending)
{
    struct session_setup *setup =
        (struct session_setup *)((char *)query - offsetof(struct session_setup, query));

    note_status(setup, status);
    setup->pending = pending;
    if (family == ADDR_IPV4)
        setup->pending_ipv4 = false;
    else
        setup->pending_ipv6 = false;
    for (size_t i = 0; i < count; i++)
        judge_one(setup->session, addresses[i]);
    if (setup->dial != NULL)
        dial_more(setup->dial, setup->pending_ipv4, setup->pending_ipv6);
    session_dispatch(setup->session, SESSION_RESOLVED);
}

static struct session_step
resolve_failed(struct session *s)
{
    struct reply_row row = reply_for_resolver(s->setup->status);

    if (s->setup->refused > 0)
        return session_deny_noted(s);
    return step_refuse(s, row.reason, row.reply, NULL);
}

static struct session_step
resolve_enter(struct session *s)
{
    struct session_setup *setup = s->setup;

    /* SOCKS 4 cannot tell where an IPv6 peer would find us. */
    bool ipv6 = !is_bind(s) || !session_speaks_socks4(s);

    setup->query.answered = query_answered;
    setup->pending_ipv4 = true;
    setup->pending_ipv6 = ipv6;
    setup->pending = ipv6 ? 2 : 1;
    setup->resolve_since = loop_now(s->host->loop);
    session_deadline(s, setup->deadline);
    if (resolver_start(s->host->resolver, &setup->query, &s->slot->client, setup->name, true, ipv6) < 0)
        return step_refuse(s, REASON_RESOLVER, SOCKS5_GENERAL_FAILURE, NULL);
    return step_wait();
}

/* At the first usable address, or when none can come any more. */
static void
count_answer(struct session *s, bool last)
{
    bool some = s->setup->judged_ok > 0;

    if (some || last || s->setup->pending == 0)
        session_count_resolved(s, some || s->setup->refused > 0);
}

static struct session_step
resolve_event(struct session *s, enum session_event event)
{
    enum session_phase next = is_bind(s) ? SESSION_BIND : SESSION_CONNECT;
    bool some = s->setup->judged_ok > 0;

    if (event == SESSION_TIMER || event == SESSION_RESOLVED)
        count_answer(s, event == SESSION_TIMER);
    if (event == SESSION_TIMER)
        return some ? step_go(next)
                    : step_refuse(s, REASON_DNS_TIMEOUT, SOCKS5_HOST_UNREACHABLE, NULL);
    if (event == SESSION_CLIENT)
        return client_vanished(s) ? step_fail(s, REASON_CLIENT_GONE, NULL) : step_wait();
    if (event != SESSION_RESOLVED)
        return step_wait();
    if (some && (s->setup->pending == 0 || !is_bind(s)))
        return step_go(next);
    return s->setup->pending > 0 ? step_wait() : resolve_failed(s);
}

/* What has been found is judged again where it is used. */
static struct session_step
resolve_judge(struct session *s)
{
    struct session_step step = session_judge_early(s);

    return step.kind == SESSION_WAIT && is_bind(s) ? bind_judge_expected(s) : step;
}

const struct phase_row phase_resolve = { "resolve", resolve_enter, resolve_event, resolve_judge };
