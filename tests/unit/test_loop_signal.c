/* SPDX-License-Identifier: ISC */
/* src/core/loop_signal.c */
#include "tests/unit/core_unit.h"

#include <signal.h>

#include "src/core/loop.h"

struct seen {
    int usr1;
    int usr2;
};

static void
on_signal(int signo, void *ctx)
{
    struct seen *seen = ctx;

    seen->usr1 += signo == SIGUSR1;
    seen->usr2 += signo == SIGUSR2;
}

static void
act_signals(void *arg)
{
    static const int signals[] = { SIGUSR1, SIGUSR2 };
    struct seen seen = { 0, 0 };
    struct loop *loop = loop_new();

    (void)arg;
    CHILD_CHECK(loop_signals(loop, signals, SP_COUNT(signals), on_signal, &seen) == 0);
    CHILD_CHECK(raise(SIGUSR1) == 0);
    CHILD_CHECK(raise(SIGUSR2) == 0);
    CHILD_CHECK(loop_turn(loop, -1) == 0);
    CHILD_CHECK(seen.usr1 == 1 && seen.usr2 == 1);
    CHILD_CHECK(loop_signals(loop, signals, SP_COUNT(signals), on_signal, &seen) == -1);
    CHILD_CHECK(errno == EBUSY);
    loop_free(&loop);
    /* A late one does not kill us. */
    CHILD_CHECK(raise(SIGUSR1) == 0);
}

static void
test_signals(void **state)
{
    (void)state;
    unit_assert_exit(unit_fork(act_signals, NULL, NULL, 0), 0);
}

static void
test_bad_signal(void **state)
{
    static const int signals[] = { 9999 };
    struct loop *loop = loop_new();

    (void)state;
    assert_int_equal(loop_signals(loop, signals, 1, on_signal, NULL), -1);
    assert_int_equal(errno, EINVAL);
    loop_free(&loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_bad_signal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
