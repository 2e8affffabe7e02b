/* SPDX-License-Identifier: ISC */
/*
 * Small answers to a worker, verdicts and grants, many in a message: they are collected during a turn and
 * sent at its end. While the worker's channel is full they wait here, where there is room for as many as
 * it can have asked for. Serves master_limits.c and master_budget_ask.c.
 */
#include "src/master/master_private.h"

#include "src/core/log.h"

#include <stdlib.h>
#include <string.h>

#define ANSWERS_BESIDE 16384U /* about budgets and sessions of a moment ago */

/* Room for one more entry. False: no memory, or more than a worker that reads its answers can have
   asked for: it has one question at a time for each budget, and two budgets a session. */
static bool
reserve(const struct process *p, void **list, uint32_t count, uint32_t *room, size_t size)
{
    if (count >= 4 * p->capacity + ANSWERS_BESIDE)
        return false;
    if (count < *room)
        return true;
    uint32_t more = *room == 0 ? 64 : *room * 2;
    void *bigger = reallocarray(*list, more, size);

    if (bigger == NULL)
        return false;
    *list = bigger;
    *room = more;
    return true;
}

static void
enlist(struct process *p)
{
    if (p->answers.listed)
        return;
    p->answers.listed = true;
    p->answers.next = p->m->answering;
    p->m->answering = p;
}

/* An answer that is not given makes its session wait for ever: better another worker. */
static void
no_room(struct process *p)
{
    log_error("no room for another answer to worker %s, which reads none", p->place->label);
    process_kill(p, "resources");
}

void
answers_verdict(struct process *p, uint64_t session, enum ipc_verdict_what what)
{
    struct answers *a = &p->answers;
    void *list = a->verdicts;

    if (!process_alive(p))
        return;
    if (!reserve(p, &list, a->verdict_count, &a->verdict_room, sizeof *a->verdicts)) {
        no_room(p);
        return;
    }
    a->verdicts = list;
    a->verdicts[a->verdict_count++] = (struct ipc_verdict) { session, what };
    enlist(p);
}

void
answers_grant(struct process *p, uint32_t handle, uint32_t bytes)
{
    struct answers *a = &p->answers;
    void *list = a->grants;

    if (!process_alive(p))
        return;
    if (!reserve(p, &list, a->grant_count, &a->grant_room, sizeof *a->grants)) {
        no_room(p);
        return;
    }
    a->grants = list;
    a->grants[a->grant_count++] = (struct ipc_budget_grant) { handle, bytes };
    enlist(p);
}

static bool
can_send(const struct process *p)
{
    return process_alive(p) && p->outbox == NULL && p->phase != PROCESS_STARTING;
}

static void
send_verdicts(struct process *p)
{
    struct answers *a = &p->answers;
    uint8_t body[IPC_BODY_MAX];
    uint32_t at = 0;

    while (at < a->verdict_count && can_send(p)) {
        uint32_t n = a->verdict_count - at < IPC_VERDICTS_MAX ? a->verdict_count - at
                                                              : IPC_VERDICTS_MAX;

        process_send(p, IPC_VERDICT, body,
            ipc_verdicts_encode(a->verdicts + at, n, body, sizeof body), NULL, 0);
        at += n;
    }
    a->verdict_count -= at;
    if (at > 0 && a->verdict_count > 0)
        memmove(a->verdicts, a->verdicts + at, a->verdict_count * sizeof *a->verdicts);
}

static void
send_grants(struct process *p)
{
    struct answers *a = &p->answers;
    uint8_t body[IPC_BODY_MAX];
    uint32_t at = 0;

    while (at < a->grant_count && can_send(p)) {
        uint32_t n = a->grant_count - at < IPC_GRANTS_MAX ? a->grant_count - at : IPC_GRANTS_MAX;

        process_send(p, IPC_BUDGET_GRANT, body,
            ipc_budget_grants_encode(a->grants + at, n, body, sizeof body), NULL, 0);
        at += n;
    }
    a->grant_count -= at;
    if (at > 0 && a->grant_count > 0)
        memmove(a->grants, a->grants + at, a->grant_count * sizeof *a->grants);
}

void
answers_flush(struct master *m)
{
    struct process **at = &m->answering;

    while (*at != NULL) {
        struct process *p = *at;

        send_verdicts(p);
        send_grants(p);
        if (p->answers.verdict_count + p->answers.grant_count > 0 && process_alive(p)) {
            at = &p->answers.next; /* its channel is full: the turn in which it is read comes back here */
            continue;
        }
        *at = p->answers.next;
        p->answers.listed = false;
    }
}

void
answers_free(struct process *p)
{
    struct process **at = &p->m->answering;

    while (*at != NULL && *at != p)
        at = &(*at)->answers.next;
    if (*at == p)
        *at = p->answers.next;
    free(p->answers.verdicts);
    free(p->answers.grants);
    memset(&p->answers, 0, sizeof p->answers);
}
