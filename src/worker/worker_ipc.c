/* SPDX-License-Identifier: ISC */
/*
 * What the master tells a worker: connections, queues to the pools, pipes, brokered files. A body
 * that does not decode is a broken master: fatal.
 */
#include "src/worker/worker.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct worker *
worker_of(struct child *child)
{
    return child->owner;
}

/* Descriptors the kernel could not give us (MSG_CTRUNC) are closed by now; their clients see the end
   of the connection, the audit says why, and the master learns how many. */
static void
report_lost(struct worker *w, uint32_t count)
{
    uint8_t body[4];

    log_warn("%u connections lost: out of descriptors", count);
    if (child_send(&w->child, IPC_LOST, body, ipc_u32_encode(count, body, sizeof body)) < 0)
        log_warn("the master was not told of %u lost connections", count);
}

static void
handle_sessions(struct child *child, struct ipc_message *m)
{
    struct worker *w = worker_of(child);
    struct ipc_session list[IPC_SESSIONS_MAX];
    size_t count;

    if (ipc_sessions_decode(m, list, &count) < 0)
        log_panic("malformed SESSIONS");
    for (size_t i = 0; i < count; i++) {
        if (i < m->fd_count)
            session_new(&w->host, &list[i], fd_take(&m->fds[i]));
        else
            session_lost(&w->host, &list[i]);
    }
    if (m->fd_lost > 0)
        report_lost(w, (uint32_t)m->fd_lost);
    worker_title_changed(w);
}

static void
handle_queue(struct child *child, struct ipc_message *m)
{
    uint32_t pool;

    if (ipc_u32_decode(m, &pool) < 0 || m->fd_count != 1)
        log_fatal("a queue to a pool did not arrive");
    if (authlink_set_queue(&worker_of(child)->authlink, pool, fd_take(&m->fds[0])) < 0)
        log_panic("queue of an unknown pool %u", pool);
}

static void
handle_pipes(struct child *child, struct ipc_message *m)
{
    struct ipc_pipes pipes;

    if (ipc_pipes_decode(m, &pipes) < 0)
        log_panic("malformed PIPES");
    for (size_t i = 0; i + 1 < m->fd_count; i += 2)
        if (pipes_add(&worker_of(child)->host.pipes, fd_take(&m->fds[i]), fd_take(&m->fds[i + 1]),
                pipes.size) < 0)
            log_warn("a pipe is left out: %s", strerror(errno));
}

static int
adopt_resolv_conf(struct worker *w, const void *text, size_t len)
{
    /* Servers in the configuration stand before the host's. */
    if (image_settings(w->image)->resolver.servers.count > 0)
        return 0;
    return resolver_set_resolv_conf(w->host.resolver, text, len);
}

static int
adopt_file(struct worker *w, enum ipc_file_kind kind, const void *text, size_t len)
{
    switch (kind) {
    case IPC_FILE_RESOLV:
        return adopt_resolv_conf(w, text, len);
    case IPC_FILE_HOSTS:
        return resolver_set_hosts(w->host.resolver, text, len);
    default:
        errno = EINVAL;
        return -1;
    }
}

/* Maps the sealed copy and adopts it. 0, or -1 with errno. */
static int
adopt_memfd(struct worker *w, enum ipc_file_kind kind, int fd)
{
    off_t size = memfd_check(fd, F_SEAL_WRITE | F_SEAL_SHRINK);
    void *text;
    int r;

    if (size <= 0)
        return size < 0 ? -1 : adopt_file(w, kind, "", 0);
    text = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
    if (text == MAP_FAILED)
        return -1;
    r = adopt_file(w, kind, text, (size_t)size);
    (void)munmap(text, (size_t)size);
    return r;
}

static void
handle_file(struct child *child, struct ipc_message *m)
{
    struct ipc_file_result result = { .accepted = true };
    uint8_t body[IPC_BODY_MAX];

    if (ipc_file_decode(m, &result.file) < 0)
        log_panic("malformed FILE");
    if (m->fd_count != 1) {
        /* The sessions we have matter more than a newer file. */
        result.accepted = false;
        (void)strncpy(result.error, "out of descriptors", sizeof result.error - 1);
    } else if (adopt_memfd(worker_of(child), result.file.kind, m->fds[0]) < 0) {
        result.accepted = false;
        (void)strncpy(result.error, strerror(errno), sizeof result.error - 1);
    }
    if (child_send(child, IPC_FILE_RESULT, body,
            ipc_file_result_encode(&result, body, sizeof body)) < 0)
        log_warn("the master was not told about a file: %s", strerror(errno));
}

const struct child_handler worker_handlers[] = {
    { IPC_SESSIONS, handle_sessions },
    { IPC_QUEUE_SEND, handle_queue },
    { IPC_PIPES, handle_pipes },
    { IPC_FILE, handle_file },
    { IPC_LISTENERS, worker_listeners },
    { IPC_PREPARE, worker_prepare },
    { IPC_COMMIT, worker_commit },
    { IPC_ABORT, worker_abort },
    { IPC_KILL, worker_kill },
    { IPC_BUDGET_GRANT, worker_budget_grant },
    { IPC_VERDICT, worker_verdicts },
    { 0, NULL },
};
