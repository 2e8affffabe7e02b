/* SPDX-License-Identifier: ISC */
/*
 * What a reload did to the sessions that live: workers judge them again after COMMIT and tell how many they
 * ended. Whoever asked for the reload hears the sum, and the log has it. Serves master_reload.c; nothing
 * waits for it but those who asked, and not for long.
 */
#include "src/master/master_private.h"

#include "src/core/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define JUDGED_SECONDS 8 /* a walk lets the audit keep up for five */

static bool
all_have_told(const struct master *m)
{
    for (const struct process *p = m->processes; p != NULL; p = p->next) {
        if (p->judging && process_alive(p))
            return false;
    }
    return true;
}

static void
answer(struct master *m)
{
    struct reload *r = &m->reload;
    struct reload_asker *askers = r->judging_askers;
    size_t len = strlen(r->judging_text);

    if (r->revoked > 0 || !all_have_told(m))
        (void)snprintf(r->judging_text + len, sizeof r->judging_text - len,
            "; %" PRIu64 " session%s that it does not allow ended%s", r->revoked,
            r->revoked == 1 ? "" : "s", all_have_told(m) ? "" : " so far");
    if (r->revoked > 0)
        log_info("%s", r->judging_text);
    if (r->judging == m->generation && r->last_ok)
        (void)snprintf(r->last, sizeof r->last, "%s", r->judging_text);
    r->judging = 0;
    r->judging_askers = NULL;
    loop_timer_cancel(m->loop, &r->judging_timer);
    askers_answer(&askers, true, r->judging_text);
}

static void
took_too_long(struct loop_timer *timer)
{
    answer(CONTAINER(timer, struct master, reload.judging_timer));
}

void
judged_look(struct master *m)
{
    if (m->reload.judging != 0 && all_have_told(m))
        answer(m);
}

void
judged_begin(struct master *m, struct reload_asker *askers)
{
    struct reload *r = &m->reload;

    judged_end(m);
    r->judging = m->generation;
    r->judging_askers = askers;
    r->revoked = 0;
    (void)snprintf(r->judging_text, sizeof r->judging_text, "%s", r->last);
    r->judging_timer.expired = took_too_long;
    if (loop_timer_set(m->loop, &r->judging_timer,
            mono_add_seconds(loop_now(m->loop), JUDGED_SECONDS)) < 0)
        answer(m);
    else
        judged_look(m);
}

void
judged_told(struct process *p, const struct ipc_rejudged *told)
{
    struct reload *r = &p->m->reload;

    if (r->judging != 0 && told->generation >= r->judging)
        r->revoked += told->ended;
    p->judging = p->judging && told->generation < p->generation;
    judged_look(p->m);
}

void
judged_end(struct master *m)
{
    if (m->reload.judging != 0)
        answer(m);
}
