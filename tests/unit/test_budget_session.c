/* SPDX-License-Identifier: ISC */
/* src/session/budget_session.c: the line of those who wait, whose turn it is and what each gets. */
#include "tests/unit/budget_rig.h"

#include "lib/base/fd.h"

#include <sys/socket.h>

#include "src/session/session_private.h"

/* One that has much to move leaves as much to the others. */
static void
test_same_share(void **state)
{
    uint64_t id[2];
    int target[2], fd[2] = { rig_relaying(&id[0], &target[0]), rig_relaying(&id[1], &target[1]) };

    (void)state;
    assert_int_equal(rig.ask_count, 1); /* one budget */
    session_rig_send(fd[0], rig_data, 100000);
    session_rig_turns(5);
    session_rig_send(fd[1], rig_data, 100000);
    for (int i = 0; i < 5; i++) {
        rig_grant(rig_last_ask()->handle, 10240);
        assert_int_equal(rig_arrived(target[0]), 5120);
        assert_int_equal(rig_arrived(target[1]), 5120);
    }
    for (int i = 0; i < 2; i++) { /* they end as they stand */
        fd_close(&fd[i]);
        fd_close(&target[i]);
    }
}

/* Both directions of one session, too. */
static void
test_both_ways(void **state)
{
    uint64_t id;
    int target, fd = rig_relaying(&id, &target);

    (void)state;
    session_rig_send(fd, rig_data, 60000);
    session_rig_send(target, rig_data, 60000);
    session_rig_turns(5);
    rig_grant(rig_last_ask()->handle, 10240);
    size_t up = rig_arrived(target), down = rig_arrived(fd);

    assert_int_equal(up + down, 10240);
    assert_in_range(up, 4096, 6144);
    fd_close(&fd);
    fd_close(&target);
}

/* Who ends while it waits is in nobody's line any more. */
static void
test_the_end_of_one_that_waits(void **state)
{
    uint64_t id[3];
    int fd[3], target[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        fd[i] = rig_relaying(&id[i], &target[i]);
        session_rig_send(fd[i], rig_data, 5000);
    }
    session_rig_turns(5);
    const struct budget *b = idmap_get(&rig.host.budgets.by_handle, rig_last_ask()->handle);

    assert_non_null(b);
    assert_int_equal(b->waiting, 3);
    for (int i = 0; i < 3; i += 2) {
        const struct linger reset = { .l_onoff = 1 };

        assert_int_equal(setsockopt(fd[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
        fd_close(&fd[i]);
        (void)session_rig_expect(id[i], EVENT_SESSION_END, "client-reset");
    }
    assert_int_equal(b->waiting, 1);
    rig_grant(b->handle, 10240);
    assert_int_equal(rig_arrived(target[1]), 5000);
    assert_int_equal(b->waiting, 0);
    fd_close(&fd[1]);
    for (int i = 0; i < 3; i++)
        fd_close(&target[i]);
    (void)session_rig_expect(id[1], EVENT_SESSION_END, "closed");
}

static const struct session *
session_of(uint64_t id)
{
    const struct session *s = rig.host.first;

    while (s != NULL && s->id != id)
        s = s->next;
    assert_non_null(s);
    return s;
}

/* Between a grant and the turn of those who waited for it nobody else takes any of it. */
static void
test_those_in_line_come_first(void **state)
{
    uint64_t id[2];
    int target[2], fd[2] = { rig_relaying(&id[0], &target[0]), rig_relaying(&id[1], &target[1]) };
    const struct session *newcomer = session_of(id[1]);

    (void)state;
    session_rig_send(fd[0], rig_data, 5000);
    session_rig_turns(5);
    rig_grant(rig_last_ask()->handle, 10240);
    assert_int_equal(budget_allowance(newcomer), 0);
    assert_int_equal(rig_arrived(target[0]), 5000);
    assert_int_equal(budget_allowance(newcomer), 5240);
    for (int i = 0; i < 2; i++) {
        fd_close(&fd[i]);
        fd_close(&target[i]);
    }
}

/* Each session has one, and for a moment who serves the line; in the end nobody. */
static void
test_references(void **state)
{
    struct budgets *set = &rig.host.budgets;
    uint64_t id[2];
    int target[2], fd[2] = { rig_relaying(&id[0], &target[0]), rig_relaying(&id[1], &target[1]) };
    const struct budget *b = idmap_get(&set->by_handle, rig_last_ask()->handle);

    (void)state;
    assert_int_equal(b->references, 2);
    for (int i = 0; i < 5; i++) {
        session_rig_send(fd[0], rig_data, 20000);
        session_rig_turns(5);
        rig_grant(b->handle, 10240);
        assert_int_equal(b->references, 3);
        assert_int_equal(rig_arrived(target[0]), 10240);
        assert_int_equal(b->references, 2);
    }
    session_rig_turns(5);
    rig_grant(b->handle, 10240);
    for (int i = 0; i < 2; i++) { /* before it is served */
        budget_release((struct session *)session_of(id[i]));
        assert_int_equal(set->idle_count, 0);
    }
    assert_int_equal(b->references, 1);
    session_rig_turns(2);
    assert_int_equal(b->references, 0);
    assert_int_equal(set->idle_count, 1);
    for (int i = 0; i < 2; i++) {
        fd_close(&fd[i]);
        fd_close(&target[i]);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, budget_rig_setup, session_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_same_share),
        CASE(test_both_ways),
        CASE(test_the_end_of_one_that_waits),
        CASE(test_those_in_line_come_first),
        CASE(test_references),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
