/* SPDX-License-Identifier: ISC */
/* src/authd/authd_penalty.c: who is held off from where, until when, and that it stays bounded. */
#include "src/authd/authd.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#include "src/core/ipc_limits.h"

static struct authd_penalties p;
static const struct mono now = { 5 * CLOCK_SECOND_US };

static int
setup(void **state)
{
    (void)state;
    memset(&p, 0, sizeof p);
    authd_penalties_init(&p);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    authd_penalties_free(&p);
    return 0;
}

static void
set(const char *prefix, const char *user, uint32_t seconds, struct mono at)
{
    struct ipc_penalty penalty = { .seconds = seconds };

    assert_int_equal(addr_prefix_parse(prefix, &penalty.client), 0);
    assert_true(snprintf(penalty.user, sizeof penalty.user, "%s", user) > 0);
    authd_penalties_set(&p, &penalty, at);
}

static bool
holds(const char *address, const char *user, struct mono at)
{
    struct addr a;

    assert_int_equal(addr_parse_ip(address, &a), 0);
    a.port = 4711;
    return authd_penalties_hold(&p, &a, user, at);
}

static void
who_and_from_where(void **state)
{
    (void)state;
    assert_false(holds("192.0.2.1", "alice", now));
    set("192.0.2.1/32", "alice", 60, now);
    set("2001:db8::/64", "bob", 60, now);
    assert_true(holds("192.0.2.1", "alice", now));
    assert_true(holds("::ffff:192.0.2.1", "alice", now));
    assert_false(holds("192.0.2.2", "alice", now));
    assert_false(holds("192.0.2.1", "Alice", now));
    assert_false(holds("192.0.2.1", "bob", now));
    assert_true(holds("2001:db8::1", "bob", now));
    assert_true(holds("2001:db8::ffff:0:0:1", "bob", now));
    assert_false(holds("2001:db8:0:1::1", "bob", now));
}

static void
until_when(void **state)
{
    (void)state;
    set("192.0.2.1/32", "alice", 60, now);
    assert_true(holds("192.0.2.1", "alice", mono_add_us(now, 60 * CLOCK_SECOND_US - 1)));
    assert_false(holds("192.0.2.1", "alice", mono_add_seconds(now, 60)));
    set("192.0.2.1/32", "alice", 120, now); /* said again */
    assert_true(holds("192.0.2.1", "alice", mono_add_seconds(now, 119)));
    assert_int_equal(idmap_count(&p.map), 1);
    set("192.0.2.1/32", "alice", 0, now); /* taken back */
    assert_false(holds("192.0.2.1", "alice", now));
    assert_int_equal(idmap_count(&p.map), 0);
}

static void
it_is_bounded(void **state)
{
    char user[16];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_true(snprintf(user, sizeof user, "user%d", i) > 0);
        set("192.0.2.1/32", user, 1, mono_add_seconds(now, i)); /* each ends as the next one comes */
    }
    assert_true(idmap_count(&p.map) <= 64);
    for (unsigned i = 0; i < AUTHD_PENALTIES_MAX + 100; i++) {
        assert_true(snprintf(user, sizeof user, "u%u", i) > 0);
        set("192.0.2.1/32", user, 3600, mono_add_seconds(now, 2000));
        assert_true(idmap_count(&p.map) <= AUTHD_PENALTIES_MAX);
    }
    assert_true(holds("192.0.2.1", user, mono_add_seconds(now, 2000))); /* the last one is in */
}

static void
what_is_not_the_clients_doing(void **state)
{
    (void)state;
    assert_false(authd_failure_excused(NULL));
    assert_false(authd_failure_excused("wrong-password"));
    assert_false(authd_failure_excused("unknown-user"));
    assert_false(authd_failure_excused("bad-token"));
    assert_false(authd_failure_excused("penalty"));
    assert_true(authd_failure_excused("keytab-unreadable"));
    assert_true(authd_failure_excused("out-of-memory"));
    assert_true(authd_failure_excused("groups-unavailable"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(who_and_from_where),
        CASE(until_when),
        CASE(it_is_bounded),
        CASE(what_is_not_the_clients_doing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
