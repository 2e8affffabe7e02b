/* SPDX-License-Identifier: ISC */
/*
 * Accepting connections in batches. Serves the listeners. It never spins: with no room, no worker or
 * no descriptors the listeners are not polled, and the kernel's backlog queues. The cost of a session
 * here is the whole of what the master adds to it, so no call is made that can be saved.
 */
#include "src/master/master_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#define EXHAUSTED_PAUSE_US (100 * CLOCK_MSEC_US)
#define EXHAUSTED_TELL_SECONDS 10
#define ACCEPT_REST_MAX 1024 /* connections taken in one turn of a listener that closes */

static void listener_ready(struct loop_io *io, uint32_t events);
static void pause_over(struct loop_timer *timer);

void
accept_init(struct master *m)
{
    m->acceptor = (struct acceptor) { .paused = PAUSE_START, .told = { INT64_MIN / 2 } };
    m->acceptor.timer.expired = pause_over;
    door_init(m);
    m->acceptor.reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void
accept_close(struct master *m)
{
    loop_timer_cancel(m->loop, &m->acceptor.timer);
    door_close(m);
    fd_close(&m->acceptor.reserve);
}

static void
poll_listeners(struct master *m, bool on)
{
    for (struct listener *l = m->listeners.all; l != NULL; l = l->next) {
        if (l->fd < 0 || l->polled == on || (on && !l->serves))
            continue;
        l->io.ready = listener_ready;
        if (!on)
            loop_io_del(m->loop, &l->io, l->fd);
        else if (loop_io_add(m->loop, &l->io, l->fd, EPOLLIN) < 0)
            log_fatal("polling a listener: %s", strerror(errno));
        l->polled = on;
    }
}

void
accept_poll(struct master *m)
{
    poll_listeners(m, m->acceptor.paused == 0);
}

void
accept_pause(struct master *m, enum accept_pause why)
{
    bool polled = m->acceptor.paused == 0;

    m->acceptor.paused |= why;
    if (polled)
        poll_listeners(m, false);
    if (why == PAUSE_START)
        door_close(m); /* nobody is let in any more */
}

void
accept_resume(struct master *m, enum accept_pause why)
{
    if ((m->acceptor.paused & why) == 0)
        return;
    m->acceptor.paused &= ~(unsigned)why;
    if (m->acceptor.paused == 0)
        poll_listeners(m, true);
}

static void
pause_over(struct loop_timer *timer)
{
    struct master *m = CONTAINER(timer, struct master, acceptor.timer);

    if (m->acceptor.reserve < 0)
        m->acceptor.reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    accept_resume(m, PAUSE_EXHAUSTED);
}

/* ---- no descriptors ---- */

/* Gives up the reserve to take one connection out of the backlog and close it, so that its client
   learns at once and the queue moves. */
static void
shed_one(struct listener *l)
{
    struct master *m = l->m;
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;

    fd_close(&m->acceptor.reserve);
    int fd = accept4(l->fd, (struct sockaddr *)&ss, &len, SOCK_CLOEXEC);

    if (fd >= 0) {
        struct addr client = addr_from_sockaddr((const struct sockaddr *)&ss, len);

        fd_close(&fd);
        events_refused(m, EVENT_LIMIT_REACHED, sessions_next_id(&m->sessions), l->number, &client,
            "descriptors");
    }
    m->acceptor.reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
exhausted(struct listener *l)
{
    struct master *m = l->m;
    struct acceptor *a = &m->acceptor;
    const char *why = strerror(errno);
    bool descriptors = errno == EMFILE || errno == ENFILE;

    /* Those we hold ourselves are free again at the end of this turn. */
    if (m->dispatch.batched > 0)
        return;
    a->exhausted++;
    if (mono_diff_us(loop_now(m->loop), a->told) >= EXHAUSTED_TELL_SECONDS * CLOCK_SECOND_US) {
        a->told = loop_now(m->loop);
        log_warn("cannot accept connections: %s (%" PRIu64 " times)", why, a->exhausted);
    }
    if (descriptors && a->reserve >= 0)
        shed_one(l);
    accept_pause(m, PAUSE_EXHAUSTED);
    if (loop_timer_set(m->loop, &a->timer, mono_add_us(loop_now(m->loop), EXHAUSTED_PAUSE_US)) < 0)
        accept_resume(m, PAUSE_EXHAUSTED);
}

/* ---- the ordinary case ---- */

static struct addr
local_address(const struct listener *l, int fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;

    if (!l->wildcard || getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
        return l->bound;
    return addr_from_sockaddr((const struct sockaddr *)&ss, len);
}

void
accept_session(struct listener *l, int *fd, const struct addr *client, struct tally_client *counted,
    struct wall accepted)
{
    struct master *m = l->m;
    struct session *session = sessions_issue(&m->sessions);

    if (session == NULL) {
        limits_cancel(m, counted);
        fd_close(fd);
        events_refused(m, EVENT_LIMIT_REACHED, sessions_next_id(&m->sessions), l->number, client,
            "sessions");
        return;
    }
    session->listener = l->number;
    listener_use(l);
    session->client = *client;
    limits_enter(m, session, counted);
    session->local = local_address(l, *fd);
    session->accepted = accepted;
    session->fd = fd_take(fd);
    dispatch_session(m, session);
}

/* Owns fd. */
static void
accept_one(struct listener *l, int fd, const struct sockaddr_storage *ss, socklen_t len, struct wall now)
{
    struct master *m = l->m;
    struct addr client = addr_from_sockaddr((const struct sockaddr *)ss, len);
    struct tally_client *counted = limits_client(m, &client);
    enum limit limit = limits_judge(m, counted);

    if (limit == LIMIT_CLIENT_PENDING && door_wait(l, &fd, &client, counted, now))
        return;
    if (limit == LIMIT_NONE)
        accept_session(l, &fd, &client, counted, now);
    else
        limits_refuse(m, limit, &client, l->number, counted);
    fd_close(&fd);
}

enum accepted { ACCEPTED, ACCEPT_EMPTY, ACCEPT_EXHAUSTED };

/* Errors of one connection (accept(2) passes pending network errors on): it is gone, and there may
   be another. */
static const int connection_errors[] = { EINTR, ECONNABORTED, ECONNRESET, EPERM, EPROTO, ENETDOWN,
    ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, ETIMEDOUT };

/* What accept4's errno means. What is not known to pass by itself calls for a pause. */
static enum accepted
judge_errno(void)
{
    if (errno == EAGAIN)
        return ACCEPT_EMPTY;
    for (size_t i = 0; i < SP_COUNT(connection_errors); i++) {
        if (errno == connection_errors[i])
            return ACCEPTED;
    }
    return ACCEPT_EXHAUSTED;
}

/* Takes one connection. */
static enum accepted
take_one(struct listener *l, struct wall now)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    int fd = accept4(l->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return judge_errno();
    accept_one(l, fd, &ss, len, now);
    return ACCEPTED;
}

void
accept_rest(struct listener *l)
{
    struct wall now = loop_wall(l->m->loop);

    for (int i = 0; i < ACCEPT_REST_MAX && dispatch_room(l->m); i++) {
        if (take_one(l, now) != ACCEPTED)
            return;
    }
}

static void
listener_ready(struct loop_io *io, uint32_t events)
{
    struct listener *l = CONTAINER(io, struct listener, io);
    struct wall now = loop_wall(l->m->loop);
    int budget = burst_budget(&l->burst, MASTER_ACCEPT_BUDGET);

    (void)events;
    for (int i = 0; i < budget; i++) {
        if (!dispatch_room(l->m)) {
            accept_pause(l->m, PAUSE_FULL);
            return;
        }
        enum accepted result = take_one(l, now);

        if (result == ACCEPT_EXHAUSTED)
            exhausted(l);
        if (result != ACCEPTED) {
            burst_end(&l->burst);
            return;
        }
    }
}
