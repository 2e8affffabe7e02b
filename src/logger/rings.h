/* SPDX-License-Identifier: ISC */
/*
 * The event rings of all processes, as the logger reads them. A record is taken (looked at, in order),
 * sent, and accepted when it is safe; only accepting moves the index the next logger starts from.
 */
#ifndef SP_LOGGER_RINGS_H
#define SP_LOGGER_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"
#include "src/core/event.h"
#include "src/core/ipc.h"
#include "src/core/loop.h"
#include "src/core/ring.h"

/* Why records of a ring never came out; each is told with audit.lost. */
enum lost_why { LOST_FULL, LOST_INVALID, LOST_TOO_LONG, LOST_WHY_COUNT };

/* Of one reason: how many in all, told in a line not yet safe, told for good. */
struct lost {
    uint64_t total;
    uint64_t sent;
    uint64_t told;
};

struct log_ring {
    struct log_rings *set;
    uint32_t id;
    char label[IPC_LABEL_MAX];
    struct ring_reader *reader; /* owned */
    int pidfd;                  /* owned; readable when the writer has ended */
    int accepted_fd;            /* owned; ends the writer's waiting for a record; -1: it never waits */
    struct loop_io io;
    bool draining; /* the writer is gone: released when everything is safe */
    size_t taken;  /* records taken and not accepted */
    struct lost lost[LOST_WHY_COUNT];
    struct mono told_at; /* when a loss was last told */
};

struct log_rings {
    struct loop *loop;
    void (*ended)(struct log_rings *rings); /* rings_watch_writers(): a writer has ended */
    struct log_ring **list; /* owned, count of them */
    size_t count;
    size_t next; /* where the next turn begins, so that nobody is first for ever */
    uint64_t lost_told; /* records whose loss was told for good, of rings that are gone, too */
};

void rings_init(struct log_rings *rings, struct loop *loop);
void rings_free(struct log_rings *rings);

/* Opens a ring; takes pidfd and accepted_fd (-1: none), the other descriptors stay the caller's. NULL
   with errno (EEXIST: that number is in use). */
struct log_ring *rings_add(struct log_rings *rings, const struct ipc_ring *what, int data_fd,
    int index_fd, int *pidfd, int *accepted_fd) SP_MUST_USE;
struct log_ring *rings_find(const struct log_rings *rings, uint32_t id);
/* Unmaps and forgets it; nothing of it may be taken. */
void rings_remove(struct log_rings *rings, struct log_ring *ring);

/* For a logger whose master is gone: from now on a ring whose writer has ended is draining, and
   rings->ended is called. */
void rings_watch_writers(struct log_rings *rings);

/* True when nothing waits: no record, nothing taken, no loss to tell. */
bool ring_done(struct log_ring *ring);
bool rings_done(const struct log_rings *rings);
/* Records that are not safe, of all rings; losses of which no safe line tells. */
uint64_t rings_records_waiting(const struct log_rings *rings);
uint64_t rings_lost_untold(const struct log_rings *rings);
/* Rings with something waiting. */
size_t rings_waiting(const struct log_rings *rings);

/* Writers signal from now on. False when there is something to take (and all are awake). */
bool rings_sleep(struct log_rings *rings);
void rings_awake(struct log_rings *rings);
/* Some writer waits until a record of its is safe. */
bool rings_any_wanted(const struct log_rings *rings);
bool rings_any_draining(const struct log_rings *rings);

/* The next record not taken yet: true and *view, which points into record (EVENT_RECORD_MAX). Bytes
   that are no record are skipped and counted, once nothing before them is under way. */
bool ring_take(struct log_ring *ring, uint8_t *record, struct event_view *view);
/* The first n of those taken are safe. */
void ring_taken_safe(struct log_ring *ring, size_t n);

/* A loss to tell now: true and *why, *count, and marks it sent up to *total. At most one a second for
   each ring, unless hurry. */
bool ring_take_loss(struct log_ring *ring, bool hurry, enum lost_why *why, uint64_t *count,
    uint64_t *total);
void ring_loss_safe(struct log_ring *ring, enum lost_why why, uint64_t total);

/* What was taken and is not safe goes back: it will be taken again. */
void rings_rewind(struct log_rings *rings);

#endif
