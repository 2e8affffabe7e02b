/* SPDX-License-Identifier: ISC */
/*
 * Who asks for a reload and waits for its answer, and what others may know of the last one. Serves SIGHUP,
 * the control socket and the watch over list files. Nothing fails.
 */
#include "src/master/master_private.h"

void
askers_say(struct reload_asker *list, const char *line)
{
    for (struct reload_asker *a = list; a != NULL; a = a->next) {
        if (a->text != NULL)
            a->text(a, line);
    }
}

void
askers_answer(struct reload_asker **list, bool ok, const char *summary)
{
    while (*list != NULL) {
        struct reload_asker *a = *list;

        *list = a->next;
        a->waiting = false;
        a->done(a, ok, summary);
    }
}

static bool
asker_unlink(struct reload_asker **at, const struct reload_asker *asker)
{
    for (; *at != NULL; at = &(*at)->next) {
        if (*at != asker)
            continue;
        *at = asker->next;
        return true;
    }
    return false;
}

void
reload_forget(struct master *m, struct reload_asker *asker)
{
    if (!asker_unlink(&m->reload.askers, asker) && !asker_unlink(&m->reload.waiting, asker))
        (void)asker_unlink(&m->reload.judging_askers, asker);
    asker->waiting = false;
}

void
reload_want(struct master *m, struct reload_asker *asker, const char *cause)
{
    struct reload *r = &m->reload;
    struct reload_asker **at = &r->waiting;

    if (asker != NULL) {
        while (*at != NULL)
            at = &(*at)->next;
        *at = asker;
        asker->next = NULL;
        asker->waiting = true;
    }
    if (!r->wanted)
        r->cause = cause;
    r->wanted = true;
    if (r->phase == RELOAD_IDLE)
        loop_defer(m->loop, &r->task);
}

void
reload_begin(struct master *m, struct reload_asker *asker)
{
    reload_want(m, asker, asker == NULL ? "SIGHUP" : "the control socket");
}

uint64_t
reload_generation(const struct master *m)
{
    return m->generation;
}

const char *
reload_last(const struct master *m, bool *ok)
{
    *ok = m->reload.last_ok;
    return m->reload.last;
}
