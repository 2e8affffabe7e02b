/* SPDX-License-Identifier: ISC */
/*
 * Budgets, and asking the master for what is in them. Serves budget_session.c and the worker. An ask is for
 * what a budget may use in an eighth of a second, the next one leaves when three quarters of it are used,
 * and there is never a second one on its way: what a worker holds unused is bounded by one ask.
 */
#include "src/session/session_private.h"

#include "src/core/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_US (CLOCK_SECOND_US / BUDGET_ASKS_PER_SECOND)

/* ---- finding ---- */

uint32_t
budget_hash(const char *title, const char *user)
{
    uint32_t h = 2166136261U; /* FNV-1a */

    for (; *title != '\0'; title++)
        h = (h ^ (uint8_t)*title) * 16777619U;
    h *= 16777619U;
    for (; *user != '\0'; user++)
        h = (h ^ (uint8_t)*user) * 16777619U;
    return h;
}

static struct budget **
bucket(struct budgets *set, const char *title, const char *user)
{
    return &set->buckets[budget_hash(title, user) % BUDGET_BUCKETS];
}

static struct budget *
find(struct budgets *set, const char *title, const char *user)
{
    struct budget *b = *bucket(set, title, user);

    while (b != NULL && (strcmp(b->title, title) != 0 || strcmp(b->user, user) != 0))
        b = b->chain;
    return b;
}

/* ---- those without a session ---- */

static void
idle_remove(struct budget *b)
{
    struct budgets *set = b->set;

    if (b->idle_prev != NULL)
        b->idle_prev->idle_next = b->idle_next;
    else
        set->idle_first = b->idle_next;
    if (b->idle_next != NULL)
        b->idle_next->idle_prev = b->idle_prev;
    else
        set->idle_last = b->idle_prev;
    b->idle_next = b->idle_prev = NULL;
    set->idle_count--;
}

static void
idle_add(struct budget *b)
{
    struct budgets *set = b->set;

    b->idle_prev = set->idle_last;
    if (set->idle_last != NULL)
        set->idle_last->idle_next = b;
    else
        set->idle_first = b;
    set->idle_last = b;
    set->idle_count++;
}

static int send_ask(struct budget *b, uint32_t bytes);

static void
destroy(struct budget *b)
{
    struct budget **at = bucket(b->set, b->title, b->user);

    /* A rule that is gone has no number, and the master answered all questions about it. */
    if (b->asked > 0 && !b->unsent && b->rate > 0)
        (void)send_ask(b, 0); /* the master need not answer any more; an answer finds nobody */
    while (*at != b)
        at = &(*at)->chain;
    *at = b->chain;
    (void)idmap_remove(&b->set->by_handle, b->handle);
    idle_remove(b);
    free(b);
}

/* ---- their life ---- */

static struct budget *
make(struct budgets *set, const char *title, const char *user)
{
    size_t len = strlen(user) + 1;
    struct budget *b = calloc(1, sizeof *b + len);

    if (b == NULL)
        return NULL;
    b->set = set;
    if (++set->last_handle == 0)
        set->last_handle = 1;
    b->handle = set->last_handle;
    memcpy(b->user, user, len);
    table_text(b->title, sizeof b->title, title, strlen(title));
    if (idmap_put(&set->by_handle, b->handle, b) < 0) {
        free(b);
        return NULL;
    }
    struct budget **at = bucket(set, b->title, b->user);

    b->chain = *at;
    *at = b;
    idle_add(b);
    return b;
}

struct budget *
budget_take(struct budgets *set, uint32_t rule, uint64_t rate, const char *user)
{
    const char *title = policy_rule_title(set->host->image, rule);
    struct budget *b = find(set, title, user);

    if (b == NULL)
        b = make(set, title, user);
    if (b == NULL)
        return NULL;
    b->rule = rule;
    b->rate = rate;
    if (b->references++ == 0)
        idle_remove(b);
    return b;
}

void
budget_give(struct budget **budget)
{
    struct budget *b = *budget;

    *budget = NULL;
    if (b == NULL || --b->references > 0)
        return;
    idle_add(b);
    if (b->set->idle_count > BUDGET_IDLE_MAX)
        destroy(b->set->idle_first);
}

void
budgets_close(struct budgets *set)
{
    if (set->loop == NULL)
        return;
    while (set->soon != NULL) {
        struct budget *b = set->soon;

        set->soon = b->soon_next;
        budget_give(&b);
    }
    loop_timer_cancel(set->loop, &set->retry);
    loop_task_cancel(set->loop, &set->task);
    while (set->idle_first != NULL)
        destroy(set->idle_first);
    idmap_free(&set->by_handle);
    free(set->by_title);
    set->by_title = NULL;
    set->loop = NULL;
}

/* ---- asking ---- */

static uint32_t
amount(const struct budget *b)
{
    uint64_t bytes = b->rate / BUDGET_ASKS_PER_SECOND;

    if (bytes < BUDGET_ASK_LEAST)
        return BUDGET_ASK_LEAST;
    return bytes < BUDGET_ASK_MOST ? (uint32_t)bytes : BUDGET_ASK_MOST;
}

uint32_t
budget_ahead(const struct budget *b)
{
    return amount(b);
}

static void
retry_later(struct budgets *set)
{
    if (loop_timer_armed(&set->retry))
        return;
    if (loop_timer_set(set->loop, &set->retry, mono_add_us(loop_now(set->loop), RETRY_US)) < 0)
        log_error("no memory for a timer: bandwidth is asked for later");
}

/* 0, or an errno: then it is tried again, unless it only takes one back. */
static int
send_ask(struct budget *b, uint32_t bytes)
{
    struct ipc_budget_ask ask = {
        .generation = image_header(b->set->host->image)->generation,
        .rule = b->rule,
        .handle = b->handle,
        .bytes = bytes,
    };

    table_text(ask.user, sizeof ask.user, b->user, strlen(b->user));
    int error = b->set->ask(b->set->host, &ask) < 0 ? errno : 0;

    b->unsent = error != 0;
    if (b->unsent && bytes > 0)
        retry_later(b->set);
    return error;
}

void
budget_want(struct budget *b)
{
    uint32_t most = amount(b);

    if (b->asked > 0 || b->rate == 0 || b->tokens > (int64_t)(most / 4))
        return;
    int64_t bytes = (int64_t)most - b->tokens;

    b->asked = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
    (void)send_ask(b, b->asked);
}

/* ---- granting ---- */

static void
granted(struct budget *b, uint32_t bytes)
{
    b->asked = 0;
    b->unsent = false;
    b->tokens += bytes;
    if (b->tokens > (int64_t)amount(b))
        b->tokens = (int64_t)amount(b);
    if (b->waiting > 0)
        budget_serve_soon(b);
    if (b->waiting > 0 && b->tokens <= 0)
        budget_want(b);
}

void
budgets_grant(struct budgets *set, const struct ipc_budget_grant *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct budget *b = idmap_get(&set->by_handle, list[i].handle);

        if (b == NULL || b->asked == 0 || b->unsent)
            continue;
        if (list[i].bytes > 0) {
            granted(b, list[i].bytes);
            continue;
        }
        b->unsent = true; /* it was about another image */
        retry_later(set);
    }
}

/* Asks that were not sent are tried again; without a master a budget grants itself what it asked for in
   the time that has passed. */
static void
on_retry(struct loop_timer *timer)
{
    struct budgets *set = (struct budgets *)((char *)timer - offsetof(struct budgets, retry));
    struct idmap_iter it = idmap_iterate(&set->by_handle);
    uint64_t id;
    void *value;

    while (idmap_next(&it, &id, &value)) {
        struct budget *b = value;

        if (!b->unsent)
            continue;
        if (b->rate == 0 || send_ask(b, b->asked) == EPIPE)
            granted(b, b->asked < amount(b) ? b->asked : amount(b));
    }
}

void
budgets_orphaned(struct budgets *set)
{
    struct idmap_iter it = idmap_iterate(&set->by_handle);
    uint64_t id;
    void *value;

    while (idmap_next(&it, &id, &value)) {
        struct budget *b = value;

        b->unsent = b->unsent || b->asked > 0;
    }
    retry_later(set);
}

/* ---- all of them ---- */

void
budgets_open(struct budgets *set, struct session_host *host,
    int (*ask)(struct session_host *host, const struct ipc_budget_ask *ask))
{
    set->host = host;
    set->loop = host->loop;
    set->ask = ask;
    set->retry.expired = on_retry;
    set->task.run = budgets_serve;
    idmap_init(&set->by_handle, IDMAP_MAX);
}
