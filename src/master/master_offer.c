/* SPDX-License-Identifier: ISC */
/*
 * Handing out what the broker read, and what becomes of it. Serves master_broker.c and
 * master_equip.c. A new content is a candidate until all who got it said yes; when one refuses, the
 * version in force stays in force and a record says why. At the first start a refusal is fatal.
 */
#include "src/master/master_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <stdio.h>
#include <string.h>

#define DEATHS_MAX 2 /* a content that so many processes died of is not offered any more */

static bool
wanted_by(const struct brokered *f, const struct process *p)
{
    return f->row != NULL && f->row->role == p->place->role && (f->row->role != IPC_AUTH || f->pool == p->place->pool);
}

static void
send_version(struct process *p, const struct brokered *f, int fd, uint32_t generation)
{
    struct ipc_file file = { .kind = f->row->kind, .generation = generation };
    uint8_t body[IPC_BODY_MAX];

    (void)snprintf(file.option, sizeof file.option, "%s", f->option);
    size_t len = ipc_file_encode(&file, body, sizeof body);

    p->files_asked++;
    process_send(p, IPC_FILE, body, len, &fd, 1);
}

static uint64_t
bit_of(const struct broker *b, const struct brokered *f)
{
    return UINT64_C(1) << (f - b->files);
}

static void
send_candidate(struct process *p, struct brokered *f)
{
    uint64_t bit = bit_of(&p->m->broker, f);

    if ((p->files_waiting & bit) == 0)
        f->waiting++;
    p->files_waiting |= bit;
    send_version(p, f, f->candidate, f->generation);
}

void
broker_send(struct process *p)
{
    struct broker *b = &p->m->broker;

    for (size_t i = 0; i < b->count; i++) {
        struct brokered *f = &b->files[i];

        if (!wanted_by(f, p) || f->fresh)
            continue;
        /* A logger begins when the one before it has ended. */
        if (f->row->kind == IPC_FILE_LOG)
            file_end_line(f->candidate >= 0 ? f->candidate : f->current);
        if (f->current >= 0)
            send_version(p, f, f->current, f->current_generation);
        if (f->candidate >= 0)
            send_candidate(p, f);
    }
}

/* What each took is in force now; or it is not, since another one refused or the reload failed: then they
   get what is in force again, those that have not answered yet too, and all work with the same. */
static void
end_trial(struct master *m, struct brokered *f)
{
    uint64_t bit = bit_of(&m->broker, f);

    for (struct process *p = m->processes; p != NULL; p = p->next) {
        if (!wanted_by(f, p) || ((p->files_adopted | p->files_waiting) & bit) == 0)
            continue;
        p->files_adopted &= ~bit;
        p->files_waiting &= ~bit;
        if (f->refused && process_alive(p) && f->current >= 0)
            send_version(p, f, f->current, f->current_generation);
    }
    f->waiting = 0;
}

static void decide(struct master *m, struct brokered *f);

/* Nobody has to judge the candidate any more. */
static void
settle(struct master *m, struct brokered *f)
{
    if (f->waiting > 0 || f->candidate < 0)
        return;
    if (f->held) {
        reload_files_settled(m);
        return;
    }
    decide(m, f);
}

static void
decide(struct master *m, struct brokered *f)
{
    end_trial(m, f);
    if (f->refused) {
        fd_close(&f->candidate);
        return;
    }
    bool first = f->current < 0;

    fd_close(&f->current);
    f->current = fd_take(&f->candidate);
    f->current_generation = f->generation;
    if (first)
        return;
    log_info("%s was read again", f->path);
    events_reload(m, 0, f->path);
}

void
broker_settle_held(struct master *m, struct brokered *f, bool commit)
{
    f->held = false;
    if (commit && f->fresh) {
        /* Nobody was asked; who needs it starts with it. */
        f->fresh = false;
        f->current = fd_take(&f->candidate);
        f->current_generation = f->generation;
        return;
    }
    /* Content that was fine in a reload that failed for something else is looked at again by itself. */
    if (!commit && !f->refused)
        f->again = f->refused = true;
    decide(m, f);
    if (!commit && f->again)
        f->refused = false;
}

/* A new candidate goes to all who live. */
void
broker_offer(struct master *m, struct brokered *f)
{
    for (struct process *p = m->processes; p != NULL; p = p->next) {
        if (!wanted_by(f, p))
            continue;
        p->files_waiting &= ~bit_of(&m->broker, f);
        if (process_alive(p))
            send_candidate(p, f);
    }
    settle(m, f);
}

/* ---- what became of it ---- */

static void
refuse(struct master *m, struct brokered *f, const char *why)
{
    if (!m->serving)
        master_fail(m, "%s", why);
    if (f->held) {
        reload_refused(m, why);
    } else if (!f->refused) {
        log_warn("%s; what was read before stays in force", why);
        events_reload_failed(m, "file-refused", why);
    }
    f->refused = true;
}

static struct brokered *
file_of(struct process *p, const struct ipc_file *file)
{
    struct broker *b = &p->m->broker;

    for (size_t i = 0; i < b->count; i++) {
        struct brokered *f = &b->files[i];

        if (wanted_by(f, p) && f->row->kind == file->kind && strcmp(f->option, file->option) == 0)
            return f;
    }
    return NULL;
}

bool
broker_result(struct process *p, const struct ipc_file_result *result)
{
    struct brokered *f = file_of(p, &result->file);

    if (p->files_asked == 0)
        return false;
    p->files_asked--;
    if (f == NULL)
        return true; /* a reload has given it up meanwhile */
    uint64_t bit = bit_of(&p->m->broker, f);

    if (f->candidate < 0 || result->file.generation != f->generation) {
        if (!result->accepted)
            log_warn("%s %s: %s", role_name(p->place->role), p->label, result->error);
        else if (result->file.generation != f->current_generation)
            p->files_adopted |= bit; /* an earlier candidate, which nobody waits for any more */
        return true;
    }
    if ((p->files_waiting & bit) == 0)
        return true;
    p->files_waiting &= ~bit;
    f->waiting--;
    if (!result->accepted)
        refuse(p->m, f, result->error);
    else
        p->files_adopted |= bit;
    settle(p->m, f);
    return true;
}

/* It died with a module's new file before it: the file may be why, and its successor would do the
   same. So what is in force stays, and the next look tries once more: it may have been something else.
   A logger or a worker only lost its chance. */
static void
died_judging(struct process *p, struct brokered *f)
{
    char why[512];

    if (f->row->kind != IPC_FILE_MODULE || !p->m->serving || p->m->stop != STOP_NOT)
        return;
    f->again = ++f->deaths < DEATHS_MAX;
    (void)snprintf(why, sizeof why, "%s: %s ended while it read this file", f->path, p->label);
    refuse(p->m, f, why);
}

void
broker_forget(struct process *p)
{
    struct broker *b = &p->m->broker;

    for (size_t i = 0; i < b->count; i++) {
        struct brokered *f = &b->files[i];

        if ((p->files_waiting & bit_of(b, f)) == 0)
            continue;
        p->files_waiting &= ~bit_of(b, f);
        f->waiting--;
        died_judging(p, f);
        settle(p->m, f);
    }
}

bool
broker_settled(const struct master *m)
{
    for (size_t i = 0; i < m->broker.count; i++) {
        const struct brokered *f = &m->broker.files[i];

        if (f->row != NULL && f->row->kind == IPC_FILE_MODULE && f->current < 0)
            return false;
    }
    return true;
}
