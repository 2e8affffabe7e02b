/* SPDX-License-Identifier: ISC */
/*
 * A UDP association (RFC 1928 sections 6 and 7): a socket towards the client, one a family towards the
 * destinations, made when first needed, and what the client has written to. It lives as long as the
 * session that asked for it. Datagrams pass through rooms that all associations of a worker share; a
 * quiet association holds some hundred bytes. Whatever is wrong with a datagram drops and counts that
 * datagram and no more.
 */
#ifndef SP_SESSION_UDP_ASSOCIATION_H
#define SP_SESSION_UDP_ASSOCIATION_H

#include "lib/socks/udp.h"
#include "src/session/session_private.h"
#include "src/session/udp_batch.h"
#include "src/session/udp_destinations.h"
#include "src/session/udp_fragments.h"

#define UDP_NAMES_MAX 64U         /* names remembered */
#define UDP_RESOLVING_MAX 8U      /* of them looked up at the same time */
#define UDP_HELD_MAX 16U          /* datagrams that wait for their name */
#define UDP_HELD_BYTES 65536U     /* and their octets */
#define UDP_NAME_SECONDS 60       /* an address is remembered for */
#define UDP_NAME_FAILED_SECONDS 5 /* a name without one is not asked about again for */
#define UDP_SOCKET_RETRY_SECONDS 1 /* no port, no descriptor: what comes meanwhile is dropped at once */
#define UDP_FRAGMENT_SECONDS 5    /* RFC 1928 section 7: no less */

struct udp_association;

struct udp_socket {
    struct loop_io io;
    struct udp_association *association;
    int fd; /* -1: not open */
    struct mono retry; /* after a failure: not tried again before */
};

struct udp_association {
    struct session *session;
    struct udp_socket client;       /* towards the client */
    struct udp_socket out[2];       /* by enum udp_family */
    struct addr peer;               /* where the client sends from; ADDR_NONE: not known yet */
    struct udp_destinations table;
    struct udp_fragments *fragments; /* NULL: none held */
    struct loop_timer fragment_timer;
    struct udp_name *names;         /* the one used last is the first */
    unsigned name_count, resolving;
    unsigned held;                  /* datagrams waiting for a name */
    size_t held_bytes;
    bool sealed;
    bool show;                      /* the next rule that allows something is the session's */
    uint64_t datagrams_up, datagrams_down, dropped; /* up, down: passed on */
    uint64_t untold; /* destinations without a record of their own */
    uint64_t wire_up, wire_down;    /* octets of sealed datagrams */
    struct { uint64_t up, down, dropped; } counted; /* of the datagrams, in the worker's counters */
};

/* ---- its life (udp_association.c) ---- */

/* Opens the socket on the address the client came to, puts the association into the session, and its
   address, as the client is to be told, into *bound. 0, or -1 with errno. */
int udp_associate(struct session *s, struct addr *bound) SP_MUST_USE;
/* Ends what the session has. Leaves NULL; harmless without one. */
void udp_association_free(struct udp_association **a);
/* Whether the client may write there; name: what it asked for, or NULL. UDP_UNJUDGED: allowed, but there
   is no way there now. The first rule that allows something is shown as the session's. */
enum udp_verdict udp_judge(struct udp_association *a, const char *name, const struct addr *address);
/* The rules are others, or the time: each destination is judged again when it is next used, the one used
   last at once. NULL is fine. */
void udp_rejudge(struct udp_association *a);
/* Before an entry of the table is used: judged again where that was before. */
void udp_renew(struct udp_association *a, struct udp_destination *d);
/* The first datagram goes there: session.destination, unless one was written or the audit is far behind;
   name: what was asked for, or NULL. */
void udp_tell(struct udp_association *a, struct udp_destination *d, const char *name);
/* Totals into the session and its slot. */
void udp_note(struct udp_association *a);

/* ---- sockets (udp_socket.c) ---- */

/* Bound to the address, or to any where its family is NONE, and a port of udp.port-min/max. 0, or -1
   with errno. */
int udp_socket_open(struct udp_association *a, struct udp_socket *u, enum addr_family family,
    const struct addr *address, void (*ready)(struct loop_io *io, uint32_t events)) SP_MUST_USE;
void udp_socket_close(struct udp_association *a, struct udp_socket *u);
struct udp_association *udp_socket_owner(struct loop_io *io, struct udp_socket **u);

/* ---- both ways (udp_up.c, udp_down.c) ---- */

void udp_up_ready(struct loop_io *io, uint32_t events);
void udp_down_ready(struct loop_io *io, uint32_t events);
/* Whether there is a socket towards addresses of that family; made where there is none. */
bool udp_up_ready_for(struct udp_association *a, enum udp_family family);
/* Puts a datagram to an address that was judged into the batch; data must stay until udp_up_flush(). */
void udp_up_send(struct udp_association *a, const struct addr *to, uint8_t *data, size_t len);
void udp_up_flush(struct udp_association *a);

/* ---- names (udp_names.c) ---- */

/* A datagram to a name: sent, held until the name is resolved, or dropped. */
void udp_name_deliver(struct udp_association *a, const char *name, uint16_t port, uint8_t *data,
    size_t len);
void udp_names_free(struct udp_association *a);
/* Whether it is the address of a name that may go there now. */
bool udp_name_allows(struct udp_association *a, const struct addr *address);

#endif
