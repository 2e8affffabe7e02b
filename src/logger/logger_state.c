/* SPDX-License-Identifier: ISC */
/*
 * The state of the log target for the master: at most once a second, and only when it changed. Serves
 * the pump. A message that does not get through is made anew a second later.
 */
#include "src/logger/logger.h"

#include "src/core/log.h"

#include <errno.h>

#define TELL_EVERY_US CLOCK_SECOND_US
#define STUCK_US CLOCK_SECOND_US /* a full socket is daily business, one that stays full is not */

static bool
is_stuck(const struct logger *lg)
{
    if (lg->target.complained)
        return true;
    return lg->full && mono_diff_us(loop_now(lg->child.loop), lg->full_since) >= STUCK_US;
}

/* The wall clock's time of the moment it began. */
static void
note_stuck(struct logger *lg)
{
    if (!is_stuck(lg))
        lg->stuck_since.us = 0;
    else if (lg->stuck_since.us == 0)
        lg->stuck_since.us = loop_wall(lg->child.loop).us - (lg->full ? STUCK_US : 0);
}

static struct ipc_audit_state
state_now(struct logger *lg)
{
    note_stuck(lg);
    return (struct ipc_audit_state) {
        .connected = lg->target.fd >= 0 && !lg->target.complained,
        .stuck_since = lg->stuck_since,
        .waiting = rings_records_waiting(&lg->rings),
        .lost_told = lg->rings.lost_told,
        .lost_untold = rings_lost_untold(&lg->rings),
    };
}

static bool
same(const struct ipc_audit_state *a, const struct ipc_audit_state *b)
{
    return a->connected == b->connected && a->stuck_since.us == b->stuck_since.us
        && a->waiting == b->waiting && a->lost_told == b->lost_told
        && a->lost_untold == b->lost_untold;
}

static void
tell(struct logger *lg)
{
    struct ipc_audit_state now = state_now(lg);
    uint8_t body[IPC_BODY_MAX];

    lg->told_at = loop_now(lg->child.loop);
    if (same(&now, &lg->told))
        return;
    size_t len = ipc_audit_state_encode(&now, body, sizeof body);

    if (child_send(&lg->child, IPC_AUDIT_STATE, body, len) == 0)
        lg->told = now;
    else if (errno == EAGAIN)
        state_changed(lg);
}

static void
on_timer(struct loop_timer *timer)
{
    tell((struct logger *)((char *)timer - offsetof(struct logger, told_timer)));
}

void
state_changed(struct logger *lg)
{
    struct loop *loop = lg->child.loop;
    struct mono due = mono_add_us(lg->told_at, TELL_EVERY_US);

    if (lg->child.orphan || loop_timer_armed(&lg->told_timer))
        return;
    lg->told_timer.expired = on_timer;
    if (!mono_before(loop_now(loop), due))
        tell(lg);
    else if (loop_timer_set(loop, &lg->told_timer, due) < 0)
        log_warn("no memory for a timer: the master hears of the log target later");
}
