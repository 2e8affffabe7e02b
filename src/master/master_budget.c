/* SPDX-License-Identifier: ISC */
/* Token buckets and who waits at them, see the header. */
#include "src/master/master_budget.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MILLION UINT64_C(1000000)

void
ledger_init(struct ledger *b, uint32_t max,
    void (*grant)(void *asker, uint32_t handle, uint32_t bytes))
{
    memset(b, 0, sizeof *b);
    map_init(&b->map);
    b->max = max;
    b->grant = grant;
}

/* ---- accounts ---- */

static uint64_t
hash_of(const struct ledger *b, const char *title, const char *user)
{
    return map_hash(&b->map, map_hash(&b->map, 0, title, strlen(title)), user, strlen(user));
}

static struct ledger_account *
find(const struct ledger *b, uint64_t hash, const char *title, const char *user)
{
    _Static_assert(offsetof(struct ledger_account, node) == 0, "a node is its account");
    for (struct map_node *n = map_first(&b->map, hash); n != NULL; n = map_next(n)) {
        struct ledger_account *a = (struct ledger_account *)n;

        if (strcmp(a->title, title) == 0 && strcmp(a->user, user) == 0)
            return a;
    }
    return NULL;
}

static uint64_t
credit_max(const struct ledger_account *a)
{
    uint64_t most = a->rate * (uint64_t)LEDGER_BURST_US;

    return most < MILLION ? MILLION : most; /* a byte has to fit */
}

/* Brings the credit up to now. */
static void
fill(struct ledger_account *a, struct mono now)
{
    int64_t us = mono_diff_us(now, a->filled);
    uint64_t most = credit_max(a);

    a->filled = now;
    if (us > 0)
        a->credit += us < LEDGER_BURST_US ? (uint64_t)us * a->rate : most;
    if (a->credit > most)
        a->credit = most;
}

static bool
may_make(const struct ledger *b, const struct ledger_ask *ask)
{
    return b->map.count < b->max && (ask->accounts == NULL || *ask->accounts < ask->accounts_most);
}

static struct ledger_account *
make(struct ledger *b, uint64_t hash, const char *title, const char *user, struct mono now)
{
    size_t title_len = strlen(title), user_len = strlen(user);
    struct ledger_account *a = NULL;

    errno = ENOBUFS;
    if (title_len < sizeof a->title)
        a = calloc(1, sizeof *a + user_len + 1);
    if (a == NULL)
        return NULL;
    a->node.hash = hash;
    a->filled = now;
    a->credit = UINT64_MAX; /* full, whatever the rate is */
    memcpy(a->title, title, title_len + 1);
    memcpy(a->user, user, user_len + 1);
    if (map_put(&b->map, &a->node) == 0)
        return a;
    free(a);
    errno = ENOMEM;
    return NULL;
}

/* The rate is set before the credit is cut to it. */
static void
set_rate(struct ledger_account *a, uint64_t rate, struct mono now)
{
    if (a->credit != UINT64_MAX)
        fill(a, now);
    a->rate = rate < LEDGER_RATE_MAX ? rate : LEDGER_RATE_MAX;
    a->filled = now;
    if (a->credit > credit_max(a))
        a->credit = credit_max(a);
}

/* ---- who waits ---- */

static void
wait_begin(struct ledger *b, struct ledger_account *a)
{
    a->prev = NULL;
    a->next = b->waiting;
    if (a->next != NULL)
        a->next->prev = a;
    b->waiting = a;
}

static void
wait_end(struct ledger *b, struct ledger_account *a)
{
    if (a->prev != NULL)
        a->prev->next = a->next;
    else
        b->waiting = a->next;
    if (a->next != NULL)
        a->next->prev = a->prev;
    a->prev = a->next = NULL;
}

static void
ask_remove(struct ledger *b, struct ledger_account *a, struct ledger_ask **at)
{
    struct ledger_ask *ask = *at;

    *at = ask->next;
    free(ask);
    if (--a->ask_count == 0)
        wait_end(b, a);
}

static void
asker_remove(struct ledger *b, struct ledger_account *a, const void *asker)
{
    for (struct ledger_ask **at = &a->asks; *at != NULL; at = &(*at)->next) {
        if ((*at)->asker == asker) {
            ask_remove(b, a, at);
            return;
        }
    }
}

static int
ask_add(struct ledger *b, struct ledger_account *a, const struct ledger_ask *from)
{
    struct ledger_ask *ask = malloc(sizeof *ask), **at = &a->asks;

    if (ask == NULL)
        return -1;
    *ask = *from;
    ask->next = NULL;
    while (*at != NULL)
        at = &(*at)->next;
    *at = ask;
    if (a->ask_count++ == 0)
        wait_begin(b, a);
    return 0;
}

/* ---- giving ---- */

/* What is given at once where nobody waits: all of little, else half of what there is, so that the next one
   finds something too. 0: better wait for a turn. */
static uint32_t
at_once(const struct ledger_account *a, uint32_t wanted)
{
    uint64_t half = a->credit / MILLION / 2;
    uint64_t worth = a->rate * (uint64_t)LEDGER_TURN_US / MILLION;

    if (wanted <= half)
        return wanted;
    return half > worth ? (uint32_t)half : 0;
}

int
ledger_ask(struct ledger *b, const char *title, const char *user, uint64_t rate,
    const struct ledger_ask *ask, struct mono now)
{
    uint64_t hash = hash_of(b, title, user);
    struct ledger_account *a = find(b, hash, title, user);

    if (a == NULL && !may_make(b, ask)) {
        errno = ENOBUFS;
        return -1;
    }
    if (a == NULL) {
        if ((a = make(b, hash, title, user, now)) == NULL)
            return -1;
        a->maker = ask->accounts;
        if (a->maker != NULL)
            ++*a->maker;
    }
    set_rate(a, rate, now);
    a->used = now;
    asker_remove(b, a, ask->asker);
    if (ask->wanted == 0)
        return 0;
    uint32_t bytes = a->ask_count == 0 ? at_once(a, ask->wanted) : 0;

    if (bytes == 0)
        return ask_add(b, a, ask);
    a->credit -= bytes * MILLION;
    b->grant(ask->asker, ask->handle, bytes);
    return 0;
}

/* Divides bytes: the same for each, what one does not want goes to the others. */
static void
divide(struct ledger_account *a, uint64_t bytes)
{
    uint32_t hungry = a->ask_count;

    for (struct ledger_ask *ask = a->asks; ask != NULL; ask = ask->next)
        ask->share = 0;
    while (bytes > 0 && hungry > 0) {
        uint64_t each = bytes / hungry;

        hungry = 0;
        for (struct ledger_ask *ask = a->asks; ask != NULL && bytes > 0; ask = ask->next) {
            uint64_t more = each > 0 ? each : 1;

            if (more > ask->wanted - ask->share)
                more = ask->wanted - ask->share;
            ask->share += (uint32_t)more;
            bytes -= more;
            hungry += ask->share < ask->wanted;
        }
    }
}

/* Who got something has been answered. One that got nothing (there were fewer bytes than askers) stands
   before them next time. */
static void
serve(struct ledger *b, struct ledger_account *a, struct mono now)
{
    fill(a, now);
    divide(a, a->credit / MILLION);
    for (struct ledger_ask **at = &a->asks; *at != NULL;) {
        const struct ledger_ask *ask = *at;

        if (ask->share == 0) {
            at = &(*at)->next;
            continue;
        }
        a->used = now;
        a->credit -= ask->share * MILLION;
        b->grant(ask->asker, ask->handle, ask->share);
        ask_remove(b, a, at);
    }
}

void
ledger_turn(struct ledger *b, struct mono now)
{
    for (struct ledger_account *a = b->waiting, *next; a != NULL; a = next) {
        next = a->next;
        serve(b, a, now);
    }
}

void
ledger_forget(struct ledger *b, const void *asker, const uint32_t *accounts)
{
    for (struct ledger_account *a = b->waiting, *next; a != NULL; a = next) {
        next = a->next;
        asker_remove(b, a, asker);
    }
    for (uint32_t i = 0; i < b->map.size; i++) {
        for (struct map_node *n = map_bucket(&b->map, i); n != NULL; n = n->next) {
            struct ledger_account *a = (struct ledger_account *)n;

            if (a->maker == accounts)
                a->maker = NULL;
        }
    }
}

/* ---- the end of accounts ---- */

static void
account_free(struct ledger *b, struct ledger_account *a)
{
    while (a->asks != NULL)
        ask_remove(b, a, &a->asks);
    if (a->maker != NULL)
        --*a->maker;
    map_remove(&b->map, &a->node);
    free(a);
}

void
ledger_sweep(struct ledger *b, struct mono now)
{
    for (uint32_t i = 0; i < b->map.size; i++) {
        for (struct map_node *n = map_bucket(&b->map, i), *next; n != NULL; n = next) {
            struct ledger_account *a = (struct ledger_account *)n;

            next = n->next;
            if (a->ask_count == 0
                && mono_diff_us(now, a->used) >= LEDGER_IDLE_SECONDS * CLOCK_SECOND_US)
                account_free(b, a);
        }
    }
}

void
ledger_again(struct ledger *b)
{
    while (b->waiting != NULL) {
        struct ledger_account *a = b->waiting;

        b->grant(a->asks->asker, a->asks->handle, 0);
        ask_remove(b, a, &a->asks);
    }
}

void
ledger_free(struct ledger *b)
{
    for (uint32_t i = 0; i < b->map.size; i++) {
        while (map_bucket(&b->map, i) != NULL)
            account_free(b, (struct ledger_account *)map_bucket(&b->map, i));
    }
    map_free(&b->map);
}
