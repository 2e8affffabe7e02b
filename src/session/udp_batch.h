/* SPDX-License-Identifier: ISC */
/*
 * Datagrams in batches: one system call for up to UDP_BATCH of them, through rooms all associations of
 * a worker share. No error is fatal: what the kernel does not take is counted.
 */
#ifndef SP_SESSION_UDP_BATCH_H
#define SP_SESSION_UDP_BATCH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"
#include "lib/socks/udp.h"
#include "src/net/channel.h"

#define UDP_BATCH 32U
/* Before a datagram: its header towards the client, and what a layer puts before that. */
#define UDP_HEAD 384U
_Static_assert(UDP_HEAD >= CHANNEL_HEAD + SOCKS_UDP_HEADER_MAX, "no room before a datagram");
#define UDP_DATA 65536U /* no datagram is longer */
/* No power of two: rooms would share their cache lines. */
#define UDP_ROOM (UDP_HEAD + UDP_DATA + CHANNEL_TAIL + 64U)

enum udp_family { UDP_IPV4, UDP_IPV6 };

static inline enum udp_family
udp_family(const struct addr *a)
{
    return a->family == ADDR_IPV6 ? UDP_IPV6 : UDP_IPV4;
}

union udp_sockaddr {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* Datagrams on their way out of one socket. */
struct udp_outbox {
    struct mmsghdr messages[UDP_BATCH];
    struct iovec iov[UDP_BATCH];
    union udp_sockaddr to[UDP_BATCH];
    size_t payload[UDP_BATCH];
    unsigned count;
};

struct udp_shared {
    struct mmsghdr messages[UDP_BATCH];
    struct iovec iov[UDP_BATCH];
    union udp_sockaddr from[UDP_BATCH];
    struct udp_outbox out[2]; /* by enum udp_family; the client's datagrams in out[UDP_IPV4] */
    uint8_t rooms[UDP_BATCH][UDP_ROOM];
};

/* A datagram received: UDP_HEAD bytes before and CHANNEL_TAIL behind it may be written. */
struct udp_incoming {
    uint8_t *data;
    size_t len;
    struct addr from; /* unmapped */
};

struct udp_sent {
    unsigned datagrams, dropped;
    uint64_t payload, wire;
};

/* NULL with errno. */
struct udp_shared *udp_shared_new(void) SP_MUST_USE;

/* How many have come: 0 also where the kernel reports an error of an earlier one. */
unsigned udp_batch_receive(struct udp_shared *b, int fd);
/* The i-th of them; false where it says nothing of use. */
bool udp_batch_take(struct udp_shared *b, unsigned i, struct udp_incoming *out);

/* Room for one more is there when count is less than UDP_BATCH. payload: the part that counts. */
void udp_outbox_add(struct udp_outbox *o, const struct addr *to, uint8_t *data, size_t len,
    size_t payload);
/* Sends and empties it. */
void udp_outbox_send(struct udp_outbox *o, int fd, struct udp_sent *sent);

#endif
