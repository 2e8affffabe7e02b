/* SPDX-License-Identifier: ISC */
/*
 * Connecting to the first address that answers: Happy Eyeballs (RFC 8305) over addresses that the
 * caller has judged; no other address is ever dialled. Addresses may be added while attempts run.
 */
#ifndef SP_NET_DIAL_H
#define SP_NET_DIAL_H

#include <stdbool.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"
#include "src/core/loop.h"

#define DIAL_RESOLUTION_DELAY_MS 50 /* RFC 8305 section 3 */
#define DIAL_ATTEMPT_DELAY_MS 250   /* section 5 */
#define DIAL_ADDRESSES_MAX 64
#define DIAL_ATTEMPTS_MAX 4 /* descriptors one dial holds at the same time */
/* With all of them taken and further addresses waiting, the oldest attempt is given up after this. */
#define DIAL_ATTEMPT_PATIENCE_MS 3000

enum dial_prefer { DIAL_PREFER_ANY, DIAL_PREFER_IPV4, DIAL_PREFER_IPV6 }; /* any: IPv6 first */

struct dial_settings {
    enum dial_prefer prefer;
    struct addr egress_ipv4; /* source addresses; ADDR_NONE: the kernel's choice */
    struct addr egress_ipv6;
    unsigned user_timeout_ms; /* TCP_USER_TIMEOUT */
};

struct dial;

struct dial_result {
    int error;           /* 0: connected; else the errno that stands for all failed attempts:
                            that of connect(), ETIME where ICMP said "time exceeded" */
    struct addr address; /* the one connected to (or the one error belongs to) */
    struct addr egress;  /* our own address of the connection */
    uint32_t events;     /* what epoll said of the connected socket: its edges are used up */
};

/*
 * Finished: called once, from the loop, never from inside a call of these functions. With error 0 the
 * callback takes the socket over with dial_take(). ETIMEDOUT when the deadline passed; ECANCELED is
 * never reported. Of several failures the one stands that says most about the destination: refused or
 * reset, then our own lack of descriptors or memory, then prohibited, host unreachable, network
 * unreachable, no source address, no such family; of equals the first. result lives for the call.
 */
typedef void dial_finished(struct dial *dial, const struct dial_result *result, void *ctx);

/* NULL with ENOMEM. settings stay the caller's and must outlive the dial. */
struct dial *dial_start(struct loop *loop, const struct dial_settings *settings, struct mono deadline,
    dial_finished *finished, void *ctx) SP_MUST_USE;

/* Adds an address with port, in the caller's order; one already there is not added again. Attempts
   begin in the dial_more() that follows, or in the next turn. 0, or -1 with ENOBUFS. */
int dial_add(struct dial *dial, const struct addr *address) SP_MUST_USE;
/* Forgets every address, tried, being tried or waiting, that keep() does not want kept. Returns how many are
   left that are being tried or wait. The failure that may follow is reported as any other. */
unsigned dial_retain(struct dial *dial, bool (*keep)(void *ctx, const struct addr *address), void *ctx);
/* Answers for a family are still awaited (as both are in the beginning) / none is awaited any more:
   with no address left to try the dial fails. Without any attempt the error is EHOSTUNREACH. */
void dial_more(struct dial *dial, bool ipv4_pending, bool ipv6_pending);

/*
 * In the finished callback: the connected socket (non-blocking, TCP_NODELAY, keepalive, user timeout
 * and SO_OOBINLINE set), owned by the caller from now on. It is registered in the loop with
 * CHANNEL_EVENTS (channel.h); the registration moves to io (loop_io_move).
 */
int dial_take(struct dial *dial, struct loop_io *io) SP_MUST_USE;

/* Ends it, closing whatever it holds; no callback afterwards. Leaves NULL. May be called from the
   callback. NULL is fine. */
void dial_free(struct dial **dial);

/* TCP_NODELAY, keepalive, TCP_USER_TIMEOUT and SO_OOBINLINE for either side of a session. Best effort. */
void dial_tune(int fd, unsigned user_timeout_ms);

#endif
