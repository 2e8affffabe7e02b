/* SPDX-License-Identifier: ISC */
/*
 * Conversations as the worker sees them. Serves the authenticate phase. Every error concerns one
 * login; the pool's answers are checked, since its process reads what clients wrote.
 */
#include "src/authlink/authlink.h"

#include <errno.h>
#include <string.h>

#include "lib/base/fd.h"
#include "lib/base/secret.h"
#include "src/authlink/authlink_pair.h"

static int
packets_make(struct authlink *link)
{
    if (link->sending == NULL)
        link->sending = secret_alloc(CONVERSATION_MAX);
    if (link->receiving == NULL)
        link->receiving = secret_alloc(CONVERSATION_MAX);
    return link->sending != NULL && link->receiving != NULL ? 0 : -1;
}

/* ---- waiting for a place in the queue ---- */

static void queue_ready(struct loop_io *io, uint32_t events);

/* Its end is somebody's who waits no more. */
static void
queue_close(struct authlink_queue *q)
{
    pairs_drop(q);
    if (q->fd >= 0)
        loop_io_del(q->link->loop, &q->io, q->fd);
    fd_close(&q->fd);
}

/* Wakes us when it takes something, if anybody waits for that. */
static int
queue_watch(struct authlink_queue *q)
{
    if (q->first == NULL || loop_io_active(&q->io))
        return 0;
    q->io.ready = queue_ready;
    return loop_io_add(q->link->loop, &q->io, q->fd, EPOLLOUT);
}

static void
queue_leave(struct authlink_conversation *c)
{
    struct authlink_queue *q = c->queue;

    if (q == NULL)
        return;
    *(c->previous != NULL ? &c->previous->next : &q->first) = c->next;
    *(c->next != NULL ? &c->next->previous : &q->last) = c->previous;
    c->queue = NULL;
    fd_close(&c->other);
    if (q->first == NULL && q->fd >= 0)
        loop_io_del(q->link->loop, &q->io, q->fd);
}

/* Takes the pool's end over. */
static int
queue_join(struct authlink_queue *q, struct authlink_conversation *c, int other)
{
    c->queue = q;
    c->other = other;
    c->next = NULL;
    c->previous = q->last;
    *(q->last != NULL ? &q->last->next : &q->first) = c;
    q->last = c;
    if (queue_watch(q) == 0)
        return 0;
    queue_leave(c);
    return -1;
}

void
authlink_init(struct authlink *link, struct loop *loop, unsigned pairs)
{
    *link = (struct authlink) { .loop = loop,
        .pairs = pairs < AUTHLINK_PAIRS_MAX ? pairs : AUTHLINK_PAIRS_MAX };
    for (size_t i = 0; i < AUTHLINK_POOLS_MAX; i++)
        link->queues[i] = (struct authlink_queue) { .fd = -1, .link = link };
}

void
authlink_close(struct authlink *link)
{
    for (size_t i = 0; i < AUTHLINK_POOLS_MAX; i++)
        queue_close(&link->queues[i]);
    secret_free(link->sending, CONVERSATION_MAX);
    secret_free(link->receiving, CONVERSATION_MAX);
    link->sending = NULL;
    link->receiving = NULL;
}

int
authlink_set_queue(struct authlink *link, uint32_t pool, int fd)
{
    if (pool >= AUTHLINK_POOLS_MAX || fd < 0) {
        errno = EINVAL;
        return -1;
    }
    if (packets_make(link) != 0)
        return -1;
    struct authlink_queue *q = &link->queues[pool];

    queue_close(q);
    q->fd = fd;
    q->number++;
    if (queue_watch(q) == 0)
        return 0;
    q->fd = -1;
    return -1;
}

/* ---- sending ---- */

/* Sends the first len bytes of the sending packet and leaves none of them behind. */
static int
packet_send_out(struct authlink *link, int fd, size_t len)
{
    if (len == 0) {
        explicit_bzero(link->sending, CONVERSATION_MAX);
        errno = EMSGSIZE;
        return -1;
    }
    const int result = conversation_send(fd, link->sending, len);
    const int saved = errno;

    explicit_bzero(link->sending, len);
    errno = saved;
    return result;
}

/* Sends the pool's end down the queue; OPEN waits in the conversation. */
static int
hand_over(int queue, int other)
{
    const uint8_t byte = CONVERSATION_HANDOVER;

    return conversation_send_passing(queue, &byte, 1, other);
}

static void
conversation_lost(struct authlink_conversation *c, const char *why)
{
    authlink_end(c);
    c->answered(c, NULL, why);
}

static bool
queue_full(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

/* The queue takes something again, or its other end is gone: then each who waits learns it. */
static void
queue_ready(struct loop_io *io, uint32_t events)
{
    struct authlink_queue *q =
        (struct authlink_queue *)((char *)io - offsetof(struct authlink_queue, io));

    (void)events;
    while (q->first != NULL) {
        struct authlink_conversation *c = q->first;

        if (hand_over(q->fd, c->other) == 0)
            queue_leave(c);
        else if (queue_full(errno))
            return;
        else
            conversation_lost(c, "the queue to the auth processes is gone");
    }
}

/* ---- receiving ---- */

/* *other: the pool's end, where it came back. */
static void
conversation_received(struct authlink_conversation *c, size_t len, int *other)
{
    struct conversation_result result;

    if (conversation_result_decode(c->link->receiving, len, &result) != 0) {
        conversation_lost(c, "malformed answer of the auth process");
        return;
    }
    if (result.outcome != AUTH_CONTINUE) {
        pair_keep(c, other);
        authlink_end(c);
    }
    c->answered(c, &result, NULL);
}

static void
conversation_ready(struct loop_io *io, uint32_t events)
{
    struct authlink_conversation *c =
        (struct authlink_conversation *)((char *)io - offsetof(struct authlink_conversation, io));
    struct authlink *link = c->link;
    int other = -1;
    const ssize_t n = conversation_receive_passed(c->fd, link->receiving, CONVERSATION_MAX, &other);
    const int error = n < 0 ? errno : 0;

    (void)events;
    if (error == EAGAIN || error == EINTR)
        return;
    if (n > 0)
        conversation_received(c, (size_t)n, &other);
    else
        conversation_lost(c, error == EMSGSIZE ? "malformed answer of the auth process"
                                               : "the auth process is gone");
    /* c may be gone by now. */
    fd_close(&other);
    explicit_bzero(link->receiving, n > 0 ? (size_t)n : CONVERSATION_MAX);
}

/* ---- conversations ---- */

/* Leaves OPEN in the conversation, and the conversation at the end of those who wait. */
static int
conversation_wait(struct authlink_queue *queue, struct authlink_conversation *c, int *other,
    size_t len)
{
    if (conversation_send(c->fd, queue->link->sending, len) != 0)
        return -1;
    return queue_join(queue, c, fd_take(other));
}

/* OPEN goes with the pool's end, unless somebody waits already, whom nobody overtakes, or the queue has
   no room. */
static int
conversation_start(struct authlink_queue *queue, struct authlink_conversation *c, int *other,
    const struct conversation_open *open)
{
    uint8_t *sending = queue->link->sending;
    const size_t len = conversation_open_encode(open, sending, CONVERSATION_MAX);
    int result = -1;

    errno = len > 0 ? EAGAIN : EMSGSIZE;
    if (len > 0 && queue->first == NULL)
        result = conversation_send_passing(queue->fd, sending, len, *other);
    if (len > 0 && result != 0 && queue_full(errno))
        result = conversation_wait(queue, c, other, len);
    const int saved = errno;

    explicit_bzero(sending, len > 0 ? len : CONVERSATION_MAX);
    errno = saved;
    return result;
}

int
authlink_open(struct authlink *link, uint32_t pool, struct authlink_conversation *c,
    const struct conversation_open *open)
{
    struct authlink_queue *queue = pool < AUTHLINK_POOLS_MAX ? &link->queues[pool] : NULL;
    int other = -1;

    if (queue == NULL || queue->fd < 0) {
        errno = ENOTCONN;
        return -1;
    }
    c->io = (struct loop_io) { .ready = conversation_ready };
    if (pair_take(queue, c, &other) != 0)
        return -1;
    c->link = link;
    c->home = queue;
    c->home_number = queue->number;
    c->queue = NULL;
    const int result = conversation_start(queue, c, &other, open);

    fd_close(&other);
    if (result != 0)
        authlink_end(c);
    return result;
}

int
authlink_next(struct authlink_conversation *c, const void *bytes, size_t len)
{
    if (c->link == NULL) {
        errno = ENOTCONN;
        return -1;
    }
    const size_t packet =
        conversation_next_encode(bytes, len, c->link->sending, CONVERSATION_MAX);

    return packet_send_out(c->link, c->fd, packet);
}

void
authlink_end(struct authlink_conversation *c)
{
    if (c->link == NULL)
        return;
    queue_leave(c);
    if (c->fd >= 0)
        loop_io_del(c->link->loop, &c->io, c->fd);
    fd_close(&c->fd);
    c->link = NULL;
}
