/* SPDX-License-Identifier: ISC */
/* src/net/resolver.c: lookups, hosts, calling off, against a real DNS server. */
#include "tests/unit/resolver_tools.h"

#include <errno.h>

static void
test_both_families(void **state)
{
    (void)state;
    dns_child_order(&dns, "set www.test a=192.0.2.1,192.0.2.2 aaaa=2001:db8::1");
    struct asker a = asker_resolve("www.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_OK);
    assert_int_equal(a.ipv4.count, 2);
    assert_int_equal(a.ipv6.count, 1);
    assert_first(&a.ipv4, "192.0.2.1");
    assert_first(&a.ipv6, "2001:db8::1");
    assert_int_equal(dns_child_count(&dns, "www.test A"), 1);
    assert_int_equal(dns_child_count(&dns, "www.test AAAA"), 1);
}

static void
test_one_family_asked(void **state)
{
    (void)state;
    struct asker a = { .query.answered = asker_answered };

    dns_child_order(&dns, "set www.test a=192.0.2.1 aaaa=2001:db8::1");
    assert_int_equal(resolver_start(resolver, &a.query, &asker_client, "www.test", false, true), 0);
    asker_finish(&a);
    assert_int_equal(a.ipv6.calls, 1);
    assert_int_equal(a.ipv4.calls, 0);
    assert_int_equal(dns_child_count(&dns, "www.test A"), 0);
    errno = 0;
    assert_int_equal(resolver_start(resolver, &a.query, &asker_client, "www.test", false, false), -1);
    assert_int_equal(errno, EINVAL);
}

static void
test_families_arrive_apart(void **state)
{
    (void)state;
    dns_child_order(&dns, "set slow.test delay-aaaa=0.8 a=192.0.2.1 aaaa=2001:db8::1");
    struct asker a = asker_resolve("slow.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_OK);
    assert_true(mono_diff_us(a.ipv6.at, a.ipv4.at) > 100 * CLOCK_MSEC_US);
}

static void
test_impossible_name(void **state)
{
    char label[80] = "";

    (void)state;
    memset(label, 'a', 70);
    struct asker a = asker_resolve(label);

    assert_status(&a, RESOLVER_FAILED, RESOLVER_FAILED);
}

/* ---- calling off ---- */

static void
test_cancel(void **state)
{
    struct asker a = { .query.lookup = NULL };

    (void)state;
    dns_child_order(&dns, "set www.test a=192.0.2.1 aaaa=2001:db8::1");
    dns_child_order(&dns, "set early.test delay-aaaa=0.05 a=192.0.2.1 aaaa=2001:db8::1");
    asker_ask(&a, "www.test");
    resolver_cancel(&a.query);
    assert_null(a.query.lookup);
    resolver_cancel(&a.query);
    resolver_turn_for(20 * CLOCK_MSEC_US);
    assert_int_equal(a.ipv4.calls + a.ipv6.calls, 0);
    a.cancel = true;
    asker_ask(&a, "early.test");
    asker_finish(&a);
    resolver_turn_for(100 * CLOCK_MSEC_US);
    assert_int_equal(a.ipv4.calls + a.ipv6.calls, 1);
    assert_int_equal(dns_child_count(&dns, "early.test AAAA"), 1);
}

static void
test_freed_under_way(void **state)
{
    struct asker a = { .query.lookup = NULL };
    struct asker b = { .query.lookup = NULL };

    (void)state;
    dns_child_order(&dns, "set mute.test silent");
    assert_int_equal(resolver_set_hosts(resolver, "192.0.2.1 here.test\n", 20), 0);
    asker_ask(&a, "mute.test");
    asker_ask(&b, "here.test");
    resolver_free(&resolver);
    assert_null(a.query.lookup);
    assert_null(b.query.lookup);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_int_equal(a.ipv4.calls + b.ipv4.calls, 0);
}

static void
test_query_used_again_in_callback(void **state)
{
    struct asker a = { .chain = true };

    (void)state;
    dns_child_order(&dns, "set again.test a=192.0.2.7 aaaa=2001:db8::7");
    asker_ask(&a, "first.test");
    asker_finish(&a);
    assert_int_equal(a.ipv4.calls, 2);
    assert_int_equal(a.ipv6.calls, 2);
    assert_first(&a.ipv4, "192.0.2.7");
}

/* ---- many ---- */

/* All are under way at the same time. In portions, each behind the answer to a name of its own:
   what stands in a full socket buffer is lost, to the server as to us. */
static void
ask_thousand(struct asker *all, int count)
{
    char text[128];

    dns_child_order(&dns, "set go.test a=192.0.2.1");
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text, "set n%d.test delay-a=0.5 delay-aaaa=0.5 a=192.0.%d.%d", i,
            i / 256, i % 256);
        dns_child_order(&dns, text);
    }
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text, "n%d.test", i);
        asker_ask(&all[i], text);
        if (i % 50 == 49)
            (void)asker_resolve("go.test");
    }
}

static void
test_thousand_side_by_side(void **state)
{
    enum { COUNT = 1000 };
    struct asker *all = calloc(COUNT, sizeof *all);
    char text[32];

    (void)state;
    assert_non_null(all);
    ask_thousand(all, COUNT);
    for (int i = 0; i < COUNT; i++) {
        asker_finish(&all[i]);
        assert_status(&all[i], RESOLVER_OK, RESOLVER_NODATA);
        snprintf(text, sizeof text, "192.0.%d.%d", i / 256, i % 256);
        assert_first(&all[i].ipv4, text);
    }
    free(all);
}

static void
test_bound(void **state)
{
    struct asker *all = calloc(RESOLVER_QUERIES_MAX + 1, sizeof *all);

    (void)state;
    assert_non_null(all);
    dns_child_order(&dns, "set mute.test silent");
    for (unsigned i = 0; i < RESOLVER_QUERIES_MAX; i++) {
        if (i == RESOLVER_QUERIES_MAX / 2) { /* of one client that is all */
            struct asker none = { .query.answered = asker_answered };

            errno = 0;
            assert_int_equal(resolver_start(resolver, &none.query, &asker_client, "mute.test", true, true), -1);
            assert_int_equal(errno, EAGAIN);
        }
        asker_client.ip[3] = (uint8_t)(1 + (i < RESOLVER_QUERIES_MAX / 2 ? 0 : i / 256));
        asker_ask(&all[i], "mute.test");
    }
    asker_client.ip[3] = 77;
    struct asker *more = &all[RESOLVER_QUERIES_MAX];

    more->query.answered = asker_answered;
    errno = 0;
    assert_int_equal(resolver_start(resolver, &more->query, &asker_client, "mute.test", true, true), -1);
    assert_int_equal(errno, EAGAIN);
    for (unsigned i = 0; i < RESOLVER_QUERIES_MAX; i++)
        asker_finish(&all[i]);
    asker_ask(more, "absent.test");
    asker_finish(more);
    free(all);
}

/* ---- hosts ---- */

static void
test_hosts_first(void **state)
{
    static const char text[] = "192.0.2.9 www.test\n192.0.2.10 www.test\n2001:db8::9 both.test\n"
                               "192.0.2.11 both.test\n";

    (void)state;
    dns_child_order(&dns, "set www.test a=192.0.2.1 aaaa=2001:db8::1");
    assert_int_equal(resolver_set_hosts(resolver, text, sizeof text - 1), 0);
    struct asker a = asker_resolve("www.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_NODATA);
    assert_int_equal(a.ipv4.count, 2);
    assert_first(&a.ipv4, "192.0.2.9");
    a = asker_resolve("both.test");
    assert_status(&a, RESOLVER_OK, RESOLVER_OK);
    assert_int_equal(dns_child_count(&dns, "www.test A"), 0);
    assert_int_equal(resolver_set_hosts(resolver, NULL, 0), 0);
    a = asker_resolve("www.test");
    assert_first(&a.ipv4, "192.0.2.1");
}

static void
test_hosts_cancel(void **state)
{
    struct asker a = { .query.lookup = NULL };

    (void)state;
    assert_int_equal(resolver_set_hosts(resolver, "192.0.2.9 www.test\n", 19), 0);
    asker_ask(&a, "www.test");
    resolver_cancel(&a.query);
    resolver_turn_for(2 * CLOCK_MSEC_US);
    assert_int_equal(a.ipv4.calls, 0);
    a.cancel = true;
    asker_ask(&a, "www.test");
    asker_finish(&a);
    assert_int_equal(a.ipv4.calls + a.ipv6.calls, 1);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, resolver_setup, resolver_teardown)
#define PATIENT(test) \
    cmocka_unit_test_setup_teardown(test, resolver_setup_patient, resolver_teardown)
#define IMPATIENT(test) \
    cmocka_unit_test_setup_teardown(test, resolver_setup_impatient, resolver_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_both_families),
        WITH(test_one_family_asked),
        WITH(test_families_arrive_apart),
        WITH(test_impossible_name),
        WITH(test_cancel),
        WITH(test_freed_under_way),
        WITH(test_query_used_again_in_callback),
        PATIENT(test_thousand_side_by_side),
        IMPATIENT(test_bound),
        WITH(test_hosts_first),
        WITH(test_hosts_cancel),
    };

    return cmocka_run_group_tests_name("resolver", tests, resolver_group_setup, resolver_group_teardown);
}
