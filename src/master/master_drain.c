/* SPDX-License-Identifier: ISC */
/*
 * Draining: nothing more is accepted, sessions have timeouts.drain to end, then the gateway ends as with
 * SIGTERM. Serves operators.
 */
#include "src/master/master_private.h"

#include "src/core/log.h"

bool
draining(const struct master *m)
{
    return m->draining;
}

static void
drain_over(struct loop_timer *timer)
{
    struct master *m = CONTAINER(timer, struct master, drain);

    stop_begin(m, "drain");
}

void
drain_begin(struct master *m, const char *why)
{
    uint32_t seconds = m->settings->timeouts.drain;

    if (m->draining || m->stop != STOP_NOT)
        return;
    m->draining = true;
    reload_give_up(m); /* it would open listeners */
    log_info("%s: nothing more is accepted; %u sessions have %u s to end", why,
        (unsigned)sessions_count(&m->sessions), (unsigned)seconds);
    accept_pause(m, PAUSE_START);
    dispatch_flush(m);
    listeners_close(m);
    m->drain.expired = drain_over;
    if (loop_timer_set(m->loop, &m->drain, mono_add_seconds(loop_now(m->loop), seconds)) < 0)
        log_fatal("no memory for a timer");
    drain_look(m);
}

void
drain_look(struct master *m)
{
    if (!m->draining || m->stop != STOP_NOT || sessions_count(&m->sessions) > 0)
        return;
    /* Not from inside the message that ended the last one. */
    if (loop_timer_set(m->loop, &m->drain, loop_now(m->loop)) < 0)
        log_fatal("no memory for a timer");
}
