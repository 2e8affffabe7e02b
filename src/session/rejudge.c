/* SPDX-License-Identifier: ISC */
/*
 * Live sessions judged again because the rules are others, or the hour: a walk through all of them, about a
 * millisecond a turn. Sessions may begin and end meanwhile: one that begins is judged by what is in force,
 * one that ends moves the walk on (session.c). What changes during a walk holds for the rest of it, and for
 * another walk behind it. How a session is judged its phase knows. Serves src/worker; nothing here fails.
 */
#include "src/session/session_private.h"

#include "src/core/ring.h"

#define RING_LOW (RING_DATA_SIZE / 4U) /* of the event ring: its reader gets some time */
#define PAUSE_MS 5
#define PATIENCE_SECONDS 5 /* for the audit; then what is not allowed ends all the same */

static void walk(struct session_host *host);

static void
task_run(struct loop_task *task)
{
    walk((struct session_host *)((char *)task - offsetof(struct session_host, rejudge.task)));
}

static void
pause_over(struct loop_timer *timer)
{
    walk((struct session_host *)((char *)timer - offsetof(struct session_host, rejudge.pause)));
}

/* Thousands that end at once write more records than the ring holds. */
static bool
audit_behind(const struct session_host *host)
{
    struct mono end = mono_add_seconds(host->rejudge.began, PATIENCE_SECONDS);

    return ring_room(host->ring) < RING_LOW && mono_before(loop_now(host->loop), end);
}

static void
walk_on(struct session_host *host)
{
    struct session_rejudge *r = &host->rejudge;

    r->task.run = task_run;
    r->pause.expired = pause_over;
    if (!audit_behind(host) ||
        loop_timer_set(host->loop, &r->pause,
            mono_add_us(loop_now(host->loop), PAUSE_MS * CLOCK_MSEC_US)) < 0)
        loop_defer(host->loop, &r->task);
}

static void
round_begin(struct session_host *host, struct session_round round)
{
    struct session_rejudge *r = &host->rejudge;

    r->running = true;
    r->again = false;
    r->now = round;
    r->ended = 0;
    r->next = host->first;
    r->began = loop_now(host->loop);
    r->task.run = task_run;
    loop_defer(host->loop, &r->task);
}

static void
round_done(struct session_host *host)
{
    struct session_rejudge *r = &host->rejudge;
    uint64_t generation = r->now.generation;
    uint32_t ended = r->ended;

    r->running = false;
    if (r->again)
        round_begin(host, r->after);
    if (generation != 0 && host->rejudged != NULL)
        host->rejudged(host, generation, ended);
}

static void
walk(struct session_host *host)
{
    struct session_rejudge *r = &host->rejudge;
    struct mono end = session_slice_end(host);
    uint32_t ended = r->ended;

    while (r->next != NULL) {
        struct session *s = r->next;

        r->next = s->next;
        session_dispatch_judge(s);
        if (session_slice_over(host, end) || (r->ended != ended && audit_behind(host))) {
            walk_on(host);
            return;
        }
    }
    round_done(host);
}

/* A round that is under way is no longer about less than this. */
static void
round_widen(struct session_round *to, const struct session_round *by)
{
    to->only_time = to->only_time && by->only_time;
    to->timers = to->timers || by->timers;
}

static void
begin(struct session_host *host, struct session_round round)
{
    struct session_rejudge *r = &host->rejudge;

    if (!r->running) {
        round_begin(host, round);
        return;
    }
    round_widen(&r->now, &round);
    if (r->again) {
        round_widen(&round, &r->after);
        round.generation = round.generation != 0 ? round.generation : r->after.generation;
    }
    r->again = true;
    r->after = round;
}

void
session_rejudge(struct session_host *host, uint64_t generation, bool timers)
{
    begin(host, (struct session_round) { .generation = generation, .timers = timers });
}

bool
session_rejudge_time(struct session_host *host, int64_t before, int64_t now)
{
    if (!policy_time_differs(host->image, before, now))
        return false;
    session_rejudge_clock(host);
    return true;
}

void
session_rejudge_clock(struct session_host *host)
{
    host->epoch++;
    begin(host, (struct session_round) { .only_time = true });
}

/* ---- one session ---- */

/* Its success reply is out, for a BIND the second one, and there is nothing left to say. */
static bool
has_its_answer(const struct session *s)
{
    return s->phase == SESSION_REPLY || s->phase == SESSION_RELAY || s->phase == SESSION_ASSOCIATE;
}

struct session_step
session_revoke(struct session *s, const struct policy_verdict *verdict)
{
    const char *detail = verdict->detail != NULL ? verdict->detail : verdict->reason;

    if (s->host->rejudge.now.only_time)
        detail = "time";
    s->host->rejudge.ended++;
    session_show_rule(s, policy_rule_title(s->host->image, verdict->rule));
    if (has_its_answer(s))
        return step_fail(s, REASON_POLICY, detail);
    return step_refuse(s, REASON_POLICY, SOCKS5_NOT_ALLOWED, detail);
}

/* As when it connected (phase_connect.c), or when its peer did (phase_bind.c). */
struct session_step
session_judge_live(struct session *s)
{
    const struct table_slot *slot = s->slot;
    struct policy_verdict verdict = session_judge(s, s->host->own, &slot->address);

    if (!verdict.allowed || session_met_itself(s, &slot->egress, &slot->address, &verdict))
        return session_revoke(s, &verdict);
    session_set_verdict(s, &verdict);
    return step_wait();
}
