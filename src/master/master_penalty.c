/* SPDX-License-Identifier: ISC */
/* Histories of failed logins and their penalties, see the header. Bounded: the oldest quiet one goes. */
#include "src/master/master_penalty.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_PARTS 16U

/* ---- lists ---- */

static void
list_push(struct history_list *list, struct history *h)
{
    h->next = NULL;
    h->prev = list->tail;
    if (list->tail != NULL)
        list->tail->next = h;
    else
        list->head = h;
    list->tail = h;
    list->count++;
}

static void
list_remove(struct history_list *list, struct history *h)
{
    if (h->prev != NULL)
        h->prev->next = h->next;
    else
        list->head = h->next;
    if (h->next != NULL)
        h->next->prev = h->prev;
    else
        list->tail = h->prev;
    list->count--;
}

static void
unlist(struct penalties *p, struct history *h)
{
    list_remove(h->standing ? &p->standing : &p->quiet, h);
    if (h->standing && h->user[0] == '\0')
        p->standing_clients--;
    h->standing = false;
}

static void
make_quiet(struct penalties *p, struct history *h)
{
    unlist(p, h);
    h->lifted = false;
    list_push(&p->quiet, h);
}

static void
make_standing(struct penalties *p, struct history *h)
{
    unlist(p, h);
    h->standing = true;
    h->change = ++p->change;
    list_push(&p->standing, h);
    if (h->user[0] == '\0')
        p->standing_clients++;
}

static void
history_free(struct penalties *p, struct history *h)
{
    unlist(p, h);
    map_remove(&p->map, &h->node);
    free(h);
}

/* ---- finding ---- */

static uint64_t
hash_of(const struct penalties *p, struct client_key client, const char *user)
{
    return map_hash(&p->map, map_hash(&p->map, 0, &client, sizeof client), user, strlen(user));
}

static struct history *
history_find(const struct penalties *p, struct client_key client, const char *user)
{
    _Static_assert(offsetof(struct history, node) == 0, "a node is its history");
    uint64_t hash = hash_of(p, client, user);

    for (struct map_node *n = map_first(&p->map, hash); n != NULL; n = map_next(n)) {
        struct history *h = (struct history *)n;

        if (client_same(h->client, client) && strcmp(h->user, user) == 0)
            return h;
    }
    return NULL;
}

static struct history *
history_new(struct penalties *p, struct client_key client, const char *user, struct mono now)
{
    size_t len = strlen(user);
    struct history *h = calloc(1, sizeof *h + len + 1);

    if (h == NULL)
        return NULL;
    if (p->map.count >= p->max)
        history_free(p, p->quiet.head != NULL ? p->quiet.head : p->standing.head);
    h->node.hash = hash_of(p, client, user);
    h->client = client;
    h->last = h->until = now;
    memcpy(h->user, user, len + 1);
    if (map_put(&p->map, &h->node) < 0) {
        free(h);
        return NULL;
    }
    list_push(&p->quiet, h);
    return h;
}

/* ---- the window ---- */

static void
window_clear(struct history *h)
{
    memset(h->counts, 0, sizeof h->counts);
    memset(h->unnamed, 0, sizeof h->unnamed);
}

/* Slots that have left the window are empty again. A number that goes back is another window's. */
static void
window_move(struct history *h, int64_t slot)
{
    if (slot < h->slot || slot - h->slot >= PENALTY_SLOTS)
        window_clear(h);
    else
        for (int64_t i = h->slot + 1; i <= slot; i++)
            h->counts[i % PENALTY_SLOTS] = h->unnamed[i % PENALTY_SLOTS] = 0;
    h->slot = slot;
}

static void
window_add(const struct penalties *p, struct history *h, bool unnamed, struct mono now)
{
    int64_t slot = now.us / ((int64_t)p->rules.window * CLOCK_SECOND_US / (PENALTY_SLOTS - 1));
    size_t at = (size_t)(slot % PENALTY_SLOTS);

    window_move(h, slot);
    if (h->counts[at] == UINT32_MAX)
        return;
    h->counts[at]++;
    h->unnamed[at] += unnamed;
}

static uint64_t
sum_of(const uint32_t slots[PENALTY_SLOTS])
{
    uint64_t sum = 0;

    for (size_t i = 0; i < PENALTY_SLOTS; i++)
        sum += slots[i];
    return sum;
}

/* ---- penalties ---- */

uint32_t
penalty_left(const struct history *h, struct mono now)
{
    int64_t left = mono_diff_us(h->until, now);

    return left <= 0 ? 0 : (uint32_t)((left + CLOCK_SECOND_US - 1) / CLOCK_SECOND_US);
}

static bool
is_forgotten(const struct penalties *p, const struct history *h, struct mono now)
{
    struct mono since = mono_before(h->last, h->until) ? h->until : h->last;
    uint64_t keep = (uint64_t)h->seconds * PENALTY_MEMORY;

    if (keep < p->rules.window)
        keep = p->rules.window;
    return mono_diff_us(now, since) >= (int64_t)keep * CLOCK_SECOND_US;
}

static void
begin(struct penalties *p, struct history *h, struct mono now)
{
    uint64_t failures = sum_of(h->counts);
    uint64_t most = (uint64_t)p->rules.seconds * PENALTY_GROWTH;
    uint64_t seconds = h->seconds == 0 ? p->rules.seconds : (uint64_t)h->seconds * 2;
    uint32_t hour = p->rules.seconds > PENALTY_SECONDS_MAX ? p->rules.seconds : PENALTY_SECONDS_MAX;

    if (most > hour)
        most = hour;
    h->seconds = (uint32_t)(seconds < most ? seconds : most);
    h->until = mono_add_seconds(now, h->seconds);
    h->brought = failures > UINT32_MAX ? UINT32_MAX : (uint32_t)failures;
    h->lifted = false;
    window_clear(h);
    make_standing(p, h);
}

struct history *
penalties_fail(struct penalties *p, struct client_key client, const char *user, bool named,
    struct mono now)
{
    bool whole = user[0] == '\0';
    struct history *h = p->rules.failures == 0 ? NULL : history_find(p, client, user);

    if (p->rules.failures == 0)
        return NULL;
    if (h == NULL && (h = history_new(p, client, user, now)) == NULL)
        return NULL;
    if (mono_before(now, h->until))
        return NULL; /* it pays already */
    if (is_forgotten(p, h, now)) {
        window_clear(h);
        h->seconds = 0;
    }
    window_add(p, h, whole && !named, now);
    if (mono_before(h->last, now)) /* else it was lifted, and a pool may still believe in its old end */
        h->last = now;
    if (sum_of(h->counts) + sum_of(h->unnamed) * (PENALTY_SPRAY - 1)
        >= (uint64_t)p->rules.failures * (whole ? PENALTY_SPRAY : 1)) {
        begin(p, h, now);
        return h;
    }
    if (!h->standing)
        make_quiet(p, h); /* the youngest */
    return NULL;
}

void
penalties_succeed(struct penalties *p, struct client_key client, const char *user)
{
    struct history *h = p->map.count == 0 ? NULL : history_find(p, client, user);

    if (h != NULL)
        window_clear(h);
}

const struct history *
penalties_standing(const struct penalties *p, struct client_key client, const char *user,
    struct mono now)
{
    const struct history *h = history_find(p, client, user);

    return h != NULL && mono_before(now, h->until) ? h : NULL;
}

/* ---- all of them ---- */

/* A penalty for a user stays in the list as over, for as long as others believe in it. */
static bool
lift(struct penalties *p, struct history *h, struct mono now)
{
    bool stood = mono_before(now, h->until);

    if (!stood || h->user[0] == '\0') {
        if (!h->lifted)
            history_free(p, h);
        return stood;
    }
    h->last = h->until; /* until then nobody forgets it */
    h->until = now;
    h->seconds = 0;
    window_clear(h);
    make_standing(p, h);
    h->lifted = true;
    return true;
}

size_t
histories_lift(struct penalties *p,
    bool (*match)(const void *ctx, struct client_key client, const char *user), const void *ctx,
    struct mono now)
{
    size_t count = 0;

    for (uint32_t i = 0; i < p->map.size; i++) {
        for (struct map_node *n = map_bucket(&p->map, i), *next; n != NULL; n = next) {
            struct history *h = (struct history *)n;

            next = n->next;
            if (match(ctx, h->client, h->user))
                count += lift(p, h, now);
        }
    }
    return count;
}

static void
sweep_one(struct penalties *p, struct history *h, struct mono now)
{
    bool over = !mono_before(now, h->lifted ? h->last : h->until);

    if (is_forgotten(p, h, now))
        history_free(p, h);
    else if (h->standing && over)
        make_quiet(p, h);
}

void
penalties_sweep(struct penalties *p, struct mono now)
{
    uint32_t part = p->map.size / SWEEP_PARTS;

    for (uint32_t i = 0; i < part; i++) {
        if (p->swept >= p->map.size)
            p->swept = 0;
        for (struct map_node *n = map_bucket(&p->map, p->swept), *next; n != NULL; n = next) {
            next = n->next;
            sweep_one(p, (struct history *)n, now);
        }
        p->swept++;
    }
}

const struct history *
penalties_since(const struct penalties *p, uint64_t change)
{
    const struct history *h = p->standing.tail;

    if (h == NULL || h->change <= change)
        return NULL;
    if (change == 0)
        return p->standing.head;
    while (h->prev != NULL && h->prev->change > change)
        h = h->prev;
    return h;
}

void
penalties_init(struct penalties *p, uint32_t max)
{
    memset(p, 0, sizeof *p);
    map_init(&p->map);
    p->max = max;
}

void
penalties_free(struct penalties *p)
{
    while (p->quiet.head != NULL)
        history_free(p, p->quiet.head);
    while (p->standing.head != NULL)
        history_free(p, p->standing.head);
    map_free(&p->map);
}
