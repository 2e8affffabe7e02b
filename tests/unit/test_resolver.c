/* SPDX-License-Identifier: ISC */
/* src/net/resolver*.c against a real DNS server over real sockets. */
#include "src/net/resolver.h"

#include "tests/unit/dns_child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_US (INT64_C(20) * CLOCK_SECOND_US)

static struct dns_child dns;
static struct loop *loop;
static struct resolver *resolver;

struct heard {
    unsigned calls;
    enum resolver_status status;
    size_t count;
    struct addr first;
    struct mono at;
};

struct asker {
    struct resolver_query query;
    struct heard ipv4;
    struct heard ipv6;
    bool cancel; /* in the first callback */
    bool chain;  /* the last callback asks "again.test" and frees nothing */
    unsigned pending;
};

static void
on_answer(struct resolver_query *query, enum addr_family family, enum resolver_status status,
    const struct addr *addresses, size_t count, unsigned pending)
{
    struct asker *a = (struct asker *)query;
    struct heard *h = family == ADDR_IPV4 ? &a->ipv4 : &a->ipv6;

    assert_true(family == ADDR_IPV4 || family == ADDR_IPV6);
    assert_true((status == RESOLVER_OK) == (count > 0));
    h->calls++;
    h->status = status;
    h->count = count;
    h->at = loop_now(loop);
    if (count > 0)
        h->first = addresses[0];
    a->pending = pending;
    if (a->cancel)
        resolver_cancel(query);
    if (a->chain && pending == 0) {
        a->chain = false;
        assert_int_equal(resolver_start(resolver, query, "again.test", true, true), 0);
    }
}

static void
ask(struct asker *a, const char *name)
{
    a->query.answered = on_answer;
    assert_int_equal(resolver_start(resolver, &a->query, name, true, true), 0);
    assert_int_equal(a->ipv4.calls + a->ipv6.calls, 0);
    assert_non_null(a->query.lookup);
}

static void
finish(struct asker *a)
{
    struct mono deadline = mono_add_us(mono_read(), PATIENCE_US);

    while (a->query.lookup != NULL) {
        assert_true(mono_before(mono_read(), deadline));
        assert_int_equal(loop_turn(loop, 1000), 0);
    }
}

/* Turns until nothing can come any more for `us`. */
static void
turn_for(int64_t us)
{
    struct mono deadline = mono_add_us(mono_read(), us);

    while (mono_before(mono_read(), deadline))
        assert_int_equal(loop_turn(loop, 5), 0);
}

static struct asker
resolve(const char *name)
{
    struct asker a;

    memset(&a, 0, sizeof a);
    ask(&a, name);
    finish(&a);
    assert_int_equal(a.pending, 0);
    assert_int_equal(a.ipv4.calls, 1);
    assert_int_equal(a.ipv6.calls, 1);
    return a;
}

static struct addr
server_at(uint16_t port)
{
    struct addr a;

    assert_int_equal(addr_parse_ip("127.0.0.1", &a), 0);
    a.port = port;
    return a;
}

/* A port nobody listens at: bound and closed again. */
static uint16_t
closed_port(void)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof sin;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
    close(fd);
    return ntohs(sin.sin_port);
}

static void
use_servers(const uint16_t *ports, size_t count)
{
    struct addr list[RESOLVER_SERVERS_MAX];

    for (size_t i = 0; i < count; i++)
        list[i] = server_at(ports[i]);
    assert_int_equal(resolver_set_servers(resolver, list, count), 0);
}

static int
resolver_up(unsigned timeout_ms, unsigned attempts)
{
    struct resolver_settings settings = { timeout_ms, attempts, true };

    loop = loop_new();
    assert_non_null(loop);
    resolver = resolver_new(loop, &settings);
    assert_non_null(resolver);
    use_servers(&dns.port, 1);
    dns_child_order(&dns, "clear");
    return 0;
}

static int
setup(void **state)
{
    (void)state;
    return resolver_up(2000, 2);
}

static int
setup_impatient(void **state)
{
    (void)state;
    return resolver_up(60, 2);
}

static int
teardown(void **state)
{
    (void)state;
    resolver_free(&resolver);
    assert_null(resolver);
    loop_free(&loop);
    return 0;
}

static void
assert_status(const struct asker *a, enum resolver_status ipv4, enum resolver_status ipv6)
{
    assert_string_equal(resolver_status_text(a->ipv4.status), resolver_status_text(ipv4));
    assert_string_equal(resolver_status_text(a->ipv6.status), resolver_status_text(ipv6));
}

static void
assert_first(const struct heard *h, const char *text)
{
    struct addr wanted;

    assert_int_equal(addr_parse_ip(text, &wanted), 0);
    assert_true(addr_equal(&h->first, &wanted));
}

/* ---- what names give ---- */

static void
test_both_families(void **state)
{
    (void)state;
    dns_child_order(&dns, "set www.test a=192.0.2.1,192.0.2.2 aaaa=2001:db8::1");
    struct asker a = resolve("www.test");

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
    struct asker a = { .query.answered = on_answer };

    dns_child_order(&dns, "set www.test a=192.0.2.1 aaaa=2001:db8::1");
    assert_int_equal(resolver_start(resolver, &a.query, "www.test", false, true), 0);
    finish(&a);
    assert_int_equal(a.ipv6.calls, 1);
    assert_int_equal(a.ipv4.calls, 0);
    assert_int_equal(dns_child_count(&dns, "www.test A"), 0);
    errno = 0;
    assert_int_equal(resolver_start(resolver, &a.query, "www.test", false, false), -1);
    assert_int_equal(errno, EINVAL);
}

static void
test_negative_answers(void **state)
{
    static const struct {
        const char *order;
        enum resolver_status ipv4;
        enum resolver_status ipv6;
    } cases[] = {
        { "set x.test rcode=NXDOMAIN", RESOLVER_NXDOMAIN, RESOLVER_NXDOMAIN },
        { "set x.test", RESOLVER_NODATA, RESOLVER_NODATA },
        { "set x.test a=192.0.2.1", RESOLVER_OK, RESOLVER_NODATA },
        { "set x.test aaaa=2001:db8::1", RESOLVER_NODATA, RESOLVER_OK },
        { "set x.test rcode=SERVFAIL", RESOLVER_SERVFAIL, RESOLVER_SERVFAIL },
        { "set x.test rcode=REFUSED", RESOLVER_SERVFAIL, RESOLVER_SERVFAIL },
        { "set x.test rcode=FORMERR", RESOLVER_SERVFAIL, RESOLVER_SERVFAIL },
        { "set x.test rcode=NOTIMP", RESOLVER_SERVFAIL, RESOLVER_SERVFAIL },
    };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(cases); i++) {
        dns_child_order(&dns, cases[i].order);
        struct asker a = resolve("x.test");

        assert_status(&a, cases[i].ipv4, cases[i].ipv6);
    }
    struct asker absent = resolve("localhost");

    assert_status(&absent, RESOLVER_NXDOMAIN, RESOLVER_NXDOMAIN);
    assert_int_equal(dns_child_count(&dns, "localhost A"), 1);
}

static void
test_aliases(void **state)
{
    (void)state;
    dns_child_order(&dns, "set one.test cname=two.test");
    dns_child_order(&dns, "set two.test cname=three.test");
    dns_child_order(&dns, "set three.test a=192.0.2.3");
    dns_child_order(&dns, "set lost.test cname=nowhere.test");
    struct asker a = resolve("one.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_NODATA);
    assert_first(&a.ipv4, "192.0.2.3");
    a = resolve("lost.test");
    assert_status(&a, RESOLVER_NXDOMAIN, RESOLVER_NXDOMAIN);
}

static void
test_mapped_address_is_unmapped(void **state)
{
    (void)state;
    dns_child_order(&dns, "set mapped.test aaaa=::ffff:127.0.0.1");
    struct asker a = resolve("mapped.test");

    assert_status(&a, RESOLVER_NODATA, RESOLVER_OK);
    assert_first(&a.ipv6, "127.0.0.1");
}

static void
test_truncated_goes_by_tcp(void **state)
{
    (void)state;
    dns_child_order(&dns, "set big.test truncate a=192.0.2.1 aaaa=2001:db8::1");
    struct asker a = resolve("big.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_OK);
    assert_int_equal(dns_child_count(&dns, "big.test A tcp"), 1);
    assert_int_equal(dns_child_count(&dns, "big.test AAAA tcp"), 1);
}

static void
test_many_addresses(void **state)
{
    char order[4096] = "set many.test a=";
    size_t len = strlen(order);

    (void)state;
    for (int i = 0; i < 200; i++)
        len += (size_t)snprintf(order + len, sizeof order - len, "%s192.0.2.%d", i ? "," : "", i);
    dns_child_order(&dns, order);
    struct asker a = resolve("many.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_NODATA);
    assert_int_equal(a.ipv4.count, RESOLVER_ADDRESSES_MAX);
    assert_first(&a.ipv4, "192.0.2.0");
}

static void
test_spoofed_answers_are_ignored(void **state)
{
    (void)state;
    dns_child_order(&dns, "set true.test spoof delay-a=0.05 a=192.0.2.1 aaaa=2001:db8::1");
    struct asker a = resolve("true.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_OK);
    assert_int_equal(a.ipv4.count, 1);
    assert_first(&a.ipv4, "192.0.2.1");
}

static void
test_families_arrive_apart(void **state)
{
    (void)state;
    dns_child_order(&dns, "set slow.test delay-aaaa=0.2 a=192.0.2.1 aaaa=2001:db8::1");
    struct asker a = resolve("slow.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_OK);
    assert_true(mono_diff_us(a.ipv6.at, a.ipv4.at) > 100 * CLOCK_MSEC_US);
}

/* ---- servers ---- */

static void
test_silence_is_a_timeout(void **state)
{
    (void)state;
    dns_child_order(&dns, "set mute.test silent");
    struct asker a = resolve("mute.test");

    assert_status(&a, RESOLVER_TIMEOUT, RESOLVER_TIMEOUT);
    assert_int_equal(dns_child_count(&dns, "mute.test A"), 2);
    assert_int_equal(dns_child_count(&dns, "mute.test AAAA"), 2);
}

static void
test_lost_question_is_repeated(void **state)
{
    (void)state;
    dns_child_order(&dns, "set once.test drop=1 a=192.0.2.1");
    struct asker a = resolve("once.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_NODATA);
    assert_int_equal(dns_child_count(&dns, "once.test A"), 2);
}

static void
test_nobody_listens(void **state)
{
    (void)state;
    uint16_t port = closed_port();

    use_servers(&port, 1);
    struct asker a = resolve("www.test");

    assert_status(&a, RESOLVER_TIMEOUT, RESOLVER_TIMEOUT);
}

static void
test_second_server_helps(void **state)
{
    struct dns_child broken;

    (void)state;
    dns_child_start(&broken);
    dns_child_order(&dns, "set www.test a=192.0.2.1");
    dns_child_order(&broken, "set www.test rcode=SERVFAIL");
    dns_child_order(&broken, "set mute.test silent");
    dns_child_order(&dns, "set mute.test a=192.0.2.2");
    use_servers((uint16_t[]) { broken.port, dns.port }, 2);
    struct asker a = resolve("www.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_NODATA);
    assert_int_equal(dns_child_count(&broken, "www.test A"), 1);
    a = resolve("mute.test");
    assert_status(&a, RESOLVER_OK, RESOLVER_NODATA);
    /* A server that says no ends it: nobody else is asked. */
    a = resolve("absent.test");
    assert_status(&a, RESOLVER_NXDOMAIN, RESOLVER_NXDOMAIN);
    assert_int_equal(dns_child_count(&dns, "absent.test A"), 0);
    dns_child_stop(&broken);
}

static void
test_servfail_stands_when_others_fail(void **state)
{
    (void)state;
    dns_child_order(&dns, "set bad.test rcode=SERVFAIL");
    use_servers((uint16_t[]) { dns.port, closed_port() }, 2);
    struct asker a = resolve("bad.test");

    assert_status(&a, RESOLVER_SERVFAIL, RESOLVER_SERVFAIL);
    use_servers((uint16_t[]) { closed_port(), dns.port }, 2);
    a = resolve("bad.test");
    assert_status(&a, RESOLVER_SERVFAIL, RESOLVER_SERVFAIL);
}

static void
test_servers_change_under_way(void **state)
{
    struct dns_child other;
    struct asker old = { .query.lookup = NULL };
    struct asker new = { .query.lookup = NULL };

    (void)state;
    dns_child_start(&other);
    dns_child_order(&dns, "set www.test delay-a=0.2 delay-aaaa=0.2 a=192.0.2.1 aaaa=2001:db8::1");
    dns_child_order(&other, "set www.test delay-a=0.2 delay-aaaa=0.2 a=192.0.2.2 aaaa=2001:db8::2");
    ask(&old, "www.test");
    use_servers(&other.port, 1);
    ask(&new, "www.test");
    /* Both sets are busy: this one has to wait. */
    use_servers(&dns.port, 1);
    finish(&old);
    finish(&new);
    assert_first(&old.ipv4, "192.0.2.1");
    assert_first(&new.ipv4, "192.0.2.2");
    turn_for(5 * CLOCK_MSEC_US);
    struct asker last = resolve("www.test");

    assert_first(&last.ipv4, "192.0.2.1");
    dns_child_stop(&other);
}

static void
test_wrong_servers(void **state)
{
    struct addr none;

    (void)state;
    memset(&none, 0, sizeof none);
    errno = 0;
    assert_int_equal(resolver_set_servers(resolver, &none, 0), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(resolver_set_resolv_conf(resolver, "nameserver 192.0.2.1\n", 21), 0);
    assert_int_equal(resolver_set_resolv_conf(resolver, NULL, 0), 0);
}

static void
test_no_descriptor_left(void **state)
{
    struct rlimit old;
    struct rlimit none = { 0, 0 };

    (void)state;
    dns_child_order(&dns, "set www.test a=192.0.2.1");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct asker a = resolve("www.test");

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_status(&a, RESOLVER_FAILED, RESOLVER_FAILED);
    a = resolve("www.test");
    assert_status(&a, RESOLVER_OK, RESOLVER_NODATA);
}

static void
test_impossible_name(void **state)
{
    char label[80] = "";

    (void)state;
    memset(label, 'a', 70);
    struct asker a = resolve(label);

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
    ask(&a, "www.test");
    resolver_cancel(&a.query);
    assert_null(a.query.lookup);
    resolver_cancel(&a.query);
    turn_for(20 * CLOCK_MSEC_US);
    assert_int_equal(a.ipv4.calls + a.ipv6.calls, 0);
    a.cancel = true;
    ask(&a, "early.test");
    finish(&a);
    turn_for(100 * CLOCK_MSEC_US);
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
    ask(&a, "mute.test");
    ask(&b, "here.test");
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
    ask(&a, "first.test");
    finish(&a);
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
        ask(&all[i], text);
        if (i % 50 == 49)
            (void)resolve("go.test");
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
        finish(&all[i]);
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
    for (unsigned i = 0; i < RESOLVER_QUERIES_MAX; i++)
        ask(&all[i], "mute.test");
    struct asker *more = &all[RESOLVER_QUERIES_MAX];

    more->query.answered = on_answer;
    errno = 0;
    assert_int_equal(resolver_start(resolver, &more->query, "mute.test", true, true), -1);
    assert_int_equal(errno, EAGAIN);
    for (unsigned i = 0; i < RESOLVER_QUERIES_MAX; i++)
        finish(&all[i]);
    ask(more, "absent.test");
    finish(more);
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
    struct asker a = resolve("www.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_NODATA);
    assert_int_equal(a.ipv4.count, 2);
    assert_first(&a.ipv4, "192.0.2.9");
    a = resolve("both.test");
    assert_status(&a, RESOLVER_OK, RESOLVER_OK);
    assert_int_equal(dns_child_count(&dns, "www.test A"), 0);
    assert_int_equal(resolver_set_hosts(resolver, NULL, 0), 0);
    a = resolve("www.test");
    assert_first(&a.ipv4, "192.0.2.1");
}

static void
test_hosts_cancel(void **state)
{
    struct asker a = { .query.lookup = NULL };

    (void)state;
    assert_int_equal(resolver_set_hosts(resolver, "192.0.2.9 www.test\n", 19), 0);
    ask(&a, "www.test");
    resolver_cancel(&a.query);
    turn_for(2 * CLOCK_MSEC_US);
    assert_int_equal(a.ipv4.calls, 0);
    a.cancel = true;
    ask(&a, "www.test");
    finish(&a);
    assert_int_equal(a.ipv4.calls + a.ipv6.calls, 1);
}

static int
group_setup(void **state)
{
    (void)state;
    dns_child_start(&dns);
    return 0;
}

static int
group_teardown(void **state)
{
    (void)state;
    dns_child_stop(&dns);
    return 0;
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define IMPATIENT(test) cmocka_unit_test_setup_teardown(test, setup_impatient, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_both_families),
        WITH(test_one_family_asked),
        WITH(test_negative_answers),
        WITH(test_aliases),
        WITH(test_mapped_address_is_unmapped),
        WITH(test_truncated_goes_by_tcp),
        WITH(test_many_addresses),
        WITH(test_spoofed_answers_are_ignored),
        WITH(test_families_arrive_apart),
        IMPATIENT(test_silence_is_a_timeout),
        IMPATIENT(test_lost_question_is_repeated),
        WITH(test_nobody_listens),
        WITH(test_second_server_helps),
        IMPATIENT(test_servfail_stands_when_others_fail),
        WITH(test_servers_change_under_way),
        WITH(test_wrong_servers),
        WITH(test_no_descriptor_left),
        WITH(test_impossible_name),
        WITH(test_cancel),
        WITH(test_freed_under_way),
        WITH(test_query_used_again_in_callback),
        WITH(test_thousand_side_by_side),
        IMPATIENT(test_bound),
        WITH(test_hosts_first),
        WITH(test_hosts_cancel),
    };

    return cmocka_run_group_tests_name("resolver", tests, group_setup, group_teardown);
}
