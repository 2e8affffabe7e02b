/* SPDX-License-Identifier: ISC */
/*
 * The event loop: descriptors, tasks and the turn. Serves every process. Nothing is allocated while
 * events are dispatched; tables grow at registration only, which is where ENOMEM can be reported.
 */
#include "src/core/loop_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static void
list_init(struct loop_task *head)
{
    head->next = head;
    head->prev = head;
}

static void
list_unlink(struct loop_task *task)
{
    task->prev->next = task->next;
    task->next->prev = task->prev;
    task->next = NULL;
    task->prev = NULL;
}

struct loop *
loop_new(void)
{
    struct loop *loop = calloc(1, sizeof *loop);

    if (loop == NULL)
        return NULL;
    loop->signal_fd = -1;
    loop->handle_count = 1;
    list_init(&loop->queued);
    list_init(&loop->running);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        free(loop);
        return NULL;
    }
    loop_refresh(loop);
    return loop;
}

void
loop_free(struct loop **loop)
{
    struct loop *l = *loop;

    if (l == NULL)
        return;
    *loop = NULL;
    loop_signal_free(l);
    loop_timer_free(l);
    fd_close(&l->epoll_fd);
    free(l->handles);
    free(l);
}

/* ---- descriptors ---- */

static int
handles_grow(struct loop *loop)
{
    uint32_t size = loop->handle_size == 0 ? 64 : loop->handle_size * 2;
    struct loop_handle *p = reallocarray(loop->handles, size, sizeof *p);

    if (p == NULL)
        return -1;
    loop->handles = p;
    loop->handle_size = size;
    return 0;
}

/* A free slot, or 0 with ENOMEM. */
static uint32_t
handle_take(struct loop *loop)
{
    uint32_t index = loop->handle_free;

    if (index != 0) {
        loop->handle_free = loop->handles[index].next_free;
        return index;
    }
    if (loop->handle_count >= loop->handle_size && handles_grow(loop) < 0)
        return 0;
    index = loop->handle_count++;
    loop->handles[index] = (struct loop_handle) { .generation = 1 };
    return index;
}

static void
handle_give(struct loop *loop, uint32_t index)
{
    struct loop_handle *h = &loop->handles[index];

    h->io = NULL;
    h->generation++;
    h->next_free = loop->handle_free;
    loop->handle_free = index;
}

static int
control(struct loop *loop, int op, int fd, uint32_t index, uint32_t events)
{
    struct epoll_event ev = {
        .events = events,
        .data.u64 = (uint64_t)loop->handles[index].generation << 32 | index,
    };

    return epoll_ctl(loop->epoll_fd, op, fd, &ev);
}

int
loop_io_add(struct loop *loop, struct loop_io *io, int fd, uint32_t events)
{
    if (io->index != 0)
        log_panic("descriptor %d is registered already", fd);
    uint32_t index = handle_take(loop);

    if (index == 0)
        return -1;
    if (control(loop, EPOLL_CTL_ADD, fd, index, events) < 0) {
        handle_give(loop, index);
        return -1;
    }
    loop->handles[index].io = io;
    io->index = index;
    return 0;
}

int
loop_io_mod(struct loop *loop, struct loop_io *io, int fd, uint32_t events)
{
    if (io->index == 0)
        log_panic("descriptor %d is not registered", fd);
    return control(loop, EPOLL_CTL_MOD, fd, io->index, events);
}

void
loop_io_del(struct loop *loop, struct loop_io *io, int fd)
{
    int saved = errno;

    if (io->index == 0)
        return;
    /* EBADF or ENOENT is a close() before this call: the kernel may keep reporting the open file as
       long as another process holds it, and a loop that never sleeps would be the only symptom. */
    if (control(loop, EPOLL_CTL_DEL, fd, io->index, 0) < 0)
        log_panic("descriptor %d was closed before it was removed from the loop", fd);
    handle_give(loop, io->index);
    io->index = 0;
    errno = saved;
}

bool
loop_io_active(const struct loop_io *io)
{
    return io->index != 0;
}

void
loop_io_move(struct loop *loop, struct loop_io *from, struct loop_io *to)
{
    if (from->index == 0 || to->index != 0)
        log_panic("a registration moves from index %u to index %u", from->index, to->index);
    to->index = from->index;
    from->index = 0;
    loop->handles[to->index].io = to;
}

static void
io_dispatch(struct loop *loop, int count)
{
    for (int i = 0; i < count; i++) {
        uint32_t index = (uint32_t)loop->batch[i].data.u64;
        uint32_t generation = (uint32_t)(loop->batch[i].data.u64 >> 32);
        struct loop_handle *h = &loop->handles[index];

        if (h->generation == generation && h->io != NULL)
            h->io->ready(h->io, loop->batch[i].events);
    }
}

/* ---- tasks ---- */

void
loop_defer(struct loop *loop, struct loop_task *task)
{
    struct loop_task *head = &loop->queued;

    if (task->next != NULL)
        return;
    task->next = head;
    task->prev = head->prev;
    head->prev->next = task;
    head->prev = task;
}

void
loop_task_cancel(struct loop *loop, struct loop_task *task)
{
    (void)loop;
    if (task->next != NULL)
        list_unlink(task);
}

static void
tasks_begin(struct loop *loop)
{
    struct loop_task *from = &loop->queued;
    struct loop_task *to = &loop->running;

    if (from->next == from)
        return;
    to->next = from->next;
    to->prev = from->prev;
    to->next->prev = to;
    to->prev->next = to;
    list_init(from);
}

static void
tasks_dispatch(struct loop *loop)
{
    while (loop->running.next != &loop->running) {
        struct loop_task *task = loop->running.next;

        list_unlink(task);
        task->run(task);
    }
}

/* ---- the turn ---- */

static int
wait_ms(const struct loop *loop, int timeout_ms)
{
    if (loop->running.next != &loop->running)
        return 0;
    int64_t us = loop_timer_wait(loop);

    if (us < 0)
        return timeout_ms;
    /* Rounded up: waking before the deadline would only cost another turn. */
    int64_t ms = us / CLOCK_MSEC_US + (us % CLOCK_MSEC_US != 0);

    if (ms > INT_MAX)
        ms = INT_MAX;
    return timeout_ms >= 0 && timeout_ms < ms ? timeout_ms : (int)ms;
}

int
loop_turn(struct loop *loop, int timeout_ms)
{
    tasks_begin(loop);
    int n = epoll_wait(loop->epoll_fd, loop->batch, LOOP_BATCH, wait_ms(loop, timeout_ms));

    if (n < 0 && errno != EINTR)
        return -1;
    loop_refresh(loop);
    /* Descriptors before timers: after a pause of the whole process what has arrived counts. */
    io_dispatch(loop, n);
    loop_timer_dispatch(loop);
    tasks_dispatch(loop);
    if (loop->turn_end != NULL)
        loop->turn_end(loop->turn_end_ctx);
    return 0;
}

int
loop_run(struct loop *loop)
{
    int status = 0;

    while (!loop->stopped && status == 0)
        status = loop_turn(loop, -1);
    loop->stopped = false;
    return status;
}

void
loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

struct mono
loop_now(const struct loop *loop)
{
    return loop->now;
}

struct wall
loop_wall(struct loop *loop)
{
    (void)loop;
    return wall_read();
}

void
loop_refresh(struct loop *loop)
{
    loop->now = mono_read();
}

void
loop_set_turn_end(struct loop *loop, void (*turn_end)(void *ctx), void *ctx)
{
    loop->turn_end = turn_end;
    loop->turn_end_ctx = ctx;
}
