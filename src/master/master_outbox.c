/* SPDX-License-Identifier: ISC */
/*
 * Messages to a child that cannot be sent at once: they wait in order, with copies of their
 * descriptors. Serves everything in the master but the sessions, which go to another worker instead.
 * A child that lets too many pile up reads nothing any more and is killed.
 */
#include "src/master/master_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct outgoing {
    struct outgoing *next;
    enum ipc_type type;
    size_t len;
    size_t fd_count;
    int fds[IPC_FDS_MAX];
    uint8_t body[];
};

static void
outgoing_free(struct outgoing *o)
{
    for (size_t i = 0; i < o->fd_count; i++)
        fd_close(&o->fds[i]);
    free(o);
}

static struct outgoing *
outgoing_new(enum ipc_type type, const void *body, size_t len, const int *fds, size_t fd_count)
{
    struct outgoing *o = calloc(1, sizeof *o + len);

    if (o == NULL)
        return NULL;
    o->type = type;
    o->len = len;
    if (len > 0)
        memcpy(o->body, body, len);
    for (; o->fd_count < fd_count; o->fd_count++) {
        o->fds[o->fd_count] = fcntl(fds[o->fd_count], F_DUPFD_CLOEXEC, 0);
        if (o->fds[o->fd_count] < 0) {
            outgoing_free(o);
            return NULL;
        }
    }
    return o;
}

static void
want_write(struct process *p, bool on)
{
    if (p->writable_wanted == on || !loop_io_active(&p->io))
        return;
    p->writable_wanted = on;
    if (loop_io_mod(p->m->loop, &p->io, p->peer.fd, EPOLLIN | (on ? EPOLLOUT : 0U)) < 0)
        log_fatal("control channel of %s: %s", p->label, strerror(errno));
}

static bool
is_full(int error)
{
    return error == EAGAIN || error == ETOOMANYREFS || error == ENOBUFS || error == ENOMEM;
}

static void
send_failed(struct process *p, enum ipc_type type)
{
    log_trace("%s to %s: %s", ipc_type_name(type), p->label, strerror(errno));
    if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)
        process_gone(p);
    else
        process_kill(p, "channel");
}

/* The most that may wait: each child of the family may be announced at once. */
static size_t
outbox_max(const struct process *p)
{
    return MASTER_OUTBOX_MAX + p->m->place_count + MASTER_CORPSES_MAX;
}

static void
keep(struct process *p, struct outgoing *o)
{
    if (o == NULL) {
        log_error("no memory or descriptors for a message to %s %s", role_name(p->place->role),
            p->label);
        process_kill(p, "resources");
        return;
    }
    if (p->outbox_last != NULL)
        p->outbox_last->next = o;
    else
        p->outbox = o;
    p->outbox_last = o;
    p->outbox_count++;
    want_write(p, true);
    if (p->outbox_count > outbox_max(p))
        process_kill(p, "deaf");
}

void
process_send(struct process *p, enum ipc_type type, const void *body, size_t len, const int *fds,
    size_t fd_count)
{
    if (!process_alive(p))
        return;
    if (p->outbox == NULL) {
        if (ipc_send(&p->peer, type, body, len, fds, fd_count) == 0)
            return;
        if (!is_full(errno)) {
            send_failed(p, type);
            return;
        }
    }
    keep(p, outgoing_new(type, body, len, fds, fd_count));
}

void
process_send_u32(struct process *p, enum ipc_type type, uint32_t value)
{
    uint8_t body[8];
    size_t len = ipc_u32_encode(value, body, sizeof body);

    process_send(p, type, body, len, NULL, 0);
}

static void
drop_first(struct process *p)
{
    struct outgoing *o = p->outbox;

    p->outbox = o->next;
    if (p->outbox == NULL)
        p->outbox_last = NULL;
    p->outbox_count--;
    outgoing_free(o);
}

void
outbox_flush(struct process *p)
{
    while (p->outbox != NULL && process_alive(p)) {
        const struct outgoing *o = p->outbox;

        if (ipc_send(&p->peer, o->type, o->body, o->len, o->fds, o->fd_count) == 0) {
            drop_first(p);
            continue;
        }
        /* Writable and still refused: too many descriptors under way. The next tick tries again. */
        if (is_full(errno))
            want_write(p, errno == EAGAIN);
        else
            send_failed(p, o->type);
        return;
    }
    want_write(p, false);
}

void
outbox_clear(struct process *p)
{
    while (p->outbox != NULL)
        drop_first(p);
}

void
outbox_stopping(struct process *p)
{
    struct outgoing **at = &p->outbox;

    p->outbox_last = NULL;
    while (*at != NULL) {
        struct outgoing *o = *at;

        if (o->type == IPC_PIPES || o->type == IPC_QUEUE_SEND) {
            *at = o->next;
            p->outbox_count--;
            outgoing_free(o);
            continue;
        }
        p->outbox_last = o;
        at = &o->next;
    }
}
