/* SPDX-License-Identifier: ISC */
/*
 * The worker: unprivileged, in an empty chroot behind seccomp, it reads what clients, destinations
 * and name servers send. It holds its sessions and nothing else that is worth stealing.
 */
#ifndef SP_WORKER_WORKER_H
#define SP_WORKER_WORKER_H

#include <stdint.h>

#include "src/core/child.h"
#include "src/core/ipc_limits.h"
#include "src/core/ipc_reload.h"
#include "src/session/session.h"

#define WORKER_ENDED_BATCH 32    /* sessions reported in one message under load */
#define WORKER_ENDED_DELAY_MS 10 /* the longest an end waits for company */
#define WORKER_REQUESTED_BATCH 32   /* requests reported in one message under load */
#define WORKER_REQUESTED_DELAY_MS 2 /* the longest one waits for company */
#define WORKER_USER_TIMEOUT_MS 120000

/* A session that ended: its slot stays until the master was told, so that the audit of a crash
   between the two counts it once. */
struct worker_ended {
    uint64_t id;
    struct table_slot *slot;
};

struct worker {
    struct child child;
    struct image *image;
    struct policy_own own;
    struct authlink authlink;
    struct session_host host;
    struct worker_reload {
        struct image *image; /* prepared, owned; NULL: none */
        struct session_adoption *adoption;
        uint64_t generation;
        struct ipc_prepared answer; /* to the last PREPARE */
        struct loop_timer answer_timer; /* it could not be sent yet */
        uint64_t judged; /* REJUDGED is to be sent for this generation; 0: none */
        uint32_t ended;
        struct loop_timer retry;
    } reload;
    struct worker_hours {
        struct loop_timer timer;
        struct wall at; /* time windows were last looked at then */
        struct mono at_mono;
    } hours;
    struct worker_ended *ended; /* room for every slot of the table */
    uint32_t ended_count;
    struct loop_timer ended_timer;
    struct worker_requested { /* sessions without a login that made their request */
        uint64_t *ids; /* as many as the table has slots */
        uint32_t count, room;
        struct loop_timer timer;
    } requested;
    struct loop_timer stop_timer;
    struct loop_timer title_timer;
    bool stopping;
    enum session_reason stop_reason;
};

/* Runs until told to stop. Returns the exit status. */
int worker_main(int argc, char **argv, char **envp);

/* Handlers of the master's messages (worker_ipc.c). */
extern const struct child_handler worker_handlers[];

/* worker_ended.c: the session host's ended(); reports in batches. */
int worker_ended_init(struct worker *w) SP_MUST_USE;
void worker_session_ended(struct session_host *host, uint64_t id, struct table_slot *slot);
/* Reports all that ended now, as far as the channel takes it. */
void worker_ended_flush(struct worker *w);

/* worker_reload.c: PREPARE, COMMIT, ABORT, LISTENERS, KILL. */
void worker_prepare(struct child *child, struct ipc_message *m);
void worker_commit(struct child *child, struct ipc_message *m);
void worker_abort(struct child *child, struct ipc_message *m);
void worker_listeners(struct child *child, struct ipc_message *m);
void worker_kill(struct child *child, struct ipc_message *m);
/* The image of INIT is in force. Fatal where it cannot be. */
void worker_adopt_first(struct worker *w);
/* The session host's rejudged(). */
void worker_rejudged(struct session_host *host, uint64_t generation, uint32_t ended);
void worker_reload_free(struct worker *w);

/* worker_hours.c: an image is in force: its time windows are looked at every minute, if it has any. */
void worker_hours_begin(struct worker *w);

/* worker_budget.c: the budgets' ask(), and what the master answers. */
int worker_budget_ask(struct session_host *host, const struct ipc_budget_ask *ask);
void worker_budget_grant(struct child *child, struct ipc_message *m);
/* worker_limits.c: the session host's requested(), reported in batches; VERDICT. */
int worker_requested_init(struct worker *w) SP_MUST_USE; /* the table is there */
void worker_requested(struct session_host *host, uint64_t id);
void worker_verdicts(struct child *child, struct ipc_message *m);

/* worker_stop.c */
void worker_stop(struct child *child, uint32_t seconds);
void worker_orphaned(struct child *child);
/* Leaves the loop when the worker is stopping and nothing is left. */
void worker_stop_when_idle(struct worker *w);

/* worker_title.c: the process title, at most once a second. */
void worker_title_changed(struct worker *w);

#endif
