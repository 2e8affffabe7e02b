/* SPDX-License-Identifier: ISC */
/*
 * Sessions that wait until the log target has accepted a record of theirs (log.required). They stand in
 * the order of their records, so that one signal of the logger serves all it has accepted; nothing here
 * costs anything while nobody waits.
 */
#ifndef SP_SESSION_AUDIT_WAIT_H
#define SP_SESSION_AUDIT_WAIT_H

#include <stdint.h>

#include "lib/base/attr.h"
#include "src/core/loop.h"
#include "src/core/ring.h"

/* Embedded in its owner; all zero means not waiting. */
struct audit_wait {
    struct audit_waits *set; /* NULL: not waiting */
    struct audit_wait *next, *prev;
    uint64_t position; /* in the ring, behind the record */
    void (*accepted)(struct audit_wait *wait);
};

/* A worker's. */
struct audit_waits {
    struct loop *loop;
    struct ring_writer *ring;
    int fd; /* the logger's signal; a borrow */
    struct loop_io io;
    struct loop_task task; /* more of them than a turn serves */
    struct audit_wait *first, *last;
};

/* 0, or -1 with errno. */
int audit_waits_open(struct audit_waits *set, struct loop *loop, struct ring_writer *ring, int fd)
    SP_MUST_USE;
void audit_waits_close(struct audit_waits *set);

/* Waits for everything in the ring up to now; accepted is set. From the next turn on it may be called;
   then the wait is over. */
void audit_wait_begin(struct audit_waits *set, struct audit_wait *wait);
/* Harmless when it does not wait. */
void audit_wait_end(struct audit_wait *wait);

#endif
