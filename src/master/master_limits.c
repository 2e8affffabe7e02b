/* SPDX-License-Identifier: ISC */
/* Limits per client and user, as the rest of the master sees them. */
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
    (void)m;
    memset(out, 0, sizeof *out);
}

void
penalties_each(const struct master *m, uint64_t after,
    bool (*each)(void *ctx, const struct penalty_view *penalty), void *ctx)
{
    (void)m;
    (void)after;
    (void)each;
    (void)ctx;
}

size_t
penalties_clear(struct master *m, const struct penalty_filter *filter)
{
    (void)m;
    (void)filter;
    return 0;
}

void
limits_adopt(struct master *m)
{
    (void)m;
}
