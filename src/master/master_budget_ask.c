/* SPDX-License-Identifier: ISC */
/*
 * What workers ask of the bandwidth, and the clock of the answers: a timer that runs while somebody waits,
 * and slowly while accounts are left. Serves master_receive.c.
 */
#include "src/master/master_private.h"

#include "src/core/ipc_budget.h"
#include "src/core/log.h"

#define SWEEP_US CLOCK_SECOND_US
#define ACCOUNTS_BESIDE 1024 /* rules, and users whose sessions have just ended */

static void turn(struct loop_timer *timer);

static void
grant(void *asker, uint32_t handle, uint32_t bytes)
{
    answers_grant(asker, handle, bytes);
}

/* Each session may ask for two. */
static uint32_t
accounts_for(uint64_t sessions)
{
    uint64_t most = 2 * sessions + ACCOUNTS_BESIDE;

    return most < IDMAP_MAX ? (uint32_t)most : IDMAP_MAX;
}

void
bandwidth_init(struct master *m)
{
    m->bandwidth.timer.expired = turn;
    ledger_init(&m->bandwidth.ledger, accounts_for(m->sessions.limit), grant);
}

void
bandwidth_adopt(struct master *m)
{
    m->bandwidth.ledger.max = accounts_for(m->sessions.limit);
    ledger_again(&m->bandwidth.ledger);
}

void
bandwidth_close(struct master *m)
{
    loop_timer_cancel(m->loop, &m->bandwidth.timer);
    ledger_free(&m->bandwidth.ledger);
}

/* Sooner when somebody waits. */
static void
arm(struct master *m)
{
    const struct ledger *b = &m->bandwidth.ledger;
    struct loop_timer *timer = &m->bandwidth.timer;
    int64_t us = b->waiting != NULL ? LEDGER_TURN_US : SWEEP_US;
    struct mono due = mono_add_us(loop_now(m->loop), us);

    if (b->map.count == 0 || (loop_timer_armed(timer) && !mono_before(due, timer->deadline)))
        return;
    if (loop_timer_set(m->loop, timer, due) < 0)
        log_fatal("no memory for a timer");
}

static void
turn(struct loop_timer *timer)
{
    struct master *m = CONTAINER(timer, struct master, bandwidth.timer);
    struct mono now = loop_now(m->loop);

    ledger_turn(&m->bandwidth.ledger, now);
    if (mono_diff_us(now, m->bandwidth.swept) >= SWEEP_US) {
        m->bandwidth.swept = now;
        ledger_sweep(&m->bandwidth.ledger, now);
    }
    arm(m);
}

bool
bandwidth_asked(struct process *p, const struct ipc_message *message)
{
    struct master *m = p->m;
    const struct image *image = m->config.image;
    struct ipc_budget_ask ask;

    if (ipc_budget_ask_decode(message, &ask) < 0)
        return false;
    if (ask.generation != image_header(image)->generation) {
        answers_grant(p, ask.handle, 0);
        return true;
    }
    if (ask.rule >= image_header(image)->rules.count)
        return false;
    const struct image_rule *rule = image_rule(image, ask.rule);
    uint64_t rate = ask.user[0] == '\0' ? rule->bandwidth : rule->user_bandwidth;
    struct ledger_ask question = { .asker = p, .handle = ask.handle, .wanted = ask.bytes,
        .accounts = &p->accounts, .accounts_most = accounts_for(p->capacity) };

    if (rate == 0) {
        answers_grant(p, ask.handle, ask.bytes);
        return true;
    }
    if (ledger_ask(&m->bandwidth.ledger, image_string(image, rule->title), ask.user, rate, &question,
            loop_now(m->loop)) < 0)
        answers_grant(p, ask.handle, 0); /* there are so many just now: it asks again */
    arm(m);
    return true;
}
