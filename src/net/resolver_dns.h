/* SPDX-License-Identifier: ISC */
/* The inside of resolver_dns*.c: c-ares channels with their sockets in the loop. */
#ifndef SP_NET_RESOLVER_DNS_H
#define SP_NET_RESOLVER_DNS_H

#include <ares.h>

#include "src/net/resolver_private.h"

#define DNS_PORT 53
/* c-ares 1.18 has one UDP and one TCP socket for each server. */
#define DNS_SOCKETS_MAX (2 * RESOLVER_SERVERS_MAX)

struct dns_channel;

struct dns_socket {
    struct loop_io io;
    struct dns_channel *channel;
    int fd; /* c-ares's; -1: free */
};

struct dns_channel {
    struct dns *dns;
    ares_channel ares;
    struct dns_socket sockets[DNS_SOCKETS_MAX];
};

/*
 * The same servers twice. c-ares either takes a SERVFAIL or REFUSED for an answer
 * (ARES_FLAG_NOCHECKRESP) and never asks another server, or asks the others and, when they fail too,
 * forgets why and reports a refused connection. We need both: the reason for the audit and the next
 * server's help. So `first` takes it for an answer; then `others`, which holds the servers after the
 * first, is asked once more.
 */
struct dns_set {
    struct dns_channel first;
    struct dns_channel others;
    size_t servers;
    unsigned questions; /* under way */
};

/*
 * A channel's servers cannot be changed while a question is under way, and a channel made in the
 * chroot, where there is no /dev/urandom, would have predictable ids: c-ares 1.18 says nothing of it. So
 * there are two sets, both made at start: new
 * servers go to the idle one, which then becomes the current one.
 */
struct dns {
    struct loop *loop;
    struct dns_set sets[2];
    unsigned current;
    bool ending;
    bool waiting; /* servers[] are to be adopted as soon as the other set is idle */
    struct addr servers[RESOLVER_SERVERS_MAX];
    size_t server_count;
    struct loop_task adopt;
    struct loop_timer tick;
    int64_t tick_us;
};

/* Makes the c-ares channel. 0, or -1 with errno. */
int dns_channel_open(struct dns_channel *channel, struct dns *dns, int flags, unsigned timeout_ms,
    unsigned attempts) SP_MUST_USE;
void dns_channel_close(struct dns_channel *channel);

/* in, out: the descriptor that is ready, or ARES_SOCKET_BAD; looks at the timeouts too. In callbacks
   under it errno tells why a socket could not be made, or is 0. */
void dns_channel_process(struct dns_channel *channel, int in, int out);

/* An ARES_ status. */
int dns_channel_set_servers(struct dns_channel *channel, const struct addr *list, size_t count)
    SP_MUST_USE;

#endif
