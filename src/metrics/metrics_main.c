/* SPDX-License-Identifier: ISC */
/*
 * Start and end of sallyport-metrics: its socket comes from the master, its user is the workers', its root
 * is empty. Whatever goes wrong before READY is fatal; the master starts another one, with a pause.
 */
#include "src/metrics/metrics.h"
#include "src/metrics/metrics_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"
#include "src/core/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void
take_socket(struct child *child, struct ipc_message *message)
{
    struct metrics *x = child->owner;

    if (message->fd_count != 1)
        log_fatal("the listening socket did not arrive");
    x->listen_fd = fd_take(&message->fds[0]);
}

static const struct child_handler handlers[] = {
    { IPC_METRICS_LISTEN, take_socket },
    { IPC_METRICS_TEXT, text_arrived },
    { 0, NULL },
};

static void
stop(struct child *child, uint32_t seconds)
{
    (void)seconds;
    loop_stop(child->loop);
}

static void
orphaned(struct child *child)
{
    loop_stop(child->loop);
}

int
metrics_main(int argc, char **argv, char **envp)
{
    static struct metrics x = {
        .child = {
            .role = IPC_METRICS,
            .program = "sallyport-metrics",
            .handlers = handlers,
            .stop = stop,
            .orphaned = orphaned,
            .owner = &x,
        },
        .listen_fd = -1,
    };

    child_begin(&x.child, argc, argv, envp);
    tzset(); /* what reads files does so now */
    while (x.listen_fd < 0)
        child_wait(&x.child);
    child_cage(&x.child);
    if (sandbox_seccomp(SANDBOX_METRICS) < 0)
        log_fatal("system call filter: %s", strerror(errno));
    http_start(&x);
    child_ready(&x.child);
    if (loop_run(x.child.loop) < 0)
        log_fatal("event loop: %s", strerror(errno));
    http_stop(&x);
    child_end(&x.child);
    return EXIT_SUCCESS;
}
