/* SPDX-License-Identifier: ISC */
/*
 * What both ends of an event ring share: the layout of its two memfds. Positions count bytes since
 * the ring was made and never wrap; a record's place is its position modulo RING_DATA_SIZE. Every
 * record starts at a multiple of RING_ALIGN and is contiguous: where the rest of the ring is too
 * short, a record of event RING_PADDING fills it. Serves ring.c, ring_reader.c and their tests.
 */
#ifndef SP_CORE_RING_PRIVATE_H
#define SP_CORE_RING_PRIVATE_H

#include "src/core/ring.h"

#include <stdatomic.h>

#define RING_DATA_MAGIC UINT32_C(0x53505244)
#define RING_INDEX_MAGIC UINT32_C(0x53505249)
#define RING_LAYOUT 3U
#define RING_HEADER_SIZE 4096U /* keeps records off the header's page */
#define RING_MAP_SIZE (RING_HEADER_SIZE + RING_DATA_SIZE)
#define RING_ALIGN 8U
#define RING_PADDING 0xffffU

/* First page of the data memfd: the writer's. */
struct ring_data {
    uint32_t magic;
    uint32_t layout;
    _Atomic uint64_t head;     /* position after the last record */
    _Atomic uint64_t next_seq; /* sequence number of the next record */
    _Atomic uint64_t dropped;
    /* Where the head stands once the record with an even or odd number is in the ring: a head before
       it says that the writer died between taking the last number and committing its record. */
    _Atomic uint64_t commit[2];
    _Atomic uint64_t wanted; /* position the writer waits for until it is accepted; 0: none */
};

/* The index memfd: the reader's. */
struct ring_index {
    uint32_t magic;
    uint32_t layout;
    _Atomic uint64_t tail;         /* position up to which the log target accepted */
    _Atomic uint64_t dropped_told; /* of ring_data.dropped, how many were reported */
    _Atomic uint64_t kept;         /* a number for the reader's successor (ring_keep) */
    _Atomic uint32_t sleep_epoch;  /* odd while the reader sleeps; counts its sleeps */
};

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "atomics in shared memory must be lock-free");
_Static_assert((RING_DATA_SIZE & (RING_DATA_SIZE - 1)) == 0, "a power of two");

/* Maps a ring's memfd of exactly size bytes, sealed against growing and shrinking; NULL, errno. */
void *ring_map(int fd, size_t size, int protection);

static inline uint64_t
ring_round_up(uint64_t len)
{
    return (len + RING_ALIGN - 1) & ~(uint64_t)(RING_ALIGN - 1);
}

#endif
