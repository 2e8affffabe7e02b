/* SPDX-License-Identifier: ISC */
/*
 * src/session/rejudge.c, session_kill.c: walks through thousands of sessions of which some end, and others
 * begin, meanwhile.
 */
#include "tests/unit/session_crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define HEAD "methods = { \"none\" }\nlisten \"127.0.0.1:1080\" {}\n"
#define ALL HEAD "rule \"all\" { action = \"allow\" destination = { \"192.0.2.0/24\" } }\n"
/* Clients of odd addresses may not. */
#define ODD HEAD "rule \"odd\" { action = \"deny\" client = { \"10.0.0.0/8\" } }\n" \
    "rule \"even\" { action = \"allow\" destination = { \"192.0.2.0/24\" } }\n"
#define MANY 20000U
#define ODD_CLIENT 0x0a000001U
#define EVEN_CLIENT 0x0b000001U

static void
fill(void)
{
    for (uint32_t i = 0; i < MANY; i++)
        (void)crowd_add(i % 2 != 0 ? ODD_CLIENT : EVEN_CLIENT, i % 3 == 0 ? "www.example" : NULL, 1);
}

static void
check_left(const char *rule)
{
    for (const struct session *s = crowd.host.first; s != NULL; s = s->next) {
        assert_int_equal(s->slot->client.ip[0], 11);
        assert_string_equal(s->slot->rule, rule);
    }
}

static void
test_all(void **state)
{
    (void)state;
    fill();
    session_rejudge(&crowd.host, 2, false);
    assert_int_equal(crowd.told, 0); /* never from inside */
    crowd_walk();
    assert_int_equal(crowd.ended, 0);
    assert_int_equal(crowd.told, 1);
    crowd_commit(ODD);
    session_rejudge(&crowd.host, 3, false);
    crowd_walk();
    assert_int_equal(crowd.ended, MANY / 2);
    assert_int_equal(crowd.told, 2);
    assert_int_equal(crowd.told_ended, MANY / 2);
    check_left("even");
    assert_int_equal(ring_dropped(crowd.reader), 0);
}

/* Every turn the next one to be judged ends, the one behind it, and the first of all; others begin. */
static void
test_ends_and_begins(void **state)
{
    unsigned turns = 0;

    (void)state;
    fill();
    crowd_commit(ODD);
    session_rejudge(&crowd.host, 3, false);
    while (crowd.host.rejudge.running) {
        struct session *next = crowd.host.rejudge.next;

        if (next != NULL && next->next != NULL) {
            session_follow(next->next, step_fail(next->next, REASON_CLOSED, NULL));
            session_follow(next, step_fail(next, REASON_CLOSED, NULL));
        }
        session_follow(crowd.host.first, step_fail(crowd.host.first, REASON_CLOSED, NULL));
        session_set_verdict(crowd_find(crowd_add(EVEN_CLIENT, NULL, 1)),
            &(struct policy_verdict) { true, 1, "rule", NULL });
        crowd_turn();
        turns++;
    }
    assert_true(turns > 3);
    check_left("even");
    assert_int_equal(crowd.told, 1);
}

/* What changes in the midst of a walk holds for the rest of it and for another one. */
static void
test_meanwhile(void **state)
{
    (void)state;
    fill();
    session_rejudge(&crowd.host, 2, false);
    crowd_turn();
    crowd_turn();
    assert_true(crowd.host.rejudge.running);
    crowd_commit(ODD);
    session_rejudge(&crowd.host, 3, true);
    session_rejudge_clock(&crowd.host); /* takes nothing back */
    assert_true(crowd.host.rejudge.again);
    assert_int_equal(crowd.host.rejudge.after.generation, 3);
    assert_true(crowd.host.rejudge.now.timers && crowd.host.rejudge.after.timers);
    assert_false(crowd.host.rejudge.after.only_time);
    crowd_walk();
    assert_int_equal(crowd.told, 2);
    assert_int_equal(crowd.ended, MANY / 2);
    assert_true(crowd.told_ended > 0 && crowd.told_ended < MANY / 2); /* by the second one */
    check_left("even");
}

/* The hour behind a reload is another walk's reason, and not that of the one under way. */
static void
test_hour_behind(void **state)
{
    (void)state;
    fill();
    session_rejudge(&crowd.host, 2, false);
    session_rejudge_clock(&crowd.host);
    assert_false(crowd.host.rejudge.now.only_time);
    assert_true(crowd.host.rejudge.after.only_time);
    session_rejudge(&crowd.host, 3, false);
    assert_false(crowd.host.rejudge.after.only_time);
    crowd_walk();
    session_rejudge_clock(&crowd.host);
    assert_true(crowd.host.rejudge.now.only_time);
    session_rejudge(&crowd.host, 4, false);
    assert_false(crowd.host.rejudge.now.only_time);
    crowd_walk();
    assert_int_equal(crowd.told, 3);
}

/* Faster than a walk through all of them: the last one in the list is judged all the same. */
static void
test_again_and_again(void **state)
{
    uint64_t generation = 2;

    (void)state;
    fill();
    crowd_commit(ODD);
    for (unsigned turns = 0; crowd.told < 2 && turns < 20000; turns++) {
        session_rejudge(&crowd.host, ++generation, false);
        crowd_turn();
    }
    assert_int_equal(crowd.told, 2);
    assert_int_equal(crowd.ended, MANY / 2);
    check_left("even");
    crowd_walk();
}

static void
test_kill(void **state)
{
    static uint64_t ids[MANY / 2];

    (void)state;
    fill();
    for (uint32_t i = 0; i < MANY / 2; i++)
        ids[i] = MANY - 2 * i; /* even ids: odd clients */
    for (uint32_t i = 0; i < MANY / 2; i += 250)
        session_kill(&crowd.host, ids + i, 250);
    session_rejudge(&crowd.host, 2, false); /* both at a time */
    crowd_walk();
    assert_int_equal(crowd.ended, MANY / 2);
    check_left("all");
    assert_null(crowd.host.kill.ids);
}

/* The audit's reader is slow: nothing is lost while it may be waited for, nor does anybody stay for ever. */
static void
test_ring_full(void **state)
{
    unsigned turns = 0;

    (void)state;
    fill();
    crowd_commit(ODD);
    session_rejudge(&crowd.host, 3, false);
    while (!loop_timer_armed(&crowd.host.rejudge.pause) && turns++ < 1000)
        assert_int_equal(loop_turn(crowd.host.loop, 20), 0);
    assert_true(loop_timer_armed(&crowd.host.rejudge.pause));
    assert_true(crowd.ended > 0 && crowd.ended < MANY / 2);
    assert_int_equal(ring_dropped(crowd.reader), 0);
    crowd.host.rejudge.began.us -= 10 * CLOCK_SECOND_US; /* long ago */
    while (crowd.host.rejudge.running)
        assert_int_equal(loop_turn(crowd.host.loop, 20), 0);
    assert_int_equal(crowd.ended, MANY / 2);
}

#define PROMISED 25000U
#define RULES 1000U

/* All rules but the last one are for other clients. */
static void
write_rules(FILE *out)
{
    fputs(HEAD, out);
    for (unsigned i = 1; i < RULES; i++)
        (void)fprintf(out, "rule \"r%u\" { action = \"allow\" client = { \"172.16.%u.%u/32\" } }\n", i, i / 256,
            i % 256);
    fputs("rule \"last\" { action = \"allow\" destination = { \"192.0.2.0/24\" } }\n", out);
}

/* The processor's time, so that neither others on the machine nor a slow clock decide. */
static void
test_in_time(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct timespec before, after;

    (void)state;
    assert_non_null(out);
    write_rules(out);
    assert_int_equal(fclose(out), 0);
    for (uint32_t i = 0; i < PROMISED; i++)
        (void)crowd_add(EVEN_CLIENT + i, NULL, 1);
    crowd_commit(text);
    free(text);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (int tries = 0; tries < (UNIT_ASAN ? 1 : 3); tries++) {
        crowd.longest_cpu_us = 0;
        session_rejudge(&crowd.host, 2 + (uint64_t)tries, false);
        crowd_walk();
        if (tries == 0)
            (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
        if (crowd.longest_cpu_us < 2000)
            break; /* the machine may have had an interrupt in one of them */
    }
    check_left("last");
    assert_int_equal(crowd.ended, 0);
    if (UNIT_ASAN)
        return;
    assert_true(crowd.longest_cpu_us < 2000);
    assert_true(after.tv_sec - before.tv_sec + (after.tv_nsec - before.tv_nsec) / 1e9 < 1.0);
}

static int
setup(void **state)
{
    (void)state;
    crowd_begin(ALL, 2 * MANY);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    crowd_end();
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all),
        TEST(test_ends_and_begins),
        TEST(test_meanwhile),
        TEST(test_hour_behind),
        TEST(test_again_and_again),
        TEST(test_kill),
        TEST(test_ring_full),
        TEST(test_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
