/* SPDX-License-Identifier: ISC */
/*
 * The walk of session.update. Serves the session host. New sessions stand before the others in the list,
 * so a round meets those that were there when it began, each once; a round begins when the interval of the
 * one before is over.
 */
#include "src/session/udp_association.h"

#include "src/core/log.h"

#define TICKS 64           /* of a round, */
#define TICK_LEAST_MS 100  /* where that is not too often */
#define TURN_SESSIONS 128U /* looked at in one turn */

static int64_t
round_us(const struct session_host *host)
{
    return (int64_t)image_settings(host->image)->log.interim * CLOCK_SECOND_US;
}

static int64_t
tick_us(const struct session_host *host)
{
    int64_t tick = round_us(host) / TICKS;

    return tick > TICK_LEAST_MS * CLOCK_MSEC_US ? tick : TICK_LEAST_MS * CLOCK_MSEC_US;
}

/* Datagrams of no octets count, too. */
static uint64_t
moved(const struct session *s)
{
    uint64_t n = s->up.bytes + s->down.bytes;

    return s->udp == NULL ? n : n + s->udp->datagrams_up + s->udp->datagrams_down;
}

static void
look_at(struct session *s)
{
    uint64_t now = moved(s);

    if (!s->started || (s->phase != SESSION_RELAY && s->phase != SESSION_ASSOCIATE)
        || now == s->slot->updated)
        return;
    s->slot->updated = now;
    record_update(s);
}

static void
slice(struct loop_task *task)
{
    struct interim *in = (struct interim *)((char *)task - offsetof(struct interim, task));

    for (uint32_t i = 0; i < TURN_SESSIONS && in->due > 0 && in->next != NULL; i++) {
        struct session *s = in->next;

        in->next = s->next;
        in->due--;
        look_at(s);
    }
    if (in->next == NULL)
        in->due = 0;
    if (in->due > 0)
        loop_defer(in->host->loop, task);
}

static void
begin_round(struct interim *in)
{
    const struct session_host *host = in->host;
    uint64_t ticks = (uint64_t)(round_us(host) / tick_us(host));

    in->next = host->first;
    in->round_end = mono_add_us(loop_now(host->loop), round_us(host));
    in->per_tick = (uint32_t)((host->count + ticks - 1) / ticks);
}

static void
tick_later(struct interim *in)
{
    struct loop *loop = in->host->loop;

    if (loop_timer_set(loop, &in->timer, mono_add_us(loop_now(loop), tick_us(in->host))) < 0)
        log_error("no memory for a timer: there are no more session.update records");
}

static void
on_tick(struct loop_timer *timer)
{
    struct interim *in = (struct interim *)((char *)timer - offsetof(struct interim, timer));

    if (in->next == NULL && !mono_before(loop_now(in->host->loop), in->round_end))
        begin_round(in);
    in->due += in->per_tick;
    slice(&in->task);
    tick_later(in);
}

void
interim_adopt(struct session_host *host)
{
    struct interim *in = &host->interim;

    if (round_us(host) == 0) {
        interim_close(host);
        return;
    }
    /* A reload does not begin a round anew: many of them would leave it without an end. */
    if (in->interval == round_us(host))
        return;
    in->interval = round_us(host);
    in->host = host;
    in->timer.expired = on_tick;
    in->task.run = slice;
    in->next = NULL;
    in->round_end = mono_add_us(loop_now(host->loop), round_us(host));
    tick_later(in);
}

void
interim_close(struct session_host *host)
{
    struct interim *in = &host->interim;

    if (in->host == NULL)
        return;
    loop_timer_cancel(host->loop, &in->timer);
    loop_task_cancel(host->loop, &in->task);
    *in = (struct interim) { 0 };
}
