/* SPDX-License-Identifier: ISC */
/* What a descriptor limit allows: everything scales down, nothing refuses to start. */
#include "src/master/master_parts.h"
#include "tests/unit/unit.h"

static struct capacity_need
need(size_t descriptors)
{
    return (struct capacity_need) { .descriptors = descriptors, .workers = 4, .pools = 1,
        .pool_processes = 2, .listeners = 1, .sessions = 100000, .privileged = true };
}

static void
twenty_thousand_descriptors(void **state)
{
    struct capacity_need n = need(20000);
    struct capacity c = capacity_plan(&n);

    (void)state;
    assert_int_equal(c.workers, 4);
    assert_int_equal(c.pipes, 128);
    assert_int_equal(c.per_worker, (20000 - 64 - 256) / 2);
    assert_true(c.sessions == 4 * (uint64_t)c.per_worker);
}

static void
the_configured_limit_is_never_exceeded(void **state)
{
    struct capacity_need n = need(1000000);

    (void)state;
    n.sessions = 500;
    struct capacity c = capacity_plan(&n);

    assert_true(c.sessions == 500);
    assert_int_equal(c.per_worker, 500);
}

static void
sixty_four_descriptors_serve_some(void **state)
{
    struct capacity_need n = need(64);
    struct capacity c = capacity_plan(&n);

    (void)state;
    assert_in_range(c.workers, 1, 4);
    assert_int_equal(c.pipes, 0);
    assert_in_range(c.per_worker, 10, 31);
    assert_true(c.sessions >= c.per_worker);
}

static void
few_descriptors_mean_fewer_workers(void **state)
{
    struct capacity_need n = need(128);

    (void)state;
    n.workers = 64;
    struct capacity c = capacity_plan(&n);

    assert_in_range(c.workers, 1, 20);
}

static void
hardly_any_descriptors_still_mean_one_session(void **state)
{
    struct capacity_need n = need(16);
    struct capacity c = capacity_plan(&n);

    (void)state;
    assert_int_equal(c.workers, 1);
    assert_int_equal(c.per_worker, 1);
}

static void
an_ordinary_user_shares_its_pipes(void **state)
{
    struct capacity_need n = need(20000);

    (void)state;
    n.privileged = false;
    assert_int_equal(capacity_plan(&n).pipes, 14);
    n.workers = 100;
    assert_int_equal(capacity_plan(&n).pipes, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_thousand_descriptors),
        cmocka_unit_test(the_configured_limit_is_never_exceeded),
        cmocka_unit_test(sixty_four_descriptors_serve_some),
        cmocka_unit_test(few_descriptors_mean_fewer_workers),
        cmocka_unit_test(hardly_any_descriptors_still_mean_one_session),
        cmocka_unit_test(an_ordinary_user_shares_its_pipes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
