/* SPDX-License-Identifier: ISC */
/*
 * The event ring: one writer (a process), one reader (the logger), in two memfds the master also
 * holds. The data memfd is written by the writer alone and mapped read-only by the logger; the index
 * memfd, which says how far the records were accepted by the log target, is written by the logger
 * alone. A logger's successor resumes at that index; a dead writer's ring can still be drained.
 * Wake-up: the logger marks its sleep in the index before it waits; a writer that finds the mark
 * signals the shared eventfd, once for each sleep.
 * The other way round: a writer that waits until a record is accepted leaves the record's position in
 * the data memfd, and the reader, having advanced to it, signals once (ring_want, ring_met).
 */
#ifndef SP_CORE_RING_H
#define SP_CORE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/attr.h"

#define RING_DATA_SIZE (1024U * 1024U) /* bytes of records a ring holds; a power of two */

#define RING_RECORD_MAX 4096  /* bytes of one record, header included */

struct ring_writer;
struct ring_reader;

/* How a record begins, in host order; the body follows. */
struct ring_record {
    uint32_t len;     /* header and body */
    uint16_t event;   /* enum event_id */
    uint16_t flags;   /* RING_TRUNCATED */
    uint64_t seq;
    uint64_t session; /* 0: none */
    int64_t time;     /* microseconds of wall time */
};
#define RING_TRUNCATED 1U

/* Master: makes both memfds (sealed against growing and shrinking), the first record's sequence
   number being first_seq (>= 1). 0, or -1 with errno; the descriptors are the caller's. */
int ring_create(uint64_t first_seq, int *data_fd, int *index_fd) SP_MUST_USE;

/* Maps the ring for writing (data read-write, index read-only). Descriptors stay the caller's and
   may be closed afterwards; wake_fd is a non-blocking eventfd that stays the caller's and must stay
   open (-1: nobody to wake). NULL with errno. */
struct ring_writer *ring_writer_open(int data_fd, int index_fd, int wake_fd) SP_MUST_USE;
void ring_writer_close(struct ring_writer **ring);
/* Bytes free now; a record that needs more is dropped and counted. */
size_t ring_room(const struct ring_writer *ring);

/* Appends a record (event_commit() is the way to call it). Fills head->len and head->seq and returns
   the sequence number, counted also when the record was dropped because the ring was full. Makes a
   system call only when the reader sleeps and this writer has not woken it yet. */
uint64_t ring_append(struct ring_writer *ring, struct ring_record *head, const void *body, size_t len);
/* The sequence number the next ring_append() will return. */
uint64_t ring_next_seq(const struct ring_writer *ring);

/* Position behind the last record that is in the ring: unchanged by one that was dropped. */
uint64_t ring_end(const struct ring_writer *ring);
/* Whether the log target has accepted everything before the position. */
bool ring_accepted(const struct ring_writer *ring, uint64_t position);
/* Wants to be told when that is so, and that soon: to be called before looking at ring_accepted() once
   more. One position at a time; 0: no more. */
void ring_want(struct ring_writer *ring, uint64_t position);

/* Maps for reading (data read-only, index read-write). NULL with errno. */
struct ring_reader *ring_reader_open(int data_fd, int index_fd) SP_MUST_USE;
void ring_reader_close(struct ring_reader **ring);

/* Looks at record number n after the accepted ones (0: the next to be accepted) without consuming:
   copies it into record (EVENT_RECORD_MAX). Returns its length, 0 when there is none, -1 when the
   ring's bytes are invalid from there on (a broken or hostile writer): the reader then accepts the n
   before it and skips to the head. */
ssize_t ring_peek(struct ring_reader *ring, size_t n, void *record, size_t size);

/* The target accepted the first n records: advances the index. */
void ring_accept(struct ring_reader *ring, size_t n);
/* Throws away everything up to the head (after -1 from ring_peek). */
void ring_skip(struct ring_reader *ring);

/* True while the writer waits for a record that is in the ring and not accepted. */
bool ring_wanted(const struct ring_reader *ring);
/* After advancing: true once when the writer waited for what is accepted now; it is to be told. */
bool ring_met(struct ring_reader *ring);

/* Records that are not accepted. */
size_t ring_waiting(const struct ring_reader *ring);

/* A number of the reader's own that its successor finds in the index; 0 at the beginning. */
uint64_t ring_kept(const struct ring_reader *ring);
void ring_keep(struct ring_reader *ring, uint64_t number);

/* True when no record is waiting. */
bool ring_empty(const struct ring_reader *ring);
/* Records the writer dropped because the ring was full, since the ring was made. */
uint64_t ring_dropped(const struct ring_reader *ring);
/* How many of them were reported; kept in the index, so that a successor does not report them again. */
uint64_t ring_dropped_told(const struct ring_reader *ring);
void ring_tell_dropped(struct ring_reader *ring, uint64_t total);

/* Before waiting: ring_sleep() then look at ring_empty() once more; after waking ring_awake(). */
void ring_sleep(struct ring_reader *ring);
void ring_awake(struct ring_reader *ring);

/* Master, after the writer died: the sequence number after the last one that is in the ring or was
   counted as dropped, exact wherever the writer was killed; 0 when the map is invalid. data_fd as from ring_create. */
uint64_t ring_next_seq_of(int data_fd);

#endif
