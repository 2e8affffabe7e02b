/* SPDX-License-Identifier: ISC */
/*
 * The inside of changing the gateway while it runs: the reload that is under way, its two phases with the
 * children, and processes that are replaced. Part of master_private.h; what others call is in
 * master_reload.h.
 */
#ifndef SP_MASTER_MASTER_ADOPT_H
#define SP_MASTER_MASTER_ADOPT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/attr.h"
#include "lib/base/buffer.h"
#include "src/core/ipc_reload.h"
#include "src/core/loop.h"
#include "src/master/master_config.h"
#include "src/master/master_reload.h"

struct master;
struct place;
struct process;

/* ---- reload (master_reload*.c, master_prepare.c) ---- */

enum reload_phase {
    RELOAD_IDLE,
    RELOAD_COMPILING,
    RELOAD_FILES,    /* pools judge their files */
    RELOAD_PREPARING /* children look at the image */
};

struct reload {
    enum reload_phase phase; /* set in master_reload.c alone */
    struct compilation compile;
    struct compiled next;    /* the image of the reload that runs */
    uint64_t tries;          /* generations given out: of reloads that failed, too */
    uint64_t generation;     /* of next */
    struct buffer text;      /* complaints */
    struct reload_asker *askers;  /* of the one that runs, */
    struct reload_asker *waiting; /* and of the next one */
    bool wanted;             /* another one is wanted */
    const char *cause;       /* of the next one; for the log */
    struct loop_timer timer; /* the phase lasts too long */
    struct loop_task task;   /* something happened: see whether the phase is over */
    uint64_t asked;          /* roles, and of auth the pools, that were sent PREPARE: a bit each, */
    uint64_t agreed;         /* and those of which somebody said yes */
    bool refused;
    bool followers;          /* pools' processes inside a step adopt it when they come out of it */
    char why[768];           /* the first reason against it */
    bool respawn_workers;
    uint32_t respawn_pools;  /* bit per module */
    uint32_t touched_pools;  /* the same: their options, or those of listeners, are other ones */
    char last[1024];
    bool last_ok;
    uint64_t judging;        /* by this generation workers judge their sessions; 0: all have told */
    uint64_t revoked;        /* sessions that they ended */
    struct reload_asker *judging_askers;
    char judging_text[1024]; /* what they will hear, so far */
    struct loop_timer judging_timer;
};

void reload_init(struct master *m);
/* The gateway serves: one that was wanted meanwhile begins. */
void reload_start(struct master *m);
/* Every 5 s: whether a list of the image changed (master_lists.c). */
void reload_look(struct master *m);
/* No file is being judged any more. */
void reload_files_settled(struct master *m);
/* Somebody said no. */
void reload_refused(struct master *m, const char *why);
/* A process ended: nobody waits for it. */
void reload_process_gone(struct master *m);
/* The gateway drains: the one under way fails. */
void reload_give_up(struct master *m);
/* The gateway stops: askers are answered. */
void reload_cancel(struct master *m, const char *why);

/* ---- who asks (master_reload_ask.c) ---- */

/* One is to begin when none runs; asker may be NULL. cause is a constant, or lives as long as the image. */
void reload_want(struct master *m, struct reload_asker *asker, const char *cause);
void askers_say(struct reload_asker *list, const char *line);
/* Each is told, and the list is empty. */
void askers_answer(struct reload_asker **list, bool ok, const char *summary);

/* ---- what it did to sessions (master_reload_judged.c) ---- */

/* A generation is in force: its askers are answered when all workers have judged their sessions by it. */
void judged_begin(struct master *m, struct reload_asker *askers);
/* A worker has; told->generation is no greater than the one in force. */
void judged_told(struct process *p, const struct ipc_rejudged *told);
/* A process ended. */
void judged_look(struct master *m);
/* Who still waits is answered now. */
void judged_end(struct master *m);

/* ---- draining (master_drain.c) ---- */

/* A session ended: was it the last one? */
void drain_look(struct master *m);

/* What stands against bringing the next image into force, and what it needs. 0, or -1 with why filled. */
int reload_compare(struct master *m) SP_MUST_USE;
/* limits.sessions, and what of it the descriptor limit allows; that is told when it was `before`. */
void reload_adopt_capacity(struct master *m, uint64_t before);
/* Begins to replace what reload_compare() found. */
void reload_respawn(struct master *m);

/* PREPARE to all that run. */
void prepare_begin(struct master *m);
/* PREPARED came. False: it answers what was never asked. */
bool prepare_answered(struct process *p, const struct ipc_prepared *answer) SP_MUST_USE;
/* True when nobody has to answer any more. */
bool prepare_settled(const struct master *m);
/* Time is over: those that are silent may be inside a login that waits for somebody. True when nobody has
   to wait for them: where one of their pool agreed, or nothing of it has changed, they follow. */
bool prepare_followers(struct master *m) SP_MUST_USE;
/* COMMIT to those that said yes; the image must be the one in force when others are asked. */
void prepare_commit(struct master *m);
void prepare_abort(struct master *m);
/* It runs, or runs again, with an image that is no longer the one in force: it gets that one. */
void prepare_catch_up(struct process *p);

/* ---- replacing what works (master_replace.c) ---- */

#define REPLACE_RETIRED_MAX 2 /* predecessors of a place that still finish their sessions */

/* The place's process is to be replaced by a new one, without a gap. Goes on by itself. */
void replace_begin(struct place *place);
void replace_advance(struct place *place);
/* A successor is about to be started: it begins a life of its own. */
void replace_life(struct place *place);
void replace_ready(struct process *p); /* READY came */
/* It died and leaves its place. True when a new process has to be started. */
bool replace_left(struct process *p);

#endif
