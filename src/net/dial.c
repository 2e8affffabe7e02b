/* SPDX-License-Identifier: ISC */
/*
 * Which address to try when (RFC 8305): families alternate, the preferred one first; the next attempt
 * begins when the last one failed, or 250 ms after it began. Serves the session. Errors are the
 * attempts' and end in the result; only dial_start() and dial_add() return one.
 */
#include "src/net/dial_private.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void dial_step(struct dial *dial, bool may_finish);

/* ---- addresses ---- */

static int
family_of(const struct addr *a)
{
    return a->family == ADDR_IPV6 ? DIAL_IPV6 : DIAL_IPV4;
}

static int
preferred_family(const struct dial *d)
{
    return d->settings->prefer == DIAL_PREFER_IPV4 ? DIAL_IPV4 : DIAL_IPV6;
}

static bool
has_next(struct dial *d, int family)
{
    while (d->at[family] < d->count && family_of(&d->addresses[d->at[family]]) != family)
        d->at[family]++;
    return d->at[family] < d->count;
}

static bool
has_any(struct dial *d)
{
    return has_next(d, DIAL_IPV4) || has_next(d, DIAL_IPV6);
}

/* The next in turn; there is one. */
static const struct addr *
take_next(struct dial *d)
{
    int family = d->started == 0 ? preferred_family(d)
        : d->last_family == DIAL_IPV4 ? DIAL_IPV6
                                      : DIAL_IPV4;

    if (!has_next(d, family))
        family = family == DIAL_IPV4 ? DIAL_IPV6 : DIAL_IPV4;
    d->last_family = (uint8_t)family;
    d->started++;
    return &d->addresses[d->at[family]++];
}

/* ---- errors ---- */

static const struct {
    int error;
    int rank;
} ranks[] = {
    { ECONNREFUSED, 6 }, /* a host answered */
    { ECONNRESET, 6 },
    { EMFILE, 5 }, /* we did not really try */
    { ENFILE, 5 },
    { ENOBUFS, 5 },
    { ENOMEM, 5 },
    { EACCES, 4 }, /* somebody forbids it */
    { EPERM, 4 },
    { ETIMEDOUT, 3 },
    { EHOSTUNREACH, 3 },
    { EHOSTDOWN, 3 },
    { ETIME, 3 },
    { EADDRNOTAVAIL, 1 }, /* also: a host without an address of that family, */
    { EAFNOSUPPORT, 0 },  /* a kernel without it */
};

static int
rank_of(int error)
{
    for (size_t i = 0; i < SP_COUNT(ranks); i++)
        if (ranks[i].error == error)
            return ranks[i].rank;
    return 2;
}

static void
note_error(struct dial *d, int error, const struct addr *address)
{
    if (d->error != 0 && rank_of(error) <= rank_of(d->error))
        return;
    d->error = error;
    d->error_address = *address;
}

/* ---- attempts ---- */

static struct dial_attempt *
slot_free(struct dial *d)
{
    for (size_t i = 0; i < DIAL_ATTEMPTS_MAX; i++)
        if (d->attempts[i].fd < 0)
            return &d->attempts[i];
    return NULL;
}

/* The one under way for the longest time, or NULL. */
static struct dial_attempt *
oldest(struct dial *d)
{
    struct dial_attempt *found = NULL;

    for (size_t i = 0; i < DIAL_ATTEMPTS_MAX; i++) {
        struct dial_attempt *a = &d->attempts[i];

        if (a->fd >= 0 && (found == NULL || mono_before(a->started, found->started)))
            found = a;
    }
    return found;
}

static struct mono
later_of(struct mono a, struct mono b)
{
    return mono_before(a, b) ? b : a;
}

/* When the next attempt may begin; MONO_NEVER when there is nothing to try. */
static struct mono
next_due(struct dial *d)
{
    const struct dial_attempt *first = oldest(d);

    if (!has_any(d))
        return MONO_NEVER;
    if (d->started == 0 && d->pending[preferred_family(d)] && !has_next(d, preferred_family(d)))
        return mono_add_us(d->first_added, DIAL_RESOLUTION_DELAY_MS * CLOCK_MSEC_US);
    if (first == NULL)
        return loop_now(d->loop);
    if (slot_free(d) != NULL)
        return d->next_start;
    return later_of(d->next_start,
        mono_add_us(first->started, DIAL_ATTEMPT_PATIENCE_MS * CLOCK_MSEC_US));
}

static void
start_next(struct dial *d)
{
    struct dial_attempt *slot = slot_free(d);

    if (slot == NULL) {
        slot = oldest(d);
        note_error(d, ETIMEDOUT, &slot->address);
        dial_attempt_close(slot);
    }
    const struct addr *address = take_next(d);

    d->next_start = loop_now(d->loop);
    if (dial_attempt_start(slot, address) < 0)
        note_error(d, errno, address);
    else
        d->next_start = mono_add_us(d->next_start, DIAL_ATTEMPT_DELAY_MS * CLOCK_MSEC_US);
}

/* ---- the end ---- */

static void
close_attempts(struct dial *d)
{
    for (size_t i = 0; i < DIAL_ATTEMPTS_MAX; i++)
        if (&d->attempts[i] != d->winner)
            dial_attempt_close(&d->attempts[i]);
}

static void
stop(struct dial *d)
{
    close_attempts(d);
    loop_timer_cancel(d->loop, &d->deadline);
    loop_timer_cancel(d->loop, &d->pace);
    loop_task_cancel(d->loop, &d->task);
    d->ended = true;
}

/* The dial may be gone after it. */
static void
finish(struct dial *d, const struct dial_result *result)
{
    stop(d);
    d->finished(d, result, d->ctx);
}

static void
finish_failed(struct dial *d)
{
    finish(d, &(struct dial_result) { d->error != 0 ? d->error : EHOSTUNREACH, d->error_address,
        { .family = ADDR_NONE }, 0 });
}

void
dial_attempt_connected(
    struct dial_attempt *attempt, const struct addr *egress, uint32_t events)
{
    attempt->dial->winner = attempt;
    finish(attempt->dial, &(struct dial_result) { 0, attempt->address, *egress, events });
}

void
dial_attempt_failed(struct dial_attempt *attempt, int error)
{
    struct dial *d = attempt->dial;

    note_error(d, error, &attempt->address);
    dial_attempt_close(attempt);
    d->next_start = loop_now(d->loop);
    dial_step(d, true);
}

static void
deadline_passed(struct loop_timer *timer)
{
    struct dial *d = (struct dial *)((char *)timer - offsetof(struct dial, deadline));
    const struct dial_attempt *first = oldest(d);

    finish(d, &(struct dial_result) { ETIMEDOUT, first != NULL ? first->address : d->error_address,
        { .family = ADDR_NONE }, 0 });
}

/* ---- steps ---- */

/* Begins what is due, arms the timer for what is not, and finishes when nothing is left. */
static void
dial_step(struct dial *d, bool may_finish)
{
    struct mono due = next_due(d);

    while (!mono_before(loop_now(d->loop), due)) {
        start_next(d);
        due = next_due(d);
    }
    if (due.us == MONO_NEVER.us) {
        loop_timer_cancel(d->loop, &d->pace);
    } else if (loop_timer_set(d->loop, &d->pace, due) < 0) {
        start_next(d); /* no memory for waiting */
        loop_defer(d->loop, &d->task);
    }
    if (oldest(d) != NULL || has_any(d) || d->pending[DIAL_IPV4] || d->pending[DIAL_IPV6])
        return;
    if (may_finish)
        finish_failed(d);
    else
        loop_defer(d->loop, &d->task);
}

static void
task_run(struct loop_task *task)
{
    dial_step((struct dial *)((char *)task - offsetof(struct dial, task)), true);
}

static void
pace_expired(struct loop_timer *timer)
{
    dial_step((struct dial *)((char *)timer - offsetof(struct dial, pace)), true);
}

/* ---- the caller's side ---- */

struct dial *
dial_start(struct loop *loop, const struct dial_settings *settings, struct mono deadline,
    dial_finished *finished, void *ctx)
{
    struct dial *d = malloc(sizeof *d);

    if (d == NULL)
        return NULL;
    memset(d, 0, offsetof(struct dial, addresses));
    d->loop = loop;
    d->settings = settings;
    d->finished = finished;
    d->ctx = ctx;
    d->deadline.expired = deadline_passed;
    d->pace.expired = pace_expired;
    d->task.run = task_run;
    d->pending[DIAL_IPV4] = d->pending[DIAL_IPV6] = true;
    for (size_t i = 0; i < DIAL_ATTEMPTS_MAX; i++) {
        d->attempts[i].dial = d;
        d->attempts[i].fd = -1;
    }
    if (loop_timer_set(loop, &d->deadline, deadline) < 0) {
        free(d);
        errno = ENOMEM;
        return NULL;
    }
    return d;
}

int
dial_add(struct dial *dial, const struct addr *address)
{
    if (dial->ended)
        return 0;
    for (size_t i = 0; i < dial->count; i++)
        if (addr_equal(&dial->addresses[i], address))
            return 0;
    if (dial->count >= DIAL_ADDRESSES_MAX) {
        errno = ENOBUFS;
        return -1;
    }
    if (dial->count == 0)
        dial->first_added = loop_now(dial->loop);
    dial->addresses[dial->count++] = *address;
    loop_defer(dial->loop, &dial->task);
    return 0;
}

/* Those that wait for their turn; at[] are places in the list, which gets shorter. Returns how many stay. */
static unsigned
retain_waiting(struct dial *d, bool (*keep)(void *ctx, const struct addr *address), void *ctx)
{
    uint8_t at[DIAL_FAMILIES] = { d->at[DIAL_IPV4], d->at[DIAL_IPV6] }, kept = 0;
    unsigned waiting = 0;

    for (uint8_t i = 0; i < d->count; i++) {
        const struct addr a = d->addresses[i];
        bool waits = i >= d->at[family_of(&a)];

        if (!waits || keep(ctx, &a)) {
            d->addresses[kept++] = a;
            waiting += waits;
            continue;
        }
        for (int f = 0; f < DIAL_FAMILIES; f++)
            at[f] -= i < d->at[f];
    }
    d->count = kept;
    memcpy(d->at, at, sizeof at);
    return waiting;
}

unsigned
dial_retain(struct dial *dial, bool (*keep)(void *ctx, const struct addr *address), void *ctx)
{
    unsigned left = retain_waiting(dial, keep, ctx);

    for (size_t i = 0; i < DIAL_ATTEMPTS_MAX; i++) {
        struct dial_attempt *a = &dial->attempts[i];

        if (a->fd >= 0 && keep(ctx, &a->address))
            left++;
        else if (a != dial->winner)
            dial_attempt_close(a);
    }
    if (!dial->ended)
        loop_defer(dial->loop, &dial->task);
    return left;
}

void
dial_more(struct dial *dial, bool ipv4_pending, bool ipv6_pending)
{
    if (dial->ended)
        return;
    dial->pending[DIAL_IPV4] = ipv4_pending;
    dial->pending[DIAL_IPV6] = ipv6_pending;
    loop_task_cancel(dial->loop, &dial->task);
    dial_step(dial, false);
}

int
dial_take(struct dial *dial, struct loop_io *io)
{
    struct dial_attempt *winner = dial->winner;

    dial->winner = NULL;
    loop_io_move(dial->loop, &winner->io, io);
    return fd_take(&winner->fd);
}

void
dial_free(struct dial **dial)
{
    struct dial *d = *dial;

    if (d == NULL)
        return;
    *dial = NULL;
    d->winner = NULL;
    stop(d);
    free(d);
}
