/* SPDX-License-Identifier: ISC */
/*
 * The inside of limits, penalties and bandwidth: who is counted, who is told. Part of master_private.h; what
 * others ask is in master_limits.h.
 */
#ifndef SP_MASTER_MASTER_LIMITS_PRIVATE_H
#define SP_MASTER_MASTER_LIMITS_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"
#include "src/core/ipc.h"
#include "src/core/ipc_budget.h"
#include "src/core/ipc_limits.h"
#include "src/core/loop.h"
#include "src/master/master_budget.h"
#include "src/master/master_limits.h"
#include "src/master/master_notice.h"
#include "src/master/master_penalty.h"
#include "src/master/master_tally.h"

struct master;
struct process;
struct recent;
struct session;

/* ---- limits and penalties (master_limits.c, master_penalty_send.c, master_limits_show.c) ---- */

#define LIMITS_RECENT 4096U /* sessions remembered that ended without a login; a power of two */

struct limits {
    struct tally tally;
    struct penalties penalties;
    struct notices notices;
    struct recent *recent;
    struct loop_timer timer;      /* while histories or notices are there */
    uint64_t sessions_per_client; /* as in the image in force */
    uint64_t pending_per_client;
    uint64_t sessions_per_user;
    bool verdicts; /* workers may wait for one: there was a limit per user in some image */
    bool behind;   /* some pool has not heard of every penalty */
    uint64_t refused[LIMIT_COUNT];
    uint64_t failures, begun;
};

/* Needs m->settings, the loop and the sessions. */
void limits_init(struct master *m);
void limits_close(struct master *m);
/* The gateway stops: what was counted and not yet told is, while there is a logger. */
void limits_last_words(struct master *m);
/* Nothing will be named after this listener any more; it is still there. */
void limits_listener_goes(struct master *m, uint16_t listener);
/* What was collected in a turn leaves with its end. */
void limits_turn_end(struct master *m);
/* Who has one more connection, or NULL: no memory. What follows is limits_enter(), limits_cancel(),
   limits_refuse() or door_wait(). */
struct tally_client *limits_client(struct master *m, const struct addr *client);
/* Why it is not let in now, or LIMIT_NONE. */
enum limit limits_judge(const struct master *m, const struct tally_client *c);
/* It is not: counted, and logged as far as that makes sense. */
void limits_refuse(struct master *m, enum limit limit, const struct addr *client, uint16_t listener,
    struct tally_client *c);
/* It is a session now, or (limits_cancel) was none in the end. */
void limits_enter(struct master *m, struct session *s, struct tally_client *c);
void limits_cancel(struct master *m, struct tally_client *c);
/* It is pending no longer. */
void limits_requested(struct master *m, struct session *s);
/* What a pool says about a session, or about one that has ended meanwhile. */
void limits_login(struct master *m, struct session *s, const struct ipc_auth_result *r);
void limits_login_late(struct master *m, const struct ipc_auth_result *r);
/* The session ends, whatever the reason: counts, listener, entry. It is in no list and holds no
   descriptor. */
void session_over(struct master *m, struct session *s);
void penalties_send(struct master *m);

/* ---- bandwidth (master_budget_ask.c) ---- */

struct bandwidth {
    struct ledger ledger;
    struct loop_timer timer;
    struct mono swept;
};

void bandwidth_init(struct master *m);
void bandwidth_close(struct master *m);
/* The image in force is another one, m->sessions.limit is set. */
void bandwidth_adopt(struct master *m);
/* BUDGET_ASK. False: malformed or untrue. */
bool bandwidth_asked(struct process *p, const struct ipc_message *message) SP_MUST_USE;

/* ---- answers to workers (master_answers.c) ---- */

/* Small answers to a worker until the end of the turn (master_answers.c). */
struct answers {
    struct ipc_verdict *verdicts; /* owned */
    struct ipc_budget_grant *grants;
    uint32_t verdict_count, verdict_room;
    uint32_t grant_count, grant_room;
    struct process *next; /* of those that have some */
    bool listed;
};

void answers_verdict(struct process *p, uint64_t session, enum ipc_verdict_what what);
void answers_grant(struct process *p, uint32_t handle, uint32_t bytes);
void answers_flush(struct master *m);
void answers_free(struct process *p); /* it is gone */

/* ---- events (master_events.c) ---- */

/* Refused at the door; count: so many more since the last record, else 0. */
void events_limit(struct master *m, uint64_t session, uint16_t listener, const struct addr *client,
    enum limit limit, uint64_t count);
void events_penalty(struct master *m, uint64_t session, uint16_t listener, const struct addr *client,
    const struct history *h);

#endif
