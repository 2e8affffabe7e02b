/* SPDX-License-Identifier: ISC */
/* Listening towards an expected peer; see listen.h. */
#include "src/net/listen.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/random.h>

static int
socket_for(const struct addr *a, int type)
{
    return socket(
        a->family == ADDR_IPV6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int
bind_to(int fd, const struct addr *a)
{
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(a, &ss);

    return bind(fd, (struct sockaddr *)&ss, len);
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

/* ---- where ---- */

static int
route_of(int fd, const struct addr *peer, const struct addr *egress, struct addr *at)
{
    struct addr somewhere = *peer;
    struct sockaddr_storage ss;
    socklen_t len;

    somewhere.port = 9; /* what is asked about is the address */
    len = addr_to_sockaddr(&somewhere, &ss);
    if (egress->family != ADDR_NONE && bind_to(fd, egress) < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&ss, len) < 0)
        return -1;
    return own_address(fd, at);
}

int
listen_route(const struct addr *peer, const struct addr *egress, struct addr *at)
{
    int fd = socket_for(peer, SOCK_DGRAM);

    if (fd < 0)
        return -1;
    if (route_of(fd, peer, egress, at) < 0) {
        fd_close(&fd);
        return -1;
    }
    fd_close(&fd);
    at->port = 0;
    if (!addr_is_zero(at))
        return 0;
    errno = ENETUNREACH;
    return -1;
}

/* ---- the port ---- */

/* Listens on the port of at, with *fd as socket, made when it is -1. 0, or -1 with errno. */
static int
try_port(int *fd, const struct addr *at, bool of_range)
{
    static const int on = 1;

    if (*fd < 0)
        *fd = socket_for(at, SOCK_STREAM);
    if (*fd < 0)
        return -1;
    /* Handed down to who connects: an urgent byte may come before it is accepted. */
    (void)setsockopt(*fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
    /* Connections that came through a port of the range outlive its listening socket. */
    if (of_range)
        (void)setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind_to(*fd, at) < 0)
        return -1;
    if (listen(*fd, LISTEN_BACKLOG) == 0)
        return 0;
    fd_close(fd); /* another process was faster, and this socket stays bound */
    return -1;
}

static uint32_t
random_below(uint32_t bound)
{
    uint32_t r = 0;

    (void)!getrandom(&r, sizeof r, GRND_NONBLOCK); /* without: the lowest port first */
    return r % bound;
}

static int
open_in_range(struct addr *at, uint16_t port_min, uint16_t port_max)
{
    uint32_t width = (uint32_t)port_max - port_min + 1U, start = random_below(width);
    int fd = -1;

    for (uint32_t i = 0; i < width && i < LISTEN_TRIES_MAX; i++) {
        at->port = (uint16_t)(port_min + (start + i) % width);
        if (try_port(&fd, at, true) == 0)
            return fd;
        if (errno != EADDRINUSE)
            break;
    }
    fd_close(&fd);
    return -1;
}

int
listen_open(struct addr *at, uint16_t port_min, uint16_t port_max)
{
    int fd = -1;

    at->port = 0;
    if (port_min > 0 && port_max >= port_min)
        return open_in_range(at, port_min, port_max);
    if (try_port(&fd, at, false) < 0 || own_address(fd, at) < 0)
        fd_close(&fd);
    return fd;
}

/* ---- who comes ---- */

static int
accept_error(int error)
{
    switch (error) {
    case EAGAIN:
        return EAGAIN;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return EMFILE;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EFAULT:
        return error;
    default: /* errors of the connection that waited, a firewall's word (accept(2)) */
        return ECONNABORTED;
    }
}

int
listen_accept(int fd, struct addr *peer)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    int accepted = accept4(fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (accepted < 0) {
        errno = accept_error(errno);
        return -1;
    }
    *peer = addr_from_sockaddr((struct sockaddr *)&ss, len);
    return accepted;
}
