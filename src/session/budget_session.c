/* SPDX-License-Identifier: ISC */
/*
 * Sessions and their budgets: who has which, who waits, whose turn it is. Serves the relay and the
 * associations. In a line everybody gets the same share and who wants more stands at its end again, so
 * that a session that moves much leaves room to those that move little.
 */
#include "src/session/session_private.h"

#include "src/core/log.h"

#include <stdlib.h>

/* ---- the line ---- */

static void
line_leave(struct session_budget *w)
{
    struct budget *b = w->line;

    if (b == NULL)
        return;
    if (w->prev != NULL)
        w->prev->next = w->next;
    else
        b->first = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    else
        b->last = w->prev;
    w->next = w->prev = NULL;
    w->line = NULL;
    b->waiting--;
}

static void
line_join(struct session_budget *w, struct budget *b)
{
    w->line = b;
    w->prev = b->last;
    if (b->last != NULL)
        b->last->next = w;
    else
        b->first = w;
    b->last = w;
    b->waiting++;
}

static bool
empty(const struct budget *b)
{
    return b->rate > 0 && b->tokens <= 0;
}

/* One after the other, each that stood there when it began once. A session may end in its turn. */
static void
serve(struct budget *b)
{
    struct budgets *set = b->set;

    for (uint32_t left = b->waiting; left > 0 && b->first != NULL && !empty(b); left--) {
        struct session_budget *w = b->first;
        uint64_t share = b->rate > 0 ? (uint64_t)b->tokens / left : SIZE_MAX;

        line_leave(w);
        set->serving = w;
        set->share = share > BUDGET_SHARE_LEAST ? share : BUDGET_SHARE_LEAST;
        session_dispatch(w->session, SESSION_TURN);
        set->serving = NULL;
    }
    if (b->waiting > 0 && !empty(b))
        budget_serve_soon(b);
    budget_want(b);
}

void
budgets_serve(struct loop_task *task)
{
    struct budgets *set = (struct budgets *)((char *)task - offsetof(struct budgets, task));
    struct budget *list = set->soon;

    set->soon = NULL;
    while (list != NULL) {
        struct budget *b = list;

        list = b->soon_next;
        b->soon = false;
        serve(b);
        budget_give(&b);
    }
}

void
budget_serve_soon(struct budget *b)
{
    struct budgets *set = b->set;

    if (b->soon)
        return;
    b->soon = true;
    b->references++;
    b->soon_next = set->soon;
    set->soon = b;
    loop_defer(set->loop, &set->task);
}

/* ---- what a session has ---- */

static int
take(struct session *s, uint32_t index, uint64_t rate, const char *user, struct budget **out)
{
    if (rate == 0 || user == NULL)
        return 0;
    *out = budget_take(&s->host->budgets, index, rate, user);
    return *out == NULL ? -1 : 0;
}

static int
take_both(struct session *s, struct budget *of[2])
{
    uint32_t index;
    const struct image_rule *rule = budgets_limited(&s->host->budgets, s->slot->rule, &index);

    if (rule == NULL)
        return 0;
    if (take(s, index, rule->bandwidth, "", &of[0]) == 0
        && take(s, index, rule->user_bandwidth, table_user(s->slot), &of[1]) == 0)
        return 0;
    budget_give(&of[0]);
    return -1;
}

static bool
has_these(const struct session *s, struct budget *const of[2])
{
    if (s->budget == NULL)
        return of[0] == NULL && of[1] == NULL;
    return s->budget->of[0] == of[0] && s->budget->of[1] == of[1];
}

static void
begin_with(struct session *s, struct session_budget *w)
{
    bool waited = s->budget != NULL && budget_parked(s);

    budget_release(s);
    s->budget = w;
    for (size_t i = 0; w != NULL && i < SP_COUNT(w->of); i++)
        if (w->of[i] != NULL)
            budget_want(w->of[i]);
    if (waited)
        session_again(s);
}

int
budget_bind(struct session *s)
{
    struct budget *of[2] = { NULL, NULL };
    struct session_budget *w = NULL;

    if (s->budget == NULL && s->host->budgets.limited_count == 0)
        return 0;
    if (take_both(s, of) < 0)
        return -1;
    bool same = has_these(s, of);

    if (!same && (of[0] != NULL || of[1] != NULL))
        w = calloc(1, sizeof *w);
    if (w != NULL)
        *w = (struct session_budget) { .session = s, .of = { of[0], of[1] } };
    bool failed = !same && w == NULL && (of[0] != NULL || of[1] != NULL);

    if (!same && !failed)
        begin_with(s, w);
    if (same || failed) {
        budget_give(&of[0]);
        budget_give(&of[1]);
    }
    return failed ? -1 : 0;
}

void
budget_release(struct session *s)
{
    struct session_budget *w = s->budget;

    if (w == NULL)
        return;
    s->budget = NULL;
    if (s->host->budgets.serving == w)
        s->host->budgets.serving = NULL;
    line_leave(w);
    budget_give(&w->of[0]);
    budget_give(&w->of[1]);
    free(w);
}

void
session_rule_changed(struct session *s)
{
    /* Before it moves anything it has none: phase relay takes them, an association with its first rule. */
    if ((s->setup == NULL || s->udp != NULL) && budget_bind(s) < 0)
        log_error("session %016llx: no memory for its bandwidth", (unsigned long long)s->id);
}

/* ---- moving ---- */

size_t
budget_allowance(const struct session *s)
{
    const struct session_budget *w = s->budget;
    const struct budgets *set = &s->host->budgets;
    bool turn = set->serving == w;
    uint64_t most = turn ? set->share : SIZE_MAX;

    if (w->line != NULL)
        return 0;
    for (size_t i = 0; i < SP_COUNT(w->of); i++) {
        const struct budget *b = w->of[i];

        if (b == NULL || b->rate == 0)
            continue;
        /* Those in line come first; but who has just been called goes in line a second time for nobody. */
        if (b->tokens <= 0 || (b->waiting > 0 && !turn))
            return 0;
        if (most > (uint64_t)b->tokens)
            most = (uint64_t)b->tokens;
    }
    return (size_t)most;
}

void
budget_spend(struct session *s, uint64_t bytes)
{
    for (size_t i = 0; i < SP_COUNT(s->budget->of); i++) {
        struct budget *b = s->budget->of[i];

        if (b == NULL || b->rate == 0)
            continue;
        b->tokens -= (int64_t)bytes;
        budget_want(b);
    }
}

/* In the line of the one that is empty, or where others wait. */
static struct budget *
line_for(const struct session_budget *w)
{
    for (size_t i = 0; i < SP_COUNT(w->of); i++)
        if (w->of[i] != NULL && empty(w->of[i]))
            return w->of[i];
    for (size_t i = 0; i < SP_COUNT(w->of); i++)
        if (w->of[i] != NULL && w->of[i]->waiting > 0)
            return w->of[i];
    return w->of[0] != NULL ? w->of[0] : w->of[1];
}

void
budget_park(struct session *s)
{
    struct session_budget *w = s->budget;

    if (w->line != NULL)
        return;
    struct budget *b = line_for(w);

    line_join(w, b);
    if (empty(b))
        budget_want(b);
    else
        budget_serve_soon(b);
}

bool
budget_parked(const struct session *s)
{
    return s->budget->line != NULL;
}

bool
budget_take_datagram(struct session *s, size_t len)
{
    for (size_t i = 0; i < SP_COUNT(s->budget->of); i++) {
        struct budget *b = s->budget->of[i];

        if (b != NULL && b->rate > 0 && b->tokens <= -(int64_t)budget_ahead(b)) {
            budget_want(b);
            return false;
        }
    }
    budget_spend(s, len);
    return true;
}
