/* SPDX-License-Identifier: ISC */
/* Limits and penalties as people see them and take them back. Serves the control socket and metrics. */
#include "src/master/master_limits.h"

#include "src/master/master_private.h"

#include <string.h>

static const char *const names[LIMIT_COUNT] = {
    [LIMIT_NONE] = "none",
    [LIMIT_CLIENT_SESSIONS] = "sessions-per-client",
    [LIMIT_CLIENT_PENDING] = "pending-per-client",
    [LIMIT_PENALTY] = "penalty",
    [LIMIT_USER_SESSIONS] = "sessions-per-user",
};

const char *
limit_name(enum limit limit)
{
    return (unsigned)limit < LIMIT_COUNT ? names[limit] : "?";
}

void
limits_status(const struct master *m, struct limits_status *out)
{
    const struct limits *l = &m->limits;
    struct mono now = loop_now(m->loop);

    memset(out, 0, sizeof *out);
    out->clients = l->tally.clients.count;
    out->users = l->tally.users.count;
    out->pending = l->tally.pending;
    out->histories = l->penalties.map.count;
    out->failures = l->failures;
    out->penalties = l->begun;
    memcpy(out->refused, l->refused, sizeof out->refused);
    for (const struct history *h = l->penalties.standing.head; h != NULL; h = h->next) {
        if (penalty_left(h, now) == 0)
            continue;
        out->client_penalties += h->user[0] == '\0';
        out->user_penalties += h->user[0] != '\0';
    }
}

void
penalties_each(const struct master *m, uint64_t after,
    bool (*each)(void *ctx, const struct penalty_view *penalty), void *ctx)
{
    const struct history *h = penalties_since(&m->limits.penalties, after);
    struct mono now = loop_now(m->loop);

    for (; h != NULL; h = h->next) {
        struct penalty_view view = {
            .number = h->change,
            .client = client_prefix(h->client),
            .user = h->user,
            .seconds = h->seconds,
            .seconds_left = penalty_left(h, now),
            .failures = h->brought,
        };

        if (view.seconds_left > 0 && !each(ctx, &view))
            return;
    }
}

static bool
match(const void *ctx, struct client_key client, const char *user)
{
    const struct penalty_filter *f = ctx;
    const struct addr_prefix penalty = client_prefix(client);

    return (f->client == NULL || addr_prefix_within(&penalty, f->client)
               || addr_prefix_within(f->client, &penalty))
        && (f->user == NULL || strcmp(f->user, user) == 0);
}

size_t
penalties_clear(struct master *m, const struct penalty_filter *filter)
{
    struct limits *l = &m->limits;

    l->behind = true;
    return histories_lift(&l->penalties, match, filter, loop_now(m->loop));
}
