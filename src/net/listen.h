/* SPDX-License-Identifier: ISC */
/*
 * A listening socket towards a peer that somebody else was told of: at the address of ours which that
 * peer reaches, on a port of a range. Serves BIND; no error is fatal here.
 */
#ifndef SP_NET_LISTEN_H
#define SP_NET_LISTEN_H

#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"

/* Ports of a range that are tried before it counts as taken: some milliseconds of a turn at most. */
#define LISTEN_TRIES_MAX 1024U
/* Few: an expected peer comes alone, and whoever finds the queue full tries again. */
#define LISTEN_BACKLOG 16

/*
 * Our address of the route to peer: egress, or with egress of ADDR_NONE the kernel's choice. Asked for by
 * connecting a datagram socket; nothing is sent. 0 with *at (port 0, never of zeros), or -1 with errno,
 * which is that of connect() where there is no way to the peer.
 */
int listen_route(const struct addr *peer, const struct addr *egress, struct addr *at) SP_MUST_USE;

/*
 * Listens there, without blocking: on a free port of port_min..port_max, looked for from a random one
 * on, or with both 0 on one of the kernel's choice; at->port becomes it. A descriptor the caller owns,
 * or -1 with errno: EADDRINUSE when all ports tried are taken.
 */
int listen_open(struct addr *at, uint16_t port_min, uint16_t port_max) SP_MUST_USE;

/*
 * The next connection, non-blocking, which the caller owns, and the address it came from (unmapped). -1
 * with errno: EAGAIN when there is none now, ECONNABORTED when this one is lost and there may be others,
 * EMFILE when it waits because descriptors or memory are out; anything else is the end of the socket.
 */
int listen_accept(int fd, struct addr *peer) SP_MUST_USE;

#endif
