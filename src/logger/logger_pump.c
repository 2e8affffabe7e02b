/* SPDX-License-Identifier: ISC */
/*
 * When to look, when to wait and for what. Serves the logger's loop. While records come in, the rings
 * are looked at every few milliseconds and writers signal nothing; a look that finds nothing puts the
 * rings to sleep, and the next writer signals once. Both sides thus pay for batches, not for records.
 */
#include "src/logger/logger.h"

#include "src/core/log.h"
#include "src/core/title.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TICK_US (5 * CLOCK_MSEC_US)
#define TURN_BATCHES 16                   /* then heartbeat and messages have their turn */
#define FULL_RETRY_US CLOCK_SECOND_US     /* should the kernel not say that there is room */
#define FULL_TELL_US (5 * CLOCK_SECOND_US)
#define PROVE_IDLE_US CLOCK_SECOND_US
#define PROVE_LEAST_US CLOCK_MSEC_US
#define PROVE_MOST_US (100 * CLOCK_MSEC_US)

/* What a step leads to. */
enum next {
    NEXT_STEP,  /* another one */
    NEXT_TICK,  /* a look in a few milliseconds */
    NEXT_SLEEP, /* nothing to do */
    NEXT_PROVE, /* the same, but something sent is not proved safe */
    NEXT_ROOM,  /* the target says when */
    NEXT_RETRY  /* after the target's pause */
};

/* There will be no more of something. */
static bool
ending(const struct logger *lg)
{
    return lg->stopping || lg->child.orphan || rings_any_draining(&lg->rings);
}

/* Somebody waits for lines to be safe, not only sent. */
static bool
in_hurry(const struct logger *lg)
{
    return ending(lg) || rings_any_wanted(&lg->rings);
}

static void
target_is_full(struct logger *lg)
{
    struct mono now = loop_now(lg->child.loop);

    if (!lg->full)
        lg->full_since = now;
    lg->full = true;
    if (lg->full_told || mono_diff_us(now, lg->full_since) < FULL_TELL_US)
        return;
    lg->full_told = true;
    log_warn("log target %s %s takes nothing; records wait in their rings", lg->target.ops->name,
        lg->target.settings.path);
}

static void
target_has_room(struct logger *lg)
{
    if (lg->full_told)
        log_info("log target %s %s takes records again", lg->target.ops->name,
            lg->target.settings.path);
    lg->full = lg->full_told = false;
    lg->prove_us = PROVE_LEAST_US;
}

static enum next
send_step(struct logger *lg)
{
    uint64_t before = lg->target.sent;
    enum target_result result = batch_send(&lg->batch);

    if (lg->target.sent != before)
        target_has_room(lg);
    if (result == TARGET_FULL) {
        target_is_full(lg);
        return NEXT_ROOM;
    }
    return result == TARGET_LATER ? NEXT_RETRY : NEXT_STEP;
}

/* Nothing to send, but something sent is not safe. */
static enum next
prove_step(struct logger *lg)
{
    enum target_result result = batch_prove(&lg->batch);

    if (result == TARGET_LATER) {
        lg->prove_us = lg->prove_us < PROVE_MOST_US / 2 ? lg->prove_us * 2 : PROVE_MOST_US;
        return NEXT_PROVE;
    }
    lg->prove_us = PROVE_LEAST_US;
    return NEXT_STEP;
}

static enum next
step(struct logger *lg, bool worked)
{
    if (batch_unsent(&lg->batch) == 0)
        batch_fill(&lg->batch, ending(lg));
    if (batch_unsent(&lg->batch) > 0)
        return send_step(lg);
    if (batch_unsafe(&lg->batch) > 0
        && (lg->prove || in_hurry(lg) || batch_is_full(&lg->batch)))
        return prove_step(lg);
    if (worked)
        return NEXT_TICK;
    return batch_unsafe(&lg->batch) > 0 ? NEXT_PROVE : NEXT_SLEEP;
}

/* ---- waiting ---- */

static void
look_in(struct logger *lg, int64_t us)
{
    struct loop *loop = lg->child.loop;

    if (loop_timer_set(loop, &lg->timer, mono_add_us(loop_now(loop), us)) < 0)
        loop_defer(loop, &lg->task); /* without memory for a timer we look at every turn */
}

static void
go_to_sleep(struct logger *lg, bool unproved)
{
    lg->asleep = rings_sleep(&lg->rings);
    /* Whoever begins to wait from here on wakes us. */
    bool urgent = in_hurry(lg) || batch_is_full(&lg->batch);

    lg->prove = unproved;
    if (unproved)
        look_in(lg, urgent ? lg->prove_us : lg->asleep ? PROVE_IDLE_US : TICK_US);
    else if (!lg->asleep)
        look_in(lg, TICK_US);
}

static void
wait_for(struct logger *lg, enum next next)
{
    switch (next) {
    case NEXT_STEP:
        loop_defer(lg->child.loop, &lg->task);
        break;
    case NEXT_TICK:
        look_in(lg, TICK_US);
        break;
    case NEXT_SLEEP:
    case NEXT_PROVE:
        go_to_sleep(lg, next == NEXT_PROVE);
        break;
    case NEXT_ROOM:
        look_in(lg, target_wait(&lg->target) == 0 ? FULL_RETRY_US : TARGET_RETRY_LEAST_US);
        break;
    case NEXT_RETRY:
        look_in(lg, lg->target.retry_us);
        break;
    }
}

static void
awake(struct logger *lg)
{
    if (lg->asleep)
        rings_awake(&lg->rings);
    lg->asleep = false;
}

static void
show_title(const struct logger *lg)
{
    title_set("%zu rings, %zu waiting", lg->rings.count, rings_waiting(&lg->rings));
}

void
pump_run(struct logger *lg)
{
    enum next next = NEXT_STEP;
    bool worked = false;
    uint64_t before = lg->target.sent;

    awake(lg);
    loop_timer_cancel(lg->child.loop, &lg->timer);
    for (int i = 0; i < TURN_BATCHES && next == NEXT_STEP; i++) {
        next = step(lg, worked);
        worked = lg->target.sent != before;
    }
    lg->prove = false;
    logger_release(lg);
    wait_for(lg, next);
    state_changed(lg);
    show_title(lg);
}

void
pump_soon(struct logger *lg)
{
    if (in_hurry(lg)) {
        pump_run(lg);
        return;
    }
    /* While we wait for the target, or look again soon anyway, that is soon enough. */
    if (!lg->asleep)
        return;
    awake(lg);
    look_in(lg, TICK_US);
}

/* ---- events ---- */

static void
on_wake(struct loop_io *io, uint32_t events)
{
    struct logger *lg = (struct logger *)((char *)io - offsetof(struct logger, wake_io));
    uint64_t count;

    (void)events;
    if (read(lg->child.wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        log_fatal("wake-up descriptor: %s", strerror(errno));
    pump_soon(lg);
}

static void
on_timer(struct loop_timer *timer)
{
    pump_run((struct logger *)((char *)timer - offsetof(struct logger, timer)));
}

static void
on_task(struct loop_task *task)
{
    pump_run((struct logger *)((char *)task - offsetof(struct logger, task)));
}

static void
on_writable(struct target *t)
{
    pump_run((struct logger *)((char *)t - offsetof(struct logger, target)));
}

int
pump_init(struct logger *lg)
{
    lg->wake_io.ready = on_wake;
    lg->timer.expired = on_timer;
    lg->task.run = on_task;
    lg->target.writable = on_writable;
    lg->prove_us = PROVE_LEAST_US;
    lg->asleep = true; /* nobody looks yet: the first ring starts it */
    return loop_io_add(lg->child.loop, &lg->wake_io, lg->child.wake_fd, EPOLLIN);
}
