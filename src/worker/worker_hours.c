/* SPDX-License-Identifier: ISC */
/*
 * Time windows open and close with the minutes of the wall clock: a timer looks a little after each of them.
 * Where somebody sets the clock it is noticed within a minute, and all sessions are judged again, whatever
 * the windows say: some may have begun by the wrong clock.
 */
#include "src/worker/worker.h"

#include "src/core/log.h"

#define MINUTE_US (60 * CLOCK_SECOND_US)
#define STEP_US (2 * CLOCK_SECOND_US) /* more is no drift */

static bool
has_windows(const struct image *image)
{
    struct image_list rules = image_header(image)->rules;

    for (uint32_t i = 0; i < rules.count; i++)
        if ((image_rule(image, i)->has & IMAGE_HAS_TIME) != 0)
            return true;
    return false;
}

static void hours_due(struct loop_timer *timer);

static void
wait_for_minute(struct worker *w)
{
    struct worker_hours *h = &w->hours;
    int64_t left;

    h->at = loop_wall(w->child.loop);
    h->at_mono = loop_now(w->child.loop);
    left = MINUTE_US - h->at.us % MINUTE_US;
    h->timer.expired = hours_due;
    if (loop_timer_set(w->child.loop, &h->timer, mono_add_us(h->at_mono, left)) < 0)
        log_error("no memory for a timer");
}

static bool
clock_was_set(const struct worker_hours *h, struct wall wall, struct mono mono)
{
    int64_t step = wall.us - h->at.us - mono_diff_us(mono, h->at_mono);

    return step > STEP_US || step < -STEP_US;
}

static void
hours_due(struct loop_timer *timer)
{
    struct worker *w = (struct worker *)((char *)timer - offsetof(struct worker, hours.timer));
    const struct worker_hours before = w->hours;

    loop_refresh(w->child.loop);
    wait_for_minute(w);
    if (clock_was_set(&before, w->hours.at, w->hours.at_mono))
        session_rejudge_clock(&w->host);
    else
        (void)session_rejudge_time(
            &w->host, before.at.us / CLOCK_SECOND_US, w->hours.at.us / CLOCK_SECOND_US);
}

void
worker_hours_begin(struct worker *w)
{
    loop_timer_cancel(w->child.loop, &w->hours.timer);
    if (has_windows(w->image))
        wait_for_minute(w);
}
