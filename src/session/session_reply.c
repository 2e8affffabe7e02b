/* SPDX-License-Identifier: ISC */
/*
 * Replies to a request, in the client's version; and what went wrong as reply code and as the audit's
 * word: two tables (RFC 1928, 6).
 */
#include "src/session/session_private.h"

#include <errno.h>

static const struct reply_row errno_rows[] = {
    { ENETUNREACH, SOCKS5_NETWORK_UNREACHABLE, REASON_NETWORK_UNREACHABLE },
    { ENETDOWN, SOCKS5_NETWORK_UNREACHABLE, REASON_NETWORK_UNREACHABLE },
    { EHOSTUNREACH, SOCKS5_HOST_UNREACHABLE, REASON_HOST_UNREACHABLE },
    { EHOSTDOWN, SOCKS5_HOST_UNREACHABLE, REASON_HOST_UNREACHABLE },
    { EINVAL, SOCKS5_HOST_UNREACHABLE, REASON_HOST_UNREACHABLE }, /* a blackhole route */
    { ETIMEDOUT, SOCKS5_HOST_UNREACHABLE, REASON_CONNECT_TIMEOUT },
    { ETIME, SOCKS5_TTL_EXPIRED, REASON_TTL_EXPIRED }, /* dial.c: ICMP time exceeded */
    { ECONNREFUSED, SOCKS5_CONNECTION_REFUSED, REASON_REFUSED },
    { ECONNRESET, SOCKS5_CONNECTION_REFUSED, REASON_REFUSED },
    { EACCES, SOCKS5_NOT_ALLOWED, REASON_PROHIBITED }, /* a prohibit route, a firewall */
    { EPERM, SOCKS5_NOT_ALLOWED, REASON_PROHIBITED },
    { EAFNOSUPPORT, SOCKS5_ADDRESS_NOT_SUPPORTED, REASON_NO_FAMILY },
    { EADDRNOTAVAIL, SOCKS5_GENERAL_FAILURE, REASON_NO_SOURCE },
    { EADDRINUSE, SOCKS5_GENERAL_FAILURE, REASON_NO_PORT }, /* of listening */
};

static const struct reply_row resolver_rows[] = {
    [RESOLVER_OK] = { 0, SOCKS5_HOST_UNREACHABLE, REASON_NO_ADDRESS },
    [RESOLVER_NODATA] = { 0, SOCKS5_HOST_UNREACHABLE, REASON_NO_ADDRESS },
    [RESOLVER_NXDOMAIN] = { 0, SOCKS5_HOST_UNREACHABLE, REASON_NXDOMAIN },
    [RESOLVER_SERVFAIL] = { 0, SOCKS5_HOST_UNREACHABLE, REASON_SERVFAIL },
    [RESOLVER_TIMEOUT] = { 0, SOCKS5_HOST_UNREACHABLE, REASON_DNS_TIMEOUT },
    [RESOLVER_FAILED] = { 0, SOCKS5_GENERAL_FAILURE, REASON_RESOLVER },
};

bool
session_speaks_socks4(const struct session *s)
{
    return s->slot->protocol == SOCKS_VERSION_4 || s->slot->protocol == TABLE_SOCKS4A;
}

static void
note(struct session *s, uint8_t code)
{
    s->reply = code;
    s->replied = true;
}

static int
reply_socks4(struct session *s, enum socks4_reply reply, const struct addr *bound)
{
    uint8_t out[SOCKS4_REPLY_SIZE];

    socks4_reply_encode(reply, bound, out);
    note(s, (uint8_t)reply);
    return client_send(s, out, sizeof out);
}

static const struct addr nowhere = { .family = ADDR_NONE };

static enum socks4_reply
in_socks4(enum socks5_reply reply)
{
    return reply == SOCKS5_SUCCEEDED ? SOCKS4_GRANTED : SOCKS4_REFUSED;
}

void
session_note_reply(struct session *s, enum socks5_reply reply)
{
    note(s, session_speaks_socks4(s) ? (uint8_t)in_socks4(reply) : (uint8_t)reply);
}

int
session_reply(struct session *s, enum socks5_reply reply, const struct addr *bound)
{
    uint8_t out[SOCKS5_REPLY_MAX];

    if (bound == NULL)
        bound = &nowhere;
    if (session_speaks_socks4(s))
        return reply_socks4(s, in_socks4(reply), bound);
    note(s, (uint8_t)reply);
    return client_send(s, out, socks5_reply_encode(reply, bound, out));
}

struct session_step
step_refuse_socks4(struct session *s, enum session_reason reason, enum socks4_reply reply,
    const char *detail)
{
    (void)reply_socks4(s, reply, &nowhere);
    return step_fail(s, reason, detail);
}

struct reply_row
reply_for_errno(int error)
{
    for (size_t i = 0; i < SP_COUNT(errno_rows); i++)
        if (errno_rows[i].error == error)
            return errno_rows[i];
    return (struct reply_row) { error, SOCKS5_GENERAL_FAILURE, REASON_INTERNAL };
}

struct reply_row
reply_for_resolver(enum resolver_status status)
{
    return resolver_rows[status];
}
