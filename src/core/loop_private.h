/* SPDX-License-Identifier: ISC */
/* The inside of the event loop, shared by loop*.c alone. */
#ifndef SP_CORE_LOOP_PRIVATE_H
#define SP_CORE_LOOP_PRIVATE_H

#include "src/core/loop.h"

#define LOOP_BATCH 256

/* Slot of the handle table. An epoll event carries generation and index: an event whose slot was
   given back meanwhile has an old generation and is dropped. Slot 0 is never used. */
struct loop_handle {
    struct loop_io *io; /* NULL: free */
    uint32_t generation;
    uint32_t next_free; /* 0: end of the free list */
};

struct loop {
    int epoll_fd;
    bool stopped;
    struct mono now;

    struct loop_handle *handles;
    uint32_t handle_count; /* slots initialised, slot 0 included */
    uint32_t handle_size;
    uint32_t handle_free;

    struct loop_timer **heap; /* binary heap, the root at 1: position 0 means not armed */
    uint32_t heap_count;
    uint32_t heap_size;

    struct loop_task queued;  /* heads of circular lists: for the next turn, */
    struct loop_task running; /* and of the turn under way */

    void (*turn_end)(void *ctx);
    void *turn_end_ctx;

    int signal_fd;
    struct loop_io signal_io;
    void (*signal_handler)(int signo, void *ctx);
    void *signal_ctx;

    struct epoll_event batch[LOOP_BATCH];
};

/* Microseconds until the first timer; -1 when none is armed, 0 when one is due. */
int64_t loop_timer_wait(const struct loop *loop);
/* Calls every timer that is due, at most those armed when it began. */
void loop_timer_dispatch(struct loop *loop);
void loop_timer_free(struct loop *loop);

void loop_signal_free(struct loop *loop);

#endif
