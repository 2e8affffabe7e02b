/* SPDX-License-Identifier: ISC */
/*
 * A child's side of the control channel once it runs: heartbeat, STOP, the end of the master, and
 * the program's own handlers. A master that breaks the table of messages is fatal.
 */
#include "src/core/child.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

/* Messages a turn: the loop has other things to do, and the rest is reported again. */
#define CHILD_BATCH 16

static void
become_orphan(struct child *child)
{
    if (child->orphan)
        return;
    child->orphan = true;
    loop_io_del(child->loop, &child->io, child->peer.fd);
    fd_close(&child->peer.fd);
    /* Nobody else can tell us to end now. */
    struct sigaction end = { .sa_handler = SIG_DFL };

    (void)sigaction(SIGTERM, &end, NULL);
    child->orphaned(child);
}

static void
answer_ping(struct child *child, const struct ipc_message *m)
{
    if (child->peer.state == IPC_STARTING)
        return; /* READY is the answer */
    if (child->beat != NULL)
        child->beat(child);
    /* A full channel is one the master does not read: it will not miss this answer. */
    if (child_send(child, IPC_PONG, m->body, m->len) < 0 && errno != EAGAIN && errno != EPIPE)
        log_warn("heartbeat: %s", strerror(errno));
}

static void
begin_stop(struct child *child, const struct ipc_message *m)
{
    uint32_t seconds = 0;

    if (ipc_u32_decode(m, &seconds) < 0)
        log_fatal("the master's STOP is malformed");
    ipc_set_state(&child->peer, IPC_STOPPING);
    child->stop(child, seconds);
}

static void
dispatch(struct child *child, struct ipc_message *m)
{
    if (m->type == IPC_PING) {
        answer_ping(child, m);
        return;
    }
    if (m->type == IPC_STOP) {
        begin_stop(child, m);
        return;
    }
    for (const struct child_handler *h = child->handlers; h->handle != NULL; h++) {
        if (h->type == m->type) {
            h->handle(child, m);
            return;
        }
    }
    log_fatal("the master sent %s, which has no meaning here", ipc_type_name(m->type));
}

/* False when nothing more is to be read now. */
static bool
receive_one(struct child *child)
{
    struct ipc_message m;
    const char *why = NULL;

    switch (ipc_recv(&child->peer, &m, &why)) {
    case IPC_OK:
        dispatch(child, &m);
        ipc_message_close(&m);
        return !child->orphan;
    case IPC_AGAIN:
        return false;
    case IPC_EOF:
        become_orphan(child);
        return false;
    case IPC_VIOLATION:
        log_fatal("the master broke the rules: %s", why);
    case IPC_ERROR:
        break;
    }
    log_fatal("control channel: %s", strerror(errno));
}

static void
set_events(struct child *child)
{
    uint32_t events = EPOLLIN | (child->want_write ? EPOLLOUT : 0U);

    if (loop_io_mod(child->loop, &child->io, child->peer.fd, events) < 0)
        log_fatal("control channel: %s", strerror(errno));
}

static void
channel_ready(struct loop_io *io, uint32_t events)
{
    struct child *child = (struct child *)((char *)io - offsetof(struct child, io));

    if ((events & EPOLLOUT) != 0 && child->want_write) {
        child->want_write = false;
        set_events(child);
        if (child->writable != NULL)
            child->writable(child);
    }
    for (int i = 0; i < CHILD_BATCH && !child->orphan; i++) {
        if (!receive_one(child))
            return;
    }
}

void
child_wait(struct child *child)
{
    struct pollfd p = { .fd = child->peer.fd, .events = POLLIN };
    const int n = poll(&p, 1, CHILD_INIT_SECONDS * 1000);

    if (n == 0)
        log_fatal("the master did not send for %d s what is missing", CHILD_INIT_SECONDS);
    if (n < 0 && errno != EINTR)
        log_fatal("poll: %s", strerror(errno));
    if (n > 0)
        (void)receive_one(child);
}

void
child_ready(struct child *child)
{
    child->io.ready = channel_ready;
    if (loop_io_add(child->loop, &child->io, child->peer.fd, EPOLLIN) < 0)
        log_fatal("control channel: %s", strerror(errno));
    if (ipc_send(&child->peer, IPC_READY, NULL, 0, NULL, 0) < 0)
        log_fatal("telling the master that we are ready: %s", strerror(errno));
    ipc_set_state(&child->peer, IPC_RUNNING);
}

int
child_send(struct child *child, enum ipc_type type, const void *body, size_t len)
{
    if (child->orphan) {
        errno = EPIPE;
        return -1;
    }
    return ipc_send(&child->peer, type, body, len, NULL, 0);
}

void
child_want_write(struct child *child)
{
    if (child->orphan || child->want_write)
        return;
    child->want_write = true;
    set_events(child);
}
