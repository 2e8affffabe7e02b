/* SPDX-License-Identifier: ISC */
/*
 * Telling the master which sessions have ended: in batches, since one message for each would cost
 * both sides more than the session's own bookkeeping.
 */
#include "src/worker/worker.h"

#include "src/core/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
worker_ended_init(struct worker *w)
{
    uint32_t capacity = table_capacity(w->host.table);

    w->ended = calloc(capacity, sizeof *w->ended);
    return w->ended == NULL ? -1 : 0;
}

static void
give_slots(struct worker *w, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        table_give(w->host.table, w->ended[i].slot);
    w->ended_count -= count;
    memmove(w->ended, w->ended + count, w->ended_count * sizeof *w->ended);
}

/* One message. 0, or -1 when the channel does not take it now. */
static int
send_batch(struct worker *w)
{
    uint32_t count = w->ended_count < IPC_ENDED_MAX ? w->ended_count : IPC_ENDED_MAX;
    uint64_t ids[IPC_ENDED_MAX] = { 0 };
    uint8_t body[IPC_BODY_MAX];

    for (uint32_t i = 0; i < count; i++)
        ids[i] = w->ended[i].id;
    if (child_send(&w->child, IPC_ENDED, body, ipc_ended_encode(ids, count, body, sizeof body)) < 0
        && errno != EPIPE)
        return -1;
    give_slots(w, count); /* EPIPE: nobody is left to be told */
    return 0;
}

static void ended_due(struct loop_timer *timer);

static void
wait_for_company(struct worker *w)
{
    w->ended_timer.expired = ended_due;
    if (loop_timer_set(w->child.loop, &w->ended_timer,
            mono_add_us(loop_now(w->child.loop), WORKER_ENDED_DELAY_MS * CLOCK_MSEC_US)) < 0)
        log_error("no memory for a timer");
}

void
worker_ended_flush(struct worker *w)
{
    while (w->ended_count > 0)
        if (send_batch(w) < 0) {
            wait_for_company(w);
            return;
        }
    loop_timer_cancel(w->child.loop, &w->ended_timer);
}

static void
ended_due(struct loop_timer *timer)
{
    worker_ended_flush(
        (struct worker *)((char *)timer - offsetof(struct worker, ended_timer)));
}

void
worker_session_ended(struct session_host *host, uint64_t id, struct table_slot *slot)
{
    struct worker *w = (struct worker *)((char *)host - offsetof(struct worker, host));

    w->ended[w->ended_count++] = (struct worker_ended) { id, slot };
    if (w->ended_count >= WORKER_ENDED_BATCH)
        worker_ended_flush(w);
    else if (!loop_timer_armed(&w->ended_timer))
        wait_for_company(w);
    worker_title_changed(w);
    worker_stop_when_idle(w);
}
