/* SPDX-License-Identifier: ISC */
/* src/core/loop_timer.c: against a plain list of what should fire. */
#include "tests/unit/core_unit.h"

#include "src/core/loop.h"

#define COUNT 500

struct alarm {
    struct loop_timer timer;
    struct loop *loop;
    int calls;
    bool again;
    struct alarm *victim;
};

static struct mono last_deadline;

static void
alarm_expired(struct loop_timer *timer)
{
    struct alarm *a = (struct alarm *)((char *)timer - offsetof(struct alarm, timer));

    assert_false(loop_timer_armed(timer));
    assert_false(mono_before(timer->deadline, last_deadline));
    assert_false(mono_before(loop_now(a->loop), timer->deadline));
    last_deadline = timer->deadline;
    a->calls++;
    if (a->again)
        assert_int_equal(loop_timer_set(a->loop, timer, timer->deadline), 0);
    if (a->victim != NULL)
        loop_timer_cancel(a->loop, &a->victim->timer);
}

static int
setup(void **state)
{
    *state = loop_new();
    last_deadline = (struct mono) { 0 };
    return *state == NULL;
}

static int
teardown(void **state)
{
    struct loop *loop = *state;

    loop_free(&loop);
    return 0;
}

/* Arms, moves and cancels at random around the present; then all due ones fire, in order. */
static void
test_heap_against_a_list(void **state)
{
    struct loop *loop = *state;
    struct unit_random random = UNIT_RANDOM_INIT;
    static struct alarm alarms[COUNT];
    bool armed[COUNT] = { false };
    struct mono base = loop_now(loop);

    for (int i = 0; i < COUNT; i++)
        alarms[i] = (struct alarm) { .timer.expired = alarm_expired, .loop = loop };
    for (int i = 0; i < 20000; i++) {
        size_t n = unit_random(&random) % COUNT;
        int64_t offset = (int64_t)(unit_random(&random) % 2000) - 1000;

        armed[n] = unit_random(&random) % 3 != 0;
        if (armed[n])
            assert_int_equal(loop_timer_set(loop, &alarms[n].timer,
                                 mono_add_us(base, offset * CLOCK_SECOND_US)),
                0);
        else
            loop_timer_cancel(loop, &alarms[n].timer);
        assert_int_equal(loop_timer_armed(&alarms[n].timer), armed[n]);
    }
    assert_int_equal(loop_turn(loop, 0), 0);
    int due = 0;

    for (int i = 0; i < COUNT; i++) {
        bool past = armed[i] && !mono_before(base, alarms[i].timer.deadline);

        assert_int_equal(alarms[i].calls, past);
        assert_int_equal(loop_timer_armed(&alarms[i].timer), armed[i] && !past);
        due += past;
        loop_timer_cancel(loop, &alarms[i].timer);
    }
    assert_in_range(due, 50, COUNT - 50);
    loop_refresh(loop);
    assert_int_equal(loop_turn(loop, 0), 0);
}

static void
test_turn_waits_for_the_timer(void **state)
{
    struct loop *loop = *state;
    struct alarm a = { .timer.expired = alarm_expired, .loop = loop };
    struct mono deadline = mono_add_us(mono_read(), 3 * CLOCK_MSEC_US + 1);

    assert_int_equal(loop_timer_set(loop, &a.timer, deadline), 0);
    while (a.calls == 0)
        assert_int_equal(loop_turn(loop, -1), 0);
    assert_false(mono_before(mono_read(), deadline));
}

/* Armed again for a time already past it has its next call in the next turn. */
static void
test_rearming_is_bounded(void **state)
{
    struct loop *loop = *state;
    struct alarm a = { .timer.expired = alarm_expired, .loop = loop, .again = true };

    assert_int_equal(loop_timer_set(loop, &a.timer, loop_now(loop)), 0);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(loop_turn(loop, -1), 0);
        assert_int_equal(a.calls, i);
    }
    loop_timer_cancel(loop, &a.timer);
    loop_timer_cancel(loop, &a.timer);
}

static void
test_cancelled_in_the_same_turn(void **state)
{
    struct loop *loop = *state;
    struct alarm a = { .timer.expired = alarm_expired, .loop = loop };
    struct alarm b = a;
    struct mono first = loop_now(loop);

    a.victim = &b;
    assert_int_equal(loop_timer_set(loop, &b.timer, mono_add_us(first, 1)), 0);
    assert_int_equal(loop_timer_set(loop, &a.timer, first), 0);
    while (mono_read().us <= first.us + 1)
        ;
    assert_int_equal(loop_turn(loop, -1), 0);
    assert_int_equal(a.calls, 1);
    assert_int_equal(b.calls, 0);
}

static void
test_never(void **state)
{
    struct loop *loop = *state;
    struct alarm a = { .timer.expired = alarm_expired, .loop = loop };

    assert_int_equal(loop_timer_set(loop, &a.timer, MONO_NEVER), 0);
    assert_int_equal(loop_turn(loop, 1), 0);
    assert_int_equal(a.calls, 0);
    loop_timer_cancel(loop, &a.timer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_heap_against_a_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_turn_waits_for_the_timer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rearming_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancelled_in_the_same_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_never, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
