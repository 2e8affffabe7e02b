/* SPDX-License-Identifier: ISC */
/*
 * The sockets of an association: unconnected, so that no ICMP error comes back through them and a
 * stranger's datagram is dropped by us, silently and counted.
 */
#include "src/session/udp_association.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#define PORT_TRIES_MAX 1024U /* some 0.5 ms when all are taken */

/* Connections keep a share of the descriptors: one that is lost on its way here ends a session. */
static int
socket_make(const struct session_host *host, enum addr_family family)
{
    int fd = socket(family == ADDR_IPV6 ? AF_INET6 : AF_INET,
        SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && host->udp_descriptors > 0 && (uint32_t)fd >= host->udp_descriptors) {
        fd_close(&fd);
        errno = EMFILE;
    }
    return fd;
}

static int
try_port(int fd, struct addr *address, uint16_t port)
{
    struct sockaddr_storage ss;
    socklen_t len;

    address->port = port;
    len = addr_to_sockaddr(address, &ss);
    return bind(fd, (struct sockaddr *)&ss, len);
}

/* From a port at random on, so that the next one is no secret less than the kernel's. */
static int
bind_range(int fd, struct addr address, uint32_t min, uint32_t max)
{
    uint32_t span = max - min + 1, start = 0;

    if (min == 0 || max < min)
        return try_port(fd, &address, 0);
    if (getrandom(&start, sizeof start, GRND_NONBLOCK) != (ssize_t)sizeof start)
        start = 0;
    for (uint32_t i = 0; i < span && i < PORT_TRIES_MAX; i++) {
        if (try_port(fd, &address, (uint16_t)(min + (start % span + i) % span)) == 0)
            return 0;
        if (errno != EADDRINUSE && errno != EACCES)
            return -1;
    }
    return -1;
}

static int
socket_bound(const struct session *s, enum addr_family family, const struct addr *address)
{
    static const uint8_t any[16];
    static const int on = 1;
    const struct image_settings *settings = image_settings(s->host->image);
    struct addr where = family == ADDR_IPV6 ? addr_ipv6(any, 0) : addr_ipv4(any, 0);
    int fd = socket_make(s->host, family);

    if (fd < 0)
        return -1;
    if (address->family != ADDR_NONE)
        where = *address;
    if (family == ADDR_IPV6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind_range(fd, where, settings->udp.port_min, settings->udp.port_max) < 0)
        fd_close(&fd);
    return fd;
}

int
udp_socket_open(struct udp_association *a, struct udp_socket *u, enum addr_family family,
    const struct addr *address, void (*ready)(struct loop_io *io, uint32_t events))
{
    u->fd = socket_bound(a->session, family, address);
    if (u->fd < 0)
        return -1;
    u->association = a;
    u->io = (struct loop_io) { .ready = ready };
    if (loop_io_add(a->session->host->loop, &u->io, u->fd, EPOLLIN) == 0)
        return 0;
    fd_close(&u->fd);
    return -1;
}

void
udp_socket_close(struct udp_association *a, struct udp_socket *u)
{
    if (u->fd < 0)
        return;
    loop_io_del(a->session->host->loop, &u->io, u->fd);
    fd_close(&u->fd);
}

struct udp_association *
udp_socket_owner(struct loop_io *io, struct udp_socket **u)
{
    *u = (struct udp_socket *)((char *)io - offsetof(struct udp_socket, io));
    return (*u)->association;
}
