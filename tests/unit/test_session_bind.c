/* SPDX-License-Identifier: ISC */
/*
 * src/session/session_bind.c: whom a BIND expects, where it listens and what it says of that; with the
 * requests that come to nothing.
 */
#include "tests/unit/session_bind_tools.h"

#include "lib/base/fd.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void
begin(const char *settings)
{
    static char text[2048];

    assert_true(snprintf(text, sizeof text, BIND_CONFIG("%s", "%s"), settings, BIND_RULES) <
        (int)sizeof text);
    session_rig_begin(text);
}

/* The request fails with this reply. */
static struct session_closing
fails(int fd, uint64_t id, uint8_t reply, enum event_id event, const char *reason)
{
    struct addr nowhere = bind_read_reply(fd, reply);

    assert_true(addr_is_zero(&nowhere));
    session_rig_read_end(fd);
    fd_close(&fd);
    struct session_closing c = session_rig_expect(id, event, reason);

    assert_int_equal(c.reply, reply);
    assert_int_equal(c.starts, 0);
    assert_string_equal(c.command, "bind");
    return c;
}

static void
served(int fd, const struct addr *at, uint8_t host)
{
    int peer = bind_peer(host, at, NULL);

    (void)bind_read_reply(fd, 0);
    bind_relays(fd, peer);
    fd_close(&peer);
    session_rig_read_end(fd);
    fd_close(&fd);
}

static void
set_hosts(const char *text)
{
    assert_int_equal(resolver_set_hosts(rig.host.resolver, text, strlen(text)), 0);
}

/* ---- requests ---- */

static void
test_refused(void **state)
{
    static const struct {
        uint8_t host;
        const char *reason;
    } rows[] = { { 8, "rule" }, { 9, "no-rule" }, { 7, "no-rule" } };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        uint64_t id;
        int fd = bind_ask(&id, rows[i].host, 21);

        (void)fails(fd, id, 2, EVENT_REQUEST_DENIED, rows[i].reason);
    }
}

static void
test_disabled(void **state)
{
    uint64_t id;

    (void)state;
    begin("bind { enabled = false }");
    int fd = bind_ask(&id, 5, 21);

    (void)fails(fd, id, 7, EVENT_REQUEST_FAILED, "command-not-supported");
}

/* ---- names ---- */

static void
test_names(void **state)
{
    struct addr at;
    uint64_t id;
    int fd, other;

    (void)state;
    set_hosts("127.0.0.8 ftp.test\n127.0.0.5 ftp.test\n127.0.0.6 ftp.test\n");
    fd = bind_ask_name(&id, "ftp.test");
    at = bind_read_reply(fd, 0);
    other = bind_peer(8, &at, NULL); /* the name's, but refused by a rule */
    bind_turned_away(&other);
    served(fd, &at, 6);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    assert_int_equal(c.strangers, 1);
    fd = bind_ask_name(&id, "FTP.test.");
    at = bind_read_reply(fd, 0);
    served(fd, &at, 5);
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
}

static void
test_names_refused(void **state)
{
    uint64_t id;
    int fd;

    (void)state;
    set_hosts("127.0.0.8 bad.test\n0.0.0.0 zero.test\n");
    fd = bind_ask_name(&id, "bad.test");
    (void)fails(fd, id, 2, EVENT_REQUEST_DENIED, "rule");
    /* It is nobody, and never "anybody". */
    fd = bind_ask_name(&id, "zero.test");
    (void)fails(fd, id, 2, EVENT_REQUEST_DENIED, "no-rule");
}

static void
test_name_unknown(void **state)
{
    uint64_t id;
    int fd = bind_ask_name(&id, "nobody.test");

    (void)state;
    (void)fails(fd, id, 4, EVENT_REQUEST_FAILED, "dns-timeout");
}

static bool
have_ipv6(void)
{
    struct addr at, one;
    bool there;
    struct sockaddr_storage ss;
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_int_equal(addr_parse_ip("::1", &one), 0);
    at = one;
    there = fd >= 0 && bind(fd, (struct sockaddr *)&ss, addr_to_sockaddr(&at, &ss)) == 0;
    fd_close(&fd);
    if (!there)
        print_message("skipped: no IPv6 on the loopback\n");
    return there;
}

/* Both families are awaited; the socket stands in that which a dial would try first. */
static void
test_families(void **state)
{
    struct addr at, one;
    uint64_t id;
    int fd, peer;

    (void)state;
    if (!have_ipv6())
        return;
    set_hosts("127.0.0.5 both.test\n::1 both.test\n");
    assert_int_equal(addr_parse_ip("::1", &one), 0);
    fd = bind_ask_name(&id, "both.test");
    at = bind_read_reply(fd, 0);
    assert_true(addr_equal_ip(&at, &one));
    peer = bind_peer_from(&one, &at);
    struct addr second = bind_read_reply(fd, 0);

    assert_true(addr_equal(&second, &one));
    bind_relays(fd, peer);
    fd_close(&peer);
    fd_close(&fd);
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
    rig.host.dial.prefer = DIAL_PREFER_IPV4;
    fd = bind_ask_name(&id, "both.test");
    at = bind_read_reply(fd, 0);
    assert_int_equal(at.family, ADDR_IPV4);
    served(fd, &at, 5);
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
}

/* ---- where ---- */

static void
test_egress(void **state)
{
    struct addr at, egress = bind_host(3, 0);
    uint64_t id;
    int fd;

    (void)state;
    rig.host.dial.egress_ipv4 = egress;
    at = bind_waits(&id, &fd, 5);
    assert_true(addr_equal_ip(&at, &egress));
    served(fd, &at, 5);
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
}

static void
test_no_way(void **state)
{
    static const uint8_t ip[4] = { 203, 0, 113, 200 }; /* no address of this host */
    uint64_t id;

    (void)state;
    rig.host.dial.egress_ipv4 = addr_ipv4(ip, 0);
    int fd = bind_ask(&id, 5, 21);

    (void)fails(fd, id, 1, EVENT_REQUEST_FAILED, "no-source-address");
}

/* For anybody, without an egress address: where the default route begins, or where the client came to. */
static void
test_default_route(void **state)
{
    struct addr at;
    uint64_t id;
    int fd = bind_ask(&id, 0, 2000);

    (void)state;
    at = bind_read_reply(fd, 0);
    assert_int_equal(at.family, ADDR_IPV4);
    assert_true(at.port > 0 && !addr_is_zero(&at));
    fd_close(&fd);
    struct session_closing c = session_rig_expect(id, EVENT_PROTOCOL_ERROR, "client-gone");

    assert_true(addr_equal(&c.egress, &at));
    bind_nobody_at(&at);
}

static void
test_no_descriptors(void **state)
{
    struct rlimit old, low;
    uint8_t choice[2];
    uint64_t id;
    int fd = session_rig_client(0, &id);

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = (struct rlimit) { 3, old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    session_rig_send(fd, "\x05\x01\x00\x05\x02\x00\x01\x7f\x00\x00\x05\x00\x15", 13);
    session_rig_read(fd, choice, sizeof choice);
    (void)fails(fd, id, 1, EVENT_REQUEST_FAILED, "internal-error");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

/* Behind NAT the client is told of the outside; the record says where we listened. */
static void
test_advertise(void **state)
{
    static const uint8_t ip[4] = { 203, 0, 113, 9 };
    struct addr at, told, outside = addr_ipv4(ip, 0);
    uint64_t id;
    int fd;

    (void)state;
    begin("bind { advertise = \"203.0.113.9\" }");
    told = bind_waits(&id, &fd, 5);
    assert_true(addr_equal_ip(&told, &outside));
    at = bind_host(1, told.port);
    served(fd, &at, 5);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    assert_true(addr_equal(&c.egress, &at));
}

/* An address of the loopback that is this process's alone, with all of its ports. */
static struct addr
own_host(uint16_t port)
{
    unsigned pid = (unsigned)getpid();
    const uint8_t ip[4] = { 127, (uint8_t)(1 + (pid >> 16) % 250), (uint8_t)(pid >> 8), (uint8_t)pid };

    return addr_ipv4(ip, port);
}

static int
take_port(uint16_t port)
{
    struct addr a = own_host(port);
    struct sockaddr_storage ss;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&ss, addr_to_sockaddr(&a, &ss)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

/* Two of three ports are taken. */
static void
test_ports(void **state)
{
    struct addr at;
    uint64_t id, other_id;
    int fd, other, taken[2];

    (void)state;
    begin("bind { port-min = 23000 port-max = 23002 }");
    rig.host.dial.egress_ipv4 = own_host(0);
    taken[0] = take_port(23000);
    taken[1] = take_port(23002);
    at = bind_waits(&id, &fd, 5);
    assert_int_equal(at.port, 23001);
    other = bind_ask(&other_id, 5, 21);
    struct session_closing c = fails(other, other_id, 1, EVENT_REQUEST_FAILED, "no-listening-port");

    assert_string_equal(c.rule, "peers");
    /* Free again as soon as the peer is there, while its connection goes on. */
    int peer = bind_peer(5, &at, NULL);

    (void)bind_read_reply(fd, 0);
    struct addr again = bind_waits(&other_id, &other, 6);

    assert_int_equal(again.port, 23001);
    served(other, &again, 6);
    (void)session_rig_expect(other_id, EVENT_SESSION_END, "closed");
    bind_relays(fd, peer);
    fd_close(&peer);
    fd_close(&fd);
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
    fd_close(&taken[0]);
    fd_close(&taken[1]);
}

#define PLAIN(test) cmocka_unit_test_setup_teardown(test, bind_setup, session_rig_teardown)
#define SHORT(test) cmocka_unit_test_setup_teardown(test, bind_setup_short, session_rig_teardown)
#define OWN(test) cmocka_unit_test_teardown(test, session_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLAIN(test_refused),
        OWN(test_disabled),
        PLAIN(test_names),
        PLAIN(test_names_refused),
        SHORT(test_name_unknown),
        PLAIN(test_families),
        PLAIN(test_egress),
        PLAIN(test_no_way),
        PLAIN(test_default_route),
        PLAIN(test_no_descriptors),
        OWN(test_advertise),
        OWN(test_ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
