/* SPDX-License-Identifier: ISC */
/* What went wrong, as the client's reply code and the audit's word: two tables (RFC 1928, 6). */
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
};

static const struct reply_row resolver_rows[] = {
    [RESOLVER_OK] = { 0, SOCKS5_HOST_UNREACHABLE, REASON_NO_ADDRESS },
    [RESOLVER_NODATA] = { 0, SOCKS5_HOST_UNREACHABLE, REASON_NO_ADDRESS },
    [RESOLVER_NXDOMAIN] = { 0, SOCKS5_HOST_UNREACHABLE, REASON_NXDOMAIN },
    [RESOLVER_SERVFAIL] = { 0, SOCKS5_HOST_UNREACHABLE, REASON_SERVFAIL },
    [RESOLVER_TIMEOUT] = { 0, SOCKS5_HOST_UNREACHABLE, REASON_DNS_TIMEOUT },
    [RESOLVER_FAILED] = { 0, SOCKS5_GENERAL_FAILURE, REASON_RESOLVER },
};

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
