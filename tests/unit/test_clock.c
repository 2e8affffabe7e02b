/* SPDX-License-Identifier: ISC */
/* lib/base/clock.c */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <time.h>

#include "lib/base/clock.h"

static void
test_mono_does_not_go_back(void **state)
{
    (void)state;
    struct mono last = mono_read();
    assert_true(last.us > 0);
    for (int i = 0; i < 1000; i++) {
        const struct mono now = mono_read();
        assert_false(mono_before(now, last));
        last = now;
    }
}

static void
test_wall_is_now(void **state)
{
    (void)state;
    const int64_t before = (int64_t)time(NULL) - 1;
    const struct wall t = wall_read();
    assert_true(t.us / CLOCK_SECOND_US >= before);
    assert_true(t.us / CLOCK_SECOND_US <= (int64_t)time(NULL) + 1);
}

static void
test_add_saturates(void **state)
{
    (void)state;
    const struct mono ten = { 10 };
    assert_true(mono_add_us(ten, 5).us == 15);
    assert_true(mono_add_us(ten, -20).us == -10);
    assert_true(mono_add_us(ten, INT64_MAX).us == INT64_MAX);
    assert_true(mono_add_us((struct mono){ -10 }, INT64_MIN).us == INT64_MIN);
    assert_true(mono_add_us(MONO_NEVER, -5).us == INT64_MAX);
    assert_true(mono_add_seconds(ten, 3).us == 3000010);
    assert_true(mono_add_seconds(ten, -1).us == -999990);
    assert_true(mono_add_seconds(ten, INT64_MAX).us == INT64_MAX);
    assert_true(mono_add_seconds((struct mono){ -1 }, INT64_MIN).us == INT64_MIN);
    assert_true(mono_add_seconds(MONO_NEVER, 1).us == INT64_MAX);
}

static void
test_diff_and_before(void **state)
{
    (void)state;
    const struct mono a = { 7 };
    const struct mono b = { 10 };
    assert_true(mono_diff_us(b, a) == 3);
    assert_true(mono_diff_us(a, b) == -3);
    assert_true(mono_diff_us(MONO_NEVER, (struct mono){ -5 }) == INT64_MAX);
    assert_true(mono_diff_us((struct mono){ INT64_MIN }, b) == INT64_MIN);
    assert_true(mono_before(a, b));
    assert_false(mono_before(b, a));
    assert_false(mono_before(a, a));
    assert_true(mono_before(b, MONO_NEVER));
}

static void
test_wall_format_table(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } rows[] = {
        { 0, "1970-01-01T00:00:00.000000Z" },
        { 1, "1970-01-01T00:00:00.000001Z" },
        { -1, "1969-12-31T23:59:59.999999Z" },
        { INT64_C(951782400123456), "2000-02-29T00:00:00.123456Z" },
        { INT64_C(1709251199999999), "2024-02-29T23:59:59.999999Z" },
        { INT64_C(1709251200000000), "2024-03-01T00:00:00.000000Z" },
        { INT64_C(1769903999123456), "2026-01-31T23:59:59.123456Z" },
        { INT64_C(4107542400000000), "2100-03-01T00:00:00.000000Z" },
        { INT64_MAX, "9999-12-31T23:59:59.999999Z" },
        { INT64_MIN, "0000-01-01T00:00:00.000000Z" },
    };
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        char text[WALL_TEXT_MAX];
        const size_t len = wall_format((struct wall){ rows[i].us }, text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(len, 27);
    }
}

static void
test_wall_format_agrees_with_libc(void **state)
{
    (void)state;
    struct unit_random r = UNIT_RANDOM_INIT;
    for (int i = 0; i < 100000; i++) {
        const time_t seconds = (time_t)(unit_random(&r) % UINT64_C(315569520000)) - 62167219200;
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        char wanted[128];
        (void)snprintf(wanted, sizeof(wanted), "%04d-%02d-%02dT%02d:%02d:%02d.000007Z",
            tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        char text[WALL_TEXT_MAX];
        (void)wall_format((struct wall){ (int64_t)seconds * CLOCK_SECOND_US + 7 }, text);
        assert_string_equal(text, wanted);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mono_does_not_go_back),
        cmocka_unit_test(test_wall_is_now),
        cmocka_unit_test(test_add_saturates),
        cmocka_unit_test(test_diff_and_before),
        cmocka_unit_test(test_wall_format_table),
        cmocka_unit_test(test_wall_format_agrees_with_libc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
