/* SPDX-License-Identifier: ISC */
/*
 * Signals of the event loop, read from a signalfd so that a handler is ordinary code. Serves the
 * master. The signals stay blocked when the loop is freed: a late one must not kill a process that
 * is ending in order.
 */
#include "src/core/loop_private.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void
signal_ready(struct loop_io *io, uint32_t events)
{
    struct loop *loop = (struct loop *)((char *)io - offsetof(struct loop, signal_io));
    struct signalfd_siginfo info;

    (void)events;
    while (loop->signal_fd >= 0 && read(loop->signal_fd, &info, sizeof info) == sizeof info)
        loop->signal_handler((int)info.ssi_signo, loop->signal_ctx);
}

int
loop_signals(struct loop *loop, const int *signals, size_t count,
    void (*handler)(int signo, void *ctx), void *ctx)
{
    sigset_t set;

    if (loop->signal_fd >= 0) {
        errno = EBUSY;
        return -1;
    }
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++) {
        if (sigaddset(&set, signals[i]) < 0)
            return -1;
    }
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -1;
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);

    if (fd < 0)
        return -1;
    loop->signal_io.ready = signal_ready;
    loop->signal_handler = handler;
    loop->signal_ctx = ctx;
    if (loop_io_add(loop, &loop->signal_io, fd, EPOLLIN) < 0) {
        fd_close(&fd);
        return -1;
    }
    loop->signal_fd = fd_take(&fd);
    return 0;
}

void
loop_signal_free(struct loop *loop)
{
    if (loop->signal_fd < 0)
        return;
    loop_io_del(loop, &loop->signal_io, loop->signal_fd);
    fd_close(&loop->signal_fd);
}
