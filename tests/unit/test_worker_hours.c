/* SPDX-License-Identifier: ISC */
/*
 * src/worker/worker_hours.c: when a worker looks at its time windows. Its clock is set by changing what it
 * remembers of the last look.
 */
#include "tests/unit/config_rig.h"

#include "src/worker/worker.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD "methods = { \"none\" }\nlisten \"127.0.0.1:1080\" {}\n"
#define MINUTE (60 * CLOCK_SECOND_US)

static struct worker w;
static struct rig config;

static void
begin(const char *text)
{
    rig_good(&config, text);
    w.image = config.image;
    w.host.image = config.image;
    w.host.loop = w.child.loop = loop_new();
    assert_non_null(w.child.loop);
    worker_hours_begin(&w);
}

static void
look(void)
{
    w.hours.timer.expired(&w.hours.timer);
}

static void
test_no_windows(void **state)
{
    (void)state;
    begin(HEAD "rule \"a\" { action = \"allow\" }\n");
    assert_false(loop_timer_armed(&w.hours.timer));
}

static void
test_every_minute(void **state)
{
    (void)state;
    begin(HEAD "rule \"a\" { action = \"allow\" time = { \"Sun-Sat 00:00-24:00\" } }\n");
    assert_true(loop_timer_armed(&w.hours.timer));
    int64_t left = mono_diff_us(w.hours.timer.deadline, w.hours.at_mono);

    assert_true(left > 0 && left <= MINUTE);
    assert_int_equal((w.hours.at.us + left) % MINUTE, 0);
    look(); /* nothing has opened or closed */
    assert_false(w.host.rejudge.running);
    assert_true(loop_timer_armed(&w.hours.timer));
}

/* Each way, and only by more than clocks drift. */
static void
test_clock_set(void **state)
{
    static const int64_t steps[] = { 3600, -3600, 5, -5 };

    (void)state;
    begin(HEAD "rule \"a\" { action = \"allow\" time = { \"Sun-Sat 00:00-24:00\" } }\n");
    w.hours.at.us -= CLOCK_SECOND_US;
    look();
    assert_false(w.host.rejudge.running);
    for (size_t i = 0; i < SP_COUNT(steps); i++) {
        uint32_t epoch = w.host.epoch;

        w.hours.at.us -= steps[i] * CLOCK_SECOND_US;
        look();
        assert_true(w.host.rejudge.running && w.host.rejudge.now.only_time);
        assert_int_equal(w.host.epoch, epoch + 1);
        assert_int_equal(loop_turn(w.child.loop, 0), 0);
        assert_false(w.host.rejudge.running);
    }
}

/* A window of one minute, closed but for the one of the last look. */
static void
test_closes(void **state)
{
    char text[256];
    int64_t minute;

    (void)state;
    minute = wall_read().us / MINUTE % 1440 - 30; /* half an hour ago, by UTC */
    minute = minute < 0 ? minute + 1440 : minute;
    assert_true(snprintf(text, sizeof text,
                    HEAD "rule \"a\" { action = \"allow\" time = { \"%02d:%02d-%02d:%02d\" } }\n",
                    (int)(minute / 60), (int)(minute % 60), (int)((minute + 1) % 1440 / 60),
                    (int)((minute + 1) % 60)) > 0);
    begin(text);
    w.hours.at.us -= 30 * MINUTE;
    w.hours.at_mono.us -= 30 * MINUTE; /* both: that much time has passed */
    look();
    assert_true(w.host.rejudge.running);
    /* and a reload without windows ends the looking */
    struct rig none;

    rig_good(&none, HEAD "rule \"a\" { action = \"allow\" }\n");
    w.image = none.image;
    worker_hours_begin(&w);
    assert_false(loop_timer_armed(&w.hours.timer));
    rig_free(&none);
}

static int
setup(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    return setenv("TZ", "UTC", 1);
}

static int
teardown(void **state)
{
    (void)state;
    loop_timer_cancel(w.child.loop, &w.hours.timer);
    session_host_free(&w.host);
    loop_free(&w.child.loop);
    rig_free(&config);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_no_windows),
        TEST(test_every_minute),
        TEST(test_clock_set),
        TEST(test_closes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
