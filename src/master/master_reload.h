/* SPDX-License-Identifier: ISC */
/*
 * Changing the gateway while it runs: reload, drain, replacing one worker. Serves signals, the control
 * socket and the watch over list files. Nothing here blocks: answers come through callbacks from the loop.
 */
#ifndef SP_MASTER_MASTER_RELOAD_H
#define SP_MASTER_MASTER_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/attr.h"

struct master;

/* ---- reload ---- */

/* Who asked for a reload and waits for its answer. Embedded in its owner, all zero but the callbacks; it
   stays the owner's, who must not free it before done() came or reload_forget() was called. */
struct reload_asker {
    /* One line of a complaint or warning, without its line feed. May be NULL. */
    void (*text)(struct reload_asker *asker, const char *line);
    /* Comes exactly once, never from inside reload_begin(). summary is one line. The asker is free. */
    void (*done)(struct reload_asker *asker, bool ok, const char *summary);
    struct reload_asker *next; /* private */
    bool waiting;              /* private */
};

/* Reads the configuration and the privileged files again and brings them into force everywhere, or
   nowhere. One reload runs at a time; whoever asks meanwhile gets the answer of the next one, which looks
   at the files anew. asker may be NULL: SIGHUP. */
void reload_begin(struct master *m, struct reload_asker *asker);
/* The asker is gone: its callbacks are not called any more. */
void reload_forget(struct master *m, struct reload_asker *asker);

/* The generation in force: 1 at the start, then the number of the reload that brought it; one that failed has
   a number, too. */
uint64_t reload_generation(const struct master *m);
/* The last reload, for people: "" when there was none. */
const char *reload_last(const struct master *m, bool *ok);

/* ---- drain ---- */

/* Accepts nothing more; sessions finish within timeouts.drain, then the gateway ends as with SIGTERM.
   Harmless when it is draining or stopping already. */
void drain_begin(struct master *m, const char *why);
bool draining(const struct master *m);

/* Replaces the worker of this number (1..): its successor starts, then it gets no more sessions and has
   timeouts.drain to finish those it has. 0, or -1 with *why saying what stands against it. */
int process_replace(struct master *m, uint32_t worker, const char **why) SP_MUST_USE;

#endif
