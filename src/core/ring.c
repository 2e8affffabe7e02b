/* SPDX-License-Identifier: ISC */
/*
 * Making an event ring and writing into it. Serves every process that states audit facts. Appending
 * never blocks and never fails: a full ring counts what it drops. The index comes from another
 * process and is not trusted: a wrong one makes the ring look full.
 */
#include "src/core/ring_private.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RING_SEALS (F_SEAL_GROW | F_SEAL_SHRINK)

struct ring_writer {
    struct ring_data *data;
    uint8_t *records;
    const struct ring_index *index;
    uint64_t head;
    uint64_t tail; /* as last seen: read again only when the ring looks full */
    uint64_t next_seq;
    uint64_t dropped;
    uint32_t signalled; /* the sleep this writer has already ended */
    int wake_fd;
};

static int
init_data(int fd, uint64_t first_seq)
{
    struct ring_data *d = mmap(NULL, sizeof *d, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (d == MAP_FAILED)
        return -1;
    d->magic = RING_DATA_MAGIC;
    d->layout = RING_LAYOUT;
    atomic_store(&d->next_seq, first_seq);
    return munmap(d, sizeof *d);
}

static int
init_index(int fd)
{
    struct ring_index *i = mmap(NULL, sizeof *i, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (i == MAP_FAILED)
        return -1;
    i->magic = RING_INDEX_MAGIC;
    i->layout = RING_LAYOUT;
    return munmap(i, sizeof *i);
}

int
ring_create(uint64_t first_seq, int *data_fd, int *index_fd)
{
    int data = memfd_fixed("sallyport-ring", RING_MAP_SIZE);
    int index = memfd_fixed("sallyport-ring-index", RING_HEADER_SIZE);

    if (data < 0 || index < 0 || init_data(data, first_seq) < 0 || init_index(index) < 0) {
        fd_close(&data);
        fd_close(&index);
        return -1;
    }
    *data_fd = fd_take(&data);
    *index_fd = fd_take(&index);
    return 0;
}

/* Maps exactly size bytes of a memfd whose size nobody can change. */
void *
ring_map(int fd, size_t size, int protection)
{
    off_t have = memfd_check(fd, RING_SEALS);

    if (have < 0)
        return NULL;
    if (have != (off_t)size) {
        errno = EINVAL;
        return NULL;
    }
    void *p = mmap(NULL, size, protection, MAP_SHARED, fd, 0);

    return p == MAP_FAILED ? NULL : p;
}

/* Continues where the map says a writer stopped: 0, or -1 with EINVAL. */
static int
writer_resume(struct ring_writer *w)
{
    if (w->data->magic != RING_DATA_MAGIC || w->data->layout != RING_LAYOUT
        || w->index->magic != RING_INDEX_MAGIC || w->index->layout != RING_LAYOUT) {
        errno = EINVAL;
        return -1;
    }
    w->head = atomic_load(&w->data->head);
    w->next_seq = atomic_load(&w->data->next_seq);
    w->dropped = atomic_load(&w->data->dropped);
    w->tail = w->head - RING_DATA_SIZE; /* looks full: the first append reads the true one */
    return 0;
}

struct ring_writer *
ring_writer_open(int data_fd, int index_fd, int wake_fd)
{
    struct ring_writer *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    w->wake_fd = wake_fd;
    w->data = ring_map(data_fd, RING_MAP_SIZE, PROT_READ | PROT_WRITE);
    w->index = ring_map(index_fd, RING_HEADER_SIZE, PROT_READ);
    if (w->data == NULL || w->index == NULL || writer_resume(w) < 0) {
        ring_writer_close(&w);
        return NULL;
    }
    w->records = (uint8_t *)w->data + RING_HEADER_SIZE;
    return w;
}

void
ring_writer_close(struct ring_writer **ring)
{
    struct ring_writer *w = *ring;
    int saved = errno;

    if (w == NULL)
        return;
    *ring = NULL;
    if (w->data != NULL)
        munmap(w->data, RING_MAP_SIZE);
    if (w->index != NULL)
        munmap((void *)(uintptr_t)w->index, RING_HEADER_SIZE);
    free(w);
    errno = saved;
}

/* Whether need more bytes fit. A tail ahead of the head or too far behind it is the reader's
   mistake; then nothing fits. */
static bool
has_room(struct ring_writer *w, uint64_t need)
{
    if (w->head - w->tail + need <= RING_DATA_SIZE)
        return true;
    uint64_t tail = atomic_load_explicit(&w->index->tail, memory_order_acquire);

    if (w->head - tail > RING_DATA_SIZE)
        return false;
    w->tail = tail;
    return w->head - tail + need <= RING_DATA_SIZE;
}

size_t
ring_room(const struct ring_writer *ring)
{
    uint64_t held = ring->head - atomic_load_explicit(&ring->index->tail, memory_order_acquire);

    return held > RING_DATA_SIZE ? 0 : (size_t)(RING_DATA_SIZE - held);
}

/* EAGAIN means the counter is full, so the reader wakes anyway. */
static void
signal_reader(struct ring_writer *w)
{
    uint64_t one = 1;
    ssize_t ignored = write(w->wake_fd, &one, sizeof one);

    (void)ignored;
}

static void
wake_reader(struct ring_writer *w)
{
    /* Pairs with the fence of ring_sleep(): either we see the reader asleep, or it sees the head
       that was stored before this. */
    atomic_thread_fence(memory_order_seq_cst);
    uint32_t epoch = atomic_load_explicit(&w->index->sleep_epoch, memory_order_relaxed);

    if (w->wake_fd < 0 || (epoch & 1) == 0 || epoch == w->signalled)
        return;
    /* One signal for each sleep. */
    signal_reader(w);
    w->signalled = epoch;
}

static void
put_padding(struct ring_writer *w, uint64_t len)
{
    struct ring_record pad = { .len = (uint32_t)len, .event = RING_PADDING };

    /* The rest may be shorter than a header, but it always has room for length and event. */
    memcpy(w->records + (w->head & (RING_DATA_SIZE - 1)), &pad, RING_ALIGN);
    w->head += len;
}

/* Takes the next number for a record that is in the ring once the head is w->head. The order lets
   ring_next_seq_of() tell whether a killed writer's last record is there. */
static uint64_t
take_seq(struct ring_writer *w)
{
    uint64_t seq = w->next_seq++;

    atomic_store_explicit(&w->data->commit[seq & 1], w->head, memory_order_release);
    atomic_store_explicit(&w->data->next_seq, w->next_seq, memory_order_release);
    return seq;
}

/* Counted first: a writer killed here reports one too many, never one too few. */
static uint64_t
drop(struct ring_writer *w)
{
    atomic_store_explicit(&w->data->dropped, ++w->dropped, memory_order_release);
    uint64_t seq = take_seq(w);

    wake_reader(w);
    return seq;
}

uint64_t
ring_append(struct ring_writer *w, struct ring_record *head, const void *body, size_t len)
{
    uint64_t size = ring_round_up(sizeof *head + len);
    uint64_t rest = RING_DATA_SIZE - (w->head & (RING_DATA_SIZE - 1));
    uint64_t padding = size > rest ? rest : 0;

    if (len > RING_RECORD_MAX - sizeof *head || !has_room(w, size + padding))
        return drop(w);
    if (padding > 0)
        put_padding(w, padding);
    head->len = (uint32_t)(sizeof *head + len);
    head->seq = w->next_seq;
    uint8_t *to = w->records + (w->head & (RING_DATA_SIZE - 1));

    memcpy(to, head, sizeof *head);
    memcpy(to + sizeof *head, body, len);
    w->head += size;
    (void)take_seq(w);
    atomic_store_explicit(&w->data->head, w->head, memory_order_release);
    wake_reader(w);
    return head->seq;
}

uint64_t
ring_next_seq(const struct ring_writer *ring)
{
    return ring->next_seq;
}

uint64_t
ring_end(const struct ring_writer *ring)
{
    return ring->head;
}

bool
ring_accepted(const struct ring_writer *ring, uint64_t position)
{
    return atomic_load_explicit(&ring->index->tail, memory_order_acquire) >= position;
}

/* The reader is signalled whether it sleeps or not: awake it looks every few milliseconds, which is longer
   than one who waits would like. */
void
ring_want(struct ring_writer *ring, uint64_t position)
{
    atomic_store_explicit(&ring->data->wanted, position, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    if (position != 0 && ring->wake_fd >= 0)
        signal_reader(ring);
}

uint64_t
ring_next_seq_of(int data_fd)
{
    struct ring_data *d = ring_map(data_fd, RING_MAP_SIZE, PROT_READ);

    if (d == NULL)
        return 0;
    uint64_t seq = d->magic == RING_DATA_MAGIC ? atomic_load(&d->next_seq) : 0;

    /* The last number was taken, and its record never committed: it is as good as unused. */
    if (seq > 0 && atomic_load(&d->head) < atomic_load(&d->commit[(seq - 1) & 1]))
        seq--;
    munmap(d, RING_MAP_SIZE);
    return seq <= INT64_MAX ? seq : 0;
}
