/* SPDX-License-Identifier: ISC */
/*
 * The event loop of every process: descriptors (epoll), timers, deferred tasks, signals, and the
 * clock. Registrations are found through an index and a generation, so that an event of a
 * descriptor already removed is dropped: one that was passed on keeps its registration, close() or not,
 * while another process holds a copy. Always loop_io_del() before close().
 */
#ifndef SP_CORE_LOOP_H
#define SP_CORE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "lib/base/attr.h"
#include "lib/base/clock.h"

struct loop;

/* Embedded in its owner; all zero means not registered. The descriptor stays the owner's. */
struct loop_io {
    void (*ready)(struct loop_io *io, uint32_t events); /* EPOLLIN, EPOLLOUT, ... */
    uint32_t index;                                     /* 0: not registered */
};

/* Embedded in its owner; all zero means not armed. Fires once, then is disarmed before the call. */
struct loop_timer {
    void (*expired)(struct loop_timer *timer);
    struct mono deadline;
    uint32_t position; /* 0: not armed */
};

/* Work for the next turn: runs once per loop_defer(); embedded in its owner, zero when idle. */
struct loop_task {
    void (*run)(struct loop_task *task);
    struct loop_task *next;
    struct loop_task *prev;
};

/* Owner of everything; NULL with errno. */
struct loop *loop_new(void) SP_MUST_USE;
/* Leaves NULL; NULL is fine. What is still registered stays its owner's, and is not called any more. */
void loop_free(struct loop **loop);

/* Turns until loop_stop(). 0, or -1 with errno when epoll fails. */
int loop_run(struct loop *loop) SP_MUST_USE;
/* loop_run() returns after the turn under way. */
void loop_stop(struct loop *loop);

/* One turn: waits at most timeout_ms (-1: until something is due) and dispatches; for tests and
   for draining. 0, or -1 with errno when epoll fails. */
int loop_turn(struct loop *loop, int timeout_ms) SP_MUST_USE;

/* The time at the start of this turn; loop_refresh() reads the clock again (after a long step). */
struct mono loop_now(const struct loop *loop);
struct wall loop_wall(struct loop *loop); /* read at call: records carry the time of the fact */
void loop_refresh(struct loop *loop);

/* events as for epoll_ctl, EPOLLET included when the owner wants edges. 0, or -1 with errno. */
int loop_io_add(struct loop *loop, struct loop_io *io, int fd, uint32_t events) SP_MUST_USE;
int loop_io_mod(struct loop *loop, struct loop_io *io, int fd, uint32_t events) SP_MUST_USE;
/* Harmless when not registered. No event of io is delivered after it, this turn included. */
void loop_io_del(struct loop *loop, struct loop_io *io, int fd);
bool loop_io_active(const struct loop_io *io);
/* Hands a registration over to another owner without a system call: events of the descriptor go to
   `to` (whose ready is set by the caller) from now on; `from` is not registered any more. */
void loop_io_move(struct loop *loop, struct loop_io *from, struct loop_io *to);

/* Arms or moves the timer. 0, or -1 with ENOMEM (only when arming a timer that was not armed). */
int loop_timer_set(struct loop *loop, struct loop_timer *timer, struct mono deadline) SP_MUST_USE;
/* Harmless when not armed. */
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);
bool loop_timer_armed(const struct loop_timer *timer);

/* Runs task in the next turn (that turn then does not wait). Cannot fail; twice is once. */
void loop_defer(struct loop *loop, struct loop_task *task);
/* Harmless when it is not queued. */
void loop_task_cancel(struct loop *loop, struct loop_task *task);

/* Called at the end of every turn, after all events: for batching (one at a time; NULL removes). */
void loop_set_turn_end(struct loop *loop, void (*turn_end)(void *ctx), void *ctx);

/* Signals through signalfd, blocked here. handler gets the signal number. 0, or -1 with errno. */
int loop_signals(struct loop *loop, const int *signals, size_t count,
    void (*handler)(int signo, void *ctx), void *ctx) SP_MUST_USE;

#endif
