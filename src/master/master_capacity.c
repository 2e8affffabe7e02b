/* SPDX-License-Identifier: ISC */
/*
 * How many sessions the descriptor limit allows, and how that is said. Serves master_main.c. Never
 * an error: with few descriptors the gateway serves few sessions.
 */
#include "src/master/master_parts.h"

#include "src/core/log.h"

#include <inttypes.h>

#define MASTER_BASE 20         /* stdio, epoll, signals, image, ring, eventfd, reserve, status */
#define MASTER_IN_FLIGHT 64    /* accepted and not yet sent, pipes on their way, corpses */
#define MASTER_PER_CHILD 4     /* channel, pidfd, two of its ring */
#define WORKER_BASE 64         /* channel, ring, queues, DNS, conversations of logins */
#define SMALL_LIMIT 1024       /* below it everything is cut to the bone */
#define SMALL_BASE 24
#define PIPES_PRIVILEGED 128
#define PIPES_ORDINARY 56      /* of all workers: the kernel's soft limit is 64 of 1 MiB a user */

static uint32_t
smaller(uint64_t a, uint64_t b)
{
    uint64_t least = a < b ? a : b;

    return least > UINT32_MAX ? UINT32_MAX : (uint32_t)least;
}

/* What the master itself holds with so many workers. */
static size_t
master_needs(const struct capacity_need *n, uint32_t workers)
{
    size_t in_flight = n->descriptors < SMALL_LIMIT ? MASTER_IN_FLIGHT / 8 : MASTER_IN_FLIGHT;
    size_t worker = MASTER_PER_CHILD + 1 + n->pools;

    return MASTER_BASE + in_flight + n->listeners + (size_t)n->pool_processes * MASTER_PER_CHILD
        + workers * worker;
}

struct capacity
capacity_plan(const struct capacity_need *n)
{
    struct capacity c = { .workers = n->workers };
    bool small = n->descriptors < SMALL_LIMIT;
    size_t base = small ? SMALL_BASE : WORKER_BASE;

    while (c.workers > 1 && master_needs(n, c.workers) > n->descriptors)
        c.workers--;
    if (!small) {
        uint32_t most = n->privileged ? PIPES_PRIVILEGED : PIPES_ORDINARY / c.workers;

        c.pipes = smaller(most, n->descriptors / 32);
    }
    base += 2 * (size_t)c.pipes;
    c.per_worker = n->descriptors > base + 2 ? smaller((n->descriptors - base) / 2, UINT32_MAX) : 1;
    c.per_worker = smaller(c.per_worker, n->sessions);
    c.sessions = (uint64_t)c.per_worker * c.workers;
    if (c.sessions > n->sessions)
        c.sessions = n->sessions;
    return c;
}

void
capacity_tell(const struct capacity_need *n, const struct capacity *c)
{
    log_info("sessions: up to %" PRIu64 ", %" PRIu32 " in each of %" PRIu32 " workers", c->sessions,
        c->per_worker, c->workers);
    if (c->workers < n->workers)
        log_warn("workers: %" PRIu32 " are reduced to %" PRIu32 " by the descriptor limit of %zu",
            n->workers, c->workers, n->descriptors);
    if (c->sessions >= n->sessions)
        return;
    log_info("limits.sessions: %" PRIu64 " are reduced to %" PRIu64
             " by the descriptor limit of %zu (a session needs two in its worker)",
        n->sessions, c->sessions, n->descriptors);
    if (n->descriptors < SMALL_LIMIT)
        log_warn("a descriptor limit of %zu serves few; raise it (LimitNOFILE=, ulimit -n)",
            n->descriptors);
}
