/* SPDX-License-Identifier: ISC */
/*
 * The workers' queues. Every process of the pool polls all of them, exclusively, and takes one
 * conversation a turn and queue, so that what a busy process leaves goes to an idle one. A queue at
 * its end is a worker that is gone; what a worker sends wrongly costs its own conversation.
 */
#include "src/authd/authd.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fd.h"
#include "src/core/log.h"

static void
queue_drop(struct authd_queue *q)
{
    struct authd *a = q->authd;

    for (struct authd_queue **at = &a->queues; *at != NULL; at = &(*at)->next) {
        if (*at == q) {
            *at = q->next;
            break;
        }
    }
    loop_io_del(a->child.loop, &q->io, q->fd);
    fd_close(&q->fd);
    free(q);
}

static void
queue_ready(struct loop_io *io, uint32_t events)
{
    struct authd_queue *q = (struct authd_queue *)((char *)io - offsetof(struct authd_queue, io));
    struct authd *a = q->authd;
    const struct ipc_queue_receive from = q->from;
    uint8_t *packet = a->room->packet;
    int fd = -1;
    const ssize_t n = conversation_receive_passed(q->fd, packet, CONVERSATION_MAX, &fd);
    const int error = n < 0 ? errno : 0;

    (void)events;
    if (error == EAGAIN || error == EINTR)
        return; /* another process took it */
    if (n > 0 && fd >= 0) {
        /* One byte alone: OPEN waits in the conversation. */
        authd_conversation_take(a, fd_take(&fd), &from, n > 1 ? (size_t)n : 0);
        explicit_bzero(packet, (size_t)n);
        return;
    }
    fd_close(&fd);
    if (n > 0 || error == EMSGSIZE) {
        explicit_bzero(packet, CONVERSATION_MAX);
        /* Out of descriptors here, or nonsense there: the worker sees its conversation end. */
        authd_malformed(a, &from, "a conversation that did not arrive");
        return;
    }
    queue_drop(q);
    authd_maybe_done(a);
}

static void
queue_poll(struct authd_queue *q)
{
    if (loop_io_add(q->authd->child.loop, &q->io, q->fd, EPOLLIN | EPOLLEXCLUSIVE) != 0)
        log_fatal("a worker's queue: %s", strerror(errno));
}

void
authd_queue_received(struct authd *a, struct ipc_message *m)
{
    struct ipc_queue_receive from;

    if (ipc_queue_receive_decode(m, &from) != 0)
        log_fatal("the master's QUEUE_RECEIVE is malformed");
    if (m->fd_count != 1) {
        log_warn("the queue of worker %u was lost: out of descriptors", (unsigned)from.worker);
        return;
    }
    struct authd_queue *q = calloc(1, sizeof *q);

    if (q == NULL)
        log_fatal("out of memory");
    q->io.ready = queue_ready;
    q->fd = fd_take(&m->fds[0]);
    q->authd = a;
    q->from = from;
    q->next = a->queues;
    a->queues = q;
    if (a->polling)
        queue_poll(q);
}

void
authd_queues_update(struct authd *a)
{
    const bool wanted = a->current != NULL && !a->stopping && a->count < a->most &&
        a->reports == NULL;

    if (wanted == a->polling)
        return;
    a->polling = wanted;
    for (struct authd_queue *q = a->queues; q != NULL; q = q->next) {
        if (wanted)
            queue_poll(q);
        else
            loop_io_del(a->child.loop, &q->io, q->fd);
    }
}

static bool
something_waits(const struct authd_queue *q)
{
    struct pollfd p = { .fd = q->fd, .events = POLLIN };

    return poll(&p, 1, 0) > 0;
}

/* The kernel wakes one process for each conversation, and nobody else when that one is stopped, or
   dies, on its way to the queue. Polled anew, the queue is found ready. */
void
authd_queues_look(struct authd *a)
{
    if (!a->polling)
        return;
    for (struct authd_queue *q = a->queues; q != NULL; q = q->next) {
        if (!something_waits(q))
            continue;
        loop_io_del(a->child.loop, &q->io, q->fd);
        queue_poll(q);
    }
}

void
authd_queues_close(struct authd *a)
{
    while (a->queues != NULL)
        queue_drop(a->queues);
}
