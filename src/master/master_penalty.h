/* SPDX-License-Identifier: ISC */
/*
 * Failed logins and the penalties they bring. A history is that of a user from one client, or of a client
 * as a whole (user ""). Pure: time is told, nothing is sent. Serves master_limits.c.
 *
 * A user from a client gets a penalty with the limits.failures-th failure within the window, a client with
 * PENALTY_SPRAY times as many; a failure that names nobody counts PENALTY_SPRAY for the client. Each
 * further penalty is twice as long as the one before, up to PENALTY_GROWTH times the first and to an
 * hour; what was quiet for PENALTY_MEMORY times its last penalty, and for a window, is forgotten.
 */
#ifndef SP_MASTER_MASTER_PENALTY_H
#define SP_MASTER_MASTER_PENALTY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "src/master/master_map.h"
#include "src/master/master_tally.h"

#define PENALTY_SPRAY 4U
#define PENALTY_GROWTH 64U
#define PENALTY_SECONDS_MAX 3600U /* unless the first one is longer */
#define PENALTY_MEMORY 10U
#define PENALTY_HISTORIES_MAX 65536U
#define PENALTY_SLOTS 9U /* eighths of the window, and the one that has just begun */

struct penalty_rules {
    uint32_t failures; /* 0: no penalties */
    uint32_t window;   /* seconds */
    uint32_t seconds;  /* of the first penalty */
};

struct history {
    struct map_node node;
    struct history *prev, *next; /* of quiet or of standing */
    struct client_key client;
    int64_t slot; /* number of the newest one */
    uint32_t counts[PENALTY_SLOTS];  /* failed logins, */
    uint32_t unnamed[PENALTY_SLOTS]; /* and those of them that count for more: they named nobody */
    uint32_t brought;  /* failures within the window when the last penalty began */
    uint32_t seconds;  /* of the last penalty; 0: there was none */
    bool standing;     /* which list */
    bool lifted;       /* by a person: whoever was told of it has to hear that */
    struct mono last;  /* failure */
    struct mono until; /* end of the penalty */
    uint64_t change;   /* ascending in the order of standing */
    char user[];
};

struct history_list {
    struct history *head, *tail;
    uint32_t count;
};

struct penalties {
    struct map map;
    struct penalty_rules rules;
    struct history_list quiet;    /* the one that failed longest ago first */
    struct history_list standing; /* with a penalty, or one just over or lifted: by change */
    uint32_t standing_clients;    /* of these, clients as a whole */
    uint32_t max;                 /* histories */
    uint32_t swept;               /* bucket where the next sweep begins */
    uint64_t change;
};

void penalties_init(struct penalties *p, uint32_t max);
void penalties_free(struct penalties *p);

/* A login failed. user: "" for the client as a whole, whoever was named (named) or nobody. The history
   whose penalty begins with it, else NULL. */
struct history *penalties_fail(struct penalties *p, struct client_key client, const char *user,
    bool named, struct mono now);
/* A login succeeded: the failures of this user from there no longer count. */
void penalties_succeed(struct penalties *p, struct client_key client, const char *user);
/* The history whose penalty is in force, or NULL. */
const struct history *penalties_standing(const struct penalties *p, struct client_key client,
    const char *user, struct mono now);
static inline bool
penalties_client_barred(const struct penalties *p, struct client_key client, struct mono now)
{
    return p->standing_clients > 0 && penalties_standing(p, client, "", now) != NULL;
}

/* Forgets what matches: penalty and failures. How many penalties in force were lifted. */
size_t histories_lift(struct penalties *p,
    bool (*match)(const void *ctx, struct client_key client, const char *user), const void *ctx,
    struct mono now);
/* Forgets what was quiet for long enough, in a part of the map; 16 sweeps see all of it. */
void penalties_sweep(struct penalties *p, struct mono now);
/* The first standing history changed after that one; NULL: none. The list goes on with next. */
const struct history *penalties_since(const struct penalties *p, uint64_t change);
/* Seconds left at now, rounded up; 0: it is over. */
uint32_t penalty_left(const struct history *h, struct mono now);

#endif
