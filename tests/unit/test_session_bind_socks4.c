/* SPDX-License-Identifier: ISC */
/* BIND of SOCKS 4 and 4A: its replies, and the wrong peer that ends it. */
#include "tests/unit/session_bind_tools.h"

#include "lib/base/fd.h"

#include <sys/socket.h>

#define ANYBODY_PORT 2000

/* name: SOCKS 4A; else 127.0.0.host, or zeros for 0. */
static int
ask(uint64_t *id, uint8_t host, const char *name, uint16_t port)
{
    uint8_t out[300] = { 4, 2, (uint8_t)(port >> 8), (uint8_t)port, 0, 0, 0, 0, 'j', 'o', 0 };
    int fd = session_rig_client(0, id);
    size_t len = 11;

    if (host > 0) {
        out[4] = 127;
        out[7] = host;
    }
    if (name != NULL) {
        out[7] = 1;
        memcpy(out + len, name, strlen(name) + 1);
        len += strlen(name) + 1;
    }
    session_rig_send(fd, out, len);
    return fd;
}

static struct addr
read_reply(int fd, uint8_t code)
{
    uint8_t got[8];

    session_rig_read(fd, got, sizeof got);
    assert_int_equal(got[0], 0);
    assert_int_equal(got[1], code);
    return addr_ipv4(got + 4, (uint16_t)(got[2] << 8 | got[3]));
}

static struct session_closing
refused(int fd, uint64_t id, enum event_id event, const char *reason)
{
    struct addr nowhere = read_reply(fd, 0x5B);

    assert_true(addr_is_zero(&nowhere));
    session_rig_read_end(fd);
    fd_close(&fd);
    struct session_closing c = session_rig_expect(id, event, reason);

    assert_int_equal(c.reply, 0x5B);
    assert_int_equal(c.starts, 0);
    assert_string_equal(c.command, "bind");
    return c;
}

static void
served(int fd, uint64_t id, const struct addr *at, uint8_t host)
{
    struct addr from, second;
    int peer = bind_peer(host, at, &from);

    second = read_reply(fd, 0x5A);
    assert_true(addr_equal(&second, &from));
    bind_relays(fd, peer);
    fd_close(&peer);
    session_rig_read_end(fd);
    fd_close(&fd);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    assert_int_equal(c.reply, 0x5A);
    assert_string_equal(c.claimed, "jo");
    assert_true(addr_equal(&c.address, &from));
    assert_true(addr_equal(&c.egress, at));
}

static void
test_peer(void **state)
{
    uint64_t id;
    int fd = ask(&id, 5, NULL, 21);
    struct addr at = read_reply(fd, 0x5A);

    (void)state;
    assert_true(at.port > 0 && !addr_is_zero(&at));
    served(fd, id, &at, 5);
}

/* The memo: the second reply says so, and both connections are closed. */
static void
test_wrong_peer(void **state)
{
    struct addr from;
    uint64_t id;
    int fd = ask(&id, 5, NULL, 21);
    struct addr at = read_reply(fd, 0x5A);
    int other = bind_peer(6, &at, &from);

    (void)state;
    bind_turned_away(&other);
    struct session_closing c = refused(fd, id, EVENT_REQUEST_FAILED, "wrong-peer");

    assert_int_equal(c.strangers, 1);
    assert_true(addr_equal(&c.address, &from));
    bind_nobody_at(&at);
}

static void
test_timeout(void **state)
{
    uint64_t id;
    int fd = ask(&id, 5, NULL, 21);
    struct addr at = read_reply(fd, 0x5A);

    (void)state;
    (void)refused(fd, id, EVENT_REQUEST_FAILED, "bind-timeout");
    bind_nobody_at(&at);
}

static void
test_client_ends(void **state)
{
    uint64_t id;
    int fd = ask(&id, 5, NULL, 21);
    struct addr at = read_reply(fd, 0x5A);

    (void)state;
    fd_close(&fd);
    (void)session_rig_expect(id, EVENT_PROTOCOL_ERROR, "client-gone");
    bind_nobody_at(&at);
}

/* ---- requests ---- */

static void
test_refused(void **state)
{
    uint64_t id;
    int fd = ask(&id, 8, NULL, 21);

    (void)state;
    (void)refused(fd, id, EVENT_REQUEST_DENIED, "rule");
    fd = ask(&id, 0, NULL, 21);
    assert_string_equal(refused(fd, id, EVENT_REQUEST_DENIED, "rule").detail, "bind-any");
}

static int
setup_disabled(void **state)
{
    (void)state;
    session_rig_begin(BIND_CONFIG("bind { enabled = false }", BIND_RULES));
    return 0;
}

static void
test_disabled(void **state)
{
    uint64_t id;
    int fd = ask(&id, 5, NULL, 21);

    (void)state;
    (void)refused(fd, id, EVENT_REQUEST_FAILED, "command-not-supported");
}

/* Zeros, with a rule for them: whom it allows may come, anybody else ends it. */
static void
test_anybody(void **state)
{
    uint64_t id;
    int fd, other;

    (void)state;
    rig.host.dial.egress_ipv4 = bind_host(1, 0);
    fd = ask(&id, 0, NULL, ANYBODY_PORT);
    struct addr at = read_reply(fd, 0x5A);

    served(fd, id, &at, 7);
    fd = ask(&id, 0, NULL, ANYBODY_PORT);
    at = read_reply(fd, 0x5A);
    other = bind_peer(8, &at, NULL);
    bind_turned_away(&other);
    (void)refused(fd, id, EVENT_REQUEST_DENIED, "rule");
}

/* ---- 4A ---- */

/* Its replies tell IPv4 alone: the other family is not even asked for. */
static void
test_names(void **state)
{
    static const char hosts[] = "::1 both.test six.test\n127.0.0.5 both.test\n127.0.0.6 both.test\n";
    uint64_t id;
    int fd;

    (void)state;
    assert_int_equal(resolver_set_hosts(rig.host.resolver, hosts, sizeof hosts - 1), 0);
    fd = ask(&id, 0, "both.test", 21);
    struct addr at = read_reply(fd, 0x5A);

    served(fd, id, &at, 6);
    fd = ask(&id, 0, "six.test", 21);
    (void)refused(fd, id, EVENT_REQUEST_FAILED, "no-address");
}

/* An address of IPv6 can be written as a name: no reply could say where its peer finds us. */
static void
test_ipv6_literal(void **state)
{
    uint64_t id;
    int fd = ask(&id, 0, "::1", 21);

    (void)state;
    (void)refused(fd, id, EVENT_REQUEST_FAILED, "family-not-supported");
    rig.host.dial.egress_ipv6 = addr_ipv6((const uint8_t[16]) { [15] = 1 }, 0);
    fd = ask(&id, 0, "::", ANYBODY_PORT);
    (void)refused(fd, id, EVENT_REQUEST_FAILED, "family-not-supported");
}

#define PLAIN(test) cmocka_unit_test_setup_teardown(test, bind_setup, session_rig_teardown)
#define SHORT(test) cmocka_unit_test_setup_teardown(test, bind_setup_short, session_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLAIN(test_peer),
        PLAIN(test_wrong_peer),
        SHORT(test_timeout),
        PLAIN(test_client_ends),
        PLAIN(test_refused),
        cmocka_unit_test_setup_teardown(test_disabled, setup_disabled, session_rig_teardown),
        PLAIN(test_anybody),
        PLAIN(test_names),
        PLAIN(test_ipv6_literal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
