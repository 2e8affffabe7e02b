/* SPDX-License-Identifier: ISC */
/*
 * The control socket: opening it, taking connections, judging who they are from, and sharing a slice of
 * each turn among those that are answered. Serves master_main.c. Whatever a client does ends that client
 * at most.
 */
#include "src/master/master_control_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_BUDGET 8
#define PAUSE_US (200 * CLOCK_MSEC_US)
#define TELL_SECONDS 60
#define GROUPS_FEW 64
#define GROUPS_MAX 65536

/* ---- who it is ---- */

static bool
in_list(const gid_t *list, size_t count, gid_t group)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == group)
            return true;
    }
    return false;
}

/* The groups the process had when it connected, as the kernel knows them. */
static bool
peer_in_group(int fd, gid_t group)
{
    gid_t few[GROUPS_FEW];
    socklen_t len = sizeof few;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, few, &len) == 0)
        return in_list(few, len / sizeof *few, group);
    if (errno != ERANGE || len > GROUPS_MAX * sizeof(gid_t))
        return false;
    gid_t *many = malloc(len);
    bool found = many != NULL && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, many, &len) == 0
        && in_list(many, len / sizeof *many, group);

    free(many);
    return found;
}

/* Root, or the user the gateway was started by. */
static bool
is_owner(const struct ucred *who)
{
    return who->uid == 0 || who->uid == geteuid();
}

static bool
allowed(const struct control *c, int fd, struct ucred *who)
{
    socklen_t len = sizeof *who;

    memset(who, 0xff, sizeof *who);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &len) < 0)
        return false;
    if (is_owner(who))
        return true;
    return c->has_group && (who->gid == c->group || peer_in_group(fd, c->group));
}

static void
turn_away(int fd, const char *line)
{
    (void)send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The first is told at once, then one line a window with how many there were. */
static void
tell_refused(struct control *c, const struct ucred *who)
{
    c->refused++;
    if (c->told.us != 0
        && mono_diff_us(loop_now(c->m->loop), c->told) < TELL_SECONDS * CLOCK_SECOND_US)
        return;
    c->told = loop_now(c->m->loop);
    log_warn("control socket: user %u (process %d) is not allowed; refused %" PRIu64 " so far",
        (unsigned)who->uid, (int)who->pid, c->refused);
}

/* ---- taking connections ---- */

/* Whoever of the group is silent in many connections keeps the owner out of none. */
static bool
has_place(const struct control *c, const struct ucred *who)
{
    size_t free_places = 0;

    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
        free_places += c->clients[i] == NULL;
    return free_places > (is_owner(who) ? 0 : CONTROL_RESERVED);
}

/* Owns fd. */
static void
take(struct control *c, int fd)
{
    struct ucred who;

    if (!allowed(c, fd, &who)) {
        turn_away(fd, CONTROL_ERROR "\tnot allowed: root, the user who started the gateway and members of "
            "control.group are\n");
        tell_refused(c, &who);
        fd_close(&fd);
        return;
    }
    if (!has_place(c, &who)) {
        turn_away(fd, CONTROL_ERROR "\ttoo many control clients; try again\n");
        fd_close(&fd);
        return;
    }
    if (control_client_new(c, fd, &who) < 0)
        log_warn("control socket: %s", strerror(errno));
}

static void
pause_over(struct loop_timer *timer)
{
    struct control *c = CONTAINER(timer, struct control, pause);

    if (loop_io_add(c->m->loop, &c->io, c->fd, EPOLLIN) < 0)
        log_warn("control socket: %s; it takes nobody any more", strerror(errno));
}

/* Out of descriptors, or of memory: not asked again at once. */
static void
pause_begin(struct control *c)
{
    loop_io_del(c->m->loop, &c->io, c->fd);
    if (loop_timer_set(c->m->loop, &c->pause, mono_add_us(loop_now(c->m->loop), PAUSE_US)) < 0)
        pause_over(&c->pause);
}

static void
listener_ready(struct loop_io *io, uint32_t events)
{
    struct control *c = CONTAINER(io, struct control, io);

    (void)events;
    for (int i = 0; i < ACCEPT_BUDGET; i++) {
        int fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
            return;
        if (fd < 0) {
            pause_begin(c);
            return;
        }
        take(c, fd);
    }
}

/* ---- answering, a slice a turn ---- */

void
control_wake(struct control_client *c)
{
    loop_defer(c->m->loop, &c->control->task);
}

static void
run(struct loop_task *task)
{
    struct control *c = CONTAINER(task, struct control, task);
    struct loop *loop = c->m->loop;
    bool more = false;

    loop_refresh(loop);
    struct mono deadline = mono_add_us(loop_now(loop), CONTROL_SLICE_US);

    for (unsigned n = 0; n < CONTROL_CLIENTS_MAX; n++) {
        unsigned i = (c->next + n) % CONTROL_CLIENTS_MAX;
        struct control_client *client = c->clients[i];

        if (client == NULL || !control_has_work(client))
            continue;
        if (!mono_before(loop_now(loop), deadline)) {
            c->next = i; /* first next time */
            more = true;
            break;
        }
        if (control_serve(client, deadline) && control_has_work(client)) {
            c->next = i + 1;
            more = true;
        }
    }
    if (more)
        loop_defer(loop, &c->task);
}

/* ---- begin and end ---- */

static struct control *
control_new(struct master *m)
{
    struct control *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->m = m;
    c->fd = c->folder_fd = -1;
    c->io.ready = listener_ready;
    c->task.run = run;
    c->pause.expired = pause_over;
    return c;
}

int
control_check(const struct master *m, char *error, size_t size)
{
    struct control c = { .m = (struct master *)m, .fd = -1, .folder_fd = -1 };
    bool preset;

    return control_place(&c, &preset, error, size) < 0 || control_group_find(&c, error, size) < 0 ? -1 : 0;
}

static int
start(struct control *c, char *error, size_t size)
{
    if (control_listen(c, error, size) < 0)
        return -1;
    if (loop_io_add(c->m->loop, &c->io, c->fd, EPOLLIN) == 0)
        return 0;
    (void)snprintf(error, size, "control { socket }: %s: %s", c->path, strerror(errno));
    control_unlisten(c);
    return -1;
}

int
control_open(struct master *m, char *error, size_t size)
{
    struct control *c = control_new(m);
    bool preset = false;

    if (c == NULL) {
        (void)snprintf(error, size, "control { socket }: %s", strerror(errno));
        return -1;
    }
    int place = control_group_find(c, error, size) < 0 ? -1 : control_place(c, &preset, error, size);
    int result = place > 0 ? start(c, error, size) : place;

    if (place > 0 && result == 0) {
        log_info("control socket %s", c->path);
        m->control = c;
        return 0;
    }
    free(c);
    if (result == 0 || !preset)
        return result;
    log_warn("%s; this gateway has no control socket", error);
    return 0;
}

void
control_close(struct master *m)
{
    struct control *c = m->control;

    if (c == NULL)
        return;
    m->control = NULL;
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (c->clients[i] != NULL)
            control_client_free(c->clients[i]);
    }
    loop_task_cancel(m->loop, &c->task);
    loop_timer_cancel(m->loop, &c->pause);
    loop_io_del(m->loop, &c->io, c->fd);
    control_unlisten(c);
    free(c);
}
