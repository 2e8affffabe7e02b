/* SPDX-License-Identifier: ISC */
/*
 * Timers of the event loop: a binary heap of pointers; each timer knows its position, so that moving
 * and cancelling cost a logarithm. Serves loop.c. The only error is ENOMEM when the heap grows.
 */
#include "src/core/loop_private.h"

#include <stdlib.h>

static void
place(struct loop *loop, uint32_t at, struct loop_timer *timer)
{
    loop->heap[at] = timer;
    timer->position = at;
}

static void
sift_up(struct loop *loop, uint32_t at)
{
    struct loop_timer *timer = loop->heap[at];

    while (at > 1 && mono_before(timer->deadline, loop->heap[at / 2]->deadline)) {
        place(loop, at, loop->heap[at / 2]);
        at /= 2;
    }
    place(loop, at, timer);
}

static void
sift_down(struct loop *loop, uint32_t at)
{
    struct loop_timer *timer = loop->heap[at];

    for (;;) {
        uint32_t child = at * 2;

        if (child > loop->heap_count)
            break;
        if (child < loop->heap_count
            && mono_before(loop->heap[child + 1]->deadline, loop->heap[child]->deadline))
            child++;
        if (!mono_before(loop->heap[child]->deadline, timer->deadline))
            break;
        place(loop, at, loop->heap[child]);
        at = child;
    }
    place(loop, at, timer);
}

static int
heap_reserve(struct loop *loop)
{
    if (loop->heap_count + 1 < loop->heap_size)
        return 0;
    uint32_t size = loop->heap_size == 0 ? 64 : loop->heap_size * 2;
    struct loop_timer **p = reallocarray(loop->heap, size, sizeof *p);

    if (p == NULL)
        return -1;
    loop->heap = p;
    loop->heap_size = size;
    return 0;
}

int
loop_timer_set(struct loop *loop, struct loop_timer *timer, struct mono deadline)
{
    if (timer->position == 0) {
        if (heap_reserve(loop) < 0)
            return -1;
        timer->deadline = deadline;
        place(loop, ++loop->heap_count, timer);
        sift_up(loop, timer->position);
        return 0;
    }
    bool earlier = mono_before(deadline, timer->deadline);

    timer->deadline = deadline;
    if (earlier)
        sift_up(loop, timer->position);
    else
        sift_down(loop, timer->position);
    return 0;
}

void
loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
    uint32_t at = timer->position;

    if (at == 0)
        return;
    struct loop_timer *last = loop->heap[loop->heap_count--];

    timer->position = 0;
    if (last == timer)
        return;
    place(loop, at, last);
    sift_up(loop, at);
    sift_down(loop, last->position);
}

bool
loop_timer_armed(const struct loop_timer *timer)
{
    return timer->position != 0;
}

int64_t
loop_timer_wait(const struct loop *loop)
{
    if (loop->heap_count == 0)
        return -1;
    int64_t us = mono_diff_us(loop->heap[1]->deadline, loop->now);

    return us > 0 ? us : 0;
}

void
loop_timer_dispatch(struct loop *loop)
{
    /* The count bounds the turn: a timer that arms itself for a time already past gets its next
       call in the next turn. */
    uint32_t budget = loop->heap_count;

    while (budget-- > 0 && loop->heap_count > 0) {
        struct loop_timer *timer = loop->heap[1];

        if (mono_before(loop->now, timer->deadline))
            return;
        loop_timer_cancel(loop, timer);
        timer->expired(timer);
    }
}

void
loop_timer_free(struct loop *loop)
{
    free(loop->heap);
    loop->heap = NULL;
}
