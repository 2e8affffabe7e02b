/* SPDX-License-Identifier: ISC */
/*
 * src/session/phase_bind.c: who is taken as the peer of a BIND, what ends the wait, and what the audit
 * says of it. The rig's teardown looks for descriptors and for exactly one closing record.
 */
#include "tests/unit/session_bind_tools.h"

#include "lib/base/fd.h"
#include "src/session/session_private.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the peer comes ---- */

static void
test_peer(void **state)
{
    struct addr at, from, second;
    char got[16];
    uint64_t id;
    int fd, peer;

    (void)state;
    at = bind_waits(&id, &fd, 5);
    assert_int_equal(session_rig_closing(id).starts, 0); /* the first reply is no start */
    session_rig_send(fd, "early", 5);
    session_rig_turns(5);
    peer = bind_peer(5, &at, &from);
    second = bind_read_reply(fd, 0);
    assert_true(addr_equal(&second, &from));
    assert_int_equal(session_rig_closing(id).starts, 1);
    session_rig_read(peer, got, 5);
    assert_memory_equal(got, "early", 5);
    bind_nobody_at(&at);
    bind_relays(fd, peer);
    fd_close(&fd);
    session_rig_read_end(peer);
    fd_close(&peer);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    assert_string_equal(c.command, "bind");
    assert_string_equal(c.rule, "peers");
    assert_true(addr_equal(&c.address, &from));
    assert_true(addr_equal(&c.egress, &at));
    assert_int_equal(c.strangers, 0);
    assert_int_equal(c.reply, 0);
    assert_int_equal(c.bytes_up, 5 + 6);
    assert_int_equal(c.bytes_down, 7);
}

/* Payload in the segment of the request goes to the peer first. */
static void
test_pipelined(void **state)
{
    static const uint8_t all[] = "\x05\x01\x00\x05\x02\x00\x01\x7f\x00\x00\x05\x00\x15payload";
    struct addr at;
    char got[8];
    uint64_t id;
    int fd = session_rig_client(0, &id), peer;

    (void)state;
    session_rig_send(fd, all, sizeof all - 1);
    session_rig_read(fd, got, 2);
    at = bind_read_reply(fd, 0);
    peer = bind_peer(5, &at, NULL);
    session_rig_read(peer, got, 7);
    assert_memory_equal(got, "payload", 7);
    (void)bind_read_reply(fd, 0);
    bind_relays(fd, peer);
    fd_close(&peer);
    session_rig_read_end(fd);
    fd_close(&fd);
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
}

/* Whatever the client sends while it waits stays in the kernel, and arrives whole. */
static void
test_early_bytes(void **state)
{
    static uint8_t out[1U << 20], got[1U << 20];
    struct unit_random random = UNIT_RANDOM_INIT;
    struct addr at;
    uint64_t id;
    size_t early = 0;
    ssize_t n;
    int fd, peer;

    (void)state;
    unit_random_fill(&random, out, sizeof out);
    at = bind_waits(&id, &fd, 5);
    for (int quiet = 0; quiet < 3 && early < sizeof out; quiet++) {
        while (early < sizeof out && (n = send(fd, out + early, sizeof out - early, 0)) > 0) {
            early += (size_t)n;
            quiet = 0;
        }
        session_rig_turns(2);
    }
    assert_true(early > 0);
    assert_int_equal(buffer_len(&rig.host.first->setup->in), 0);
    peer = bind_peer(5, &at, NULL);
    (void)bind_read_reply(fd, 0);
    session_rig_read(peer, got, early);
    assert_memory_equal(got, out, early);
    fd_close(&fd);
    session_rig_read_end(peer);
    fd_close(&peer);
    assert_int_equal(session_rig_expect(id, EVENT_SESSION_END, "closed").bytes_up, early);
}

/* ---- strangers ---- */

static void
test_strangers(void **state)
{
    static const uint8_t hosts[] = { 9, 6, 8, 1, 9 }; /* allowed as peers or not: not this one's */
    struct addr at, from, second;
    uint64_t id;
    int fd, peer;

    (void)state;
    at = bind_waits(&id, &fd, 5);
    for (size_t i = 0; i < SP_COUNT(hosts); i++) {
        int other = bind_peer(hosts[i], &at, NULL);

        bind_turned_away(&other);
    }
    assert_false(session_rig_ended(id));
    peer = bind_peer(5, &at, &from);
    second = bind_read_reply(fd, 0);
    assert_true(addr_equal(&second, &from));
    bind_relays(fd, peer);
    fd_close(&peer);
    session_rig_read_end(fd);
    fd_close(&fd);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    assert_int_equal(c.strangers, SP_COUNT(hosts));
    assert_true(addr_equal(&c.address, &from));
}

/* However many stand at the door: a bounded number a turn, and the peer behind them comes in. */
static void
test_flood(void **state)
{
    enum { CROWD = 17, ROUNDS = 20 }; /* the queue holds 17 */
    struct addr at;
    uint64_t id;
    int fd, peer, crowd[CROWD];

    (void)state;
    at = bind_waits(&id, &fd, 5);
    for (int r = 0; r < ROUNDS; r++) {
        for (int i = 0; i < CROWD; i++)
            crowd[i] = bind_peer(9, &at, NULL);
        assert_int_equal(loop_turn(rig.host.loop, 1000), 0);
        assert_int_equal(rig.host.first->strangers, r * CROWD + 16);
        for (int i = 0; i < CROWD; i++)
            bind_turned_away(&crowd[i]);
    }
    for (int i = 0; i < 10; i++)
        crowd[i] = bind_peer(9, &at, NULL);
    peer = bind_peer(5, &at, NULL);
    (void)bind_read_reply(fd, 0);
    bind_relays(fd, peer);
    for (int i = 0; i < 10; i++)
        bind_turned_away(&crowd[i]);
    fd_close(&fd);
    session_rig_read_end(peer);
    fd_close(&peer);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    assert_int_equal(c.strangers, ROUNDS * CROWD + 10);
}

/* Whoever came behind the peer is let go with the listening socket. */
static void
test_second_peer(void **state)
{
    struct addr at, first;
    uint64_t id;
    int fd, peer, late;

    (void)state;
    at = bind_waits(&id, &fd, 5);
    peer = bind_peer(5, &at, &first);
    late = bind_peer(5, &at, NULL);
    struct addr second = bind_read_reply(fd, 0);

    assert_true(addr_equal(&second, &first));
    bind_turned_away(&late);
    bind_relays(fd, peer);
    fd_close(&fd);
    fd_close(&peer);
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
}

/* ---- the client goes ---- */

static void
test_client_ends(void **state)
{
    struct addr at;
    uint64_t id;
    int fd;

    (void)state;
    at = bind_waits(&id, &fd, 5);
    fd_close(&fd);
    struct session_closing c = session_rig_expect(id, EVENT_PROTOCOL_ERROR, "client-gone");

    assert_int_equal(c.starts, 0);
    bind_nobody_at(&at);
    /* With payload in front of its end. */
    at = bind_waits(&id, &fd, 5);
    session_rig_send(fd, "STOR", 4);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    (void)session_rig_expect(id, EVENT_PROTOCOL_ERROR, "client-gone");
    bind_nobody_at(&at);
    fd_close(&fd);
    at = bind_waits(&id, &fd, 5);
    session_rig_reset(&fd);
    (void)session_rig_expect(id, EVENT_PROTOCOL_ERROR, "client-gone");
    bind_nobody_at(&at);
}

/* It was gone already when its request was read. */
static void
test_client_gone_before(void **state)
{
    uint64_t id;
    int fd = session_rig_client(0, &id);

    (void)state;
    session_rig_send(fd, "\x05\x01\x00\x05\x02\x00\x01\x7f\x00\x00\x05\x00\x15", 13);
    fd_close(&fd);
    (void)session_rig_expect(id, EVENT_PROTOCOL_ERROR, "client-gone");
    /* Only its end of file, of which no event comes a second time. */
    fd = session_rig_client(0, &id);
    session_rig_send(fd, "\x05\x01\x00\x05\x02\x00\x01\x7f\x00\x00\x05\x00\x15", 13);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    (void)session_rig_expect(id, EVENT_PROTOCOL_ERROR, "client-gone");
    fd_close(&fd);
}

static void
test_shutdown(void **state)
{
    uint64_t id;
    struct addr at;
    int fd;

    (void)state;
    at = bind_waits(&id, &fd, 5);
    session_end_all(&rig.host, REASON_SHUTDOWN);
    (void)session_rig_expect(id, EVENT_REQUEST_FAILED, "shutdown");
    bind_nobody_at(&at);
    fd_close(&fd);
}

/* ---- nobody comes ---- */

static void
test_timeout(void **state)
{
    struct addr at, nowhere;
    uint64_t id;
    int fd, other;

    (void)state;
    at = bind_waits(&id, &fd, 5);
    other = bind_peer(9, &at, NULL);
    nowhere = bind_read_reply(fd, 4);
    assert_true(addr_is_zero(&nowhere));
    bind_turned_away(&other);
    session_rig_read_end(fd);
    bind_nobody_at(&at);
    fd_close(&fd);
    struct session_closing c = session_rig_expect(id, EVENT_REQUEST_FAILED, "bind-timeout");

    assert_int_equal(c.starts, 0);
    assert_int_equal(c.strangers, 1);
    assert_int_equal(c.reply, 4);
    assert_true(addr_equal(&c.egress, &at));
    struct addr expected = bind_host(5, 21);

    assert_true(addr_equal(&c.address, &expected));
}

/* ---- descriptors are out ---- */

static void
test_no_descriptors(void **state)
{
    struct rlimit old, low;
    struct addr at;
    uint64_t id;
    int fd, peer;
    unsigned turns = 0;

    (void)state;
    at = bind_waits(&id, &fd, 5);
    peer = bind_peer(5, &at, NULL);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = (struct rlimit) { 3, old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    RIG_UNTIL(rig.host.first->setup->bind->paused) {
    }
    /* No busy loop: a turn waits for something to happen. */
    for (struct mono end = mono_add_us(mono_read(), 600 * CLOCK_MSEC_US);
         mono_before(mono_read(), end); turns++)
        assert_int_equal(loop_turn(rig.host.loop, 1000), 0);
    assert_true(turns < 12);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    (void)bind_read_reply(fd, 0);
    bind_relays(fd, peer);
    fd_close(&fd);
    fd_close(&peer);
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
}

/* The pause does not outlast the wait. */
static void
test_no_descriptors_until_timeout(void **state)
{
    struct rlimit old, low;
    struct addr at;
    uint64_t id;
    int fd, peer;

    (void)state;
    at = bind_waits(&id, &fd, 5);
    peer = bind_peer(5, &at, NULL);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = (struct rlimit) { 3, old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    (void)bind_read_reply(fd, 4);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    bind_turned_away(&peer);
    fd_close(&fd);
    (void)session_rig_expect(id, EVENT_REQUEST_FAILED, "bind-timeout");
}

/* ---- anybody ---- */

static void
test_anybody(void **state)
{
    struct addr at, from;
    uint64_t id;
    int fd, peer, other;

    (void)state;
    rig.host.dial.egress_ipv4 = bind_host(1, 0);
    fd = bind_ask(&id, 0, 2000);
    at = bind_read_reply(fd, 0);
    other = bind_peer(8, &at, NULL); /* a rule refuses it */
    bind_turned_away(&other);
    other = bind_peer(5, &at, NULL); /* only allowed to who asks for it */
    bind_turned_away(&other);
    peer = bind_peer(7, &at, &from);
    struct addr second = bind_read_reply(fd, 0);

    assert_true(addr_equal(&second, &from));
    bind_relays(fd, peer);
    fd_close(&fd);
    fd_close(&peer);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    assert_string_equal(c.rule, "anybody");
    assert_int_equal(c.strangers, 2);
}

static void
test_anybody_refused(void **state)
{
    uint64_t id;
    int fd = bind_ask(&id, 0, 21);

    (void)state;
    (void)bind_read_reply(fd, 2);
    session_rig_read_end(fd);
    fd_close(&fd);
    struct session_closing c = session_rig_expect(id, EVENT_REQUEST_DENIED, "rule");

    assert_string_equal(c.detail, "bind-any");
    assert_string_equal(c.rule, "peers");
}

/* ---- the gateway's own host, under an address that it got later ---- */

static bool
find_own(struct addr *out)
{
    struct ifaddrs *all = NULL;
    bool found = false;

    assert_int_equal(getifaddrs(&all), 0);
    for (const struct ifaddrs *i = all; i != NULL && !found; i = i->ifa_next) {
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET)
            continue;
        *out = addr_from_sockaddr(i->ifa_addr, sizeof(struct sockaddr_in));
        out->port = 0;
        found = addr_special(out, NULL) == NULL;
    }
    freeifaddrs(all);
    return found;
}

static void
test_own_address(void **state)
{
    static const char rules[] = "methods = { \"none\" }\nlisten \"127.0.0.1:1080\" {}\n"
                                "rule \"all\" { action = \"allow\" bind-any = true }\n";
    struct addr own, at;
    uint64_t id;
    int fd, other;

    (void)state;
    if (!find_own(&own)) {
        print_message("skipped: no address but those of the loopback\n");
        session_rig_begin(rules);
        return;
    }
    session_rig_begin(rules);
    rig.host.dial.egress_ipv4 = own;
    fd = bind_ask(&id, 0, 21);
    at = bind_read_reply(fd, 0);
    assert_true(addr_equal_ip(&at, &own));
    other = bind_peer_from(&own, &at);
    bind_turned_away(&other);
    fd_close(&fd);
    assert_int_equal(
        session_rig_expect(id, EVENT_PROTOCOL_ERROR, "client-gone").strangers, 1);
}

#define PLAIN(test) cmocka_unit_test_setup_teardown(test, bind_setup, session_rig_teardown)
#define SHORT(test) cmocka_unit_test_setup_teardown(test, bind_setup_short, session_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLAIN(test_peer),
        PLAIN(test_pipelined),
        PLAIN(test_early_bytes),
        PLAIN(test_strangers),
        PLAIN(test_flood),
        PLAIN(test_second_peer),
        PLAIN(test_client_ends),
        PLAIN(test_client_gone_before),
        PLAIN(test_shutdown),
        SHORT(test_timeout),
        PLAIN(test_no_descriptors),
        SHORT(test_no_descriptors_until_timeout),
        PLAIN(test_anybody),
        PLAIN(test_anybody_refused),
        cmocka_unit_test_teardown(test_own_address, session_rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
