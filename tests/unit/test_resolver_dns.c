/* SPDX-License-Identifier: ISC */
/* src/net/resolver_dns*.c: answers, their absence, and several servers, all of them real. */
#include "tests/unit/resolver_tools.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- answers ---- */

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
        struct asker a = asker_resolve("x.test");

        assert_status(&a, cases[i].ipv4, cases[i].ipv6);
    }
    struct asker absent = asker_resolve("localhost");

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
    struct asker a = asker_resolve("one.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_NODATA);
    assert_first(&a.ipv4, "192.0.2.3");
    a = asker_resolve("lost.test");
    assert_status(&a, RESOLVER_NXDOMAIN, RESOLVER_NXDOMAIN);
}

static void
test_mapped_address_is_unmapped(void **state)
{
    (void)state;
    dns_child_order(&dns, "set mapped.test aaaa=::ffff:127.0.0.1");
    struct asker a = asker_resolve("mapped.test");

    assert_status(&a, RESOLVER_NODATA, RESOLVER_OK);
    assert_first(&a.ipv6, "127.0.0.1");
}

static void
test_truncated_goes_by_tcp(void **state)
{
    (void)state;
    dns_child_order(&dns, "set big.test truncate a=192.0.2.1 aaaa=2001:db8::1");
    struct asker a = asker_resolve("big.test");

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
    struct asker a = asker_resolve("many.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_NODATA);
    assert_int_equal(a.ipv4.count, RESOLVER_ADDRESSES_MAX);
    assert_first(&a.ipv4, "192.0.2.0");
}

static void
test_spoofed_answers_are_ignored(void **state)
{
    (void)state;
    dns_child_order(&dns, "set true.test spoof delay-a=0.05 a=192.0.2.1 aaaa=2001:db8::1");
    struct asker a = asker_resolve("true.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_OK);
    assert_int_equal(a.ipv4.count, 1);
    assert_first(&a.ipv4, "192.0.2.1");
}

/* ---- servers ---- */

static void
test_silence_is_a_timeout(void **state)
{
    (void)state;
    dns_child_order(&dns, "set mute.test silent");
    struct asker a = asker_resolve("mute.test");

    assert_status(&a, RESOLVER_TIMEOUT, RESOLVER_TIMEOUT);
    assert_int_equal(dns_child_count(&dns, "mute.test A"), 2);
    assert_int_equal(dns_child_count(&dns, "mute.test AAAA"), 2);
}

static void
test_lost_question_is_repeated(void **state)
{
    (void)state;
    dns_child_order(&dns, "set once.test drop=1 a=192.0.2.1");
    struct asker a = asker_resolve("once.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_NODATA);
    assert_int_equal(dns_child_count(&dns, "once.test A"), 2);
}

static void
test_nobody_listens(void **state)
{
    (void)state;
    uint16_t port = closed_port();

    use_servers(&port, 1);
    struct asker a = asker_resolve("www.test");

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
    struct asker a = asker_resolve("www.test");

    assert_status(&a, RESOLVER_OK, RESOLVER_NODATA);
    assert_int_equal(dns_child_count(&broken, "www.test A"), 1);
    a = asker_resolve("mute.test");
    assert_status(&a, RESOLVER_OK, RESOLVER_NODATA);
    /* A server that says no ends it: nobody else is asked. */
    a = asker_resolve("absent.test");
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
    struct asker a = asker_resolve("bad.test");

    assert_status(&a, RESOLVER_SERVFAIL, RESOLVER_SERVFAIL);
    use_servers((uint16_t[]) { closed_port(), dns.port }, 2);
    a = asker_resolve("bad.test");
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
    asker_ask(&old, "www.test");
    use_servers(&other.port, 1);
    asker_ask(&new, "www.test");
    /* Both sets are busy: this one has to wait. */
    use_servers(&dns.port, 1);
    asker_finish(&old);
    asker_finish(&new);
    assert_first(&old.ipv4, "192.0.2.1");
    assert_first(&new.ipv4, "192.0.2.2");
    resolver_turn_for(5 * CLOCK_MSEC_US);
    struct asker last = asker_resolve("www.test");

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
    struct asker a = asker_resolve("www.test");

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_status(&a, RESOLVER_FAILED, RESOLVER_FAILED);
    a = asker_resolve("www.test");
    assert_status(&a, RESOLVER_OK, RESOLVER_NODATA);
}

/* ---- no file ---- */

/* From here on opening a file, or a socket of this host, kills the process. */
static int
forbid_files(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_newfstatat, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { SP_COUNT(filter), filter };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* The child's whole life; no assertion, since a failed one would go on with the next test. */
static void
resolve_without_files(void)
{
    struct resolver_settings wanted = { 2000, 2, true };
    struct addr server = server_at(dns.port);
    struct asker udp = { .query.answered = asker_answered };
    struct asker tcp = { .query.answered = asker_answered };

    loop = loop_new();
    resolver = resolver_new(loop, &wanted);
    if (resolver == NULL || forbid_files() < 0
        || resolver_set_servers(resolver, &server, 1) < 0
        || resolver_start(resolver, &udp.query, &asker_client, "small.test", true, true) < 0
        || resolver_start(resolver, &tcp.query, &asker_client, "big.test", true, true) < 0)
        _exit(1);
    while (udp.query.lookup != NULL || tcp.query.lookup != NULL)
        if (loop_turn(loop, -1) < 0)
            _exit(2);
    _exit(udp.ipv4.count == 1 && tcp.ipv4.count == 1 ? 0 : 3);
}

static void
test_opens_no_file(void **state)
{
    int status = -1;

    (void)state;
    dns_child_order(&dns, "set small.test a=192.0.2.1");
    dns_child_order(&dns, "set big.test truncate a=192.0.2.1");
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        resolve_without_files();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, resolver_setup, resolver_teardown)
#define IMPATIENT(test) \
    cmocka_unit_test_setup_teardown(test, resolver_setup_impatient, resolver_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_negative_answers),
        WITH(test_aliases),
        WITH(test_mapped_address_is_unmapped),
        WITH(test_truncated_goes_by_tcp),
        WITH(test_many_addresses),
        WITH(test_spoofed_answers_are_ignored),
        IMPATIENT(test_silence_is_a_timeout),
        IMPATIENT(test_lost_question_is_repeated),
        WITH(test_nobody_listens),
        WITH(test_second_server_helps),
        IMPATIENT(test_servfail_stands_when_others_fail),
        WITH(test_servers_change_under_way),
        WITH(test_wrong_servers),
        WITH(test_no_descriptor_left),
        WITH(test_opens_no_file),
    };

    return cmocka_run_group_tests_name("resolver_dns", tests, resolver_group_setup, resolver_group_teardown);
}
