/* SPDX-License-Identifier: ISC */
/*
 * The end of a worker: it finishes its sessions within the time given (timeouts.stop), or within
 * timeouts.orphan when the master is gone, then ends what is left and exits.
 */
#include "src/worker/worker.h"

#include "src/core/log.h"

void
worker_stop_when_idle(struct worker *w)
{
    if (w->stopping && w->host.count == 0)
        loop_stop(w->child.loop);
}

static void
stop_due(struct loop_timer *timer)
{
    struct worker *w = (struct worker *)((char *)timer - offsetof(struct worker, stop_timer));

    session_end_all(&w->host, w->stop_reason);
    worker_stop_when_idle(w);
}

static void
stop_within(struct worker *w, uint32_t seconds, enum session_reason reason)
{
    struct mono deadline = mono_add_seconds(loop_now(w->child.loop), (int64_t)seconds);

    w->stopping = true;
    w->stop_reason = reason;
    w->stop_timer.expired = stop_due;
    if (loop_timer_set(w->child.loop, &w->stop_timer, deadline) < 0)
        stop_due(&w->stop_timer);
    worker_stop_when_idle(w);
}

void
worker_stop(struct child *child, uint32_t seconds)
{
    stop_within(child->owner, seconds, REASON_SHUTDOWN);
}

void
worker_orphaned(struct child *child)
{
    struct worker *w = child->owner;
    uint32_t seconds = image_settings(w->image)->timeouts.orphan;

    budgets_orphaned(&w->host.budgets);
    if (w->stopping)
        return;
    log_warn("the master is gone; %u sessions get %u s to end", w->host.count, seconds);
    stop_within(w, seconds, REASON_GATEWAY_LOST);
}
