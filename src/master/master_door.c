/* SPDX-License-Identifier: ISC */
/*
 * Connections that wait at the door: their client has limits.pending-per-client others that have not
 * said what they want yet. A browser, or an office behind one address, opens more than that at once and
 * is through with them in a moment; only who has not made room within DOOR_PATIENCE_US is refused. They
 * count nowhere, no worker knows of them, and there are few at most. Serves master_accept.c.
 */
#include "src/master/master_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <stdlib.h>
#include <sys/resource.h>

#define DOOR_LOOK_US (100 * CLOCK_MSEC_US)

struct door_wait {
    struct door_wait *next;
    int fd;
    struct listener *listener;    /* it counts as a session of it */
    struct tally_client *counted; /* by its `waiting` */
    struct addr client;
    struct wall accepted;
    struct mono until;
};

static void look_around(struct loop_timer *timer);

/* The descriptors that wait are the master's. */
static uint32_t
door_room(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 8 > DOOR_MAX)
        return DOOR_MAX;
    return (uint32_t)(limit.rlim_cur / 8);
}

void
door_init(struct master *m)
{
    m->door = (struct door) { .max = door_room() };
    m->door.timer.expired = look_around;
}

static void
arm(struct master *m)
{
    struct door *d = &m->door;

    if (d->head == NULL || loop_timer_armed(&d->timer))
        return;
    if (loop_timer_set(m->loop, &d->timer, mono_add_us(loop_now(m->loop), DOOR_LOOK_US)) < 0)
        log_fatal("no memory for a timer");
}

bool
door_wait(struct listener *l, int *fd, const struct addr *client, struct tally_client *counted,
    struct wall now)
{
    struct master *m = l->m;
    struct door *d = &m->door;
    struct door_wait *w = NULL;

    if (d->count < d->max && counted->waiting < DOOR_CLIENT_MAX)
        w = malloc(sizeof *w);
    if (w == NULL)
        return false;
    *w = (struct door_wait) { .fd = fd_take(fd), .listener = l, .counted = counted,
        .client = *client, .accepted = now,
        .until = mono_add_us(loop_now(m->loop), DOOR_PATIENCE_US) };
    if (d->head == NULL)
        d->head = w;
    else
        d->tail->next = w;
    d->tail = w;
    d->count++;
    counted->waiting++;
    listener_use(l);
    arm(m);
    return true;
}

/* ---- its end ---- */

/* Out of the list; it still counts for its client and its listener. */
static void
unlink_at(struct door *d, struct door_wait **at, struct door_wait *before)
{
    struct door_wait *w = *at;

    *at = w->next;
    if (d->tail == w)
        d->tail = before;
    d->count--;
}

static void
finish(struct master *m, struct door_wait *w, enum limit limit)
{
    w->counted->waiting--;
    if (limit == LIMIT_NONE) {
        accept_session(w->listener, &w->fd, &w->client, w->counted, w->accepted);
    } else {
        limits_refuse(m, limit, &w->client, w->listener->number, w->counted);
        fd_close(&w->fd);
    }
    listener_drop(m, w->listener->number);
    free(w);
}

/* LIMIT_NONE: in; LIMIT_COUNT: it waits on; else why not. */
static enum limit
judge(const struct master *m, const struct door_wait *w)
{
    enum limit limit = limits_judge(m, w->counted);

    if (!w->listener->serves)
        return LIMIT_CLIENT_PENDING; /* workers that start now do not know it */
    if (limit == LIMIT_NONE)
        return dispatch_room(m) ? LIMIT_NONE : LIMIT_COUNT;
    if (limit == LIMIT_CLIENT_PENDING && mono_before(loop_now(m->loop), w->until))
        return LIMIT_COUNT;
    return limit;
}

static void
look(struct master *m)
{
    struct door *d = &m->door;
    struct door_wait **at = &d->head, *before = NULL;

    d->due = false;
    while (*at != NULL) {
        struct door_wait *w = *at;
        enum limit limit = judge(m, w);

        if (limit == LIMIT_COUNT) {
            before = w;
            at = &w->next;
            continue;
        }
        unlink_at(d, at, before);
        finish(m, w, limit);
    }
}

static void
look_around(struct loop_timer *timer)
{
    struct master *m = CONTAINER(timer, struct master, door.timer);

    look(m);
    arm(m);
}

void
door_turn_end(struct master *m)
{
    if (m->door.due)
        look(m);
}

void
door_close(struct master *m)
{
    struct door *d = &m->door;

    loop_timer_cancel(m->loop, &d->timer);
    while (d->head != NULL) {
        struct door_wait *w = d->head;

        unlink_at(d, &d->head, NULL);
        finish(m, w, LIMIT_CLIENT_PENDING);
    }
}
