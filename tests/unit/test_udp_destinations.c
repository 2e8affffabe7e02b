/* SPDX-License-Identifier: ISC */
/* src/session/udp_destinations.c */
#include "tests/unit/unit.h"

#include "src/session/udp_destinations.h"

static struct addr
number(unsigned n)
{
    const uint8_t ip[4] = { 192, 0, (uint8_t)(n >> 8), (uint8_t)n };

    return addr_ipv4(ip, (uint16_t)(1000 + n % 3));
}

static void
write_to(struct udp_destinations *t, unsigned n)
{
    struct addr a = number(n);
    struct udp_destination *d = udp_destinations_take(t, &a);

    assert_non_null(d);
    d->written = true;
}

static bool
written(const struct udp_destinations *t, unsigned n)
{
    struct addr a = number(n);

    return udp_destinations_written(t, &a, false, NULL) != NULL;
}

static void
test_found(void **state)
{
    struct udp_destinations t = { .size = 0 };
    struct addr a = number(1), b = a;

    (void)state;
    assert_null(udp_destinations_written(&t, &a, true, NULL));
    assert_null(udp_destinations_newest(&t));
    struct udp_destination *d = udp_destinations_take(&t, &a);

    assert_non_null(d);
    assert_int_equal(d->verdict, UDP_UNJUDGED);
    assert_null(udp_destinations_written(&t, &a, false, NULL));
    d->verdict = UDP_ALLOWED;
    d->written = true;
    assert_int_equal(udp_destinations_take(&t, &a)->verdict, UDP_ALLOWED);
    assert_int_equal(t.count, 1);
    b.port++;
    assert_non_null(udp_destinations_written(&t, &a, false, NULL));
    assert_null(udp_destinations_written(&t, &b, false, NULL));
    assert_non_null(udp_destinations_written(&t, &b, true, NULL));
    b = number(2);
    assert_null(udp_destinations_written(&t, &b, true, NULL));
    udp_destinations_free(&t);
    assert_null(udp_destinations_written(&t, &a, true, NULL));
}

static void
test_oldest_goes(void **state)
{
    struct udp_destinations t = { .size = 0 };

    (void)state;
    for (unsigned n = 0; n < UDP_DESTINATIONS_MAX; n++)
        write_to(&t, n);
    assert_int_equal(t.count, UDP_DESTINATIONS_MAX);
    for (unsigned n = 0; n < UDP_DESTINATIONS_MAX; n++)
        assert_true(written(&t, n));
    write_to(&t, 0); /* used again: 1 is the oldest now */
    write_to(&t, 5000);
    assert_int_equal(t.count, UDP_DESTINATIONS_MAX);
    assert_true(written(&t, 0));
    assert_false(written(&t, 1));
    assert_true(written(&t, 5000));
    for (unsigned n = 10000; n < 10000 + UDP_DESTINATIONS_MAX; n++)
        write_to(&t, n);
    for (unsigned n = 0; n < UDP_DESTINATIONS_MAX; n++) {
        assert_false(written(&t, n));
        assert_true(written(&t, 10000 + n));
    }
    udp_destinations_free(&t);
}

/* A flood of ports of one host is one chain: everything is found all the same. */
static void
test_one_chain(void **state)
{
    struct udp_destinations t = { .size = 0 };
    struct addr a = number(7);

    (void)state;
    for (unsigned i = 0; i < 3 * UDP_DESTINATIONS_MAX; i++) {
        a.port = (uint16_t)(1 + i);
        assert_non_null(udp_destinations_take(&t, &a));
    }
    a.port = (uint16_t)(3 * UDP_DESTINATIONS_MAX);
    udp_destinations_take(&t, &a)->written = true;
    assert_int_equal(t.count, UDP_DESTINATIONS_MAX);
    assert_non_null(udp_destinations_written(&t, &a, true, NULL));
    udp_destinations_free(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_oldest_goes),
        cmocka_unit_test(test_one_chain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
