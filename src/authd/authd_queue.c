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
#include <sys/socket.h>

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

/* The first descriptor that came with a message; any other is closed. -1: none came. */
static int
descriptor_of(struct msghdr *msg)
{
    int found = -1;

    for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h != NULL; h = CMSG_NXTHDR(msg, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        const size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
            if (found == -1)
                found = fd_take(&fd);
            fd_close(&fd);
        }
    }
    return found;
}

/* As recvmsg; *fd is what came with it, the caller's, or -1. */
static ssize_t
queue_receive(const struct authd_queue *q, int *fd)
{
    uint8_t byte;
    struct iovec iov = { &byte, 1 };
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.room,
        .msg_controllen = sizeof control.room,
    };
    const ssize_t n = recvmsg(q->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    *fd = n >= 0 ? descriptor_of(&msg) : -1;
    return n;
}

static void
queue_ready(struct loop_io *io, uint32_t events)
{
    struct authd_queue *q = (struct authd_queue *)((char *)io - offsetof(struct authd_queue, io));
    struct authd *a = q->authd;
    const struct ipc_queue_receive from = q->from;
    int fd = -1;
    const ssize_t n = queue_receive(q, &fd);

    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return; /* another process took it */
    if (n > 0 && fd >= 0) {
        authd_conversation_take(a, fd_take(&fd), &from);
        return;
    }
    fd_close(&fd);
    if (n > 0) {
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
