/* SPDX-License-Identifier: ISC */
/*
 * The socket pairs of conversations. Serves authlink.c; nothing here is fatal. What comes back is our
 * pair's end only if its cookie says so. A process of the pool that kept a copy of it could answer a
 * later login in another one's place, and could as well have taken that from the queue: no pair ever
 * serves another pool, nor outlives its queue.
 */
#include "src/authlink/authlink_pair.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

#include "lib/base/fd.h"

/* 0 where the kernel does not say: that pair is not kept. */
static uint64_t
cookie_of(int fd)
{
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;

    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

/* The last one takes its place. */
static void
pair_drop(struct authlink_pair *p)
{
    struct authlink_queue *q = p->queue;
    struct authlink_pair *last = &q->pairs[--q->pair_count];

    q->link->kept--;
    loop_io_del(q->link->loop, &p->io, p->ours);
    fd_close(&p->ours);
    fd_close(&p->theirs);
    if (p == last)
        return;
    p->ours = fd_take(&last->ours);
    p->theirs = fd_take(&last->theirs);
    p->cookie = last->cookie;
    loop_io_move(q->link->loop, &last->io, &p->io);
}

void
pairs_drop(struct authlink_queue *q)
{
    while (q->pair_count > 0)
        pair_drop(&q->pairs[q->pair_count - 1]);
}

/* Nobody but us should have an end of it: what comes is not meant for a login to come. */
static void
kept_ready(struct loop_io *io, uint32_t events)
{
    (void)events;
    pair_drop((struct authlink_pair *)((char *)io - offsetof(struct authlink_pair, io)));
}

static int
pair_make(struct authlink_queue *q, struct authlink_conversation *c, int *other)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    if (loop_io_add(q->link->loop, &c->io, pair[0], EPOLLIN) != 0) {
        fd_close(&pair[0]);
        fd_close(&pair[1]);
        return -1;
    }
    c->cookie = cookie_of(pair[1]);
    c->fd = fd_take(&pair[0]);
    *other = fd_take(&pair[1]);
    return 0;
}

int
pair_take(struct authlink_queue *q, struct authlink_conversation *c, int *other)
{
    if (q->pair_count == 0)
        return pair_make(q, c, other);
    struct authlink_pair *p = &q->pairs[--q->pair_count];

    q->link->kept--;
    loop_io_move(q->link->loop, &p->io, &c->io);
    c->cookie = p->cookie;
    c->fd = fd_take(&p->ours);
    *other = fd_take(&p->theirs);
    return 0;
}

/* What was said behind the last answer must not be the next login's. */
static bool
is_empty(int fd)
{
    uint8_t byte;

    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void
pair_keep(struct authlink_conversation *c, int *other)
{
    struct authlink_queue *q = c->home;

    if (*other < 0 || q->fd < 0 || q->number != c->home_number || c->cookie == 0 ||
        q->link->kept >= q->link->pairs || cookie_of(*other) != c->cookie || !is_empty(c->fd))
        return;
    struct authlink_pair *p = &q->pairs[q->pair_count++];

    q->link->kept++;
    p->io.ready = kept_ready;
    p->queue = q;
    p->cookie = c->cookie;
    p->theirs = fd_take(other);
    p->ours = fd_take(&c->fd);
    loop_io_move(q->link->loop, &c->io, &p->io);
}
