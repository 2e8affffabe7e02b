/* SPDX-License-Identifier: ISC */
/* What a child may say, and that what it may not say ends it. */
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <unistd.h>

static uint64_t
give_session(struct rig *r, int i)
{
    for (int k = 0; k < RIG_WORKERS; k++)
        r->workers[k].bypassed = k != i;
    struct session *s = rig_session(r);

    dispatch_session(&r->m, s);
    dispatch_flush(&r->m);
    rig_drain(r, i);
    assert_ptr_equal(s->worker, &r->workers[i]);
    return s->id;
}

static void
ended_gives_the_session_back(void **state)
{
    struct rig *r = *state;
    uint64_t id = give_session(r, 0);

    rig_say_ended(r, 0, id);
    rig_turn(r);
    assert_null(sessions_get(&r->m.sessions, id));
    assert_int_equal(r->workers[0].sessions.count, 0);
    assert_false(rig_was_killed(r, 0));
}

static void
ended_twice_is_a_violation(void **state)
{
    struct rig *r = *state;
    uint64_t id = give_session(r, 0);

    rig_say_ended(r, 0, id);
    rig_say_ended(r, 0, id);
    rig_turn(r);
    rig_turn(r);
    assert_true(rig_was_killed(r, 0));
    assert_string_equal(r->workers[0].reason, "violation");
}

static void
another_workers_session_is_a_violation(void **state)
{
    struct rig *r = *state;
    uint64_t id = give_session(r, 0);

    rig_say_ended(r, 1, id);
    rig_turn(r);
    assert_true(rig_was_killed(r, 1));
    assert_false(rig_was_killed(r, 0));
    assert_non_null(sessions_get(&r->m.sessions, id));
}

static void
an_id_never_issued_is_a_violation(void **state)
{
    struct rig *r = *state;

    rig_say_ended(r, 2, 42);
    rig_turn(r);
    assert_true(rig_was_killed(r, 2));
}

static void
a_session_not_sent_yet_is_a_violation(void **state)
{
    struct rig *r = *state;
    struct session *s = rig_session(r);

    dispatch_session(&r->m, s);
    rig_say_ended(r, 0, s->id);
    rig_turn(r);
    assert_true(rig_was_killed(r, 0));
    assert_true(s->fd >= 0);
}

static void
a_second_ready_is_a_violation(void **state)
{
    struct rig *r = *state;

    r->theirs[0].state = IPC_STARTING;
    rig_say(r, 0, IPC_READY, NULL, 0);
    rig_turn(r);
    assert_true(rig_was_killed(r, 0));
}

static void
random_bytes_are_a_violation_and_end_the_reading(void **state)
{
    struct rig *r = *state;
    struct unit_random random = UNIT_RANDOM_INIT;
    uint8_t noise[64];

    for (int i = 0; i < 100; i++) {
        unit_random_fill(&random, noise, sizeof noise);
        if (send(r->theirs[0].fd, noise, sizeof noise, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            break;
    }
    rig_turn(r);
    assert_true(rig_was_killed(r, 0));
    assert_false(loop_io_active(&r->workers[0].io));
}

static void
a_flood_does_not_starve_the_others(void **state)
{
    struct rig *r = *state;
    uint8_t lost[8];
    size_t len = ipc_u32_encode(1, lost, sizeof lost);
    uint64_t id = give_session(r, 1);
    int sent = 0;

    while (sent < 2000 && ipc_send(&r->theirs[0], IPC_LOST, lost, len, NULL, 0) == 0)
        sent++;
    assert_true(sent > MASTER_READ_BUDGET);
    rig_say_ended(r, 1, id);
    rig_turn(r);
    assert_null(sessions_get(&r->m.sessions, id));
    assert_in_range(r->m.lost, 1, MASTER_READ_BUDGET);
    for (int i = 0; i < 2000 && r->m.lost < (uint64_t)sent; i++)
        rig_turn(r);
    assert_int_equal(r->m.lost, sent);
}

static void
the_end_of_a_channel_waits_for_the_exit(void **state)
{
    struct rig *r = *state;

    (void)shutdown(r->theirs[0].fd, SHUT_WR);
    rig_turn(r);
    assert_int_equal(r->workers[0].phase, PROCESS_KILLED);
    assert_null(r->workers[0].reason);
    assert_true(loop_timer_armed(&r->workers[0].limit));
}

static void
the_rest_of_a_dead_worker_is_read(void **state)
{
    struct rig *r = *state;
    uint64_t a = give_session(r, 0);
    uint64_t b = give_session(r, 0);

    rig_say_ended(r, 0, a);
    process_kill(&r->workers[0], "test");
    process_read_rest(&r->workers[0]);
    assert_null(sessions_get(&r->m.sessions, a));
    assert_non_null(sessions_get(&r->m.sessions, b));
}

/* Its records of those that ended are in its ring: none may be closed a second time. */
static void
what_breaks_the_rules_does_not_hide_what_ended(void **state)
{
    struct rig *r = *state;
    uint64_t a = give_session(r, 0);
    uint64_t b = give_session(r, 0);

    rig_say_ended(r, 0, 42);
    rig_say_ended(r, 0, a);
    assert_int_equal(send(r->theirs[0].fd, "noise", 5, MSG_NOSIGNAL), 5);
    rig_say_ended(r, 0, b);
    process_kill(&r->workers[0], "test");
    process_read_rest(&r->workers[0]);
    assert_int_equal(r->workers[0].sessions.count, 0);
}

static void
an_answer_about_a_file_not_sent_is_a_violation(void **state)
{
    struct rig *r = *state;
    struct ipc_file_result result = { .file = { .kind = IPC_FILE_HOSTS, .generation = 1 },
        .error = "flood" };
    uint8_t body[IPC_BODY_MAX];

    rig_say(r, 1, IPC_FILE_RESULT, body, ipc_file_result_encode(&result, body, sizeof body));
    rig_turn(r);
    assert_true(rig_was_killed(r, 1));
    assert_string_equal(r->workers[1].reason, "violation");
}

static void
more_lost_than_a_message_holds_is_a_violation(void **state)
{
    struct rig *r = *state;
    uint8_t body[4];

    rig_say(r, 0, IPC_LOST, body, ipc_u32_encode(IPC_SESSIONS_MAX, body, sizeof body));
    rig_turn(r);
    assert_int_equal(r->m.lost, IPC_SESSIONS_MAX);
    assert_false(rig_was_killed(r, 0));
    rig_say(r, 0, IPC_LOST, body, ipc_u32_encode(IPC_SESSIONS_MAX + 1, body, sizeof body));
    rig_turn(r);
    assert_true(rig_was_killed(r, 0));
    assert_int_equal(r->m.lost, IPC_SESSIONS_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ended_gives_the_session_back, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(ended_twice_is_a_violation, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(another_workers_session_is_a_violation, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(an_id_never_issued_is_a_violation, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_session_not_sent_yet_is_a_violation, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_second_ready_is_a_violation, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(random_bytes_are_a_violation_and_end_the_reading, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(a_flood_does_not_starve_the_others, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(the_end_of_a_channel_waits_for_the_exit, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(the_rest_of_a_dead_worker_is_read, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(what_breaks_the_rules_does_not_hide_what_ended, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(an_answer_about_a_file_not_sent_is_a_violation, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(more_lost_than_a_message_holds_is_a_violation, rig_setup,
            rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
