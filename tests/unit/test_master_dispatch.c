/* SPDX-License-Identifier: ISC */
/* Which worker gets a session, in which messages, and what happens when it cannot be sent. */
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <unistd.h>

static void
dispatch(struct rig *r, int count)
{
    for (int i = 0; i < count; i++)
        dispatch_session(&r->m, rig_session(r));
}

static void
the_least_loaded_worker_gets_it(void **state)
{
    struct rig *r = *state;

    dispatch(r, 3);
    for (int i = 0; i < RIG_WORKERS; i++)
        assert_int_equal(r->workers[i].sessions.count, 1);
    dispatch_flush(&r->m);
    rig_say_ended(r, 1, r->workers[1].sessions.head->id);
    rig_turn(r);
    assert_int_equal(r->workers[1].sessions.count, 0);
    dispatch(r, 1);
    assert_int_equal(r->workers[1].sessions.count, 1);
}

static void
one_message_a_turn_and_worker(void **state)
{
    struct rig *r = *state;
    struct ipc_message message;
    struct ipc_session list[IPC_SESSIONS_MAX];
    size_t count = 0;

    r->workers[1].bypassed = r->workers[2].bypassed = true;
    dispatch(r, 3);
    assert_int_equal(r->m.dispatch.batched, 3);
    assert_false(rig_receive(r, 0, &message));
    dispatch_flush(&r->m);
    assert_int_equal(r->m.dispatch.batched, 0);
    assert_true(rig_receive(r, 0, &message));
    assert_int_equal(message.type, IPC_SESSIONS);
    assert_int_equal(message.fd_count, 3);
    assert_int_equal(ipc_sessions_decode(&message, list, &count), 0);
    assert_int_equal(count, 3);
    assert_true(list[1].id == list[0].id + 1);
    assert_int_equal(r->workers[0].sessions.head->fd, -1);
    assert_false(rig_receive(r, 0, &message));
}

static void
a_full_batch_leaves_at_once(void **state)
{
    struct rig *r = *state;
    struct ipc_message message;

    r->workers[1].bypassed = r->workers[2].bypassed = true;
    r->workers[0].capacity = 100;
    dispatch(r, IPC_SESSIONS_MAX + 1);
    assert_true(rig_receive(r, 0, &message));
    assert_int_equal(message.fd_count, IPC_SESSIONS_MAX);
    assert_int_equal(r->m.dispatch.batched, 1);
}

static void
our_copy_of_the_descriptor_is_closed(void **state)
{
    struct rig *r = *state;
    char byte;

    dispatch(r, 1);
    dispatch_flush(&r->m);
    rig_drain(r, 0);
    /* The worker closed its one, so the client sees the end: nobody else holds it. */
    assert_int_equal(recv(r->peers[0], &byte, 1, MSG_DONTWAIT), 0);
}

static void
a_full_channel_goes_to_another_worker(void **state)
{
    struct rig *r = *state;

    rig_fill(r, 0);
    dispatch(r, 1);
    assert_int_equal(r->workers[0].sessions.count, 1);
    dispatch_flush(&r->m);
    assert_true(r->workers[0].blocked);
    assert_int_equal(r->workers[0].sessions.count, 0);
    assert_int_equal(r->workers[1].sessions.count, 1);
    assert_int_equal(r->m.dispatch.waiting.count, 0);
    assert_int_equal(r->m.acceptor.paused, 0);
    assert_true(loop_timer_armed(&r->m.dispatch.retry));
}

static void
with_all_channels_full_it_waits(void **state)
{
    struct rig *r = *state;

    for (int i = 0; i < RIG_WORKERS; i++)
        rig_fill(r, i);
    dispatch(r, 2);
    dispatch_flush(&r->m);
    assert_int_equal(r->m.dispatch.waiting.count, 2);
    assert_int_equal(r->m.acceptor.paused, PAUSE_BLOCKED);
    assert_false(dispatch_room(&r->m));
    rig_drain(r, 2);
    /* The retry comes in 5 ms; the loop waits for it. */
    for (int i = 0; i < 1000 && r->m.dispatch.waiting.count > 0; i++) {
        assert_int_equal(loop_turn(r->m.loop, 10), 0);
        dispatch_flush(&r->m);
    }
    assert_int_equal(r->m.dispatch.waiting.count, 0);
    assert_int_equal(r->workers[2].sessions.count, 2);
    assert_int_equal(r->m.acceptor.paused, 0);
}

static void
full_workers_are_no_room(void **state)
{
    struct rig *r = *state;

    dispatch(r, 4 * RIG_WORKERS);
    dispatch_flush(&r->m);
    assert_false(dispatch_room(&r->m));
    for (int i = 0; i < RIG_WORKERS; i++)
        assert_int_equal(r->workers[i].sessions.count, 4);
    accept_pause(&r->m, PAUSE_FULL);
    rig_say_ended(r, 2, r->workers[2].sessions.head->id);
    rig_turn(r);
    assert_true(dispatch_room(&r->m));
    assert_int_equal(r->m.acceptor.paused, 0);
}

static void
the_limit_of_all_sessions_is_no_room(void **state)
{
    struct rig *r = *state;

    r->m.sessions.limit = 2;
    dispatch(r, 2);
    assert_false(dispatch_room(&r->m));
}

static void
the_unsent_sessions_of_a_lost_worker_go_to_others(void **state)
{
    struct rig *r = *state;

    dispatch(r, 3);
    process_kill(&r->workers[0], "test");
    assert_int_equal(r->workers[0].sessions.count, 0);
    assert_int_equal(r->m.dispatch.waiting.count, 1);
    dispatch_flush(&r->m);
    assert_int_equal(r->m.dispatch.waiting.count, 0);
    assert_int_equal(r->workers[1].sessions.count + r->workers[2].sessions.count, 3);
}

static void
a_closed_channel_ends_its_worker_and_loses_nothing(void **state)
{
    struct rig *r = *state;

    (void)shutdown(r->theirs[0].fd, SHUT_RDWR);
    dispatch(r, 1);
    dispatch_flush(&r->m);
    /* It is given a moment to exit by itself. */
    assert_int_equal(r->workers[0].phase, PROCESS_KILLED);
    assert_true(loop_timer_armed(&r->workers[0].limit));
    assert_int_equal(r->workers[1].sessions.count, 1);
}

/* The worker that refused is gone for good; nothing else will ever wake the listeners. */
static void
listeners_wake_when_others_took_what_waited(void **state)
{
    struct rig *r = *state;

    (void)shutdown(r->theirs[0].fd, SHUT_RDWR);
    accept_pause(&r->m, PAUSE_FULL);
    dispatch(r, 1);
    dispatch_flush(&r->m);
    assert_int_equal(r->m.dispatch.waiting.count, 0);
    assert_int_equal(r->m.acceptor.paused, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_least_loaded_worker_gets_it, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(one_message_a_turn_and_worker, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_full_batch_leaves_at_once, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(our_copy_of_the_descriptor_is_closed, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_full_channel_goes_to_another_worker, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(with_all_channels_full_it_waits, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(full_workers_are_no_room, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(the_limit_of_all_sessions_is_no_room, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(the_unsent_sessions_of_a_lost_worker_go_to_others, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(listeners_wake_when_others_took_what_waited, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(a_closed_channel_ends_its_worker_and_loses_nothing, rig_setup,
            rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
