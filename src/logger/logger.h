/* SPDX-License-Identifier: ISC */
/*
 * sallyport-logger: reads every process's event ring and writes lines to the log target. It alone
 * touches the target, so that a log daemon that hangs keeps nobody from working.
 */
#ifndef SP_LOGGER_LOGGER_H
#define SP_LOGGER_LOGGER_H

#include <stdbool.h>

#include "src/config/image.h"
#include "src/core/child.h"
#include "src/core/ipc_audit.h"
#include "src/core/loop.h"
#include "src/logger/batch.h"
#include "src/logger/rings.h"
#include "src/logger/target.h"

struct logger {
    struct child child;
    struct image *image; /* owned; the settings lie in it */
    struct image *next;  /* owned; prepared, NULL: none */
    uint64_t next_number; /* the number of its PREPARE */
    struct target target;
    struct log_rings rings;
    struct batch batch;
    struct loop_io wake_io;       /* the eventfd that writers signal */
    struct loop_timer timer;      /* when to look again */
    struct loop_timer stop_timer; /* STOP: when to leave whatever is left */
    struct loop_task task;        /* there is more to do in the next turn */
    bool asleep;                  /* writers signal: nobody looks until then */
    bool prove;                   /* ask for proof when there is nothing to send */
    int64_t prove_us;             /* pause before the next try to prove */
    bool full;                    /* the target takes no more since full_since */
    bool full_told;
    struct mono full_since;
    bool stopping;
    struct ipc_audit_state told; /* what the master knows */
    struct mono told_at;
    struct loop_timer told_timer;
    struct wall stuck_since; /* 0: the target takes records */
};

/* ---- logger_pump.c: from the rings to the target ---- */

/* Sets up timers and the eventfd; the other members are ready. 0, or -1 with errno. */
int pump_init(struct logger *lg) SP_MUST_USE;
/* Looks into the rings now. */
void pump_run(struct logger *lg);
/* Looks into the rings soon, so that more records make one batch. */
void pump_soon(struct logger *lg);

/* ---- logger_control.c: what the master says ---- */

extern const struct child_handler logger_handlers[];
void logger_stop(struct child *child, uint32_t seconds);
void logger_orphaned(struct child *child);
void logger_writable(struct child *child);
/* Tells the master which dead writers' rings are empty and forgets them; ends the loop when the
   logger has done all it is there for. */
void logger_release(struct logger *lg);

/* ---- logger_state.c: what the master is told of the target ---- */

/* Something may have changed: the master hears of it at once, or a second after it last did. */
void state_changed(struct logger *lg);

/* ---- logger_reload.c: PREPARE, COMMIT, ABORT ---- */

void logger_prepare(struct child *child, struct ipc_message *m);
void logger_commit(struct child *child, struct ipc_message *m);
void logger_abort(struct child *child, struct ipc_message *m);

/* ---- logger_main.c ---- */

int logger_main(int argc, char **argv, char **envp);

#endif
