/* SPDX-License-Identifier: ISC */
/* src/master/master_prepare.c: who is asked, what answers lead to, and who catches up later. */
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#include "lib/base/fd.h"

#define IN_FORCE 3
#define NEXT 5

static int
setup(void **state)
{
    if (rig_setup(state) != 0)
        return -1;
    struct rig *r = *state;

    reload_init(&r->m);
    r->m.generation = IN_FORCE;
    r->m.reload.tries = r->m.reload.generation = NEXT;
    r->m.config.fd = memfd_sealed("old", "old", 3);
    r->m.reload.next.fd = memfd_sealed("new", "new", 3);
    for (int i = 0; i < RIG_WORKERS; i++)
        r->workers[i].generation = IN_FORCE;
    return r->m.config.fd < 0 || r->m.reload.next.fd < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
    struct rig *r = *state;

    loop_task_cancel(r->m.loop, &r->m.reload.task);
    fd_close(&r->m.config.fd);
    fd_close(&r->m.reload.next.fd);
    return rig_teardown(state);
}

static void
begin(struct rig *r)
{
    r->m.reload.phase = RELOAD_PREPARING;
    prepare_begin(&r->m);
    r->m.reload.phase = RELOAD_PREPARING;
}

/* Worker i was sent this, about that generation; descriptors are closed. */
static void
assert_sent(struct rig *r, int i, enum ipc_type type, uint64_t generation)
{
    struct ipc_message m;
    struct ipc_prepare prepare;
    uint64_t number = 0;

    assert_true(rig_receive(r, i, &m));
    assert_int_equal(m.type, type);
    if (type == IPC_PREPARE) {
        assert_int_equal(ipc_prepare_decode(&m, &prepare), 0);
        number = prepare.generation;
        assert_int_equal(m.fd_count, 1);
    } else {
        assert_int_equal(ipc_generation_decode(&m, &number), 0);
    }
    assert_int_equal(number, generation);
}

static void
assert_silence(struct rig *r)
{
    struct ipc_message m;

    for (int i = 0; i < RIG_WORKERS; i++)
        assert_false(rig_receive(r, i, &m));
}

/* Without a turn of the loop: what follows is the test's to call. */
static bool
answer(struct rig *r, int i, uint64_t generation, bool ok)
{
    struct ipc_prepared a = { .generation = generation, .ok = ok };

    if (!ok)
        assert_true(snprintf(a.error, sizeof a.error, "cannot") > 0);
    return prepare_answered(&r->workers[i], &a);
}

/* What one pool says says nothing of another. */
static void
pools_answer_for_themselves(void **state)
{
    struct rig *r = *state;

    for (int i = 1; i < RIG_WORKERS; i++) {
        r->workers[i].place->role = IPC_AUTH;
        r->workers[i].place->pool = (uint32_t)i;
        r->workers[i].peer.other = r->theirs[i].self = IPC_AUTH;
    }
    begin(r);
    for (int i = 0; i < RIG_WORKERS; i++)
        assert_sent(r, i, IPC_PREPARE, NEXT);
    assert_true(answer(r, 0, NEXT, true));
    assert_true(answer(r, 1, NEXT, true));
    assert_int_equal(__builtin_popcountll(r->m.reload.asked), 3);
    assert_int_equal(__builtin_popcountll(r->m.reload.asked & ~r->m.reload.agreed), 1);
    assert_true(answer(r, 2, NEXT, true));
    assert_true(r->m.reload.asked == r->m.reload.agreed);
    for (int i = 1; i < RIG_WORKERS; i++)
        r->workers[i].place->role = IPC_WORKER;
}

static void
all_agree(void **state)
{
    struct rig *r = *state;

    begin(r);
    assert_int_equal(r->m.reload.asked, IPC_WORKER);
    for (int i = 0; i < RIG_WORKERS; i++) {
        assert_sent(r, i, IPC_PREPARE, NEXT);
        assert_false(prepare_settled(&r->m));
        assert_true(answer(r, i, NEXT, true));
    }
    assert_true(prepare_settled(&r->m));
    assert_int_equal(r->m.reload.agreed, IPC_WORKER);
    assert_false(r->m.reload.refused);
    r->m.generation = NEXT;
    prepare_commit(&r->m);
    for (int i = 0; i < RIG_WORKERS; i++) {
        assert_sent(r, i, IPC_COMMIT, NEXT);
        assert_int_equal(r->workers[i].generation, NEXT);
    }
    assert_silence(r);
}

static void
one_refuses(void **state)
{
    struct rig *r = *state;

    begin(r);
    for (int i = 0; i < RIG_WORKERS; i++)
        assert_sent(r, i, IPC_PREPARE, NEXT);
    assert_true(answer(r, 0, NEXT, true));
    assert_true(answer(r, 1, NEXT, false));
    assert_true(r->m.reload.refused);
    assert_non_null(strstr(r->m.reload.why, "worker 2: cannot"));
    prepare_abort(&r->m);
    for (int i = 0; i < RIG_WORKERS; i++) {
        assert_sent(r, i, IPC_ABORT, NEXT);
        assert_int_equal(r->workers[i].generation, IN_FORCE);
    }
    /* The answer that crossed it means nothing any more. */
    r->m.reload.phase = RELOAD_IDLE;
    assert_true(answer(r, 2, NEXT, true));
    assert_silence(r);
}

static void
one_dies(void **state)
{
    struct rig *r = *state;

    begin(r);
    assert_true(answer(r, 0, NEXT, true));
    assert_true(answer(r, 2, NEXT, true));
    assert_false(prepare_settled(&r->m));
    process_kill(&r->workers[1], "test");
    assert_true(prepare_settled(&r->m));
    assert_int_equal(r->m.reload.asked & ~r->m.reload.agreed, 0);
}

static void
all_of_a_kind_die(void **state)
{
    struct rig *r = *state;

    begin(r);
    for (int i = 0; i < RIG_WORKERS; i++)
        process_kill(&r->workers[i], "test");
    assert_true(prepare_settled(&r->m));
    assert_int_equal(r->m.reload.asked & ~r->m.reload.agreed, IPC_WORKER);
}

static void
one_that_starts_meanwhile_catches_up(void **state)
{
    struct rig *r = *state;
    struct process *late = &r->workers[1];

    process_set_phase(late, PROCESS_STARTING);
    begin(r);
    assert_sent(r, 0, IPC_PREPARE, NEXT);
    assert_sent(r, 2, IPC_PREPARE, NEXT);
    assert_silence(r);
    assert_true(answer(r, 0, NEXT, true));
    assert_true(answer(r, 2, NEXT, true));
    assert_true(prepare_settled(&r->m));
    r->m.generation = NEXT;
    prepare_commit(&r->m);
    r->m.reload.phase = RELOAD_IDLE;
    assert_sent(r, 0, IPC_COMMIT, NEXT);
    assert_sent(r, 2, IPC_COMMIT, NEXT);
    assert_silence(r);
    /* It is ready: with the image of its INIT it gets no session. */
    process_set_phase(late, PROCESS_RUNNING);
    r->workers[0].bypassed = r->workers[2].bypassed = true;
    prepare_catch_up(late);
    assert_sent(r, 1, IPC_PREPARE, NEXT);
    assert_false(dispatch_room(&r->m));
    assert_true(answer(r, 1, NEXT, true));
    assert_sent(r, 1, IPC_COMMIT, NEXT);
    assert_int_equal(late->generation, NEXT);
    assert_true(dispatch_room(&r->m));
    prepare_catch_up(late);
    assert_silence(r);
}

static void
one_that_cannot_catch_up_is_replaced(void **state)
{
    struct rig *r = *state;

    r->m.generation = NEXT;
    prepare_catch_up(&r->workers[0]);
    assert_true(answer(r, 0, NEXT, false));
    assert_true(rig_was_killed(r, 0));
    assert_string_equal(r->workers[0].reason, "reload");
}

/* A third image came into force while it looked at the second. */
static void
catching_up_with_what_is_past(void **state)
{
    struct rig *r = *state;

    r->m.generation = NEXT;
    prepare_catch_up(&r->workers[0]);
    assert_sent(r, 0, IPC_PREPARE, NEXT);
    r->m.generation = r->m.reload.tries = NEXT + 1;
    prepare_catch_up(&r->workers[0]);
    assert_silence(r);
    assert_true(answer(r, 0, NEXT, true));
    assert_sent(r, 0, IPC_ABORT, NEXT);
    assert_sent(r, 0, IPC_PREPARE, NEXT + 1);
    assert_true(answer(r, 0, NEXT + 1, true));
    assert_sent(r, 0, IPC_COMMIT, NEXT + 1);
}

static void
an_answer_to_what_was_never_asked(void **state)
{
    struct rig *r = *state;

    assert_false(answer(r, 0, NEXT + 1, true));
    assert_true(answer(r, 0, NEXT - 1, true));
    assert_silence(r);
}

/* What waits in a full channel may be a COMMIT: sessions of its listeners must come behind it. */
static void
sessions_do_not_overtake_a_commit(void **state)
{
    struct rig *r = *state;
    struct ipc_message m;

    r->workers[1].bypassed = r->workers[2].bypassed = true;
    rig_fill(r, 0);
    begin(r);
    assert_non_null(r->workers[0].outbox);
    rig_drain(r, 0);
    dispatch_session(&r->m, rig_session(r));
    dispatch_flush(&r->m);
    assert_false(rig_receive(r, 0, &m));
    outbox_flush(&r->workers[0]);
    assert_sent(r, 0, IPC_PREPARE, NEXT);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(all_agree),
        TEST(pools_answer_for_themselves),
        TEST(one_refuses),
        TEST(one_dies),
        TEST(all_of_a_kind_die),
        TEST(one_that_starts_meanwhile_catches_up),
        TEST(one_that_cannot_catch_up_is_replaced),
        TEST(catching_up_with_what_is_past),
        TEST(an_answer_to_what_was_never_asked),
        TEST(sessions_do_not_overtake_a_commit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
