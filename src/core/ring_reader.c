/* SPDX-License-Identifier: ISC */
/*
 * Reading an event ring. Serves the logger, and the master when it looks at a dead writer's. Every
 * byte of the data map is another process's and may change at any time: a length is read once,
 * judged, and the record copied before anybody looks into it. Nothing here is fatal.
 */
#include "src/core/ring_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct ring_reader {
    const struct ring_data *data;
    const uint8_t *records;
    struct ring_index *index;
    uint64_t tail;
    size_t seen_n; /* record seen_n after the tail starts at seen_at: looking on is one step */
    uint64_t seen_at;
    uint64_t met; /* the position whose writer was told */
};

struct ring_reader *
ring_reader_open(int data_fd, int index_fd)
{
    struct ring_reader *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    r->data = ring_map(data_fd, RING_MAP_SIZE, PROT_READ);
    r->index = ring_map(index_fd, RING_HEADER_SIZE, PROT_READ | PROT_WRITE);
    if (r->data == NULL || r->index == NULL) {
        ring_reader_close(&r);
        return NULL;
    }
    if (r->index->magic != RING_INDEX_MAGIC || r->index->layout != RING_LAYOUT) {
        ring_reader_close(&r);
        errno = EINVAL;
        return NULL;
    }
    r->records = (const uint8_t *)r->data + RING_HEADER_SIZE;
    r->tail = r->seen_at = atomic_load(&r->index->tail) & ~(uint64_t)(RING_ALIGN - 1);
    ring_awake(r); /* the one before us may have died asleep */
    return r;
}

void
ring_reader_close(struct ring_reader **ring)
{
    struct ring_reader *r = *ring;
    int saved = errno;

    if (r == NULL)
        return;
    *ring = NULL;
    if (r->data != NULL)
        munmap((void *)(uintptr_t)r->data, RING_MAP_SIZE);
    if (r->index != NULL)
        munmap(r->index, RING_HEADER_SIZE);
    free(r);
    errno = saved;
}

/* An honest head is aligned; of another the whole units are looked at, so that skipping to it ends. */
static uint64_t
head_of(const struct ring_reader *r)
{
    return atomic_load_explicit(&r->data->head, memory_order_acquire)
        & ~(uint64_t)(RING_ALIGN - 1);
}

/* Length and event at position at: bytes up to the next record in *step, bytes of this record (0 for
   padding) returned; -1 when they cannot be true. */
static ssize_t
look(const struct ring_reader *r, uint64_t at, uint64_t head, uint64_t *step)
{
    struct ring_record h = { 0 };
    uint64_t offset = at & (RING_DATA_SIZE - 1);
    uint64_t most = RING_DATA_SIZE - offset;

    if (most > head - at)
        most = head - at;
    memcpy(&h, r->records + offset, RING_ALIGN);
    *step = ring_round_up(h.len);
    if (h.len < RING_ALIGN || *step > most)
        return -1;
    if (h.event == RING_PADDING)
        return 0;
    return h.len >= sizeof h && h.len <= RING_RECORD_MAX ? (ssize_t)h.len : -1;
}

/* Moves *at over padding to the next record: its length, 0 when there is none, -1 when invalid. */
static ssize_t
next_record(const struct ring_reader *r, uint64_t *at, uint64_t *step)
{
    uint64_t head = head_of(r);

    if (head - *at > RING_DATA_SIZE)
        return -1;
    while (*at != head) {
        ssize_t len = look(r, *at, head, step);

        if (len != 0)
            return len;
        *at += *step;
    }
    return 0;
}

ssize_t
ring_peek(struct ring_reader *ring, size_t n, void *record, size_t size)
{
    uint64_t step = 0;
    ssize_t len;

    if (n < ring->seen_n) {
        ring->seen_n = 0;
        ring->seen_at = ring->tail;
    }
    for (;;) {
        len = next_record(ring, &ring->seen_at, &step);
        if (len <= 0 || ring->seen_n == n)
            break;
        ring->seen_at += step;
        ring->seen_n++;
    }
    if (len <= 0)
        return len;
    if ((size_t)len > size)
        return -1;
    memcpy(record, ring->records + (ring->seen_at & (RING_DATA_SIZE - 1)), (size_t)len);
    /* The length was read before: in the copy it must not be another one. */
    uint32_t judged = (uint32_t)len;

    memcpy(record, &judged, sizeof judged);
    return len;
}

static void
set_tail(struct ring_reader *r, uint64_t tail)
{
    r->tail = r->seen_at = tail;
    r->seen_n = 0;
    atomic_store_explicit(&r->index->tail, tail, memory_order_release);
}

void
ring_accept(struct ring_reader *ring, size_t n)
{
    uint64_t at = ring->tail;
    uint64_t step = 0;

    for (size_t i = 0; i < n; i++) {
        ssize_t len = next_record(ring, &at, &step);

        if (len < 0) {
            ring_skip(ring);
            return;
        }
        if (len == 0)
            break;
        at += step;
    }
    set_tail(ring, at);
}

void
ring_skip(struct ring_reader *ring)
{
    set_tail(ring, head_of(ring));
}

bool
ring_wanted(const struct ring_reader *ring)
{
    uint64_t wanted = atomic_load_explicit(&ring->data->wanted, memory_order_relaxed);

    return wanted > ring->tail && wanted <= head_of(ring);
}

bool
ring_met(struct ring_reader *ring)
{
    /* Pairs with the fence of ring_want(): we see the position, or the writer sees the tail. */
    atomic_thread_fence(memory_order_seq_cst);
    uint64_t wanted = atomic_load_explicit(&ring->data->wanted, memory_order_relaxed);

    if (wanted == 0 || wanted == ring->met || wanted > ring->tail)
        return false;
    ring->met = wanted;
    return true;
}

size_t
ring_waiting(const struct ring_reader *ring)
{
    uint64_t at = ring->tail, step = 0;
    size_t n = 0;

    while (next_record(ring, &at, &step) > 0) {
        at += step;
        n++;
    }
    return n;
}

uint64_t
ring_kept(const struct ring_reader *ring)
{
    return atomic_load_explicit(&ring->index->kept, memory_order_relaxed);
}

void
ring_keep(struct ring_reader *ring, uint64_t number)
{
    atomic_store_explicit(&ring->index->kept, number, memory_order_relaxed);
}

bool
ring_empty(const struct ring_reader *ring)
{
    return head_of(ring) == ring->tail;
}

uint64_t
ring_dropped(const struct ring_reader *ring)
{
    return atomic_load_explicit(&ring->data->dropped, memory_order_acquire);
}

uint64_t
ring_dropped_told(const struct ring_reader *ring)
{
    return atomic_load_explicit(&ring->index->dropped_told, memory_order_relaxed);
}

void
ring_tell_dropped(struct ring_reader *ring, uint64_t total)
{
    atomic_store_explicit(&ring->index->dropped_told, total, memory_order_relaxed);
}

void
ring_sleep(struct ring_reader *ring)
{
    uint32_t epoch = atomic_load_explicit(&ring->index->sleep_epoch, memory_order_relaxed);

    if ((epoch & 1) == 0)
        atomic_store_explicit(&ring->index->sleep_epoch, epoch + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
}

void
ring_awake(struct ring_reader *ring)
{
    uint32_t epoch = atomic_load_explicit(&ring->index->sleep_epoch, memory_order_relaxed);

    if ((epoch & 1) != 0)
        atomic_store_explicit(&ring->index->sleep_epoch, epoch + 1, memory_order_relaxed);
}
