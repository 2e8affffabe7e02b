/* SPDX-License-Identifier: ISC */
/* src/master/master_penalty_send.c: every process of the pools hears of every penalty that stands. */
#include "tests/unit/limits_rig.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#include "lib/base/fd.h"

static int
setup_pool(void **state)
{
    if (limits_rig_setup(state) != 0)
        return -1;
    struct rig *r = *state;

    for (int i = 0; i < RIG_WORKERS; i++) {
        r->places[1 + i].role = IPC_AUTH;
        r->workers[i].peer.other = IPC_AUTH;
        r->theirs[i].self = IPC_AUTH;
    }
    return 0;
}

static void
fail_thrice(struct rig *r, uint8_t last, const char *user)
{
    for (int i = 0; i < 3; i++) {
        struct session *s = rig_arrive(r, last);

        rig_login(r, s, false, user);
        rig_leave(r, s);
    }
}

/* Seconds of the penalty that process i hears of next; -1: none. */
static int64_t
heard(struct rig *r, int i, const char *user)
{
    struct ipc_penalty penalty;
    struct ipc_message m;

    if (!rig_receive(r, i, &m))
        return -1;
    assert_int_equal(m.type, IPC_PENALTY);
    assert_int_equal(ipc_penalty_decode(&m, &penalty), 0);
    assert_string_equal(penalty.user, user);
    assert_int_equal(penalty.client.bits, 32);
    return penalty.seconds;
}

static void
every_process_of_the_pools_hears_of_it(void **state)
{
    struct rig *r = *state;
    struct penalty_filter filter = { .user = "alice" };

    fail_thrice(r, 1, "alice");
    fail_thrice(r, 2, ""); /* the client's is the master's */
    limits_turn_end(&r->m);
    for (int i = 0; i < RIG_WORKERS; i++) {
        assert_int_equal(heard(r, i, "alice"), 60);
        assert_int_equal(heard(r, i, ""), -1);
    }
    /* A successor has heard of nothing yet. */
    r->workers[1].penalties_heard = 0;
    r->m.limits.behind = true;
    limits_turn_end(&r->m);
    assert_int_equal(heard(r, 0, "alice"), -1);
    assert_int_equal(heard(r, 1, "alice"), 60);
    assert_int_equal(penalties_clear(&r->m, &filter), 1);
    limits_turn_end(&r->m);
    assert_int_equal(heard(r, 0, "alice"), 0);
    assert_int_equal(heard(r, 1, "alice"), 0);
}

/* One failure brings both, and the client's own, which no pool has to know, comes second. */
static void
a_users_penalty_beside_the_clients(void **state)
{
    static const char *const users[] = { "a", "b", "c", "d" };
    struct rig *r = *state;

    r->m.limits.penalties.rules.failures = 1;
    for (size_t i = 0; i < SP_COUNT(users); i++) {
        struct session *s = rig_arrive(r, 1);

        assert_non_null(s);
        rig_login(r, s, false, users[i]);
        rig_leave(r, s);
        limits_turn_end(&r->m);
        assert_false(r->m.limits.behind);
        assert_int_equal(heard(r, 0, users[i]), 60);
        assert_int_equal(heard(r, 0, ""), -1);
    }
    assert_null(rig_arrive(r, 1));
}

/* A reload takes all penalties back: so say the pools. */
static void
a_reload_without_penalties(void **state)
{
    struct rig *r = *state;
    struct image_settings settings = { .limits = { .failures = 3, .failure_window = 60, .penalty = 60 } };

    fail_thrice(r, 1, "alice");
    limits_turn_end(&r->m);
    assert_int_equal(heard(r, 0, "alice"), 60);
    r->m.settings = &settings;
    settings.limits.failures = 0;
    limits_adopt(&r->m);
    limits_turn_end(&r->m);
    r->m.settings = NULL;
    assert_int_equal(heard(r, 0, "alice"), 0);
    assert_int_equal(heard(r, 1, "alice"), 60);
    assert_int_equal(heard(r, 1, "alice"), 0);
}

static void
a_deaf_process_is_brought_up_later(void **state)
{
    struct rig *r = *state;
    char user[16];
    int got = 0;

    rig_fill(r, 0);
    r->m.limits.penalties.rules.failures = 1;
    for (int i = 0; i < 600; i++) {
        struct session *s = rig_arrive(r, 1);

        if (s == NULL) { /* the client as a whole, in the end */
            struct penalty_filter filter = { .user = "" };

            assert_int_equal(penalties_clear(&r->m, &filter), 1);
            s = rig_arrive(r, 1);
        }
        assert_true(snprintf(user, sizeof user, "user%d", i) > 0);
        rig_login(r, s, false, user);
        rig_leave(r, s);
        fd_close(&r->peers[--r->peer_count]);
        limits_turn_end(&r->m);
    }
    assert_false(rig_was_killed(r, 0));
    for (int i = 0; i < 200 && (got < 600 || r->m.limits.behind); i++) {
        struct ipc_message m;

        while (rig_receive(r, 0, &m))
            got += m.type == IPC_PENALTY;
        rig_drain(r, 1);
        rig_drain(r, 2);
        rig_turn(r);
        limits_turn_end(&r->m);
    }
    assert_int_equal(got, 600);
    assert_false(r->m.limits.behind); /* all three */
}

#define POOL(test) cmocka_unit_test_setup_teardown(test, setup_pool, limits_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        POOL(every_process_of_the_pools_hears_of_it),
        POOL(a_users_penalty_beside_the_clients),
        POOL(a_reload_without_penalties),
        POOL(a_deaf_process_is_brought_up_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
