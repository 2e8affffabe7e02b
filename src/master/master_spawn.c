/* SPDX-License-Identifier: ISC */
/*
 * Starting a process in a place: channel, fork, exec. Serves the start and master_watch.c. What the
 * child gets on its way is master_equip.c's. Between fork and exec only what is safe there is called.
 */
#include "src/master/master_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"
#include "src/core/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONTROL_FD 3
#define EXEC_FAILED 127
#define CHANNEL_BUFFER 262144 /* asked for; the kernel may give less */

static const struct {
    enum ipc_role role;
    const char *name;
    const char *program;
} roles[] = {
    { IPC_WORKER, "worker", "sallyport-worker" },
    { IPC_AUTH, "auth", "sallyport-auth" },
    { IPC_LOGGER, "logger", "sallyport-logger" },
    { IPC_METRICS, "metrics", "sallyport-metrics" },
};

const char *
role_name(enum ipc_role role)
{
    for (size_t i = 0; i < SP_COUNT(roles); i++) {
        if (roles[i].role == role)
            return roles[i].name;
    }
    return "master";
}

static const char *
role_program(enum ipc_role role)
{
    for (size_t i = 0; i < SP_COUNT(roles); i++) {
        if (roles[i].role == role)
            return roles[i].program;
    }
    log_panic("no program for role %d", (int)role);
}

static bool
has_worker_program(const char *dir)
{
    char path[PATH_MAX + 32];
    int n = snprintf(path, sizeof path, "%s/%s", dir, role_program(IPC_WORKER));

    return n > 0 && (size_t)n < sizeof path && access(path, X_OK) == 0;
}

void
programs_find(struct master *m)
{
    ssize_t n = readlink("/proc/self/exe", m->program_dir, sizeof m->program_dir - 1);

    if (n > 0) {
        m->program_dir[n] = '\0';
        char *slash = strrchr(m->program_dir, '/');

        if (slash != NULL)
            *slash = '\0';
        m->out_of_tree = has_worker_program(m->program_dir);
    }
    if (!m->out_of_tree)
        (void)snprintf(m->program_dir, sizeof m->program_dir, "%s", LIBEXECDIR);
}

/* ---- the child between fork and exec ---- */

static void
default_signals(void)
{
    struct sigaction normal = { .sa_handler = SIG_DFL };
    sigset_t none;

    (void)sigaction(SIGPIPE, &normal, NULL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void SP_NORETURN
become(const char *program, char **envp, int channel, int output)
{
    char *argv[] = { (char *)(uintptr_t)program, NULL };

    if (output >= 0 && (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0))
        _exit(EXEC_FAILED);
    /* dup2 leaves close-on-exec behind, unless it had nothing to do. */
    if (channel == CONTROL_FD ? fd_set_cloexec(channel, 0) < 0 : dup2(channel, CONTROL_FD) < 0)
        _exit(EXEC_FAILED);
    sandbox_close_from(CONTROL_FD + 1);
    default_signals();
    execve(program, argv, envp);
    fprintf(stderr, "sallyportd: %s: %s\n", program, strerror(errno));
    _exit(EXEC_FAILED);
}

static pid_t
start_program(const struct master *m, enum ipc_role role, int channel)
{
    char program[PATH_MAX + 64];
    struct environment e;
    int n = snprintf(program, sizeof program, "%s/%s", m->program_dir, role_program(role));

    if (n < 0 || (size_t)n >= sizeof program) {
        errno = ENAMETOOLONG;
        return -1;
    }
    environment_make(&e, role);
    pid_t pid = fork();

    if (pid == 0)
        become(program, e.strings, channel, m->daemon.output[1]);
    return pid;
}

/* ---- the master ---- */

/* Who works beside the one it is to replace has records, and numbers of records, of its own. */
static void
name_life(struct process *p)
{
    int n = p->life == 0 ? snprintf(p->label, sizeof p->label, "%s", p->place->label)
                         : snprintf(p->label, sizeof p->label, "%s.%u", p->place->label,
                               (unsigned)p->life + 1);

    if (n < 0 || (size_t)n >= sizeof p->label)
        log_trace("the name %s was cut", p->label);
}

static struct process *
process_new(struct place *place)
{
    struct process *p = calloc(1, sizeof *p);

    if (p == NULL)
        return NULL;
    p->m = place->m;
    p->place = place;
    p->peer = (struct ipc_peer) { .fd = -1, .self = IPC_MASTER, .other = place->role,
        .state = IPC_STARTING };
    p->phase = PROCESS_STARTING;
    p->incarnation = ++place->m->incarnations;
    p->life = place->life;
    p->generation = place->m->generation;
    name_life(p);
    p->pidfd = p->ring_data = p->ring_index = p->table_fd = p->accepted_fd = -1;
    for (size_t i = 0; i < MASTER_POOLS_MAX; i++)
        p->queues[i] = -1;
    if (place->role == IPC_WORKER)
        p->capacity = place->m->capacity.per_worker;
    p->started = loop_now(place->m->loop);
    p->io.ready = process_readable;
    return p;
}

static int
channel_make(struct process *p, int *theirs)
{
    int pair[2];
    int size = CHANNEL_BUFFER;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return -1;
    (void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    p->peer.fd = pair[0];
    *theirs = pair[1];
    return 0;
}

/* Everything up to the running process, which waits for INIT. */
static int
start(struct process *p, struct equipment *e)
{
    int theirs = -1;
    int result = -1;

    if (channel_make(p, &theirs) == 0 && equip_make(p, e) == 0
        && loop_io_add(p->m->loop, &p->io, p->peer.fd, EPOLLIN) == 0) {
        p->pid = start_program(p->m, p->place->role, theirs);
        result = p->pid < 0 ? -1 : 0;
    }
    fd_close(&theirs);
    return result;
}

static void
abandon(struct process *p)
{
    int saved = errno;

    if (p->peer.fd >= 0)
        loop_io_del(p->m->loop, &p->io, p->peer.fd);
    fd_close(&p->peer.fd);
    fd_close(&p->ring_data);
    fd_close(&p->ring_index);
    metrics_absorb(p);
    fd_close(&p->table_fd);
    fd_close(&p->accepted_fd);
    free(p);
    errno = saved;
}

void
process_unlist(struct process *p)
{
    for (struct process **at = &p->m->processes; *at != NULL; at = &(*at)->next) {
        if (*at == p) {
            *at = p->next;
            break;
        }
    }
    p->next = NULL;
}

int
spawn(struct place *place)
{
    if (place->process != NULL)
        replace_life(place);
    struct process *p = process_new(place);
    struct equipment e = { -1, -1, -1 };

    if (p == NULL)
        return -1;
    if (start(p, &e) < 0) {
        equip_close(&e);
        abandon(p);
        return -1;
    }
    place->replace = false; /* only now: what could not be started is tried again */
    if (place->process != NULL)
        place->successor = p;
    else
        place->process = p;
    p->next = place->m->processes;
    place->m->processes = p;
    p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    watch_started(p);
    if (p->pidfd < 0 || equip_init(p, &e) < 0)
        process_kill(p, "channel");
    else
        equip_send(p);
    equip_close(&e);
    return 0;
}
