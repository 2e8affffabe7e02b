/* SPDX-License-Identifier: ISC */
/*
 * The first steps of a child program: from exec to the caged process. Serves worker, auth and
 * logger. Every failure is fatal: the master starts another one, with a pause.
 */
#include "src/core/child.h"

#include "lib/base/fd.h"
#include "lib/base/secret.h"
#include "src/core/log.h"
#include "src/core/log_event.h"
#include "src/core/ring.h"
#include "src/core/sandbox.h"
#include "src/core/title.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The master's mask and its children's terminal are not ours: the master alone says when to end, or
   its end of the channel closes. */
static void
set_signals(void)
{
    static const int ignored[] = { SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGQUIT };
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t none;

    for (size_t i = 0; i < SP_COUNT(ignored); i++)
        (void)sigaction(ignored[i], &ignore, NULL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
check_channel(struct child *child)
{
    int type = 0;
    socklen_t len = sizeof type;

    if (getsockopt(CHILD_CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0
        || type != SOCK_SEQPACKET)
        log_fatal("this program is started by sallyportd, not by hand");
    if (fd_set_cloexec(CHILD_CONTROL_FD, 1) < 0)
        log_fatal("control channel: %s", strerror(errno));
    child->peer = (struct ipc_peer) { .fd = CHILD_CONTROL_FD, .self = child->role,
        .other = IPC_MASTER, .state = IPC_STARTING };
}

static void
wait_readable(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    int n = poll(&p, 1, CHILD_INIT_SECONDS * 1000);

    if (n == 0)
        log_fatal("the master sent nothing for %d s", CHILD_INIT_SECONDS);
    if (n < 0 && errno != EINTR)
        log_fatal("poll: %s", strerror(errno));
}

static void
receive_init(struct child *child, struct ipc_message *m)
{
    const char *why = NULL;
    enum ipc_result result;

    do {
        wait_readable(child->peer.fd);
        result = ipc_recv(&child->peer, m, &why);
    } while (result == IPC_AGAIN);
    if (result == IPC_EOF)
        log_fatal("the master is gone");
    if (result == IPC_ERROR)
        log_fatal("control channel: %s", strerror(errno));
    if (result == IPC_VIOLATION)
        log_fatal("the master broke the rules: %s", why);
    if (m->type != IPC_INIT || ipc_init_decode(m, &child->init) < 0
        || child->init.role != child->role)
        log_fatal("the master's first message is not INIT for this program");
    if (m->fd_lost > 0)
        log_fatal("descriptors of INIT were lost: the limit of open files is too low");
}

static void
open_ring(struct child *child, int data_fd, int index_fd)
{
    child->ring = ring_writer_open(data_fd, index_fd, child->wake_fd);
    if (child->ring == NULL)
        log_fatal("event ring: %s", strerror(errno));
    if (!child->init.plain_log)
        log_to_ring(child->ring);
}

static size_t
descriptors_of(enum ipc_role role)
{
    switch (role) {
    case IPC_WORKER: return 6;
    case IPC_AUTH: return 4;
    case IPC_METRICS: return 3;
    default: return 2;
    }
}

/* The descriptors of INIT, in the order ipc.h gives for each role. */
static void
take_descriptors(struct child *child, struct ipc_message *m)
{
    size_t expected = descriptors_of(child->role);

    if (m->fd_count != expected)
        log_fatal("INIT brought %zu descriptors, not %zu", m->fd_count, expected);
    if (child->role == IPC_METRICS) {
        child->wake_fd = fd_take(&m->fds[2]);
        open_ring(child, m->fds[0], m->fds[1]);
        return;
    }
    child->image_fd = fd_take(&m->fds[0]);
    if (child->role == IPC_LOGGER) {
        child->wake_fd = fd_take(&m->fds[1]);
        return;
    }
    child->wake_fd = fd_take(&m->fds[3]);
    if (child->role == IPC_WORKER) {
        child->table_fd = fd_take(&m->fds[4]);
        child->accepted_fd = fd_take(&m->fds[5]);
    }
    open_ring(child, m->fds[1], m->fds[2]);
}

static void
set_names(struct child *child)
{
    const char *label = child->init.label;
    int n = snprintf(child->name, sizeof child->name, "%s[%s]", child->program, label);

    if (n < 0 || (size_t)n >= sizeof child->name)
        log_fatal("label too long: %s", label);
    log_init(child->name);
    log_set_debug(child->init.debug);
    if (child->role == IPC_WORKER)
        title_set("worker %s", label);
    else
        title_set("%s", label);
}

void
child_begin(struct child *child, int argc, char **argv, char **envp)
{
    struct ipc_message m = { .fd_count = 0 };

    child->image_fd = child->wake_fd = child->table_fd = child->accepted_fd = -1;
    title_init(argc, argv, envp);
    log_init(child->program);
    check_channel(child);
    sandbox_close_from(CHILD_CONTROL_FD + 1);
    set_signals();
    receive_init(child, &m);
    set_names(child);
    take_descriptors(child, &m);
    ipc_message_close(&m);
    child->loop = loop_new();
    if (child->loop == NULL)
        log_fatal("event loop: %s", strerror(errno));
}

void
child_cage(struct child *child)
{
    const struct ipc_init *init = &child->init;

    if (init->privileged) {
        if (init->chroot_dir[0] != '\0' && sandbox_chroot(init->chroot_dir) < 0)
            log_fatal("chroot to %s: %s", init->chroot_dir, strerror(errno));
        if (sandbox_drop(init->uid, init->gid) < 0)
            log_fatal("dropping privileges to uid %u: %s", (unsigned)init->uid, strerror(errno));
    } else if (sandbox_no_new_privs() < 0) {
        log_fatal("no_new_privs: %s", strerror(errno));
    }
    if (secret_process() < 0)
        log_fatal("making the process undumpable: %s", strerror(errno));
}

void
child_end(struct child *child)
{
    if (child->loop != NULL && child->peer.fd >= 0)
        loop_io_del(child->loop, &child->io, child->peer.fd);
    fd_close(&child->peer.fd);
    log_to_ring(NULL);
    ring_writer_close(&child->ring);
    loop_free(&child->loop);
    fd_close(&child->image_fd);
    fd_close(&child->wake_fd);
    fd_close(&child->table_fd);
    fd_close(&child->accepted_fd);
}
