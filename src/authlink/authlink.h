/* SPDX-License-Identifier: ISC */
/*
 * The worker's side of authentication conversations. One SOCK_SEQPACKET pair a conversation: the
 * worker keeps one end, the other goes through the worker's queue to the method's pool, to whichever
 * process of it is idle, and comes back with the last answer. End of file on the conversation is the
 * crash signal: while it lasts, nobody but the pool has the other end.
 */
#ifndef SP_AUTHLINK_AUTHLINK_H
#define SP_AUTHLINK_AUTHLINK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"
#include "src/authlink/conversation.h"
#include "src/core/loop.h"

/* The worker's sending ends, by pool (index of the module in the image). */
#define AUTHLINK_POOLS_MAX 32

/* Pairs that came back whole, kept for the next conversations of the same queue: making a pair,
   watching it and releasing it are five system calls. Two descriptors each, of those that the master's
   plan of the worker leaves beside its sessions. */
#define AUTHLINK_PAIRS_MAX 8U

struct authlink_conversation;
struct authlink_queue;

struct authlink_pair {
    struct loop_io io; /* of ours; nothing may come while it is kept */
    int ours;          /* owned, as theirs */
    int theirs;
    uint64_t cookie; /* the kernel's number of theirs */
    struct authlink_queue *queue;
};

/* One pool's queue, and the conversations that wait until it takes them, first come first served. */
struct authlink_queue {
    struct loop_io io; /* registered while somebody waits */
    int fd;            /* owned; -1: none */
    uint32_t number;   /* of fd: another one with each authlink_set_queue */
    struct authlink *link;
    struct authlink_pair pairs[AUTHLINK_PAIRS_MAX];
    unsigned pair_count;
    struct authlink_conversation *first;
    struct authlink_conversation *last;
};

struct authlink {
    struct loop *loop;
    unsigned pairs; /* kept at most, */
    unsigned kept;  /* and now, of all queues */
    struct authlink_queue queues[AUTHLINK_POOLS_MAX];
    /* One packet each way, in secret memory, zeroed after every use; made with the first queue, so
       that a worker whose methods need no pool has none. */
    uint8_t *sending;
    uint8_t *receiving;
};

/* pairs: how many may be kept, of all queues, at most AUTHLINK_PAIRS_MAX; 0: none. */
void authlink_init(struct authlink *link, struct loop *loop, unsigned pairs);
void authlink_close(struct authlink *link);
/* Takes the descriptor over (replacing an earlier one). 0, or -1 with EINVAL or ENOMEM; then the
   descriptor stays the caller's. */
int authlink_set_queue(struct authlink *link, uint32_t pool, int fd) SP_MUST_USE;

/* One conversation, embedded in the authenticate phase's state; all zero when none is open (the
   caller sets answered before authlink_open). */
struct authlink_conversation {
    struct loop_io io;
    int fd;
    struct authlink *link; /* NULL: not open */
    struct authlink_queue *home;  /* its pool's, */
    uint32_t home_number;         /* as it was when this was opened */
    uint64_t cookie;              /* the kernel's number of the pool's end */
    struct authlink_queue *queue; /* where it waits; NULL: it is handed over */
    struct authlink_conversation *next;
    struct authlink_conversation *previous;
    int other; /* the pool's end while it waits */
    /* One answer arrived; result is a borrow until the call returns. After AUTH_CONTINUE the
       conversation stays open for authlink_next; after AUTH_SUCCESS and AUTH_FAILURE it is closed
       already. result NULL: the pool's process is gone or its message is malformed (why says
       which): closed already too. The callback may free c. */
    void (*answered)(struct authlink_conversation *c, const struct conversation_result *result,
        const char *why);
};

/* Opens a conversation with its first client message; when the queue is full it waits there. 0, or
   -1 with errno (ENOTCONN: no queue; EPIPE, ECONNRESET: no pool; EMFILE; ETOOMANYREFS; EMSGSIZE: a
   field is too long). The password passes through no heap memory of ours but secret memory. */
int authlink_open(struct authlink *link, uint32_t pool, struct authlink_conversation *c,
    const struct conversation_open *open) SP_MUST_USE;

/* Sends the next client message. 0, or -1 with errno. */
int authlink_next(struct authlink_conversation *c, const void *bytes, size_t len) SP_MUST_USE;

/* Ends it (harmless when none is open). */
void authlink_end(struct authlink_conversation *c);

#endif
