/* SPDX-License-Identifier: ISC */
/* What ps shows of a worker: role, number and sessions, brought up to date once a second. */
#include "src/worker/worker.h"

#include "src/core/log.h"
#include "src/core/title.h"

static void
title_due(struct loop_timer *timer)
{
    struct worker *w = (struct worker *)((char *)timer - offsetof(struct worker, title_timer));

    title_set("worker %u, %u sessions", (unsigned)w->child.init.number, w->host.count);
}

void
worker_title_changed(struct worker *w)
{
    if (loop_timer_armed(&w->title_timer))
        return;
    w->title_timer.expired = title_due;
    if (loop_timer_set(
            w->child.loop, &w->title_timer, mono_add_seconds(loop_now(w->child.loop), 1)) < 0)
        log_error("no memory for a timer");
}
