/* SPDX-License-Identifier: ISC */
/*
 * Limits and penalties as the rest of the master sees them: what holds now, which penalties stand, and how
 * a person takes them back. Counted are client addresses (an IPv4 address, or an IPv6 /64) and user
 * names; everything is the master's own count.
 */
#ifndef SP_MASTER_MASTER_LIMITS_H
#define SP_MASTER_MASTER_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"

struct master;

/* Why a connection was refused. The word is limit.reached's reason=. */
enum limit {
    LIMIT_NONE,
    LIMIT_CLIENT_SESSIONS, /* "sessions-per-client" */
    LIMIT_CLIENT_PENDING,  /* "pending-per-client" */
    LIMIT_PENALTY,         /* "penalty": of the client as a whole */
    LIMIT_USER_SESSIONS,   /* "sessions-per-user" */
    LIMIT_COUNT
};
const char *limit_name(enum limit limit);

struct limits_status {
    uint32_t clients;           /* addresses with a session, or a connection at the door */
    uint32_t users;             /* names with a session */
    uint64_t pending;           /* connections without a login or request */
    uint32_t histories;         /* of failed logins */
    uint32_t client_penalties;  /* in force now */
    uint32_t user_penalties;    /* in force now: a user from one client */
    uint64_t refused[LIMIT_COUNT]; /* connections since the start, those not logged one by one included */
    uint64_t failures;             /* failed logins since the start */
    uint64_t penalties;            /* begun since the start */
};
void limits_status(const struct master *m, struct limits_status *out);

/* One penalty in force. */
struct penalty_view {
    uint64_t number;           /* ascending in the order of the visit */
    struct addr_prefix client; /* /32 or /64 */
    const char *user;          /* "": the client as a whole; a borrow for the call */
    uint32_t seconds;          /* the whole penalty, */
    uint32_t seconds_left;     /* and what is left of it */
    uint32_t failures;         /* within limits.failure-window that brought it */
};
/* Every penalty in force whose number is above `after` (0: all), oldest first, until each() answers
   false: then go on later with the last number seen. each() changes nothing. */
void penalties_each(const struct master *m, uint64_t after,
    bool (*each)(void *ctx, const struct penalty_view *penalty), void *ctx);

/* Which penalties; absent conditions match everything. */
struct penalty_filter {
    const struct addr_prefix *client; /* NULL: any; a prefix that holds the penalty's, or lies in it */
    const char *user;          /* NULL: any; "": those of clients as a whole */
};
/* Forgets the penalties in force and the failures of what matches. How many penalties were lifted. */
size_t penalties_clear(struct master *m, const struct penalty_filter *filter);

/* The limits of the image in force hold from now on; after every COMMIT. */
void limits_adopt(struct master *m);

#endif
