/* SPDX-License-Identifier: ISC */
/*
 * A c-ares channel and its sockets in our loop. Serves resolver_dns.c. c-ares opens and closes
 * sockets as it likes and tells us through one callback; it reports (0, 0) before it closes, which is
 * where the registration ends.
 */
#include "src/net/resolver_dns.h"

#include "src/core/log.h"

#include <errno.h>
#include <string.h>

void
dns_channel_process(struct dns_channel *channel, int in, int out)
{
    /* A socket that could not be made is a refused connection to c-ares; only errno knows. */
    errno = 0;
    ares_process_fd(channel->ares, in, out);
}

static void
socket_ready(struct loop_io *io, uint32_t events)
{
    struct dns_socket *s = (struct dns_socket *)io;
    bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
    int in = broken || (events & EPOLLIN) != 0 ? s->fd : ARES_SOCKET_BAD;
    int out = broken || (events & EPOLLOUT) != 0 ? s->fd : ARES_SOCKET_BAD;

    dns_channel_process(s->channel, in, out);
}

static struct dns_socket *
socket_find(struct dns_channel *channel, int fd)
{
    for (size_t i = 0; i < DNS_SOCKETS_MAX; i++)
        if (channel->sockets[i].fd == fd)
            return &channel->sockets[i];
    return NULL;
}

static void
socket_add(struct dns_channel *channel, int fd, uint32_t events)
{
    struct dns_socket *s = socket_find(channel, -1);

    /* c-ares takes no refusal: its question runs into the timeout. */
    if (s == NULL || loop_io_add(channel->dns->loop, &s->io, fd, events) < 0) {
        log_warn("cannot watch a socket to a name server: %s", strerror(s == NULL ? ENFILE : errno));
        return;
    }
    s->fd = fd;
}

static void
socket_changed(void *data, ares_socket_t fd, int readable, int writable)
{
    struct dns_channel *channel = data;
    struct loop *loop = channel->dns->loop;
    struct dns_socket *s = socket_find(channel, fd);
    uint32_t events = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U);

    if (s == NULL && events != 0) {
        socket_add(channel, fd, events);
    } else if (s != NULL && events == 0) {
        loop_io_del(loop, &s->io, fd);
        s->fd = -1;
    } else if (s != NULL && loop_io_mod(loop, &s->io, fd, events) < 0) {
        log_warn("cannot watch a socket to a name server: %s", strerror(errno));
    }
}

static void
sockets_init(struct dns_channel *channel)
{
    for (size_t i = 0; i < DNS_SOCKETS_MAX; i++) {
        channel->sockets[i].io.ready = socket_ready;
        channel->sockets[i].channel = channel;
        channel->sockets[i].fd = -1;
    }
}

int
dns_channel_open(struct dns_channel *channel, struct dns *dns, int flags, unsigned timeout_ms,
    unsigned attempts)
{
    static char lookups[] = "b";
    static char nothing[] = "/dev/null";
    /* Everything c-ares would otherwise look for in files and in the environment. Not among the
       flags: STAYOPEN, since a socket kept for ever keeps its source port for ever. */
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | flags,
        .timeout = (int)timeout_ms,
        .tries = (int)attempts,
        .ndots = 1,
        .lookups = lookups,
        .sock_state_cb = socket_changed,
        .sock_state_cb_data = channel,
        .resolvconf_path = nothing,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS
        | ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_NOROTATE
        | ARES_OPT_RESOLVCONF;

    channel->dns = dns;
    sockets_init(channel);
    int status = ares_init_options(&channel->ares, &options, mask);

    if (status == ARES_SUCCESS)
        return 0;
    channel->ares = NULL;
    errno = status == ARES_ENOMEM ? ENOMEM : EIO;
    return -1;
}

void
dns_channel_close(struct dns_channel *channel)
{
    if (channel->ares != NULL)
        ares_destroy(channel->ares);
    channel->ares = NULL;
}

static void
server_fill(struct ares_addr_port_node *node, const struct addr *a)
{
    *node = (struct ares_addr_port_node) { .family = a->family == ADDR_IPV4 ? AF_INET : AF_INET6 };
    if (a->family == ADDR_IPV4)
        memcpy(&node->addr.addr4, a->ip, sizeof node->addr.addr4);
    else
        memcpy(&node->addr.addr6, a->ip, sizeof node->addr.addr6);
    node->udp_port = a->port != 0 ? a->port : DNS_PORT;
    node->tcp_port = node->udp_port;
}

int
dns_channel_set_servers(struct dns_channel *channel, const struct addr *list, size_t count)
{
    struct ares_addr_port_node nodes[RESOLVER_SERVERS_MAX];

    for (size_t i = 0; i < count; i++) {
        server_fill(&nodes[i], &list[i]);
        if (i > 0)
            nodes[i - 1].next = &nodes[i];
    }
    return ares_set_servers_ports(channel->ares, count > 0 ? nodes : NULL);
}
