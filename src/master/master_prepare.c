/* SPDX-License-Identifier: ISC */
/*
 * The two phases of a reload with the children: PREPARE, their answers, COMMIT or ABORT. Serves
 * master_reload.c. Only children that run are asked. One that starts meanwhile works with the image of
 * its INIT until it is ready, and gets the one in force then, before it gets anything to do. One that
 * dies is no answer: its successor starts with what is in force.
 */
#include "src/master/master_private.h"

#include "src/core/log.h"

#include <stdio.h>

static void
ask(struct process *p, uint64_t generation, int image_fd, bool pending)
{
    struct ipc_prepare prepare = { .generation = generation };
    uint8_t body[IPC_BODY_MAX];

    listeners_numbers(p->m, pending, &prepare.listeners);
    p->asked = generation;
    p->agreed = false;
    process_send(p, IPC_PREPARE, body, ipc_prepare_encode(&prepare, body, sizeof body), &image_fd, 1);
}

static void
decide(struct process *p, enum ipc_type type)
{
    uint8_t body[16];
    size_t len = ipc_generation_encode(p->asked, body, sizeof body);

    process_send(p, type, body, len, NULL, 0);
    if (type == IPC_COMMIT) {
        p->generation = p->asked;
        p->judging = p->place->role == IPC_WORKER;
    }
    p->asked = 0;
    p->agreed = false;
}

/* A pool's processes answer for it alone. */
static uint64_t
bit_of(const struct process *p)
{
    if (p->place->role != IPC_AUTH)
        return p->place->role;
    return UINT64_C(0x100) << p->place->pool;
}

static bool
can_be_asked(const struct process *p)
{
    /* The one that serves metrics has no image. */
    return p->place->role != IPC_METRICS
        && (p->phase == PROCESS_RUNNING || p->phase == PROCESS_STOPPING);
}

void
prepare_begin(struct master *m)
{
    struct reload *r = &m->reload;

    r->asked = r->agreed = 0;
    r->followers = false;
    for (struct process *p = m->processes; p != NULL; p = p->next) {
        /* Who still has to catch up with the last one gets this one in the same way. */
        if (!can_be_asked(p) || p->generation != m->generation)
            continue;
        r->asked |= bit_of(p);
        ask(p, r->generation, r->next.fd, true);
    }
}

static bool
is_silent(const struct process *p)
{
    return p->asked == p->m->reload.generation && !p->agreed && process_alive(p);
}

bool
prepare_settled(const struct master *m)
{
    for (const struct process *p = m->processes; p != NULL; p = p->next) {
        if (is_silent(p) && !(m->reload.followers && p->place->role == IPC_AUTH))
            return false;
    }
    return true;
}

static bool
may_follow(const struct process *p)
{
    const struct reload *r = &p->m->reload;

    return p->place->role == IPC_AUTH
        && ((r->agreed & bit_of(p)) != 0 || (r->touched_pools >> p->place->pool & 1) == 0);
}

bool
prepare_followers(struct master *m)
{
    struct reload *r = &m->reload;

    for (const struct process *p = m->processes; p != NULL; p = p->next) {
        if (is_silent(p) && !may_follow(p))
            return false;
    }
    for (const struct process *p = m->processes; p != NULL; p = p->next) {
        if (!is_silent(p))
            continue;
        log_warn("%s is busy: it adopts the new configuration when it is not", p->label);
        r->asked &= r->agreed | ~bit_of(p);
    }
    r->followers = true;
    return true;
}

void
prepare_catch_up(struct process *p)
{
    if (can_be_asked(p) && p->generation != p->m->generation && p->asked == 0)
        ask(p, p->m->generation, p->m->config.fd, false);
}

void
prepare_commit(struct master *m)
{
    for (struct process *p = m->processes; p != NULL; p = p->next) {
        if (p->asked == m->generation && p->agreed && process_alive(p))
            decide(p, IPC_COMMIT);
        else
            prepare_catch_up(p);
    }
}

void
prepare_abort(struct master *m)
{
    for (struct process *p = m->processes; p != NULL; p = p->next) {
        if (p->asked == m->reload.generation && process_alive(p))
            decide(p, IPC_ABORT);
    }
}

/* Asked after everybody else: it adopts what is in force, or makes room for one that does. */
static void
late_answer(struct process *p, const struct ipc_prepared *answer)
{
    if (!answer->ok) {
        log_error("%s %s cannot work with the configuration in force (%s); it is replaced",
            role_name(p->place->role), p->label, answer->error);
        process_kill(p, "reload");
        return;
    }
    decide(p, answer->generation == p->m->generation ? IPC_COMMIT : IPC_ABORT);
    prepare_catch_up(p);
    if (p->place->role == IPC_WORKER)
        dispatch_wake(p->m);
}

bool
prepare_answered(struct process *p, const struct ipc_prepared *answer)
{
    struct master *m = p->m;
    struct reload *r = &m->reload;
    char why[sizeof answer->error + 64];

    if (answer->generation > r->tries)
        return false;
    if (answer->generation != p->asked || p->agreed)
        return true; /* it crossed our ABORT */
    if (r->phase != RELOAD_PREPARING || answer->generation != r->generation) {
        late_answer(p, answer);
        return true;
    }
    if (answer->ok) {
        p->agreed = true;
        r->agreed |= bit_of(p);
        reload_process_gone(m);
        return true;
    }
    (void)snprintf(why, sizeof why, "%s %s: %s", role_name(p->place->role), p->label, answer->error);
    reload_refused(m, why);
    return true;
}
