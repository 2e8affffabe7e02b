/* SPDX-License-Identifier: ISC */
/*
 * What a new process gets: its ring and table, INIT, its files, its queues to the pools, its pipes;
 * and what its siblings get because of it. Serves master_spawn.c.
 */
#include "src/master/master_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static int
make_ring(struct process *p, struct equipment *e)
{
    int index = -1;

    if (ring_create(p->place->next_seq, &e->ring_data, &index) < 0)
        return -1;
    p->ring_index = fd_take(&index);
    p->ring_data = memfd_reader(e->ring_data);
    e->ring_index = memfd_reader(p->ring_index);
    return p->ring_data < 0 || e->ring_index < 0 ? -1 : 0;
}

int
equip_make(struct process *p, struct equipment *e)
{
    if (p->place->role != IPC_LOGGER && make_ring(p, e) < 0)
        return -1;
    if (p->place->role != IPC_WORKER)
        return 0;
    e->table = table_create(p->capacity);
    if (e->table < 0)
        return -1;
    p->table_fd = memfd_reader(e->table);
    p->accepted_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (p->table_fd >= 0)
        metrics_attach(p);
    return p->table_fd < 0 || p->accepted_fd < 0 ? -1 : 0;
}

void
equip_close(struct equipment *e)
{
    fd_close(&e->ring_data);
    fd_close(&e->ring_index);
    fd_close(&e->table);
}

/* ---- INIT ---- */

static void
fill_init(const struct process *p, struct ipc_init *init)
{
    const struct place *place = p->place;
    const struct master *m = p->m;

    memset(init, 0, sizeof *init);
    init->role = place->role;
    init->number = place->number;
    init->incarnation = p->incarnation;
    init->privileged = m->users.privileged;
    init->debug = m->options.debug;
    init->plain_log = m->settings->log.target == IMAGE_LOG_STDERR;
    init->out_of_tree = m->out_of_tree;
    init->uid = place->user.uid;
    init->gid = place->user.gid;
    init->capacity = p->capacity;
    (void)snprintf(init->label, sizeof init->label, "%s", p->label);
    if (place->role == IPC_AUTH)
        (void)snprintf(init->module, sizeof init->module, "%s",
            image_string(m->config.image, image_module(m->config.image, place->pool)->name));
    /* An auth process may have to reach a KDC or PAM: only these two need no file at all. */
    if (m->users.privileged && place->role != IPC_AUTH)
        (void)snprintf(init->chroot_dir, sizeof init->chroot_dir, "%s", m->empty_dir);
}

int
equip_init(struct process *p, const struct equipment *e)
{
    struct ipc_init init;
    uint8_t body[IPC_BODY_MAX];
    int fds[6];
    size_t n = 0;

    fill_init(p, &init);
    size_t len = ipc_init_encode(&init, body, sizeof body);

    if (p->place->role != IPC_METRICS)
        fds[n++] = p->m->config.fd;
    if (p->place->role != IPC_LOGGER) {
        fds[n++] = e->ring_data;
        fds[n++] = e->ring_index;
    }
    fds[n++] = p->m->wake_fd;
    if (p->place->role == IPC_WORKER) {
        fds[n++] = e->table;
        fds[n++] = p->accepted_fd;
    }
    return ipc_send(&p->peer, IPC_INIT, body, len, fds, n);
}

/* ---- queues ---- */

static void
queue_announce(struct process *auth, const struct process *worker)
{
    struct ipc_queue_receive q = { worker->place->number, worker->incarnation };
    uint8_t body[IPC_BODY_MAX];
    size_t len = ipc_queue_receive_encode(&q, body, sizeof body);

    if (worker->queues[auth->place->pool] >= 0)
        process_send(auth, IPC_QUEUE_RECEIVE, body, len, &worker->queues[auth->place->pool], 1);
}

/* A queue of its own from the worker to each pool. Our copy of the receiving end keeps queued
   conversations alive when a pool's processes die. */
static void
queue_make(struct process *worker, uint32_t pool)
{
    struct master *m = worker->m;
    uint8_t body[8];
    size_t len = ipc_u32_encode(pool, body, sizeof body);
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
        log_error("queue of worker %s: %s", worker->label, strerror(errno));
        return;
    }
    worker->queues[pool] = pair[1];
    process_send(worker, IPC_QUEUE_SEND, body, len, &pair[0], 1);
    fd_close(&pair[0]);
    for (struct process *p = m->processes; p != NULL; p = p->next) {
        if (p->place->role == IPC_AUTH && p->place->pool == pool && p->phase != PROCESS_STOPPING)
            queue_announce(p, worker);
    }
}

/* What numbers the listeners have. */
static void
send_listeners(struct process *worker)
{
    struct ipc_listeners listeners;
    uint8_t body[IPC_BODY_MAX];

    listeners_numbers(worker->m, false, &listeners);
    process_send(worker, IPC_LISTENERS, body, ipc_listeners_encode(&listeners, body, sizeof body), NULL,
        0);
}

static void
equip_worker(struct process *p)
{
    struct master *m = p->m;

    send_listeners(p);
    for (uint32_t i = 0; i < m->settings->modules.count && i < MASTER_POOLS_MAX; i++) {
        if (image_module(m->config.image, i)->has_secret)
            queue_make(p, i);
    }
    pipes_send(p);
}

static void
equip_auth(struct process *p)
{
    struct master *m = p->m;

    for (const struct process *w = m->processes; w != NULL; w = w->next) {
        if (w->place->role == IPC_WORKER)
            queue_announce(p, w);
    }
}

/* ---- rings ---- */

static void
ring_add(struct process *logger, uint32_t ring, const char *label, const int *fds, size_t fd_count)
{
    struct ipc_ring r = { .ring = ring };
    uint8_t body[IPC_BODY_MAX];

    (void)snprintf(r.label, sizeof r.label, "%s", label);
    size_t len = ipc_ring_encode(&r, body, sizeof body);

    process_send(logger, IPC_RING_ADD, body, len, fds, fd_count);
}

void
equip_announce_ring(struct process *logger, struct process *writer)
{
    const int fds[] = { writer->ring_data, writer->ring_index, writer->pidfd, writer->accepted_fd };

    if (logger != NULL && writer->ring_data >= 0 && writer->pidfd >= 0)
        ring_add(logger, writer->incarnation, writer->label, fds,
            writer->accepted_fd >= 0 ? 4 : 3);
}

static void
equip_logger(struct process *p)
{
    struct master *m = p->m;
    const int own[] = { m->ring_data, m->ring_index, m->own_pidfd };

    ring_add(p, 0, "master", own, SP_COUNT(own));
    corpse_announce_all(p);
    for (struct process *writer = m->processes; writer != NULL; writer = writer->next)
        equip_announce_ring(p, writer);
}

struct process *
master_logger(const struct master *m)
{
    struct process *p = m->places[0].process;

    return p != NULL && process_alive(p) ? p : NULL;
}

void
equip_send(struct process *p)
{
    if (p->place->role == IPC_LOGGER)
        equip_logger(p);
    else
        equip_announce_ring(master_logger(p->m), p);
    broker_send(p);
    if (p->place->role == IPC_WORKER)
        equip_worker(p);
    if (p->place->role == IPC_AUTH)
        equip_auth(p);
    if (p->place->role == IPC_METRICS)
        metrics_equip(p);
    p->m->limits.behind = p->m->limits.behind || p->place->role == IPC_AUTH;
}
