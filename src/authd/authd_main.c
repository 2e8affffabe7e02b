/* SPDX-License-Identifier: ISC */
/*
 * The life of sallyport-auth: the module is found while the file system is there, the process is
 * caged, and only then are files parsed. Serves one pool. Everything that fails before READY is
 * fatal; afterwards only the master's breaking the rules is.
 */
#include "src/authd/authd.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "auth/builtin.h"
#include "lib/base/fd.h"
#include "lib/base/secret.h"
#include "src/core/log.h"
#include "src/core/title.h"

/* Descriptors that are not conversations: channel, image, queues, files. */
#define DESCRIPTORS_BESIDE 512U

static struct authd *
authd_of(struct child *child)
{
    return child->owner;
}

static void
title_update(struct authd *a)
{
    title_set("%s %u, %u conversation%s", a->module->name, (unsigned)a->child.init.number,
        a->count, a->count == 1 ? "" : "s");
    a->shown = a->count;
}

static void
turn_end(void *ctx)
{
    struct authd *a = ctx;

    if (a->shown != a->count)
        title_update(a);
}

void
authd_malformed(struct authd *a, const struct ipc_queue_receive *from, const char *what)
{
    a->malformed++;
    if ((a->malformed & (a->malformed - 1)) == 0)
        log_warn("worker %u sent %s; %llu conversations were malformed so far",
            (unsigned)from->worker, what, (unsigned long long)a->malformed);
}

/* ---- the end ---- */

void
authd_maybe_done(struct authd *a)
{
    if (a->count > 0 || (a->reports != NULL && !a->child.orphan))
        return;
    if (a->stopping || (a->child.orphan && a->queues == NULL))
        loop_stop(a->child.loop);
}

static void
stop_expired(struct loop_timer *timer)
{
    struct authd *a = (struct authd *)((char *)timer - offsetof(struct authd, stop_timer));

    loop_stop(a->child.loop);
}

/* Takes nothing more; what runs has so many seconds. */
static void
on_stop(struct child *child, uint32_t seconds)
{
    struct authd *a = authd_of(child);

    a->stopping = true;
    authd_queues_close(a);
    if (seconds == 0 ||
        loop_timer_set(child->loop, &a->stop_timer,
            mono_add_seconds(loop_now(child->loop), seconds)) != 0)
        loop_stop(child->loop);
    authd_maybe_done(a);
}

/* The workers finish without the master, and their logins in flight with them: until the last
   worker's queue ends. */
static void
on_orphaned(struct child *child)
{
    authd_maybe_done(authd_of(child));
}

static void
on_beat(struct child *child)
{
    authd_queues_look(authd_of(child));
}

static void
on_writable(struct child *child)
{
    authd_reports_flush(authd_of(child));
}

/* ---- messages ---- */

static void
on_queue_receive(struct child *child, struct ipc_message *m)
{
    authd_queue_received(authd_of(child), m);
}

static void
on_file(struct child *child, struct ipc_message *m)
{
    authd_file_received(authd_of(child), m);
}

static void
on_penalty(struct child *child, struct ipc_message *m)
{
    authd_penalty_received(authd_of(child), m);
}

static const struct child_handler handlers[] = {
    { IPC_QUEUE_RECEIVE, on_queue_receive },
    { IPC_FILE, on_file },
    { IPC_PREPARE, authd_prepare },
    { IPC_COMMIT, authd_commit },
    { IPC_ABORT, authd_abort },
    { IPC_PENALTY, on_penalty },
    { IPC_TYPE_COUNT, NULL },
};

/* ---- the start ---- */

/* Passwords stay out of the swap: as root without a bound, else as far as the system lets us. */
static void
raise_locked_memory(void)
{
    const struct rlimit unbounded = { RLIM_INFINITY, RLIM_INFINITY };
    struct rlimit limit;

    if (setrlimit(RLIMIT_MEMLOCK, &unbounded) == 0 || getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_MEMLOCK, &limit);
}

static void
set_bounds(struct authd *a)
{
    const size_t descriptors = fd_raise_limit();

    a->most = AUTHD_CONVERSATIONS_MAX;
    if (descriptors < DESCRIPTORS_BESIDE + a->most)
        a->most = descriptors > 2 * DESCRIPTORS_BESIDE
            ? (unsigned)(descriptors - DESCRIPTORS_BESIDE)
            : DESCRIPTORS_BESIDE / 16;
    raise_locked_memory();
}

static void
open_image(struct authd *a)
{
    char error[512];

    a->image = authd_image_open(a, a->child.image_fd, error, sizeof error);
    if (a->image == NULL)
        log_fatal("%s", error);
}

static void
find_module(struct authd *a)
{
    char error[512];

    a->module = auth_secret_find(a->child.init.module, auth_module_dir(), error, sizeof error);
    if (a->module == NULL)
        log_fatal("%s", error);
    if (a->module->method != a->image->settings->method)
        log_fatal("module %s: method %u here, %u in the policy image", a->module->name,
            a->module->method, a->image->settings->method);
}

/* Caged: from here nothing but what the master sends is read. */
static void
open_module(struct authd *a)
{
    char error[512];

    a->room = secret_alloc(sizeof *a->room);
    if (a->room == NULL)
        log_fatal("out of memory");
    if (authd_files_begin(a, error, sizeof error) != 0)
        log_fatal("%s", error);
    while (a->current == NULL && !a->stopping && !a->child.orphan)
        child_wait(&a->child);
    if (!secret_all_locked())
        log_warn("not all secrets could be locked into memory: raise the limit of locked memory");
}

static void
authd_run(struct authd *a)
{
    a->stop_timer.expired = stop_expired;
    loop_set_turn_end(a->child.loop, turn_end, a);
    child_ready(&a->child);
    authd_reports_flush(a);
    title_update(a);
    authd_queues_update(a);
    if (loop_run(a->child.loop) != 0)
        log_fatal("event loop: %s", strerror(errno));
}

static void
authd_free(struct authd *a)
{
    authd_queues_close(a);
    while (a->conversations != NULL)
        authd_conversation_end(a->conversations);
    authd_reports_free(a);
    authd_files_free(a);
    authd_penalties_free(&a->penalties);
    secret_free(a->room, sizeof *a->room);
    authd_reload_free(a);
    authd_image_drop(&a->image);
    child_end(&a->child);
}

int
authd_main(int argc, char **argv, char **envp)
{
    static struct authd authd; /* large; the process is this */
    struct authd *a = &authd;

    a->reports_end = &a->reports;
    authd_penalties_init(&a->penalties);
    a->child = (struct child) {
        .role = IPC_AUTH,
        .program = "sallyport-auth",
        .handlers = handlers,
        .stop = on_stop,
        .orphaned = on_orphaned,
        .writable = on_writable,
        .beat = on_beat,
        .owner = a,
    };
    child_begin(&a->child, argc, argv, envp);
    set_bounds(a);
    open_image(a);
    find_module(a);
    child_cage(&a->child);
    open_module(a);
    if (!a->stopping && !a->child.orphan)
        authd_run(a);
    authd_free(a);
    return 0;
}
