/* SPDX-License-Identifier: ISC */
/*
 * Tells the pools whose logins fail for a while. Each process has heard of the changes up to a number of
 * its own; it gets the rest as its channel takes them, and a successor all that stand. Serves
 * master_limits.c.
 */
#include "src/master/master_private.h"

#include "src/core/ipc_limits.h"

#include <string.h>

static bool
can_take(const struct process *p)
{
    return p->place->role == IPC_AUTH && process_alive(p) && p->outbox == NULL;
}

static void
send_one(struct process *p, const struct history *h, struct mono now)
{
    struct ipc_penalty penalty = { .seconds = penalty_left(h, now),
        .client = client_prefix(h->client) };
    uint8_t body[IPC_BODY_MAX];
    size_t len = strlen(h->user);

    /* A client's own is enforced where it is accepted; one that is over ends there by itself. */
    if (len == 0 || len >= sizeof penalty.user || (penalty.seconds == 0 && !h->lifted))
        return;
    memcpy(penalty.user, h->user, len + 1);
    process_send(p, IPC_PENALTY, body, ipc_penalty_encode(&penalty, body, sizeof body), NULL, 0);
}

/* False: there is more for it. */
static bool
bring_up(struct process *p, const struct penalties *penalties, struct mono now)
{
    const struct history *h = penalties_since(penalties, p->penalties_heard);

    for (; h != NULL && can_take(p); h = h->next) {
        send_one(p, h, now);
        p->penalties_heard = h->change;
    }
    return h == NULL || !process_alive(p);
}

void
penalties_send(struct master *m)
{
    bool done = true;

    for (struct process *p = m->processes; p != NULL; p = p->next) {
        if (p->place->role == IPC_AUTH)
            done = bring_up(p, &m->limits.penalties, loop_now(m->loop)) && done;
    }
    m->limits.behind = !done;
}
