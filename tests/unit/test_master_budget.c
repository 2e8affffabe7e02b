/* SPDX-License-Identifier: ISC */
/* src/master/master_budget.c with a clock of the test's: nobody gets more than the rate, and all get the
   same who want as much. */
#include "src/master/master_budget.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>

#define RATE UINT64_C(1000000)

struct worker {
    uint64_t got;
    unsigned answers;
    uint32_t handle; /* of the last answer */
    bool waiting;
};

static struct ledger b;
static struct mono now;
static struct worker workers[4];

static void
grant(void *asker, uint32_t handle, uint32_t bytes)
{
    struct worker *w = asker;

    w->got += bytes;
    w->answers++;
    w->handle = handle;
    w->waiting = false;
}

static int
setup(void **state)
{
    (void)state;
    memset(workers, 0, sizeof workers);
    now = (struct mono) { 77 * CLOCK_SECOND_US };
    ledger_init(&b, 8, grant);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    ledger_free(&b);
    return 0;
}

static void
ask(int i, const char *user, uint64_t rate, uint32_t bytes)
{
    struct ledger_ask a = { .asker = &workers[i], .handle = 7, .wanted = bytes };

    workers[i].waiting = bytes > 0;
    assert_int_equal(ledger_ask(&b, "rule", user, rate, &a, now), 0);
}

static void
turn(void)
{
    now = mono_add_us(now, LEDGER_TURN_US);
    ledger_turn(&b, now);
}

static void
little_is_given_at_once(void **state)
{
    (void)state;
    ask(0, "", RATE, 1000);
    assert_int_equal(workers[0].got, 1000);
    assert_int_equal(workers[0].handle, 7);
    assert_null(b.waiting);
}

/* Both always want more than there is; whoever is answered asks again at once. */
static void
two_that_want_much_get_half_each(void **state)
{
    enum { SECONDS = 10 };
    struct mono begin = now;

    (void)state;
    for (int i = 0; i < SECONDS * 20; i++) {
        for (int w = 0; w < 2; w++) {
            for (int again = 0; again < 20 && !workers[w].waiting; again++)
                ask(w, "", RATE, 10000000);
        }
        uint64_t sum = workers[0].got + workers[1].got;
        int64_t us = mono_diff_us(now, begin);

        assert_true(sum <= RATE * (uint64_t)us / 1000000 + RATE / 4);
        turn();
        assert_false(workers[0].waiting);
        assert_false(workers[1].waiting);
    }
    uint64_t sum = workers[0].got + workers[1].got;

    assert_true(sum <= RATE * SECONDS + RATE / 4);
    assert_true(sum >= RATE * SECONDS);
    assert_true(workers[0].got - workers[1].got <= RATE / 4);
    assert_true(workers[1].got >= RATE * SECONDS / 2);
}

static void
who_wants_little_gets_it(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        ask(i, "", RATE, 10000000);
    turn();
    memset(workers, 0, sizeof workers);
    for (int i = 0; i < 2; i++)
        ask(i, "", RATE, 10000000);
    ask(2, "", RATE, 1000);
    turn();
    assert_int_equal(workers[2].got, 1000);
    assert_int_equal(workers[0].got, (RATE / 20 - 1000) / 2);
    assert_int_equal(workers[1].got, (RATE / 20 - 1000) / 2);
}

/* Fewer bytes than askers: all get something in their turn. */
static void
crumbs_go_round(void **state)
{
    (void)state;
    for (int i = 0; i < 400; i++) {
        for (int w = 0; w < 4; w++) {
            if (!workers[w].waiting)
                ask(w, "", 40, 1000); /* two bytes a turn */
        }
        turn();
    }
    uint64_t sum = 0;

    for (int w = 0; w < 4; w++) {
        assert_true(workers[w].got > 150 && workers[w].got < 260);
        sum += workers[w].got;
    }
    assert_true(sum <= 40 * 20 + 10);
}

static void
a_slow_rule_gives_a_byte_in_the_end(void **state)
{
    (void)state;
    ask(0, "", 1, 100);
    uint64_t first = workers[0].got;

    for (int i = 0; i < 20 * 5; i++) {
        if (!workers[0].waiting)
            ask(0, "", 1, 100);
        turn();
    }
    assert_true(workers[0].got >= 5 && workers[0].got <= first + 6);
}

static void
accounts_are_apart(void **state)
{
    (void)state;
    ask(0, "", RATE, 10000000);
    ask(0, "alice", RATE, 10000000);
    ask(0, "bob", RATE, 10000000);
    assert_int_equal(workers[0].got, 3 * (RATE / 8));
    assert_int_equal(b.map.count, 3);
}

static void
a_new_question_replaces_the_old_one(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        ask(0, "", RATE, 10000000);
    ask(1, "", RATE, 10000000);
    ask(1, "", RATE, 10); /* little, but another waits */
    memset(workers, 0, sizeof workers);
    turn();
    assert_int_equal(workers[1].got, 10);
    assert_int_equal(workers[1].answers, 1);
    for (int i = 0; i < 20; i++)
        ask(1, "", RATE, 10000000);
    ask(1, "", RATE, 0);
    memset(workers, 0, sizeof workers);
    turn();
    assert_int_equal(workers[1].answers, 0);
}

static void
a_dead_worker_waits_no_longer_and_gives_nothing_back(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        ask(0, "", RATE, 10000000);
    ask(1, "", RATE, 10000000);
    ledger_forget(&b, &workers[0], NULL);
    memset(workers, 0, sizeof workers);
    turn();
    assert_int_equal(workers[0].answers, 0);
    assert_true(workers[1].got > 0 && workers[1].got <= RATE / 4);
}

static void
another_image(void **state)
{
    (void)state;
    ask(0, "", RATE, 10000000);
    uint64_t before = workers[0].got;

    for (int i = 0; i < 20; i++)
        ask(0, "", RATE, 10000000);
    assert_true(workers[0].waiting);
    ledger_again(&b);
    assert_false(workers[0].waiting); /* with nothing: it asks again, */
    assert_null(b.waiting);
    assert_true(workers[0].got >= before);
    memset(workers, 0, sizeof workers);
    ask(0, "", RATE / 10, 10000000); /* of the same bucket with the new rate */
    assert_int_equal(b.map.count, 1);
    assert_true(workers[0].got <= RATE / 40);
    for (int i = 0; i < 20; i++) {
        if (!workers[0].waiting)
            ask(0, "", RATE / 10, 10000000);
        turn();
    }
    assert_true(workers[0].got <= RATE / 10 + RATE / 40);
    assert_true(workers[0].got >= RATE / 10);
}

static void
idle_accounts_vanish(void **state)
{
    struct ledger_ask a = { .asker = &workers[0], .handle = 1, .wanted = 1 };
    char name[8];

    (void)state;
    for (int i = 0; i < 8; i++) {
        (void)snprintf(name, sizeof name, "u%d", i);
        assert_int_equal(ledger_ask(&b, "rule", name, RATE, &a, now), 0);
    }
    errno = 0;
    assert_int_equal(ledger_ask(&b, "rule", "one more", RATE, &a, now), -1);
    assert_int_equal(errno, ENOBUFS);
    ledger_sweep(&b, now);
    assert_int_equal(b.map.count, 8);
    now = mono_add_seconds(now, LEDGER_IDLE_SECONDS);
    ledger_sweep(&b, now);
    assert_int_equal(b.map.count, 0);
    ask(0, "", 1000, 1000000000); /* waits, and is not swept */
    for (int i = 0; i < 10; i++)
        ask(0, "", 1000, 1000000000);
    now = mono_add_seconds(now, LEDGER_IDLE_SECONDS);
    ledger_sweep(&b, now);
    assert_int_equal(b.map.count, 1);
}

/* One that asks for ever other names is not in the way of the others. */
static void
each_has_its_share_of_the_accounts(void **state)
{
    uint32_t of_one = 0, of_other = 0;
    struct ledger_ask one = { .asker = &workers[0], .wanted = 10, .accounts = &of_one, .accounts_most = 3 };
    struct ledger_ask other = { .asker = &workers[1], .wanted = 10, .accounts = &of_other,
        .accounts_most = 3 };
    char name[16];

    (void)state;
    for (int i = 0; i < 6; i++) {
        (void)snprintf(name, sizeof name, "u%d", i);
        assert_int_equal(ledger_ask(&b, "rule", name, RATE, &one, now), i < 3 ? 0 : -1);
    }
    assert_int_equal(of_one, 3);
    assert_int_equal(ledger_ask(&b, "rule", "u1", RATE, &one, now), 0);
    assert_int_equal(ledger_ask(&b, "rule", "u1", RATE, &other, now), 0);
    assert_int_equal(of_other, 0);
    assert_int_equal(ledger_ask(&b, "rule", "v", RATE, &other, now), 0);
    assert_int_equal(of_other, 1);
    ledger_forget(&b, &workers[1], &of_other);
    now = mono_add_seconds(now, LEDGER_IDLE_SECONDS);
    ledger_sweep(&b, now);
    assert_int_equal(b.map.count, 0);
    assert_int_equal(of_one, 0);
    assert_int_equal(of_other, 1); /* it was told to leave that alone */
}

static void
the_fastest_rate(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        ask(0, "", UINT64_C(1) << 40, UINT32_MAX);
        turn();
    }
    assert_int_equal(workers[0].got, (uint64_t)100 * UINT32_MAX);
    ask(1, "x", UINT64_MAX, UINT32_MAX); /* more than there can be */
    assert_int_equal(workers[1].got, UINT32_MAX);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(little_is_given_at_once),
        CASE(two_that_want_much_get_half_each),
        CASE(who_wants_little_gets_it),
        CASE(crumbs_go_round),
        CASE(a_slow_rule_gives_a_byte_in_the_end),
        CASE(accounts_are_apart),
        CASE(a_new_question_replaces_the_old_one),
        CASE(a_dead_worker_waits_no_longer_and_gives_nothing_back),
        CASE(another_image),
        CASE(idle_accounts_vanish),
        CASE(each_has_its_share_of_the_accounts),
        CASE(the_fastest_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
