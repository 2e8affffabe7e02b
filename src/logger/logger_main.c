/* SPDX-License-Identifier: ISC */
/*
 * The logger process from start to end. Whatever fails before it is ready is fatal; afterwards it
 * goes on and says so on standard error, which is all it has: it cannot log to itself.
 */
#include "src/logger/logger.h"

#include "src/core/log.h"
#include "src/core/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Large: on the heap of no call, and there before the process has anything to do. */
static struct logger logger = {
    .child = {
        .role = IPC_LOGGER,
        .program = "sallyport-logger",
        .handlers = logger_handlers,
        .stop = logger_stop,
        .orphaned = logger_orphaned,
        .writable = logger_writable,
        .owner = &logger,
    },
};

static void
open_image(struct logger *lg)
{
    const char *why = "";

    lg->image = image_adopt(lg->child.image_fd, &why);
    if (lg->image == NULL)
        log_fatal("policy image: %s: %s", why, strerror(errno));
}

static void
set_up(struct logger *lg)
{
    const struct image_settings *s = image_settings(lg->image);
    struct target_settings settings = {
        .kind = (enum image_log_target)s->log.target,
        .format = (enum image_log_format)s->log.format,
        .facility = (int)s->log.facility,
        .path = image_string(lg->image, s->log.path),
        .pid = getppid(),
    };

    target_init(&lg->target, &settings, lg->child.loop);
    rings_init(&lg->rings, lg->child.loop);
    batch_init(&lg->batch, &lg->rings, &lg->target, lg->child.init.label);
    if (pump_init(lg) < 0)
        log_fatal("event loop: %s", strerror(errno));
}

static void
tear_down(struct logger *lg)
{
    loop_timer_cancel(lg->child.loop, &lg->timer);
    loop_timer_cancel(lg->child.loop, &lg->stop_timer);
    loop_timer_cancel(lg->child.loop, &lg->told_timer);
    loop_task_cancel(lg->child.loop, &lg->task);
    loop_io_del(lg->child.loop, &lg->wake_io, lg->child.wake_fd);
    rings_free(&lg->rings);
    target_close(&lg->target);
    image_close(&lg->next);
    image_close(&lg->image);
}

int
logger_main(int argc, char **argv, char **envp)
{
    struct logger *lg = &logger;

    child_begin(&lg->child, argc, argv, envp);
    tzset(); /* opens the time zone's file, which the sandbox will not allow */
    open_image(lg);
    set_up(lg);
    /* No empty root: the log daemon's socket has a path, and a restarted daemon makes it anew. */
    lg->child.init.chroot_dir[0] = '\0';
    child_cage(&lg->child);
    if (sandbox_seccomp(SANDBOX_LOGGER) < 0)
        log_fatal("system call filter: %s", strerror(errno));
    child_ready(&lg->child);
    if (loop_run(lg->child.loop) < 0)
        log_fatal("event loop: %s", strerror(errno));
    tear_down(lg);
    child_end(&lg->child);
    return EXIT_SUCCESS;
}
