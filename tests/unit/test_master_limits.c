/* SPDX-License-Identifier: ISC */
/* src/master/master_limits.c and what hangs on it: sessions are counted once and exactly, verdicts
   reach who waits for them. */
#include "tests/unit/limits_rig.h"
#include "tests/unit/unit.h"

static void
sessions_of_a_client(void **state)
{
    struct rig *r = *state;

    r->m.limits.sessions_per_client = 2;
    struct session *a = rig_arrive(r, 1), *b = rig_arrive(r, 1);

    assert_non_null(a);
    assert_non_null(b);
    assert_null(rig_arrive(r, 1));
    assert_non_null(rig_arrive(r, 2));
    rig_leave(r, a);
    assert_non_null(rig_arrive(r, 1));
    assert_null(rig_arrive(r, 1));
    assert_null(rig_arrive(r, 1));
    assert_int_equal(r->m.limits.refused[LIMIT_CLIENT_SESSIONS], 3);
    assert_int_equal(rig_events(r, EVENT_LIMIT_REACHED), 1);
}

/* Counted without a limit, too: one that comes later finds the truth. */
static void
a_limit_that_comes_later(void **state)
{
    struct rig *r = *state;

    assert_non_null(rig_arrive(r, 1));
    assert_non_null(rig_arrive(r, 1));
    r->m.limits.sessions_per_client = 2;
    assert_null(rig_arrive(r, 1));
    r->m.limits.sessions_per_client = 0;
    assert_non_null(rig_arrive(r, 1));
}

static void
pending_ends_in_three_ways(void **state)
{
    struct rig *r = *state;

    r->m.limits.pending_per_client = 3;
    struct session *a = rig_arrive(r, 1), *b = rig_arrive(r, 1), *c = rig_arrive(r, 1);

    assert_null(rig_arrive(r, 1));
    rig_login(r, a, true, "alice");
    rig_login(r, a, true, "alice"); /* said twice, it counts once */
    limits_requested(&r->m, b);
    limits_requested(&r->m, b);
    rig_leave(r, c);
    assert_int_equal(r->m.limits.tally.pending, 0);
    assert_non_null(rig_arrive(r, 1));
    assert_non_null(rig_arrive(r, 1));
    assert_non_null(rig_arrive(r, 1));
    assert_null(rig_arrive(r, 1));
    /* The limit goes and comes: those from before are none any more, and end without a trace. */
    tally_pending_forget(&r->m.limits.tally);
    struct session *d = rig_arrive(r, 1);

    assert_non_null(d);
    rig_leave(r, a);
    rig_leave(r, b);
    assert_int_equal(r->m.limits.tally.pending, 1);
    rig_leave(r, d);
    assert_int_equal(r->m.limits.tally.pending, 0);
}

/* What worker 0 was sent: the verdict about the session, or -1. */
static int
verdict(struct rig *r, const struct session *s)
{
    struct ipc_verdict list[IPC_VERDICTS_MAX];
    struct ipc_message m;
    size_t count = 0;

    limits_turn_end(&r->m);
    if (!rig_receive(r, 0, &m))
        return -1;
    assert_int_equal(m.type, IPC_VERDICT);
    assert_int_equal(ipc_verdicts_decode(&m, list, &count), 0);
    assert_int_equal(count, 1);
    assert_true(list[0].session == s->id);
    return (int)list[0].what;
}

static void
sessions_of_a_user(void **state)
{
    struct rig *r = *state;
    struct session *a = rig_arrive(r, 1), *b = rig_arrive(r, 2), *c = rig_arrive(r, 3), *d = rig_arrive(r, 4);

    rig_login(r, a, true, "alice");
    assert_int_equal(verdict(r, a), -1); /* nobody waits: there was never a limit */
    r->m.limits.sessions_per_user = 2;
    r->m.limits.verdicts = true;
    rig_login(r, b, true, "alice");
    assert_int_equal(verdict(r, b), IPC_VERDICT_GO);
    rig_login(r, c, true, "alice");
    assert_int_equal(verdict(r, c), IPC_VERDICT_SESSIONS);
    rig_login(r, d, true, "bob");
    assert_int_equal(verdict(r, d), IPC_VERDICT_GO);
    rig_leave(r, c); /* the refused one was not counted */
    assert_int_equal(a->user->sessions, 2);
    rig_leave(r, a);
    assert_int_equal(b->user->sessions, 1);
    c = rig_arrive(r, 1);
    rig_login(r, c, true, "alice");
    assert_int_equal(verdict(r, c), IPC_VERDICT_GO);
    r->m.limits.sessions_per_user = 0; /* a login from before may still wait for its verdict */
    a = rig_arrive(r, 1);
    rig_login(r, a, true, "alice");
    assert_int_equal(verdict(r, a), IPC_VERDICT_GO);
    rig_leave(r, a);
    rig_leave(r, b);
    rig_leave(r, c);
    rig_leave(r, d);
    assert_int_equal(r->m.limits.tally.users.count, 0);
    assert_int_equal(r->m.limits.tally.clients.count, 0);
}

/* A full channel keeps nothing back for good, and costs no worker its life. */
static void
verdicts_wait_for_the_channel(void **state)
{
    struct rig *r = *state;
    struct ipc_verdict list[IPC_VERDICTS_MAX];
    struct ipc_message m;
    size_t got = 0, count;

    rig_fill(r, 0);
    for (uint64_t i = 1; i <= 1000; i++) {
        answers_verdict(&r->workers[0], i, IPC_VERDICT_GO);
        if (i % 2 == 0)
            limits_turn_end(&r->m);
    }
    assert_false(rig_was_killed(r, 0));
    for (int i = 0; i < 50 && got < 1000; i++) {
        while (rig_receive(r, 0, &m)) {
            if (m.type != IPC_VERDICT)
                continue;
            assert_int_equal(ipc_verdicts_decode(&m, list, &count), 0);
            assert_true(list[0].session == got + 1);
            got += count;
        }
        rig_turn(r);
        limits_turn_end(&r->m);
    }
    assert_int_equal(got, 1000);
    assert_null(r->m.answering);
}

static void
a_success_forgives(void **state)
{
    struct rig *r = *state;

    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 2; k++)
            rig_login(r, rig_arrive(r, 1), false, "alice");
        rig_login(r, rig_arrive(r, 2), true, "alice"); /* elsewhere: that says nothing about here */
        if (i < 2)
            rig_login(r, rig_arrive(r, 1), true, "alice");
    }
    assert_int_equal(rig_events(r, EVENT_LIMIT_PENALTY), 0);
    rig_login(r, rig_arrive(r, 1), false, "alice");
    assert_int_equal(rig_events(r, EVENT_LIMIT_PENALTY), 1);
}

/* Who is refused and has no session is nobody's entry. */
static void
the_refused_leave_nothing(void **state)
{
    struct rig *r = *state;

    for (int i = 0; i < 3; i++) {
        struct session *s = rig_arrive(r, 3);

        rig_login(r, s, false, ""); /* it named nobody */
        rig_leave(r, s);
    }
    for (int i = 0; i < 10; i++)
        assert_null(rig_arrive(r, 3));
    assert_int_equal(r->m.limits.refused[LIMIT_PENALTY], 10);
    assert_int_equal(r->m.limits.tally.clients.count, 0);
    assert_int_equal(rig_events(r, EVENT_LIMIT_REACHED), 1);
}

/* While there is something to forget or to tell, and else never. */
static void
the_timer(void **state)
{
    struct rig *r = *state;
    struct loop_timer *timer = &r->m.limits.timer;

    r->m.limits.sessions_per_client = 1;
    struct session *s = rig_arrive(r, 1);

    assert_false(loop_timer_armed(timer));
    assert_null(rig_arrive(r, 1)); /* a notice and no history */
    assert_true(loop_timer_armed(timer));
    notices_free(&r->m.limits.notices);
    loop_timer_cancel(r->m.loop, timer);
    rig_login(r, s, false, "alice"); /* the other way round */
    assert_true(loop_timer_armed(timer));
}

/* Of all notices of the gateway that stops; what the ring has no room for is one message. */
static void
the_last_words(void **state)
{
    struct rig *r = *state;
    struct event filler;

    r->m.limits.sessions_per_client = 1;
    assert_non_null(rig_arrive(r, 1));
    for (int i = 0; i < 5; i++)
        assert_null(rig_arrive(r, 1));
    assert_int_equal(rig_events(r, EVENT_LIMIT_REACHED), 1);
    limits_last_words(&r->m);
    assert_int_equal(rig_events(r, EVENT_LIMIT_REACHED), 2);
    assert_null(rig_arrive(r, 1));
    event_begin(&filler, EVENT_WORKER_START, 0, wall_read());
    while (ring_room(r->m.ring) >= 60000)
        event_commit(r->m.ring, &filler);
    limits_last_words(&r->m);
    assert_int_equal(rig_events(r, EVENT_LIMIT_REACHED), 2);
    assert_int_equal(r->m.limits.notices.untold, 0);
    assert_true(ring_room(r->m.ring) >= 50000);
}

static void
failures_bring_penalties(void **state)
{
    struct rig *r = *state;
    struct limits_status now;

    for (int i = 0; i < 3; i++) {
        struct session *s = rig_arrive(r, 1);

        rig_login(r, s, false, "alice");
        rig_leave(r, s);
    }
    assert_int_equal(rig_events(r, EVENT_LIMIT_PENALTY), 1);
    assert_non_null(rig_arrive(r, 1)); /* hers alone */
    for (int i = 0; i < 9; i++)
        rig_login(r, rig_arrive(r, 1), false, "alice"); /* under her penalty: the client pays */
    assert_null(rig_arrive(r, 1));
    assert_non_null(rig_arrive(r, 2));
    limits_status(&r->m, &now);
    assert_int_equal(now.user_penalties, 1);
    assert_int_equal(now.client_penalties, 1);
    assert_int_equal(now.refused[LIMIT_PENALTY], 1);
    assert_int_equal(now.failures, 12);
    const struct addr there_address = rig_client(2), here_address = rig_client(1);
    const struct addr_prefix there = client_prefix(client_key(&there_address)),
                             here = client_prefix(client_key(&here_address));
    struct penalty_filter filter = { .client = &there };

    assert_int_equal(penalties_clear(&r->m, &filter), 0);
    filter.client = &here;
    filter.user = "";
    assert_int_equal(penalties_clear(&r->m, &filter), 1);
    assert_non_null(rig_arrive(r, 1));
    filter = (struct penalty_filter) { .user = "alice" };
    assert_int_equal(penalties_clear(&r->m, &filter), 1);
}

/* Whose connection is gone before the pool has spoken, and whose worker. */
static void
a_failure_that_comes_late_counts(void **state)
{
    struct rig *r = *state;

    for (int i = 0; i < 3; i++) {
        struct session *s = rig_arrive(r, 1);
        struct ipc_auth_result result = { .worker = 1, .incarnation = r->workers[0].incarnation,
            .session = s->id };

        rig_leave(r, s);
        result.incarnation++; /* a queue it never came through */
        limits_login_late(&r->m, &result);
        result.incarnation--;
        result.excused = true; /* not the client's doing */
        limits_login_late(&r->m, &result);
        assert_int_equal(rig_events(r, EVENT_LIMIT_PENALTY), 0);
        result.excused = false;
        limits_login_late(&r->m, &result);
    }
    assert_int_equal(rig_events(r, EVENT_LIMIT_PENALTY), 1);
    assert_null(rig_arrive(r, 1));
}

static void
a_request_of_another_worker_is_a_violation(void **state)
{
    struct rig *r = *state;
    struct session *s = rig_arrive(r, 1);
    uint8_t body[IPC_BODY_MAX];

    rig_say(r, 0, IPC_REQUESTED, body, ipc_requested_encode(&s->id, 1, body, sizeof body));
    rig_turn(r);
    assert_false(rig_was_killed(r, 0));
    uint64_t id = s->id;

    rig_leave(r, s); /* it ended in the same moment */
    rig_say(r, 0, IPC_REQUESTED, body, ipc_requested_encode(&id, 1, body, sizeof body));
    rig_turn(r);
    assert_false(rig_was_killed(r, 0));
    s = rig_arrive(r, 1);
    rig_say(r, 1, IPC_REQUESTED, body, ipc_requested_encode(&s->id, 1, body, sizeof body));
    rig_turn(r);
    assert_true(rig_was_killed(r, 1));
    id = UINT64_MAX;
    rig_say(r, 2, IPC_REQUESTED, body, ipc_requested_encode(&id, 1, body, sizeof body));
    rig_turn(r);
    assert_true(rig_was_killed(r, 2));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, limits_rig_setup, limits_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(sessions_of_a_client),
        CASE(a_limit_that_comes_later),
        CASE(pending_ends_in_three_ways),
        CASE(sessions_of_a_user),
        CASE(verdicts_wait_for_the_channel),
        CASE(a_success_forgives),
        CASE(the_refused_leave_nothing),
        CASE(the_timer),
        CASE(the_last_words),
        CASE(failures_bring_penalties),
        CASE(a_failure_that_comes_late_counts),
        CASE(a_request_of_another_worker_is_a_violation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
