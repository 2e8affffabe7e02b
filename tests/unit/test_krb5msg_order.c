/* SPDX-License-Identifier: ISC */
/* lib/krb5msg/krb5msg_order.c */
#include "tests/unit/unit.h"

#include "lib/krb5msg/krb5msg_local.h"

static const uint64_t starts[] = { 0, 1, 1023, UINT64_C(0xfffffff0), UINT64_C(0xffffffff),
    UINT64_C(0x100000000), UINT64_MAX - 1, UINT64_MAX };

static void
take(struct krb5msg_order *o, uint64_t seq)
{
    assert_int_equal(krb5msg_order_judge(o, seq), KRB5MSG_OK);
    krb5msg_order_take(o, seq);
    assert_int_equal(krb5msg_order_judge(o, seq), KRB5MSG_REPLAY);
}

static void
test_strict(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_COUNT(starts); i++) {
        struct krb5msg_order o = { starts[i], NULL };
        for (uint64_t n = 0; n < 50; n++) {
            assert_int_equal(krb5msg_order_judge(&o, starts[i] + n + 1), KRB5MSG_OUT_OF_SEQUENCE);
            assert_int_equal(krb5msg_order_judge(&o, starts[i] + n - 1), KRB5MSG_REPLAY);
            take(&o, starts[i] + n);
        }
    }
}

static void
test_window_edges(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_COUNT(starts); i++) {
        struct krb5msg_order o = { starts[i], NULL };
        const uint64_t s = starts[i];
        take(&o, s);
        assert_true(krb5msg_order_use_window(&o));
        assert_true(krb5msg_order_use_window(&o));
        /* Whatever came before the switch is seen, down to the window's end. */
        assert_int_equal(krb5msg_order_judge(&o, s), KRB5MSG_REPLAY);
        assert_int_equal(krb5msg_order_judge(&o, s - (KRB5MSG_WINDOW - 1)), KRB5MSG_REPLAY);
        assert_int_equal(krb5msg_order_judge(&o, s - KRB5MSG_WINDOW), KRB5MSG_TOO_OLD);
        /* A jump leaves the skipped ones open: the lowest that still fits, and one below. */
        take(&o, s + 5000);
        assert_int_equal(krb5msg_order_judge(&o, s + 5000 - KRB5MSG_WINDOW), KRB5MSG_TOO_OLD);
        take(&o, s + 5000 - (KRB5MSG_WINDOW - 1));
        take(&o, s + 4999);
        take(&o, s + 5001);
        assert_int_equal(krb5msg_order_judge(&o, s + 5000 - (KRB5MSG_WINDOW - 1)), KRB5MSG_TOO_OLD);
        /* Jumps of exactly the window, one less, one more. */
        take(&o, s + 5001 + KRB5MSG_WINDOW);
        take(&o, s + 5002);
        take(&o, s + 5001 + 2 * KRB5MSG_WINDOW - 1);
        take(&o, s + 5001 + 3 * KRB5MSG_WINDOW);
        krb5msg_order_free(&o);
        assert_null(o.seen);
    }
}

/* A set of everything taken is the model. */
static void
test_window_random(void **state)
{
    (void)state;
    enum { SPAN = 400000 };
    static bool taken[SPAN];
    struct unit_random r = UNIT_RANDOM_INIT;
    const uint64_t base = UINT64_C(0xffff0000);
    struct krb5msg_order o = { base, NULL };
    int64_t highest = -1;
    size_t seen[KRB5MSG_RESULTS] = { 0 };
    assert_true(krb5msg_order_use_window(&o));
    for (int i = 0; i < 200000 && highest < SPAN - 2100; i++) {
        const int64_t n = highest - 1200 + (int64_t)(unit_random(&r) % (i % 97 == 0 ? 3000 : 1205));
        if (n < 0) {
            continue;
        }
        const enum krb5msg_result expected = n <= highest - KRB5MSG_WINDOW ? KRB5MSG_TOO_OLD
                                             : taken[n]                    ? KRB5MSG_REPLAY
                                                                           : KRB5MSG_OK;
        assert_int_equal(krb5msg_order_judge(&o, base + (uint64_t)n), expected);
        seen[expected]++;
        if (expected == KRB5MSG_OK) {
            krb5msg_order_take(&o, base + (uint64_t)n);
            taken[n] = true;
            highest = n > highest ? n : highest;
        }
    }
    assert_true(seen[KRB5MSG_OK] > 1000 && seen[KRB5MSG_REPLAY] > 1000);
    assert_true(seen[KRB5MSG_TOO_OLD] > 1000);
    krb5msg_order_free(&o);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_window_edges),
        cmocka_unit_test(test_window_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
