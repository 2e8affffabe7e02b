/* SPDX-License-Identifier: ISC */
/*
 * Lines on their way: the batch holds finished lines not sent yet, the flight remembers which records
 * the lines sent and not yet safe were made of.
 */
#ifndef SP_LOGGER_BATCH_H
#define SP_LOGGER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/logger/rings.h"
#include "src/logger/target.h"

#define BATCH_LINES 64U
#define BATCH_TEXT (96U * 1024U)
/* This much is sent again at most when a log daemon ends with unread lines. */
#define FLIGHT_LINES 256U

/* What a line was made of: a record, or a loss told up to total. */
struct item {
    struct log_ring *ring;
    bool loss;
    enum lost_why why;
    uint64_t total;
};

struct batch {
    struct log_rings *rings;
    struct target *target;
    const char *label; /* of the logger's own records; a borrow */
    uint64_t own_seq;      /* of the next record of our own */
    uint64_t own_seq_safe; /* where it goes back to */
    size_t first;          /* lines[first..count) are to be sent */
    size_t count;
    struct item items[BATCH_LINES];
    struct target_line lines[BATCH_LINES];
    size_t flight_first;
    size_t flight_count;
    struct item flight[FLIGHT_LINES];
    uint64_t settled;  /* of target->safe, how much the rings know */
    size_t line_room;  /* for the first line again, after TARGET_TOO_LONG; 0: all there is */
    char text[BATCH_TEXT];
};

void batch_init(struct batch *b, struct log_rings *rings, struct target *target, const char *label);

/* A ring was added: where it is the one that keeps it (the master's), the number of our own records goes
   on where the logger before us stopped. For before the first record of our own. */
void batch_resume(struct batch *b, const struct log_ring *ring);

/* Lines to send, and lines sent that are not safe. */
size_t batch_unsent(const struct batch *b);
size_t batch_unsafe(const struct batch *b);
/* Too much is not safe to take more. */
bool batch_is_full(const struct batch *b);

/* Takes records from all rings in turn, as many as fit (none while too much is under way). For an
   empty batch. */
void batch_fill(struct batch *b, bool hurry);

/* Sends what it can and settles what became safe. */
enum target_result batch_send(struct batch *b);
/* Asks the target whether all that was sent is safe (TARGET_OK), and settles it. */
enum target_result batch_prove(struct batch *b);

#endif
