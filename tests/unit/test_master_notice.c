/* SPDX-License-Identifier: ISC */
/* src/master/master_notice.c: the first refusal is told, the flood behind it is one record a window. */
#include "src/master/master_notice.h"
#include "tests/unit/unit.h"

#define WINDOW 60

static struct addr
client(uint8_t last, uint16_t port)
{
    return addr_ipv4((const uint8_t[]) { 192, 0, 2, last }, port);
}

static bool
add(struct notices *n, enum limit limit, uint8_t last, struct mono now)
{
    struct addr a = client(last, 1);

    return notices_add(n, limit, &a, 5, now);
}

static void
a_flood_is_one_record_a_window(void **state)
{
    struct mono now = { 10 * CLOCK_SECOND_US };
    struct notices n;
    struct notice due;

    (void)state;
    notices_init(&n);
    assert_true(add(&n, LIMIT_PENALTY, 1, now));
    assert_true(add(&n, LIMIT_CLIENT_PENDING, 1, now)); /* another limit */
    assert_true(add(&n, LIMIT_PENALTY, 2, now));        /* another client */
    for (int i = 0; i < 1000; i++)
        assert_false(add(&n, LIMIT_PENALTY, 1, now));
    assert_false(notices_due(&n, mono_add_seconds(now, WINDOW - 1), WINDOW, &due));
    now = mono_add_seconds(now, WINDOW);
    assert_true(notices_due(&n, now, WINDOW, &due));
    assert_int_equal(due.count, 1000);
    assert_int_equal(due.limit, LIMIT_PENALTY);
    assert_int_equal(due.listener, 5);
    assert_int_equal(due.from.ip[3], 1);
    assert_false(notices_due(&n, now, WINDOW, &due));
    assert_int_equal(n.map.count, 1); /* the quiet ones are gone, this one has a window more */
    assert_false(add(&n, LIMIT_PENALTY, 1, now));
    now = mono_add_seconds(now, WINDOW);
    assert_true(notices_due(&n, now, WINDOW, &due));
    assert_int_equal(due.count, 1);
    now = mono_add_seconds(now, WINDOW);
    assert_false(notices_due(&n, now, WINDOW, &due));
    assert_int_equal(n.map.count, 0);
    assert_true(add(&n, LIMIT_PENALTY, 1, now));
    notices_free(&n);
}

static void
a_64_is_one_client(void **state)
{
    struct addr a = addr_ipv6((const uint8_t[16]) { 0x20, 1, 0xd, 0xb8, [15] = 1 }, 1);
    struct mono now = { 0 };
    struct notices n;

    (void)state;
    notices_init(&n);
    assert_true(notices_add(&n, LIMIT_PENALTY, &a, 0, now));
    a.ip[15] = 2;
    assert_false(notices_add(&n, LIMIT_PENALTY, &a, 0, now));
    a.ip[7] = 1;
    assert_true(notices_add(&n, LIMIT_PENALTY, &a, 0, now));
    notices_free(&n);
}

static void
they_are_bounded(void **state)
{
    struct mono now = { 0 };
    struct notices n;

    (void)state;
    notices_init(&n);
    for (uint32_t i = 0; i < NOTICES_MAX + 100; i++) {
        struct addr a = addr_ipv4(
            (const uint8_t[]) { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i }, 1);

        assert_int_equal(notices_add(&n, LIMIT_PENALTY, &a, 0, now), i < NOTICES_MAX);
    }
    assert_int_equal(n.untold, 100);
    notices_free(&n);
}

/* A reload shortened the window: what has waited long enough for the new one is told. */
static void
the_window_in_force_holds(void **state)
{
    struct mono now = { 10 * CLOCK_SECOND_US };
    struct notices n;
    struct notice due;

    (void)state;
    notices_init(&n);
    assert_true(add(&n, LIMIT_PENALTY, 1, now));
    assert_false(add(&n, LIMIT_PENALTY, 1, now));
    assert_false(notices_due(&n, mono_add_seconds(now, 5), 3600, &due));
    assert_false(notices_due(&n, mono_add_seconds(now, 4), 5, &due));
    assert_true(notices_due(&n, mono_add_seconds(now, 5), 5, &due));
    assert_int_equal(due.count, 1);
    notices_free(&n);
}

static void
take(void *ctx, const struct notice *notice)
{
    *(uint64_t *)ctx += notice->count;
}

static uint64_t
flushed(struct notices *n, uint32_t listener)
{
    uint64_t count = 0;

    notices_flush(n, listener, take, &count);
    return count;
}

static void
what_is_untold_of_one_listener_or_of_all(void **state)
{
    struct mono now = { 10 * CLOCK_SECOND_US };
    struct addr here = client(1, 1), there = client(2, 1);
    struct notices n;
    struct notice due;

    (void)state;
    notices_init(&n);
    assert_true(notices_add(&n, LIMIT_PENALTY, &here, 5, now));
    assert_true(notices_add(&n, LIMIT_PENALTY, &there, 6, now));
    assert_int_equal(flushed(&n, NOTICES_OF_ALL), 0); /* both were told */
    for (int i = 0; i < 3; i++)
        assert_false(notices_add(&n, LIMIT_PENALTY, &here, 5, now));
    assert_false(notices_add(&n, LIMIT_PENALTY, &there, 6, now));
    assert_int_equal(flushed(&n, 7), 0);
    assert_int_equal(flushed(&n, 5), 3);
    assert_int_equal(flushed(&n, 5), 0);
    assert_int_equal(flushed(&n, NOTICES_OF_ALL), 1);
    assert_false(notices_add(&n, LIMIT_PENALTY, &here, 6, now)); /* its window goes on */
    assert_true(notices_due(&n, mono_add_seconds(now, WINDOW), WINDOW, &due));
    assert_int_equal(due.count, 1);
    notices_free(&n);
}

/* All in one chain: it is the client and the limit that count. */
static void
the_same_hash_is_not_the_same_notice(void **state)
{
    struct mono now = { 0 };
    struct notices n;

    (void)state;
    notices_init(&n);
    memset(n.map.seed, 0, sizeof n.map.seed);
    assert_true(add(&n, LIMIT_PENALTY, 1, now));
    assert_true(add(&n, LIMIT_CLIENT_PENDING, 1, now));
    assert_true(add(&n, LIMIT_PENALTY, 2, now));
    assert_int_equal(n.head->node.hash, n.tail->node.hash);
    assert_false(add(&n, LIMIT_PENALTY, 1, now));
    notices_free(&n);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_is_one_record_a_window),
        cmocka_unit_test(a_64_is_one_client),
        cmocka_unit_test(they_are_bounded),
        cmocka_unit_test(the_window_in_force_holds),
        cmocka_unit_test(what_is_untold_of_one_listener_or_of_all),
        cmocka_unit_test(the_same_hash_is_not_the_same_notice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
