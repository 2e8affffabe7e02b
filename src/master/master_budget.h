/* SPDX-License-Identifier: ISC */
/*
 * Bandwidth that workers lease: a token bucket for each rule that limits it (user "") and for each user
 * under a rule with user-bandwidth. A bucket holds a quarter of a second at most. Who asks for little of a
 * bucket nobody waits for gets it at once; the others wait for the next turn, which gives each of them
 * the same share, and less only to who wants less. Pure: time is told, grants go through a function.
 * Serves master_budget_ask.c.
 */
#ifndef SP_MASTER_MASTER_BUDGET_H
#define SP_MASTER_MASTER_BUDGET_H

#include <stdint.h>

#include "lib/base/attr.h"
#include "lib/base/clock.h"
#include "src/config/image.h"
#include "src/master/master_map.h"

#define LEDGER_TURN_US (50 * CLOCK_MSEC_US)   /* between two turns while somebody waits */
#define LEDGER_BURST_US (250 * CLOCK_MSEC_US) /* what a bucket holds */
#define LEDGER_IDLE_SECONDS 1                 /* without a question: forgotten, for it is full again */
#define LEDGER_RATE_MAX (UINT64_C(1) << 43)   /* more than that is that */

/* One question. A worker has at most one at a bucket. */
struct ledger_ask {
    struct ledger_ask *next;
    void *asker;
    uint32_t handle;
    uint32_t wanted;
    uint32_t share; /* while a turn is made */
    uint32_t *accounts;     /* how many there are that the asker was the first to ask for; NULL: not counted */
    uint32_t accounts_most; /* no more than these */
};

struct ledger_account {
    struct map_node node;
    struct ledger_account *prev, *next; /* of those with questions */
    struct ledger_ask *asks;            /* in the order they came */
    uint32_t ask_count;
    uint64_t rate;   /* bytes a second */
    uint64_t credit; /* bytes times a million */
    struct mono filled; /* when credit was last brought up */
    struct mono used;
    uint32_t *maker; /* counts it; NULL: that one is gone */
    char title[IMAGE_RULE_TITLE_MAX + 1];
    char user[];
};

struct ledger {
    struct map map;
    struct ledger_account *waiting; /* those with questions */
    uint32_t max;                   /* accounts */
    void (*grant)(void *asker, uint32_t handle, uint32_t bytes);
};

void ledger_init(struct ledger *b, uint32_t max,
    void (*grant)(void *asker, uint32_t handle, uint32_t bytes));
void ledger_free(struct ledger *b);

/* One question, with the rate that holds now; bytes 0 takes back the one before. 0; -1 with ENOMEM or
   ENOBUFS (too many accounts, in all or of the asker's): it was not taken. */
int ledger_ask(struct ledger *b, const char *title, const char *user, uint64_t rate,
    const struct ledger_ask *ask, struct mono now) SP_MUST_USE;
/* Serves all who wait. */
void ledger_turn(struct ledger *b, struct mono now);
/* Forgets the questions of one that is gone, and its count; what it was granted is spent. */
void ledger_forget(struct ledger *b, const void *asker, const uint32_t *accounts);
/* Forgets accounts that nobody used for a while. */
void ledger_sweep(struct ledger *b, struct mono now);
/* Another image holds: who waits gets an answer of 0 bytes, and asks again with the rate of that one. */
void ledger_again(struct ledger *b);

#endif
