/* SPDX-License-Identifier: ISC */
/*
 * Replacing a process that works: its successor starts beside it and, once it is ready, takes the place;
 * the predecessor gets nothing new any more and timeouts.drain to finish what it has. Serves reloads and
 * operators. A successor that cannot start is tried again with pauses, and its predecessor serves on.
 */
#include "src/master/master_private.h"

#include "src/core/log.h"
#include "src/master/master_reload.h"

#include <errno.h>
#include <string.h>

static uint32_t
retired(const struct place *place)
{
    uint32_t count = 0;

    for (const struct process *p = place->m->processes; p != NULL; p = p->next)
        count += p->place == place && p != place->process && p != place->successor;
    return count;
}

void
replace_advance(struct place *place)
{
    struct master *m = place->m;

    if (!place->replace || place->successor != NULL || m->stop != STOP_NOT
        || loop_timer_armed(&place->respawn) || retired(place) >= REPLACE_RETIRED_MAX)
        return;
    if (spawn(place) == 0)
        return;
    log_error("starting %s %s: %s", role_name(place->role), place->label, strerror(errno));
    respawn_later(place, 0);
}

void
replace_begin(struct place *place)
{
    /* A vacant place gets a new one anyway. */
    if (place->process == NULL)
        return;
    place->replace = true;
    replace_advance(place);
}

void
replace_life(struct place *place)
{
    if (place->process->life != place->life)
        return; /* an earlier successor did not become ready: this one goes on with its numbers */
    place->life++;
    place->next_seq = 1;
}

static void
retire(struct process *p)
{
    uint32_t seconds = p->m->settings->timeouts.drain;

    log_info("%s %s is replaced; it has %u s to finish", role_name(p->place->role), p->label,
        (unsigned)seconds);
    dispatch_recall(p->m, p);
    process_stop(p, "replaced", seconds);
}

void
replace_ready(struct process *p)
{
    struct place *place = p->place;
    struct process *old = place->process;

    if (p != place->successor)
        return;
    place->process = p;
    place->successor = NULL;
    retire(old);
    replace_advance(place);
}

bool
replace_left(struct process *p)
{
    struct place *place = p->place;

    if (p == place->process) {
        place->process = place->successor;
        place->successor = NULL;
        return place->process == NULL;
    }
    if (p != place->successor)
        return false;
    place->successor = NULL;
    place->replace = true;
    return true;
}

int
process_replace(struct master *m, uint32_t worker, const char **why)
{
    *why = NULL;
    if (worker < 1 || worker > m->capacity.workers)
        *why = "there is no such worker";
    else if (m->stop != STOP_NOT || !m->serving)
        *why = "the gateway starts or stops";
    else if (m->workers[worker - 1].process == NULL || m->workers[worker - 1].successor != NULL)
        *why = "it is being replaced";
    if (*why != NULL)
        return -1;
    replace_begin(&m->workers[worker - 1]);
    return 0;
}
