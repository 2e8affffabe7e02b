/* SPDX-License-Identifier: ISC */
/*
 * One attempt: a socket on its way to one address. Serves dial.c. The usual path costs no system
 * call beyond socket, three options, connect, epoll_ctl, SO_ERROR and getsockname.
 */
#include "src/net/dial_private.h"

#include "lib/base/fd.h"
#include "src/net/channel.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

#define ERROR_MESSAGES_MAX 8

void
dial_tune(int fd, unsigned user_timeout_ms)
{
    static const int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    /* A relay has no second stream to carry an urgent byte in. */
    (void)setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
    if (user_timeout_ms > 0)
        (void)setsockopt(
            fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms, sizeof user_timeout_ms);
}

/* ---- beginning ---- */

static int
bind_egress(int fd, const struct addr *egress)
{
    static const int on = 1;
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(egress, &ss);

    if (len == 0)
        return 0;
    /* The port is chosen in connect(), so that one may serve many destinations. */
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return bind(fd, (struct sockaddr *)&ss, len);
}

/* IPv6 queues the ICMP message behind an error only on demand. IPv4 always does while connecting. */
static void
want_icmp(int fd, int on)
{
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
}

static int
connect_begin(struct dial_attempt *attempt, const struct addr *address)
{
    const struct dial_settings *settings = attempt->dial->settings;
    bool ipv6 = address->family == ADDR_IPV6;
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(address, &ss);

    dial_tune(attempt->fd, settings->user_timeout_ms);
    if (ipv6)
        want_icmp(attempt->fd, 1);
    if (bind_egress(attempt->fd, ipv6 ? &settings->egress_ipv6 : &settings->egress_ipv4) < 0)
        return -1;
    return connect(attempt->fd, (struct sockaddr *)&ss, len) < 0 && errno != EINPROGRESS ? -1 : 0;
}

/* ---- ending ---- */

/* True for "time exceeded", which the kernel gives out as EHOSTUNREACH. */
static bool
is_time_exceeded(const struct cmsghdr *c)
{
    struct sock_extended_err e;

    if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR)
        && !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
        return false;
    if (c->cmsg_len < CMSG_LEN(sizeof e))
        return false;
    memcpy(&e, CMSG_DATA(c), sizeof e);
    return (e.ee_origin == SO_EE_ORIGIN_ICMP && e.ee_type == ICMP_TIME_EXCEEDED)
        || (e.ee_origin == SO_EE_ORIGIN_ICMP6 && e.ee_type == ICMP6_TIME_EXCEEDED);
}

static bool
queue_has_time_exceeded(int fd)
{
    _Alignas(struct cmsghdr) char control[512];
    char data[64];

    for (int i = 0; i < ERROR_MESSAGES_MAX; i++) {
        struct iovec iov = { data, sizeof data };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
            .msg_controllen = sizeof control };

        if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return false;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c))
            if (is_time_exceeded(c))
                return true;
    }
    return false;
}

/* 0: connected; EINPROGRESS: nothing is decided yet. */
static int
outcome(int fd, uint32_t events)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return errno;
    if (error == EHOSTUNREACH && queue_has_time_exceeded(fd))
        return ETIME;
    if (error != 0 || (events & EPOLLOUT) != 0)
        return error;
    return (events & EPOLLHUP) != 0 ? ECONNRESET : EINPROGRESS;
}

static int
own_address(int fd, struct addr *out)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;

    if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
        return -1;
    *out = addr_from_sockaddr((struct sockaddr *)&ss, len);
    return 0;
}

static void
attempt_ready(struct loop_io *io, uint32_t events)
{
    struct dial_attempt *attempt = (struct dial_attempt *)io;
    struct addr egress;
    int error = attempt->dial->ended ? EINPROGRESS : outcome(attempt->fd, events);

    if (error == EINPROGRESS)
        return;
    if (error == 0 && own_address(attempt->fd, &egress) < 0)
        error = errno;
    /* The kernel drew the destination port as source port, and the socket met itself: nobody
       listens there. */
    if (error == 0 && addr_equal(&egress, &attempt->address))
        error = ECONNREFUSED;
    if (error == 0 && attempt->address.family == ADDR_IPV6)
        want_icmp(attempt->fd, 0); /* it would turn passing trouble of a connection into its end */
    if (error == 0)
        dial_attempt_connected(attempt, &egress, events);
    else
        dial_attempt_failed(attempt, error);
}

int
dial_attempt_start(struct dial_attempt *attempt, const struct addr *address)
{
    struct loop *loop = attempt->dial->loop;
    int family = address->family == ADDR_IPV6 ? AF_INET6 : AF_INET;

    attempt->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (attempt->fd < 0)
        return -1;
    attempt->address = *address;
    attempt->started = loop_now(loop);
    attempt->io.ready = attempt_ready;
    if (connect_begin(attempt, address) < 0
        || loop_io_add(loop, &attempt->io, attempt->fd, CHANNEL_EVENTS) < 0) {
        fd_close(&attempt->fd);
        return -1;
    }
    return 0;
}

void
dial_attempt_close(struct dial_attempt *attempt)
{
    if (attempt->fd < 0)
        return;
    loop_io_del(attempt->dial->loop, &attempt->io, attempt->fd);
    fd_close(&attempt->fd);
}
