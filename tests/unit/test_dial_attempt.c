/* SPDX-License-Identifier: ISC */
/* src/net/dial_attempt.c: one socket on its way to one address. */
#include "tests/unit/dial_tools.h"

#include "lib/base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

static int
option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;

    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

static void
connects(const char *text)
{
    struct peer p = peer_open(text, 8);
    struct caller c;

    caller_dial(&c, &p.address, 1);
    assert_int_equal(c.result.error, 0);
    assert_true(addr_equal(&c.result.address, &p.address));
    assert_true(addr_equal_ip(&c.result.egress, &p.address));
    assert_int_not_equal(c.result.egress.port, p.address.port);
    assert_int_equal(option_of(c.fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option_of(c.fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option_of(c.fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 30000);
    if (p.address.family == ADDR_IPV6)
        assert_int_equal(option_of(c.fd, IPPROTO_IPV6, IPV6_RECVERR), 0);
    /* The registration came along. */
    int served = accept4(p.fd, NULL, NULL, SOCK_CLOEXEC);

    c.events = 0;
    assert_int_equal(fd_write_all(served, "x", 1), 0);
    while ((c.events & EPOLLIN) == 0)
        assert_int_equal(loop_turn(loop, 1000), 0);
    close(served);
    caller_hang_up(&c);
    peer_close(&p);
}

static void
test_ipv4(void **state)
{
    (void)state;
    connects("127.0.0.1:0");
}

static void
test_ipv6(void **state)
{
    (void)state;
    connects("[::1]:0");
}

static void
test_refused(void **state)
{
    struct addr a = peer_refusing("127.0.0.1:0");
    struct caller c;

    (void)state;
    caller_dial(&c, &a, 1);
    assert_int_equal(c.result.error, ECONNREFUSED);
    assert_true(addr_equal(&c.result.address, &a));
}

/* connect() itself says no: still not from inside dial_more(). */
static void
test_impossible_address(void **state)
{
    struct addr a = address_of("255.255.255.255:80");
    struct caller c;

    (void)state;
    caller_dial(&c, &a, 1);
    assert_int_not_equal(c.result.error, 0);
    assert_true(addr_equal(&c.result.address, &a));
}

static void
test_socket_meets_itself(void **state)
{
    struct addr a = peer_refusing("127.0.0.1:0");
    struct caller c;

    (void)state;
    settings.egress_ipv4 = a;
    caller_dial(&c, &a, 1);
    assert_int_equal(c.result.error, ECONNREFUSED);
}

static void
test_egress(void **state)
{
    struct peer p = peer_open("127.0.0.1:0", 8);
    struct caller c;

    (void)state;
    settings.egress_ipv4 = address_of("127.0.0.9:0");
    caller_dial(&c, &p.address, 1);
    assert_int_equal(c.result.error, 0);
    assert_true(addr_equal_ip(&c.result.egress, &settings.egress_ipv4));
    caller_hang_up(&c);
    settings.egress_ipv4 = address_of("192.0.2.77:0");
    caller_dial(&c, &p.address, 1);
    assert_int_equal(c.result.error, EADDRNOTAVAIL);
    peer_close(&p);
}

static void
test_no_descriptor_left(void **state)
{
    struct peer p = peer_open("127.0.0.1:0", 8);
    struct rlimit old;
    struct rlimit none;
    struct caller c;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    caller_dial(&c, &p.address, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(c.result.error, EMFILE);
    peer_close(&p);
}

static void
test_data_before_the_taking(void **state)
{
    struct peer p = peer_open("127.0.0.1:0", 8);
    struct caller c;
    char got[8] = "";

    (void)state;
    caller_begin(&c, PATIENCE_US);
    caller_add(&c, &p.address);
    caller_more(&c, false, false);
    int served = accept4(p.fd, NULL, NULL, SOCK_CLOEXEC);

    assert_int_equal(fd_write_all(served, "hello", 5), 0);
    close(served);
    caller_finish(&c);
    assert_int_equal(c.result.error, 0);
    assert_int_equal(read(c.fd, got, sizeof got), 5);
    assert_string_equal(got, "hello");
    caller_hang_up(&c);
    peer_close(&p);
}

/* ---- what ICMP says: forged on the loopback, where root may ---- */

struct icmp_case {
    const char *listen;
    uint8_t type;
    uint8_t code;
    int error;
};

struct icmp_message {
    struct icmp_case what;
    uint8_t quote[60]; /* the head of the packet it speaks of */
    size_t quote_len;
};

/* The SYN of a connection to that port, quoted, when the raw socket has one. */
static bool
quote_syn(int raw, const struct addr *to, struct icmp_message *m)
{
    uint8_t packet[256] = { 0 };
    struct tcphdr tcp;
    struct ip6_hdr ip6 = { .ip6_src = IN6ADDR_LOOPBACK_INIT, .ip6_dst = IN6ADDR_LOOPBACK_INIT };
    size_t head = to->family == ADDR_IPV4 ? sizeof(struct iphdr) : 0;
    ssize_t n = recv(raw, packet, sizeof packet, MSG_DONTWAIT);

    if (n < (ssize_t)(head + sizeof tcp))
        return false;
    memcpy(&tcp, packet + head, sizeof tcp);
    if (!tcp.syn || tcp.ack || ntohs(tcp.dest) != to->port)
        return false;
    m->quote_len = 0;
    if (to->family == ADDR_IPV6) {
        ip6.ip6_vfc = 0x60;
        ip6.ip6_plen = htons((uint16_t)n);
        ip6.ip6_nxt = IPPROTO_TCP;
        memcpy(m->quote, &ip6, sizeof ip6);
        m->quote_len = sizeof ip6;
    }
    memcpy(m->quote + m->quote_len, packet, head + 8);
    m->quote_len += head + 8;
    return true;
}

static uint16_t
internet_checksum(const uint8_t *data, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

static void
send_icmp(int icmp, const struct addr *to, const struct icmp_message *m)
{
    uint8_t packet[128] = { m->what.type, m->what.code };
    struct addr host = *to;
    struct sockaddr_storage ss;
    uint16_t sum;

    memcpy(packet + 8, m->quote, m->quote_len);
    sum = internet_checksum(packet, 8 + m->quote_len);
    if (to->family == ADDR_IPV4) /* the kernel does it for ICMPv6 */
        memcpy(packet + 2, &sum, sizeof sum);
    host.port = 0;
    socklen_t len = addr_to_sockaddr(&host, &ss);

    assert_true(sendto(icmp, packet, 8 + m->quote_len, 0, (struct sockaddr *)&ss, len) > 0);
}

static void
icmp_ends_it(const struct icmp_case *what)
{
    struct peer hole = peer_blackhole(what->listen);
    bool ipv6 = hole.address.family == ADDR_IPV6;
    int raw = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP);
    int icmp = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC,
        ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    struct icmp_message m = { .what = *what };
    struct caller c;

    assert_true(raw >= 0 && icmp >= 0);
    caller_begin(&c, PATIENCE_US);
    caller_add(&c, &hole.address);
    caller_more(&c, false, false);
    /* The crowd repeats its own SYNs: each gets its message, and ours among them. */
    while (c.calls == 0) {
        while (quote_syn(raw, &hole.address, &m))
            send_icmp(icmp, &hole.address, &m);
        assert_int_equal(loop_turn(loop, 10), 0);
    }
    assert_int_equal(c.result.error, what->error);
    assert_true(addr_equal(&c.result.address, &hole.address));
    close(raw);
    close(icmp);
    peer_close(&hole);
}

static void
test_icmp(void **state)
{
    static const struct icmp_case cases[] = {
        { "127.0.0.1:0", ICMP_TIME_EXCEEDED, 0, ETIME },
        { "127.0.0.1:0", ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, EHOSTUNREACH },
        { "127.0.0.1:0", ICMP_DEST_UNREACH, ICMP_NET_UNREACH, ENETUNREACH },
        { "[::1]:0", ICMP6_TIME_EXCEEDED, 0, ETIME },
        { "[::1]:0", ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR, EHOSTUNREACH },
        { "[::1]:0", ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE, ENETUNREACH },
        { "[::1]:0", ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN, EACCES },
    };
    int probe = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

    (void)state;
    if (probe < 0) {
        print_message("forging ICMP needs root\n");
        skip();
    }
    close(probe);
    for (size_t i = 0; i < SP_COUNT(cases); i++)
        icmp_ends_it(&cases[i]);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, dial_setup, dial_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_ipv4),
        WITH(test_ipv6),
        WITH(test_refused),
        WITH(test_impossible_address),
        WITH(test_socket_meets_itself),
        WITH(test_egress),
        WITH(test_no_descriptor_left),
        WITH(test_data_before_the_taking),
        WITH(test_icmp),
    };

    return cmocka_run_group_tests_name("dial_attempt", tests, NULL, NULL);
}
