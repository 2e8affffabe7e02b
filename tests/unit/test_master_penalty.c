/* SPDX-License-Identifier: ISC */
/* src/master/master_penalty.c with a clock of the test's: what brings a penalty, how it grows, what it holds
   for, and when all is forgotten. */
#include "src/master/master_penalty.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static struct penalties p;
static struct mono now;

static const struct client_key here = { 1, ADDR_IPV4 };
static const struct client_key there = { 2, ADDR_IPV4 };

static int
setup(void **state)
{
    (void)state;
    penalties_init(&p, 100);
    p.rules = (struct penalty_rules) { .failures = 10, .window = 60, .seconds = 60 };
    now = (struct mono) { 1000 * CLOCK_SECOND_US };
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    penalties_free(&p);
    return 0;
}

static void
pass(int64_t seconds)
{
    now = mono_add_seconds(now, seconds);
}

/* count failures of the user and of the client with it, as the master counts them. Penalties begun. */
static int
failures(struct client_key client, const char *user, int count)
{
    int begun = 0;

    for (int i = 0; i < count; i++) {
        if (user[0] != '\0')
            begun += penalties_fail(&p, client, user, true, now) != NULL;
        begun += penalties_fail(&p, client, "", user[0] != '\0', now) != NULL;
    }
    return begun;
}

static bool
barred(struct client_key client, const char *user)
{
    return penalties_standing(&p, client, user, now) != NULL;
}

static void
the_threshold_of_a_user(void **state)
{
    (void)state;
    assert_int_equal(failures(here, "alice", 9), 0);
    assert_false(barred(here, "alice"));
    assert_int_equal(failures(here, "alice", 1), 1);
    assert_true(barred(here, "alice"));
    /* Nobody else, and she from nowhere else. */
    assert_false(barred(here, "bob"));
    assert_false(barred(there, "alice"));
    assert_false(barred(here, ""));
    assert_false(penalties_client_barred(&p, here, now));
    const struct history *h = penalties_standing(&p, here, "alice", now);

    assert_int_equal(h->seconds, 60);
    assert_int_equal(h->brought, 10);
    assert_int_equal(penalty_left(h, now), 60);
    pass(59);
    assert_true(barred(here, "alice"));
    assert_int_equal(penalty_left(h, now), 1);
    pass(1);
    assert_false(barred(here, "alice"));
}

static void
failures_outside_the_window_do_not_count(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        assert_int_equal(failures(here, "alice", 1), 0);
        pass(8);
    }
    assert_int_equal(failures(here, "alice", 9), 1);
}

static void
failures_all_over_the_window_do(void **state)
{
    (void)state;
    int begun = failures(here, "alice", 1);

    pass(59);
    begun += failures(here, "alice", 9);
    assert_int_equal(begun, 1);
}

/* Whoever is on call reads how many brought it, and not how often somebody erred since last month. */
static void
the_count_is_that_of_the_window(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        assert_int_equal(failures(here, "alice", 1), 0);
        pass(30);
    }
    assert_int_equal(failures(here, "alice", 10), 1);
    assert_int_equal(penalties_standing(&p, here, "alice", now)->brought, 10);
    pass(60);
    assert_int_equal(failures(here, "alice", 10), 1);
    assert_int_equal(penalties_standing(&p, here, "alice", now)->brought, 10);
}

/* Each login is one, whatever it costs. */
static void
the_count_of_a_client_is_of_logins(void **state)
{
    (void)state;
    assert_int_equal(failures(there, "", 5), 0);
    for (int i = 0; i < 19; i++)
        assert_null(penalties_fail(&p, there, "", true, now));
    assert_non_null(penalties_fail(&p, there, "", true, now));
    assert_int_equal(penalties_standing(&p, there, "", now)->brought, 25);
    /* What is out of the window costs nothing any more. */
    assert_int_equal(failures(here, "", 9), 0);
    pass(50);
    assert_null(penalties_fail(&p, here, "", true, now));
    pass(20);
    for (int i = 0; i < 38; i++)
        assert_null(penalties_fail(&p, here, "", true, now));
    assert_non_null(penalties_fail(&p, here, "", true, now));
    assert_int_equal(penalties_standing(&p, here, "", now)->brought, 40);
}

static void
a_client_that_names_nobody(void **state)
{
    (void)state;
    assert_int_equal(failures(here, "", 9), 0);
    assert_int_equal(failures(here, "", 1), 1);
    assert_true(penalties_client_barred(&p, here, now));
    assert_false(penalties_client_barred(&p, there, now));
    assert_false(barred(here, "alice"));
    assert_int_equal(penalties_standing(&p, here, "", now)->brought, 10);
}

static void
a_client_that_sprays(void **state)
{
    char name[16];
    int begun = 0;

    (void)state;
    for (int i = 0; i < 39; i++) {
        (void)snprintf(name, sizeof name, "user%d", i);
        begun += failures(here, name, 1);
    }
    assert_int_equal(begun, 0);
    assert_int_equal(failures(here, "another", 1), 1);
    assert_true(penalties_client_barred(&p, here, now));
}

static void
success_clears_the_users_failures(void **state)
{
    (void)state;
    (void)failures(here, "alice", 9);
    penalties_succeed(&p, here, "alice");
    assert_int_equal(failures(here, "alice", 9), 0);
    /* Not those of the client: 40 of all make it full. */
    penalties_succeed(&p, here, "alice");
    assert_int_equal(failures(here, "alice", 9), 0);
    penalties_succeed(&p, here, "alice");
    assert_int_equal(failures(here, "alice", 9), 0);
    penalties_succeed(&p, here, "alice");
    assert_int_equal(failures(here, "alice", 4), 1);
    assert_true(penalties_client_barred(&p, here, now));
}

/* Each is twice the one before, up to an hour. */
static void
it_grows(void **state)
{
    static const uint32_t seconds[] = { 60, 120, 240, 480, 960, 1920, 3600, 3600 };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(seconds); i++) {
        assert_int_equal(failures(here, "alice", 10), 1);
        const struct history *h = penalties_standing(&p, here, "alice", now);

        assert_non_null(h);
        assert_int_equal(h->seconds, seconds[i]);
        /* What fails meanwhile makes it no longer. */
        assert_null(penalties_fail(&p, here, "alice", true, now));
        pass(seconds[i]);
        assert_false(barred(here, "alice"));
        assert_int_equal(h->seconds, seconds[i]);
    }
}

static void
a_short_one_grows_64_times_and_a_long_one_not(void **state)
{
    (void)state;
    p.rules.seconds = p.rules.window = 1; /* the client as a whole is out of it */
    for (int i = 0; i < 10; i++) {
        assert_int_equal(failures(here, "alice", 10), 1);
        pass(penalties_standing(&p, here, "alice", now)->seconds);
    }
    assert_int_equal(failures(here, "alice", 10), 1);
    assert_int_equal(penalties_standing(&p, here, "alice", now)->seconds, 64);
    p.rules.seconds = 7200;
    for (int i = 0; i < 3; i++) {
        (void)failures(there, "bob", 10);
        assert_int_equal(penalties_standing(&p, there, "bob", now)->seconds, 7200);
        pass(7200);
    }
}

/* Ten times the penalty without a failure: the next one is the first. */
static void
it_is_forgotten(void **state)
{
    (void)state;
    (void)failures(here, "alice", 10);
    pass(60);
    (void)failures(here, "alice", 10);
    pass(120 + 1199);
    (void)failures(here, "alice", 10);
    assert_int_equal(penalties_standing(&p, here, "alice", now)->seconds, 240);
    pass(240 + 2400);
    (void)failures(here, "alice", 10);
    assert_int_equal(penalties_standing(&p, here, "alice", now)->seconds, 60);
    pass(60 + 600);
    for (int i = 0; i < 32; i++)
        penalties_sweep(&p, now);
    assert_int_equal(p.map.count, 0);
    assert_int_equal(p.standing.count + p.quiet.count, 0);
}

static void
a_penalty_survives_the_sweeps_before_its_end(void **state)
{
    (void)state;
    (void)failures(here, "alice", 10);
    (void)failures(there, "", 10);
    pass(59);
    for (int i = 0; i < 32; i++)
        penalties_sweep(&p, now);
    assert_true(barred(here, "alice"));
    assert_true(penalties_client_barred(&p, there, now));
    pass(1);
    for (int i = 0; i < 32; i++)
        penalties_sweep(&p, now);
    assert_int_equal(p.standing.count, 0);
    assert_int_equal(p.standing_clients, 0);
    assert_true(p.map.count > 0); /* the next one would be the second */
}

static void
histories_are_bounded(void **state)
{
    char name[16];

    (void)state;
    (void)failures(here, "alice", 10);
    for (int i = 0; i < 1000; i++) {
        struct client_key client = { 100 + (uint64_t)i, ADDR_IPV4 };

        (void)snprintf(name, sizeof name, "user%d", i);
        (void)failures(client, name, 1);
        assert_true(p.map.count <= 100);
    }
    assert_true(barred(here, "alice")); /* not quiet */
    assert_int_equal(p.map.count, 100);
    /* The youngest are still there: one failure is known of. */
    assert_int_equal(failures((struct client_key) { 1099, ADDR_IPV4 }, "user999", 9), 1);
    /* All of them with a penalty: then the oldest of those. */
    for (int i = 0; i < 200; i++)
        (void)failures((struct client_key) { 5000 + (uint64_t)i, ADDR_IPV4 }, "", 10);
    assert_int_equal(p.map.count, 100);
    assert_false(barred(here, "alice"));
}

static bool
is_alice(const void *ctx, struct client_key client, const char *user)
{
    (void)client;
    return ctx == NULL || strcmp(user, "alice") == 0;
}

static void
a_person_takes_it_back(void **state)
{
    (void)state;
    (void)failures(here, "alice", 10);
    (void)failures(here, "bob", 10);
    (void)failures(there, "", 10);
    assert_int_equal(histories_lift(&p, is_alice, "alice", now), 1);
    assert_false(barred(here, "alice"));
    assert_true(barred(here, "bob"));
    /* Those who were told hear of it: it stands behind the others in the list. */
    const struct history *h = penalties_since(&p, 3);

    assert_non_null(h);
    assert_string_equal(h->user, "alice");
    assert_true(h->lifted);
    assert_null(penalties_since(&p, h->change));
    assert_int_equal(histories_lift(&p, is_alice, NULL, now), 2);
    assert_false(penalties_client_barred(&p, there, now));
    assert_int_equal(histories_lift(&p, is_alice, NULL, now), 0);
    /* And it counts from the beginning. */
    assert_int_equal(failures(here, "alice", 9), 0);
    assert_int_equal(failures(here, "alice", 1), 1);
    assert_int_equal(penalties_standing(&p, here, "alice", now)->seconds, 60);
    pass(3600);
    for (int i = 0; i < 32; i++)
        penalties_sweep(&p, now);
    assert_int_equal(p.map.count, 0);
}

/* A pool that is slow to hear of it finds it in the list, also when the user has failed again meanwhile. */
static void
lifted_and_failed_again(void **state)
{
    (void)state;
    (void)failures(here, "alice", 10);
    assert_int_equal(histories_lift(&p, is_alice, "alice", now), 1);
    pass(1);
    assert_int_equal(failures(here, "alice", 1), 0);
    pass(20);
    for (int i = 0; i < 32; i++)
        penalties_sweep(&p, now);
    const struct history *h = penalties_since(&p, 0);

    assert_non_null(h);
    assert_true(h->lifted);
}

static void
sweep_all(void)
{
    for (int i = 0; i < 32; i++)
        penalties_sweep(&p, now);
}

/* Taken back once more, it still has to be heard of; when its old end is over nothing is left of that. */
static void
lifted_twice(void **state)
{
    (void)state;
    (void)failures(here, "alice", 10);
    assert_int_equal(histories_lift(&p, is_alice, "alice", now), 1);
    assert_int_equal(histories_lift(&p, is_alice, "alice", now), 0);
    assert_non_null(penalties_since(&p, 0));
    assert_true(penalties_since(&p, 0)->lifted);
    pass(61);
    sweep_all();
    assert_null(penalties_since(&p, 0));
    uint32_t count = p.map.count;

    assert_int_equal(histories_lift(&p, is_alice, "alice", now), 0);
    assert_int_equal(p.map.count, count - 1);
}

/* The new penalty is as good as any, up to its own end. */
static void
lifted_and_brought_again(void **state)
{
    (void)state;
    (void)failures(here, "alice", 10);
    assert_int_equal(histories_lift(&p, is_alice, "alice", now), 1);
    pass(1);
    assert_int_equal(failures(here, "alice", 10), 1);
    assert_false(penalties_since(&p, 0)->lifted);
    pass(59);
    sweep_all();
    assert_non_null(penalties_since(&p, 0));
    assert_true(barred(here, "alice"));
    pass(1);
    sweep_all();
    assert_null(penalties_since(&p, 0));
}

/* All in one chain: client and user tell them apart. */
static void
the_same_hash_is_not_the_same_history(void **state)
{
    (void)state;
    memset(p.map.seed, 0, sizeof p.map.seed);
    assert_int_equal(failures(here, "alice", 10), 1);
    assert_false(barred(here, "bob"));
    assert_false(barred(there, "alice"));
    assert_int_equal(failures(there, "alice", 9), 0);
    assert_int_equal(failures(here, "bob", 9), 0);
}

static void
changes_come_in_order(void **state)
{
    (void)state;
    assert_null(penalties_since(&p, 0));
    (void)failures(here, "a", 10);
    (void)failures(here, "b", 10);
    const struct history *h = penalties_since(&p, 0);

    assert_string_equal(h->user, "a");
    assert_string_equal(h->next->user, "b");
    assert_string_equal(penalties_since(&p, h->change)->user, "b");
    pass(60);
    (void)failures(here, "a", 10); /* again: it is the last one now */
    assert_string_equal(penalties_since(&p, 2)->user, "a");
}

static void
none_without_a_rule(void **state)
{
    (void)state;
    p.rules.failures = 0;
    assert_int_equal(failures(here, "alice", 1000), 0);
    assert_int_equal(p.map.count, 0);
    p.rules.failures = 1;
    assert_int_equal(failures(here, "alice", 1), 1);
    /* Another window length begins the count again. */
    p.rules = (struct penalty_rules) { .failures = 3, .window = 10, .seconds = 60 };
    assert_int_equal(failures(here, "bob", 2), 0);
    p.rules.window = 3600;
    assert_int_equal(failures(here, "bob", 2), 0);
    assert_int_equal(failures(here, "bob", 1), 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_threshold_of_a_user),
        CASE(failures_outside_the_window_do_not_count),
        CASE(failures_all_over_the_window_do),
        CASE(the_count_is_that_of_the_window),
        CASE(the_count_of_a_client_is_of_logins),
        CASE(a_client_that_names_nobody),
        CASE(a_client_that_sprays),
        CASE(success_clears_the_users_failures),
        CASE(it_grows),
        CASE(a_short_one_grows_64_times_and_a_long_one_not),
        CASE(it_is_forgotten),
        CASE(a_penalty_survives_the_sweeps_before_its_end),
        CASE(histories_are_bounded),
        CASE(a_person_takes_it_back),
        CASE(lifted_and_failed_again),
        CASE(lifted_twice),
        CASE(lifted_and_brought_again),
        CASE(the_same_hash_is_not_the_same_history),
        CASE(changes_come_in_order),
        CASE(none_without_a_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
