/* SPDX-License-Identifier: ISC */
/*
 * Bandwidth of rules and of users under them, as a worker sees it: a budget holds bytes that the master
 * granted, sessions take them before they move bytes, and one that finds none waits in the budget's line
 * until there are more. Budgets are known by the rule's title and the user's name, so they outlive an
 * image. A session without a limit has no budget and pays nothing.
 */
#ifndef SP_SESSION_BUDGET_H
#define SP_SESSION_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"
#include "lib/base/idmap.h"
#include "src/config/image.h"
#include "src/core/ipc_budget.h"
#include "src/core/loop.h"

#define BUDGET_BUCKETS 1024U
#define BUDGET_IDLE_MAX 1024U /* without a session, remembered for what they still hold */
#define BUDGET_ASKS_PER_SECOND 8U /* an ask is for so much of a second */
#define BUDGET_ASK_LEAST 1024U
#define BUDGET_ASK_MOST (64U * 1024U * 1024U)
#define BUDGET_SHARE_LEAST 4096U /* bytes a session gets at its turn, where the budget has them */

struct session;
struct session_host;
struct session_budget;
struct budgets;

struct budget {
    struct budgets *set;
    struct budget *chain;                    /* of its bucket */
    struct budget *idle_next, *idle_prev;    /* while references are 0, the one used last is the last */
    uint32_t references;
    uint32_t handle;
    uint32_t rule;     /* its index in the present image */
    uint64_t rate;     /* bytes a second; 0: no limit (any more) */
    int64_t tokens;    /* bytes that may be moved; below 0: moved ahead */
    uint32_t asked;    /* bytes of the ask that is not answered; 0: none */
    bool unsent;       /* ... that could not be sent, or was refused: it is sent again */
    bool soon;         /* it is among set->soon, with a reference */
    struct budget *soon_next;
    uint32_t waiting;  /* sessions in line */
    struct session_budget *first, *last;
    char title[IMAGE_RULE_TITLE_MAX + 1];
    char user[];       /* "": the rule's own */
};

/* Of a session that has some. */
struct session_budget {
    struct session *session;
    struct budget *of[2];                 /* the rule's own and its user's; references; NULL: none */
    struct budget *line;                  /* where it waits; NULL: it does not */
    struct session_budget *next, *prev;   /* in line */
};

/* A worker's. */
struct budgets {
    struct session_host *host;
    struct loop *loop;
    /* Sends an ask. 0, or -1 with errno: EAGAIN for "later", EPIPE for "there is no master". */
    int (*ask)(struct session_host *host, const struct ipc_budget_ask *ask);
    struct budget *buckets[BUDGET_BUCKETS];
    struct idmap by_handle;
    uint32_t last_handle;
    struct budget *idle_first, *idle_last;
    uint32_t idle_count;
    struct loop_timer retry; /* asks that were not sent */
    struct loop_task task;   /* those that have bytes, and sessions in line: */
    struct budget *soon;
    uint32_t limited_count;  /* rules of the image with a limit */
    uint32_t *by_title;      /* their indexes and 1 by hash of the title, 0: none; owned; NULL: all are looked at */
    uint32_t by_title_size;  /* a power of two, more than limited_count */
    struct session_budget *serving; /* its turn has come, */
    uint64_t share;                 /* for so many bytes */
};

/* ---- the worker's side (budget.c) ---- */

/* host->loop is set. For before the first image is in force. */
void budgets_open(struct budgets *set, struct session_host *host,
    int (*ask)(struct session_host *host, const struct ipc_budget_ask *ask));
/* No session has any left. */
void budgets_close(struct budgets *set);
/* BUDGET_GRANT came. Sessions move bytes, and may end. */
void budgets_grant(struct budgets *set, const struct ipc_budget_grant *list, size_t count);
/* host->image is another one, or the first: rates are its, budgets whose rule is gone limit nothing any more
   (budget_adopt.c). */
void budgets_adopt(struct budgets *set);
/* There is no master any more: each budget gets its full rate from here on. */
void budgets_orphaned(struct budgets *set);

/* ---- the session's side (budget_session.c) ---- */

/* The session goes on under the rule its slot names: takes the budgets of that, gives others back. 0, or
   -1: no memory, and it has what it had. A session that waited goes on in the next turn. */
int budget_bind(struct session *s) SP_MUST_USE;
/* Leaves s->budget NULL; harmless when it is. */
void budget_release(struct session *s);

/* For a session with s->budget: bytes it may move now; 0 where it has to wait. */
size_t budget_allowance(const struct session *s);
/* It has moved so many. */
void budget_spend(struct session *s, uint64_t bytes);
/* It could move more than it was allowed: SESSION_TURN comes when there is something for it. */
void budget_park(struct session *s);
bool budget_parked(const struct session *s);
/* Takes a datagram's bytes: true, or false where it is to be dropped. Nothing waits; the budget is moved
   ahead of by one ask at most. */
bool budget_take_datagram(struct session *s, size_t len);

/* ---- between the two ---- */

/* The budget of a rule of the present image, with a reference, or NULL: no memory. user "": the rule's own. */
struct budget *budget_take(struct budgets *set, uint32_t rule, uint64_t rate, const char *user)
    SP_MUST_USE;
/* Leaves NULL; NULL is fine. */
void budget_give(struct budget **budget);
/* Asks for more where little is left and nothing is asked for yet. */
void budget_want(struct budget *b);
/* How far datagrams may be ahead of it. */
uint32_t budget_ahead(const struct budget *b);
/* Its sessions in line get what there is, one after the other, in the next turn. */
void budget_serve_soon(struct budget *b);
void budgets_serve(struct loop_task *task);
/* What the tables of budgets and of titles are sorted by. */
uint32_t budget_hash(const char *title, const char *user);
/* The rule of this title, if it has a limit, and its index; NULL: none (budget_adopt.c). */
const struct image_rule *budgets_limited(const struct budgets *set, const char *title, uint32_t *index);

#endif
