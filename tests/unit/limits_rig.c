/* SPDX-License-Identifier: ISC */
#include "tests/unit/limits_rig.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#include "lib/base/fd.h"

int
limits_rig_setup(void **state)
{
    if (rig_setup(state) != 0)
        return -1;
    struct rig *r = *state;

    limits_init(&r->m);
    r->m.limits.penalties.rules = (struct penalty_rules) { .failures = 3, .window = 60, .seconds = 60 };
    return 0;
}

int
limits_rig_teardown(void **state)
{
    struct rig *r = *state;

    for (int i = 0; i < RIG_WORKERS; i++)
        answers_free(&r->workers[i]);
    limits_close(&r->m);
    return rig_teardown(state);
}

struct addr
rig_client(uint8_t last)
{
    return addr_ipv4((const uint8_t[]) { 192, 0, 2, last }, 4000);
}

/* A connection as it is accepted; NULL: it was not let in. */
struct session *
rig_arrive(struct rig *r, uint8_t last)
{
    struct addr from = rig_client(last);
    struct tally_client *c = limits_client(&r->m, &from);
    enum limit limit = limits_judge(&r->m, c);

    if (limit != LIMIT_NONE) {
        limits_refuse(&r->m, limit, &from, 0, c);
        return NULL;
    }
    struct session *s = rig_session(r);

    s->client = from;
    limits_enter(&r->m, s, c);
    s->worker = &r->workers[0];
    return s;
}

void
rig_leave(struct rig *r, struct session *s)
{
    fd_close(&s->fd);
    session_over(&r->m, s);
}

void
rig_login(struct rig *r, struct session *s, bool success, const char *user)
{
    struct ipc_auth_result result = { .worker = 1, .incarnation = r->workers[0].incarnation,
        .session = s->id, .success = success };

    assert_true(snprintf(result.user, sizeof result.user, "%s", user) >= 0);
    limits_login(&r->m, s, &result);
}

