/* SPDX-License-Identifier: ISC */
/* What signals mean to the master. They arrive through the loop, so that a handler is ordinary code. */
#include "src/master/master_private.h"

#include <signal.h>

static void
on_signal(int signo, void *ctx)
{
    struct master *m = ctx;

    switch (signo) {
    case SIGCHLD:
        watch_children(m);
        break;
    case SIGHUP:
        broker_reopen_log(m);
        reload_begin(m, NULL);
        break;
    default:
        stop_begin(m, signo == SIGINT ? "SIGINT" : "SIGTERM");
        break;
    }
}

int
signals_init(struct master *m)
{
    static const int watched[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT };
    struct sigaction normal = { .sa_handler = SIG_DFL };
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    /* An inherited SIG_IGN would reap our children unseen; nohup's for SIGHUP is overruled too, since
       the signal has a meaning here. */
    for (size_t i = 0; i < SP_COUNT(watched); i++)
        (void)sigaction(watched[i], &normal, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    return loop_signals(m->loop, watched, SP_COUNT(watched), on_signal, m);
}
