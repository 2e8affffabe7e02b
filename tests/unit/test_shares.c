/* SPDX-License-Identifier: ISC */
/* src/net/shares.c */
#include "src/net/shares.h"

#include "tests/unit/unit.h"

#include <errno.h>

#define MAX 64U

static struct shares all;

static int
setup(void **state)
{
    (void)state;
    shares_init(&all, MAX);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    shares_free(&all);
    return 0;
}

static struct addr
client(uint8_t last)
{
    return addr_ipv4((const uint8_t[]) { 192, 0, 2, last }, 4000);
}

/* How many it gets, of as many as it likes. */
static unsigned
takes(const struct addr *a, unsigned wanted)
{
    unsigned got = 0;

    errno = 0;
    while (got < wanted && shares_take(&all, a) != NULL)
        got++;
    assert_int_equal(errno, got < wanted ? EAGAIN : 0);
    return got;
}

static void
half_of_it_is_for_others(void **state)
{
    struct addr greedy = client(1), other = client(2), third = client(3);

    (void)state;
    assert_int_equal(takes(&greedy, MAX), MAX / 2);
    assert_int_equal(takes(&other, MAX), MAX / 8);
    assert_int_equal(takes(&third, 1), 1);
    assert_int_equal(takes(&greedy, 1), 0);
}

static void
a_place_given_back_is_anybodys(void **state)
{
    struct addr greedy = client(1), other = client(2);
    struct share *first = shares_take(&all, &greedy);

    (void)state;
    assert_int_equal(takes(&greedy, MAX), MAX / 2 - 1);
    assert_int_equal(takes(&greedy, 1), 0);
    shares_give(&all, first);
    assert_int_equal(takes(&greedy, 1), 1);
    assert_int_equal(takes(&greedy, 1), 0);
    assert_int_equal(takes(&other, 2), 2);
}

static void
many_clients_get_all(void **state)
{
    unsigned got = 0;

    (void)state;
    for (uint8_t i = 1; i <= MAX; i++) {
        struct addr a = client(i);

        got += takes(&a, 1);
    }
    assert_int_equal(got, MAX);
    struct addr late = client(200);

    assert_int_equal(takes(&late, 1), 0);
}

static void
a_64_is_one_client(void **state)
{
    struct addr a = addr_ipv6((const uint8_t[16]) { 0x20, 1, 0xd, 0xb8, [15] = 1 }, 1);
    struct share *first = shares_take(&all, &a);

    (void)state;
    a.ip[15] = 2;
    assert_ptr_equal(shares_take(&all, &a), first);
    a.ip[7] = 1;
    assert_ptr_not_equal(shares_take(&all, &a), first);
    assert_int_equal(first->count, 2);
}

static void
nothing_stays_of_those_who_left(void **state)
{
    struct share *held[MAX];

    (void)state;
    for (int round = 0; round < 100; round++) {
        for (uint8_t i = 0; i < MAX; i++) {
            struct addr a = addr_ipv4((const uint8_t[]) { 10, 0, (uint8_t)round, i }, 1);

            assert_non_null(held[i] = shares_take(&all, &a));
        }
        for (size_t i = 0; i < MAX; i++)
            shares_give(&all, held[i]);
    }
    assert_int_equal(all.count, 0);
    for (size_t i = 0; i < SHARES_BUCKETS; i++)
        assert_null(all.buckets[i]);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(half_of_it_is_for_others),
        CASE(a_place_given_back_is_anybodys),
        CASE(many_clients_get_all),
        CASE(a_64_is_one_client),
        CASE(nothing_stays_of_those_who_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
