/* SPDX-License-Identifier: ISC */
/*
 * The set of event rings. Serves the pump and the messages from the master. The bytes of a ring are
 * another process's: what does not decode is counted, told as audit.lost and skipped.
 */
#include "src/logger/rings.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TELL_EVERY_US CLOCK_SECOND_US

void
rings_init(struct log_rings *rings, struct loop *loop)
{
    *rings = (struct log_rings) { .loop = loop };
}

static void
ring_free(struct log_ring *ring)
{
    if (ring->pidfd >= 0)
        loop_io_del(ring->set->loop, &ring->io, ring->pidfd);
    fd_close(&ring->pidfd);
    fd_close(&ring->accepted_fd);
    ring_reader_close(&ring->reader);
    free(ring);
}

void
rings_free(struct log_rings *rings)
{
    for (size_t i = 0; i < rings->count; i++)
        ring_free(rings->list[i]);
    free(rings->list);
    rings_init(rings, rings->loop);
}

struct log_ring *
rings_find(const struct log_rings *rings, uint32_t id)
{
    for (size_t i = 0; i < rings->count; i++) {
        if (rings->list[i]->id == id)
            return rings->list[i];
    }
    return NULL;
}

static struct log_ring *
ring_open(struct log_rings *rings, const struct ipc_ring *what, int data_fd, int index_fd)
{
    struct log_ring *ring = calloc(1, sizeof *ring);

    if (ring == NULL)
        return NULL;
    ring->set = rings;
    ring->id = what->ring;
    ring->pidfd = ring->accepted_fd = -1;
    ring->told_at = (struct mono) { 0 };
    memcpy(ring->label, what->label, sizeof ring->label);
    ring->reader = ring_reader_open(data_fd, index_fd);
    if (ring->reader == NULL) {
        free(ring);
        return NULL;
    }
    ring->lost[LOST_FULL].told = ring->lost[LOST_FULL].sent = ring_dropped_told(ring->reader);
    return ring;
}

struct log_ring *
rings_add(struct log_rings *rings, const struct ipc_ring *what, int data_fd, int index_fd,
    int *pidfd, int *accepted_fd)
{
    if (rings_find(rings, what->ring) != NULL) {
        errno = EEXIST;
        return NULL;
    }
    struct log_ring **list = reallocarray(rings->list, rings->count + 1, sizeof *list);

    if (list == NULL)
        return NULL;
    rings->list = list;
    struct log_ring *ring = ring_open(rings, what, data_fd, index_fd);

    if (ring == NULL)
        return NULL;
    ring->pidfd = fd_take(pidfd);
    ring->accepted_fd = fd_take(accepted_fd);
    list[rings->count++] = ring;
    return ring;
}

void
rings_remove(struct log_rings *rings, struct log_ring *ring)
{
    for (size_t i = 0; i < rings->count; i++) {
        if (rings->list[i] != ring)
            continue;
        rings->list[i] = rings->list[--rings->count];
        break;
    }
    ring_free(ring);
}

/* ---- writers of a gateway without master ---- */

static void
writer_ended(struct loop_io *io, uint32_t events)
{
    struct log_ring *ring = (struct log_ring *)((char *)io - offsetof(struct log_ring, io));

    (void)events;
    loop_io_del(ring->set->loop, &ring->io, ring->pidfd);
    ring->draining = true;
    ring->set->ended(ring->set);
}

void
rings_watch_writers(struct log_rings *rings)
{
    for (size_t i = 0; i < rings->count; i++) {
        struct log_ring *ring = rings->list[i];

        ring->io.ready = writer_ended;
        if (ring->draining || loop_io_active(&ring->io))
            continue;
        if (loop_io_add(rings->loop, &ring->io, ring->pidfd, EPOLLIN) == 0)
            continue;
        log_error("ring of %s: its process cannot be watched: %s", ring->label, strerror(errno));
        ring->draining = true;
    }
}

/* ---- what waits ---- */

/* The loss still to be sent, or told for good; LOST_WHY_COUNT: none. */
static enum lost_why
loss_of(struct log_ring *ring, bool unsent)
{
    size_t i = 0;

    ring->lost[LOST_FULL].total = ring_dropped(ring->reader);
    while (i < LOST_WHY_COUNT
        && ring->lost[i].total == (unsent ? ring->lost[i].sent : ring->lost[i].told))
        i++;
    return (enum lost_why)i;
}

bool
ring_done(struct log_ring *ring)
{
    return ring->taken == 0 && ring_empty(ring->reader) && loss_of(ring, false) == LOST_WHY_COUNT;
}

/* Whether everything it has was taken, safe or not. */
static bool
all_taken(struct log_ring *ring)
{
    uint8_t record[EVENT_RECORD_MAX];

    if (loss_of(ring, true) != LOST_WHY_COUNT)
        return false;
    if (ring->taken == 0)
        return ring_empty(ring->reader);
    return ring_peek(ring->reader, ring->taken, record, sizeof record) == 0;
}

size_t
rings_waiting(const struct log_rings *rings)
{
    size_t n = 0;

    for (size_t i = 0; i < rings->count; i++)
        n += !ring_done(rings->list[i]);
    return n;
}

bool
rings_done(const struct log_rings *rings)
{
    return rings_waiting(rings) == 0;
}

void
rings_awake(struct log_rings *rings)
{
    for (size_t i = 0; i < rings->count; i++)
        ring_awake(rings->list[i]->reader);
}

bool
rings_sleep(struct log_rings *rings)
{
    bool quiet = true;

    for (size_t i = 0; i < rings->count; i++) {
        ring_sleep(rings->list[i]->reader);
        quiet = quiet && all_taken(rings->list[i]);
    }
    if (!quiet)
        rings_awake(rings);
    return quiet;
}

bool
rings_any_wanted(const struct log_rings *rings)
{
    for (size_t i = 0; i < rings->count; i++) {
        if (ring_wanted(rings->list[i]->reader))
            return true;
    }
    return false;
}

uint64_t
rings_records_waiting(const struct log_rings *rings)
{
    uint64_t n = 0;

    for (size_t i = 0; i < rings->count; i++)
        n += ring_waiting(rings->list[i]->reader);
    return n;
}

uint64_t
rings_lost_untold(const struct log_rings *rings)
{
    uint64_t n = 0;

    for (size_t i = 0; i < rings->count; i++) {
        const struct log_ring *ring = rings->list[i];

        /* What is dropped while the target takes nothing is noted in a batch only when it takes again. */
        n += ring_dropped(ring->reader) - ring->lost[LOST_FULL].total;
        for (size_t j = 0; j < LOST_WHY_COUNT; j++)
            n += ring->lost[j].total - ring->lost[j].told;
    }
    return n;
}

bool
rings_any_draining(const struct log_rings *rings)
{
    for (size_t i = 0; i < rings->count; i++) {
        if (rings->list[i]->draining)
            return true;
    }
    return false;
}

/* ---- records ---- */

/* The index advanced: a writer that waited for it hears of it. EAGAIN means that it has a signal it has
   not looked at. */
static void
advanced(struct log_ring *ring)
{
    uint64_t one = 1;

    if (ring->accepted_fd < 0 || !ring_met(ring->reader))
        return;
    ssize_t ignored = write(ring->accepted_fd, &one, sizeof one);

    (void)ignored;
}

/* What is at the reader's place cannot be read. True when it was skipped (all or one of it): only
   when nothing before it is under way, since the index goes over it. */
static bool
skip(struct log_ring *ring, bool all)
{
    if (ring->taken > 0)
        return false;
    if (all)
        ring_skip(ring->reader);
    else
        ring_accept(ring->reader, 1);
    advanced(ring);
    if (ring->lost[LOST_INVALID].total++ == 0)
        log_error("ring of %s: %s", ring->label,
            all ? "its bytes are no records: skipped to its end" : "an invalid record: skipped");
    return true;
}

bool
ring_take(struct log_ring *ring, uint8_t *record, struct event_view *view)
{
    for (;;) {
        ssize_t len = ring_peek(ring->reader, ring->taken, record, EVENT_RECORD_MAX);

        if (len == 0)
            return false;
        if (len > 0 && event_decode(record, (size_t)len, view) == 0) {
            ring->taken++;
            return true;
        }
        if (!skip(ring, len < 0))
            return false;
    }
}

void
ring_taken_safe(struct log_ring *ring, size_t n)
{
    ring_accept(ring->reader, n);
    ring->taken -= n;
    advanced(ring);
}

/* ---- losses ---- */

bool
ring_take_loss(struct log_ring *ring, bool hurry, enum lost_why *why, uint64_t *count,
    uint64_t *total)
{
    struct mono now = loop_now(ring->set->loop);

    *why = loss_of(ring, true);
    if (*why == LOST_WHY_COUNT
        || (!hurry && mono_before(now, mono_add_us(ring->told_at, TELL_EVERY_US))))
        return false;
    struct lost *lost = &ring->lost[*why];

    *count = lost->total - lost->sent;
    *total = lost->sent = lost->total;
    ring->told_at = now;
    return true;
}

void
ring_loss_safe(struct log_ring *ring, enum lost_why why, uint64_t total)
{
    ring->set->lost_told += total - ring->lost[why].told;
    ring->lost[why].told = total;
    if (why == LOST_FULL)
        ring_tell_dropped(ring->reader, total);
}

void
rings_rewind(struct log_rings *rings)
{
    for (size_t i = 0; i < rings->count; i++) {
        struct log_ring *ring = rings->list[i];

        ring->taken = 0;
        for (size_t j = 0; j < LOST_WHY_COUNT; j++)
            ring->lost[j].sent = ring->lost[j].told;
        ring->told_at = (struct mono) { 0 };
    }
}
