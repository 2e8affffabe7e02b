/* SPDX-License-Identifier: ISC */
/*
 * Listening sockets. One function, listen_open(), knows the three places they come from: bound here,
 * passed by the service manager (LISTEN_FDS), inherited from an earlier master (SALLYPORT_INHERIT).
 * Serves master_main.c. A listener that cannot be had is fatal to the start.
 */
#include "src/master/master_parts.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTEN_FIRST_FD 3
#define LISTEN_BACKLOG 65535      /* the kernel cuts it to net.core.somaxconn */
#define LISTEN_DEFER_SECONDS 1    /* SOCKS clients speak first */
#define KEEPALIVE_IDLE_SECONDS 300
#define KEEPALIVE_INTERVAL_SECONDS 30
#define USER_TIMEOUT_MS 120000    /* unacknowledged data; keepalive sees to the rest */

/* ---- sockets that came from outside ---- */

/* 0 and the address when fd is a listening TCP socket. */
static int
listening_address(int fd, struct addr *out)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    int type = 0;
    int accepting = 0;
    socklen_t size = sizeof type;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_STREAM)
        return -1;
    size = sizeof accepting;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &size) < 0 || !accepting)
        return -1;
    if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
        return -1;
    *out = addr_from_sockaddr((const struct sockaddr *)&ss, len);
    return out->family == ADDR_NONE ? -1 : 0;
}

static bool
inherited_has(const struct inherited *in, int fd)
{
    for (size_t i = 0; i < in->count; i++) {
        if (in->fds[i] == fd)
            return true;
    }
    return false;
}

/* "[::]" here means IPv6 alone; a socket is bound that way or not, and stays so. */
static bool
is_dual(int fd, const struct addr *addr)
{
    int only = 0;
    socklen_t size = sizeof only;

    return addr->family == ADDR_IPV6 && addr_is_zero(addr)
        && (getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size) < 0 || !only);
}

static void
inherited_add(struct inherited *in, int fd)
{
    struct addr addr;

    if (inherited_has(in, fd))
        return;
    if (in->count >= INHERITED_MAX || listening_address(fd, &addr) < 0
        || fd_set_cloexec(fd, 1) < 0) {
        log_warn("descriptor %d that was passed to us is no listening TCP socket; closed", fd);
        fd_close(&fd);
        return;
    }
    if (is_dual(fd, &addr)) {
        log_warn("descriptor %d that was passed to us takes IPv4 too, which [::] does not here "
            "(BindIPv6Only=ipv6-only); closed", fd);
        fd_close(&fd);
        return;
    }
    in->addrs[in->count] = addr;
    in->fds[in->count++] = fd_take(&fd);
}

/* The whole text as a number from low to high; -1 when it is none. */
static long
number_of(const char *text, long low, long high)
{
    char *end = NULL;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return -1;
    errno = 0;
    long n = strtol(text, &end, 10);

    return errno != 0 || *end != '\0' || n < low || n > high ? -1 : n;
}

static void
collect_systemd(struct inherited *in)
{
    long pid = number_of(getenv("LISTEN_PID"), 1, INT32_MAX);
    long count = number_of(getenv("LISTEN_FDS"), 1, INHERITED_MAX);

    if (pid == (long)getpid() && count > 0) {
        for (int i = 0; i < count; i++)
            inherited_add(in, LISTEN_FIRST_FD + i);
    }
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
}

/* SALLYPORT_INHERIT=fd,fd,... */
static void
collect_earlier(struct inherited *in)
{
    const char *at = getenv("SALLYPORT_INHERIT");
    char one[16];

    while (at != NULL && *at != '\0') {
        size_t len = strcspn(at, ",");

        if (len > 0 && len < sizeof one) {
            memcpy(one, at, len);
            one[len] = '\0';
            long fd = number_of(one, LISTEN_FIRST_FD, INT32_MAX);

            if (fd >= 0)
                inherited_add(in, (int)fd);
        }
        at += len + (at[len] == ',');
    }
    (void)unsetenv("SALLYPORT_INHERIT");
}

void
inherited_collect(struct inherited *in)
{
    in->count = 0;
    collect_systemd(in);
    collect_earlier(in);
}

void
inherited_close(struct inherited *in)
{
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < in->count; i++) {
        if (in->fds[i] < 0)
            continue;
        addr_format(&in->addrs[i], text);
        log_warn("the socket %s that was passed to us is not configured; closed", text);
        fd_close(&in->fds[i]);
    }
    in->count = 0;
}

static int
inherited_take(struct inherited *in, const struct addr *addr)
{
    for (size_t i = 0; i < in->count; i++) {
        if (in->fds[i] >= 0 && addr_equal(&in->addrs[i], addr))
            return fd_take(&in->fds[i]);
    }
    return -1;
}

/* ---- making one ---- */

static int
set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

/* Accepted sockets inherit these, which saves the calls for each. */
static int
set_options(int fd)
{
    if (set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1) < 0
        || set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1) < 0
        || set_int(fd, SOL_SOCKET, SO_OOBINLINE, 1) < 0
        || set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS) < 0
        || set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS) < 0
        || set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS) < 0
        || set_int(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, LISTEN_DEFER_SECONDS) < 0)
        return -1;
    return fd_set_nonblock(fd);
}

int
listen_share(int fd, bool on)
{
    return set_int(fd, SOL_SOCKET, SO_REUSEPORT, on);
}

static int
bind_new(const struct addr *addr, bool beside)
{
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(addr, &ss);

    if (len == 0) {
        errno = EINVAL;
        return -1;
    }
    int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if ((ss.ss_family == AF_INET6 && set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0)
        || set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0 || (beside && listen_share(fd, true) < 0)
        || bind(fd, (const struct sockaddr *)&ss, len) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
        fd_close(&fd);
    return fd;
}

int
listen_open(struct inherited *in, const struct addr *addr, bool beside, struct addr *bound)
{
    int fd = inherited_take(in, addr);

    if (fd < 0)
        fd = bind_new(addr, beside);
    if (fd < 0)
        return -1;
    if ((beside && listen_share(fd, false) < 0) || set_options(fd) < 0 || listening_address(fd, bound) < 0)
        fd_close(&fd);
    return fd;
}
