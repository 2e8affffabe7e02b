/* SPDX-License-Identifier: ISC */
/*
 * What a worker and the master say to each other about limits: which sessions without a login have made
 * their request, in batches, and which logins may go on.
 */
#include "src/worker/worker.h"

#include "src/core/ipc_limits.h"
#include "src/core/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void requested_due(struct loop_timer *timer);

static void
wait_for_company(struct worker *w)
{
    w->requested.timer.expired = requested_due;
    if (loop_timer_set(w->child.loop, &w->requested.timer,
            mono_add_us(loop_now(w->child.loop), WORKER_REQUESTED_DELAY_MS * CLOCK_MSEC_US)) < 0)
        log_error("no memory for a timer");
}

int
worker_requested_init(struct worker *w)
{
    w->requested.room = table_capacity(w->host.table);
    w->requested.ids = calloc(w->requested.room, sizeof *w->requested.ids);
    return w->requested.ids == NULL ? -1 : 0;
}

static void
forget(struct worker *w, uint32_t count)
{
    struct worker_requested *r = &w->requested;

    r->count -= count;
    memmove(r->ids, r->ids + count, r->count * sizeof *r->ids);
}

/* What the channel does not take now goes later: a session that is never told of would count as pending
   for as long as it lives. */
static void
flush(struct worker *w)
{
    struct worker_requested *r = &w->requested;
    uint8_t body[IPC_BODY_MAX];

    while (r->count > 0) {
        uint32_t n = r->count < IPC_REQUESTED_MAX ? r->count : IPC_REQUESTED_MAX;
        size_t len = ipc_requested_encode(r->ids, n, body, sizeof body);

        if (child_send(&w->child, IPC_REQUESTED, body, len) < 0 && errno != EPIPE) {
            wait_for_company(w);
            return;
        }
        forget(w, n);
    }
    loop_timer_cancel(w->child.loop, &r->timer);
}

static void
requested_due(struct loop_timer *timer)
{
    flush((struct worker *)((char *)timer - offsetof(struct worker, requested.timer)));
}

void
worker_requested(struct session_host *host, uint64_t id)
{
    struct worker *w = (struct worker *)((char *)host - offsetof(struct worker, host));

    if (image_settings(host->image)->limits.pending_per_client == 0)
        return;
    /* There is room for every session that lives: the first have ended, and that is told, too. */
    if (w->requested.count == w->requested.room)
        forget(w, 1);
    w->requested.ids[w->requested.count++] = id;
    if (w->requested.count == WORKER_REQUESTED_BATCH)
        flush(w);
    else if (!loop_timer_armed(&w->requested.timer))
        wait_for_company(w);
}

void
worker_verdicts(struct child *child, struct ipc_message *m)
{
    struct worker *w = child->owner;
    struct ipc_verdict list[IPC_VERDICTS_MAX];
    size_t count = 0;

    if (ipc_verdicts_decode(m, list, &count) < 0)
        log_panic("malformed VERDICT");
    for (size_t i = 0; i < count; i++)
        session_verdict(&w->host, list[i].session, list[i].what == IPC_VERDICT_GO);
}
