/* SPDX-License-Identifier: ISC */
/* The pauses before a replacement: none the first time, then doubling to 30 s. */
#include "src/master/master_parts.h"
#include "tests/unit/unit.h"

#define MS CLOCK_MSEC_US

static void
short_lives_double_the_pause(void **state)
{
    static const int64_t expected[] = { 0, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000 };
    struct backoff b = { 0 };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(expected); i++)
        assert_int_equal(backoff_next_us(&b, CLOCK_SECOND_US), expected[i] * MS);
}

static void
a_long_life_forgets(void **state)
{
    struct backoff b = { 0 };

    (void)state;
    for (int i = 0; i < 5; i++)
        (void)backoff_next_us(&b, 0);
    assert_int_equal(backoff_next_us(&b, BACKOFF_SHORT_LIFE_SECONDS * CLOCK_SECOND_US), 0);
    assert_int_equal(backoff_next_us(&b, 0), 0);
    assert_int_equal(backoff_next_us(&b, BACKOFF_SHORT_LIFE_SECONDS * CLOCK_SECOND_US - 1), 500 * MS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_lives_double_the_pause),
        cmocka_unit_test(a_long_life_forgets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
