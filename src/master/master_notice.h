/* SPDX-License-Identifier: ISC */
/*
 * Refusals at the door, logged so that a flood of them is none in the log: the first of a client and limit
 * at once, those that follow within the window together in one record when it ends. Pure: it says what is
 * to be written, master_limits.c writes.
 */
#ifndef SP_MASTER_MASTER_NOTICE_H
#define SP_MASTER_MASTER_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "src/master/master_limits.h"
#include "src/master/master_map.h"
#include "src/master/master_tally.h"

#define NOTICES_MAX 65536U

struct notice {
    struct map_node node;
    struct notice *next; /* in the order of since */
    struct client_key client;
    enum limit limit;
    uint16_t listener;   /* of the last one */
    struct addr from;    /* the same */
    uint64_t count;      /* not told yet */
    struct mono since;   /* its window began; how long that is, the image in force says */
};

struct notices {
    struct map map;
    struct notice *head, *tail;
    uint64_t untold; /* refused while there were too many to tell them apart */
};

void notices_init(struct notices *n);
void notices_free(struct notices *n);

/* One refusal. True: it is to be told now; else it is counted until the window ends. */
bool notices_add(struct notices *n, enum limit limit, const struct addr *from, uint16_t listener,
    struct mono now);
/* The next whose window has ended with something untold, in *out, or false. Its next window begins; one
   that was quiet is forgotten. */
bool notices_due(struct notices *n, struct mono now, uint32_t window, struct notice *out);
/* What is untold, whether its window has ended or not: of one listener, or of all. The windows go on. */
#define NOTICES_OF_ALL UINT32_MAX
void notices_flush(struct notices *n, uint32_t listener,
    void (*tell)(void *ctx, const struct notice *notice), void *ctx);

#endif
