/* SPDX-License-Identifier: ISC */
/* The queue of sessions that wait for their audit. Serves phase audit; nothing here can fail later. */
#include "src/session/audit_wait.h"

#include <stddef.h>
#include <unistd.h>

#define TURN_WAITS 128 /* served in a turn */

/* Hands out what is accepted, oldest first, and asks for a signal for the rest. Whoever is called may
   end other waits, too. */
static void
serve(struct audit_waits *set)
{
    for (int i = 0; i < TURN_WAITS && set->first != NULL; i++) {
        struct audit_wait *wait = set->first;

        if (!ring_accepted(set->ring, wait->position)) {
            ring_want(set->ring, wait->position);
            if (!ring_accepted(set->ring, wait->position))
                return;
        }
        audit_wait_end(wait);
        wait->accepted(wait);
    }
    if (set->first != NULL)
        loop_defer(set->loop, &set->task);
    else
        ring_want(set->ring, 0);
}

static void
on_signal(struct loop_io *io, uint32_t events)
{
    struct audit_waits *set =
        (struct audit_waits *)((char *)io - offsetof(struct audit_waits, io));
    uint64_t count;

    (void)events;
    /* EAGAIN is the only failure an eventfd has, and then there is nothing to take back. */
    ssize_t ignored = read(set->fd, &count, sizeof count);

    (void)ignored;
    serve(set);
}

static void
on_task(struct loop_task *task)
{
    serve((struct audit_waits *)((char *)task - offsetof(struct audit_waits, task)));
}

int
audit_waits_open(struct audit_waits *set, struct loop *loop, struct ring_writer *ring, int fd)
{
    *set = (struct audit_waits) { .loop = loop, .ring = ring, .fd = fd, .io.ready = on_signal,
        .task.run = on_task };
    return loop_io_add(loop, &set->io, fd, EPOLLIN);
}

void
audit_waits_close(struct audit_waits *set)
{
    if (set->loop == NULL)
        return;
    loop_task_cancel(set->loop, &set->task);
    loop_io_del(set->loop, &set->io, set->fd);
    set->loop = NULL;
}

void
audit_wait_begin(struct audit_waits *set, struct audit_wait *wait)
{
    wait->set = set;
    wait->position = ring_end(set->ring);
    wait->next = NULL;
    wait->prev = set->last;
    if (set->last != NULL)
        set->last->next = wait;
    else
        set->first = wait;
    set->last = wait;
    if (set->first != wait)
        return;
    /* At once: a logger that wakes for the record and finds somebody waiting does not look for company. */
    ring_want(set->ring, wait->position);
    if (ring_accepted(set->ring, wait->position))
        loop_defer(set->loop, &set->task);
}

void
audit_wait_end(struct audit_wait *wait)
{
    struct audit_waits *set = wait->set;

    if (set == NULL)
        return;
    if (wait->prev != NULL)
        wait->prev->next = wait->next;
    else
        set->first = wait->next;
    if (wait->next != NULL)
        wait->next->prev = wait->prev;
    else
        set->last = wait->prev;
    wait->set = NULL;
}
