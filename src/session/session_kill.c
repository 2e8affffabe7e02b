/* SPDX-License-Identifier: ISC */
/*
 * Sessions ended by id, on the word of the master. A worker has no index of its sessions by id, which would
 * cost each of them memory for what is rare: the ids are collected, sorted, and all sessions compared with
 * them, about a millisecond a turn. An id of no session is nobody's. Without memory it takes longer.
 */
#include "src/session/session_private.h"

#include <stdlib.h>
#include <string.h>

static int
compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Whoever waits for the answer to a request gets one. */
static bool
owed_reply(const struct session *s)
{
    static const bool owed[SESSION_PHASE_COUNT] = {
        [SESSION_IDENT] = true,
        [SESSION_DECIDE] = true,
        [SESSION_RESOLVE] = true,
        [SESSION_CONNECT] = true,
        [SESSION_AUDIT] = true,
        [SESSION_BIND] = true,
    };

    return owed[s->phase];
}

static void
end_one(struct session *s)
{
    if (s->phase == SESSION_LINGER)
        return;
    session_follow(s, owed_reply(s) ? step_refuse(s, REASON_KILLED, SOCKS5_NOT_ALLOWED, NULL)
                                    : step_fail(s, REASON_KILLED, NULL));
}

static void
walk(struct loop_task *task)
{
    struct session_host *host =
        (struct session_host *)((char *)task - offsetof(struct session_host, kill.task));
    struct session_kill *k = &host->kill;
    struct mono end = session_slice_end(host);

    if (!k->sorted)
        qsort(k->ids, k->count, sizeof *k->ids, compare);
    k->sorted = true;
    while (k->next != NULL) {
        struct session *s = k->next;

        k->next = s->next;
        if (bsearch(&s->id, k->ids, k->count, sizeof *k->ids, compare) != NULL)
            end_one(s);
        if (session_slice_over(host, end)) {
            loop_defer(host->loop, task);
            return;
        }
    }
    free(k->ids);
    k->ids = NULL;
    k->count = k->size = 0;
}

static struct session *
find(const struct session_host *host, uint64_t id)
{
    struct session *s = host->first;

    while (s != NULL && s->id != id)
        s = s->next;
    return s;
}

static void
end_at_once(struct session_host *host, const uint64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct session *s = find(host, ids[i]);

        if (s != NULL)
            end_one(s);
    }
}

static bool
collect(struct session_kill *k, const uint64_t *ids, size_t count)
{
    size_t need = k->count + count, size = k->size;
    uint64_t *larger = k->ids;

    if (need > UINT32_MAX)
        return false;
    if (need > size) {
        size = need > 2 * size ? need : 2 * size;
        larger = reallocarray(k->ids, size, sizeof *larger);
    }
    if (larger == NULL)
        return false;
    k->ids = larger;
    k->size = (uint32_t)size;
    memcpy(k->ids + k->count, ids, count * sizeof *ids);
    k->count += (uint32_t)count;
    k->sorted = false; /* once for all that come in a turn */
    return true;
}

void
session_kill(struct session_host *host, const uint64_t *ids, size_t count)
{
    struct session_kill *k = &host->kill;

    if (count == 0)
        return;
    if (!collect(k, ids, count)) {
        end_at_once(host, ids, count);
        return;
    }
    k->next = host->first;
    k->task.run = walk;
    loop_defer(host->loop, &k->task);
}
