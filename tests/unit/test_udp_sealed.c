/* SPDX-License-Identifier: ISC */
/*
 * Associations under message protection: each datagram a message of the session's context, beside the
 * connection's own (RFC 1961 section 5, RFC 1928 section 7).
 */
#include "tests/unit/session_seal.h"
#include "tests/unit/udp_rig.h"

#include "lib/base/fd.h"
#include "lib/socks/socks5.h"
#include "src/session/session_private.h"

#include <sys/socket.h>

static struct seal seal;
static struct udp_client client;
static struct addr target;
static int destination;

/* An association at this level, and a destination. */
static void
begin(uint8_t level)
{
    uint8_t reply[16];
    bool conf;

    seal_login(&seal, 0);
    seal_level(&seal, level);
    seal_message(&seal, 3, level != 1, "\5\3\0\1\0\0\0\0\0\0", 10);
    seal_send(&seal);
    seal_read_level(&seal, level);
    assert_int_equal(seal_read_message(&seal, 3, reply, sizeof reply, &conf), 10);
    assert_memory_equal(reply, "\5\0\0\1", 4);
    client.relay = addr_ipv4(reply + 4, (uint16_t)(reply[8] << 8 | reply[9]));
    client.fd = udp_rig_socket(1, &client.at);
    destination = udp_rig_socket(1, &target);
    assert_true(krb5msg_use_window(seal.m));
}

static struct session_closing
end(const char *reason, const char *detail)
{
    fd_close(&client.fd);
    fd_close(&destination);
    fd_close(&seal.fd);
    struct session_closing c = seal_expect(&seal, EVENT_SESSION_END, reason, detail);

    seal_end(&seal);
    return c;
}

/* A message of the client's, as it goes over the wire. */
static size_t
message(bool conf, const char *text, uint8_t *out)
{
    uint8_t plain[256];
    size_t len = udp_rig_datagram(&target, 0, text, strlen(text), plain);

    seal_message(&seal, 3, conf, plain, len);
    len = seal.len;
    memcpy(out, seal.out, len);
    seal.len = 0;
    return len;
}

static void
say_from(int fd, bool conf, const char *text)
{
    uint8_t out[512];

    udp_rig_send(fd, &client.relay, out, message(conf, text, out));
}

static void
hear_at(int fd, bool conf, const char *text)
{
    uint8_t got[512], want[256];
    struct krb5msg_plain plain;
    struct addr relay;
    size_t len = udp_rig_read(fd, got, sizeof got, &relay);
    size_t need = udp_rig_datagram(&target, 0, text, strlen(text), want);

    assert_true(len > 4);
    assert_memory_equal(got, "\1\3", 2);
    assert_int_equal(got[2] << 8 | got[3], len - 4);
    assert_int_equal(krb5msg_unwrap(seal.m, got + 4, len - 4, &plain), KRB5MSG_OK);
    assert_int_equal(plain.conf, conf);
    assert_int_equal(plain.len, need);
    assert_memory_equal(plain.data, want, need);
}

static void
level_works(uint8_t level)
{
    struct addr from;
    bool conf = level != 1;

    begin(level);
    say_from(client.fd, conf, "sealed ping");
    udp_rig_expect(destination, &from, "sealed ping");
    udp_rig_send(destination, &from, "pong", 4);
    hear_at(client.fd, conf, "pong");
    struct session_closing c = end("closed", "");

    assert_int_equal(c.datagrams_up, 1);
    assert_int_equal(c.datagrams_down, 1);
    assert_int_equal(c.datagrams_dropped, 0);
    assert_int_equal(c.bytes_up, 11);
    assert_int_equal(c.bytes_down, 4);
    assert_true(c.wire_up > seal.sent + 11 + 10 && c.wire_up < seal.sent + 200);
    assert_true(c.wire_down > seal.received + 4 + 10 && c.wire_down < seal.received + 200);
}

static void
test_levels(void **state)
{
    (void)state;
    level_works(1);
    level_works(2);
    level_works(3);
}

/* Lost and reordered ones are harmless, repeated, changed and bare ones are dropped. */
static void
test_disorder(void **state)
{
    uint8_t first[512], second[512], third[512], bad[512];
    struct addr from;

    (void)state;
    begin(2);
    size_t one = message(true, "first", first), two = message(true, "second", second);
    size_t three = message(true, "third", third);

    udp_rig_send(client.fd, &client.relay, third, three);
    udp_rig_expect(destination, &from, "third");
    udp_rig_send(client.fd, &client.relay, first, one);
    udp_rig_expect(destination, &from, "first");
    udp_rig_send(client.fd, &client.relay, third, three); /* again */
    memcpy(bad, second, two);
    bad[two - 1] ^= 1;
    udp_rig_send(client.fd, &client.relay, bad, two);
    udp_rig_send(client.fd, &client.relay, second, two - 1);
    memcpy(bad, second, two);
    bad[two] = 0;
    udp_rig_send(client.fd, &client.relay, bad, two + 1);
    udp_rig_say(&client, &target, "bare");
    say_from(client.fd, false, "not confidential");
    udp_rig_send(client.fd, &client.relay, "\1", 1);
    udp_rig_send(client.fd, &client.relay, "", 0);
    udp_rig_quiet(destination);
    say_from(client.fd, true, "still here");
    udp_rig_expect(destination, &from, "still here");
    struct session_closing c = end("closed", "");

    assert_int_equal(c.datagrams_up, 3);
    assert_int_equal(c.datagrams_dropped, 8);
}

/* Further back than the window: too old. */
static void
test_window(void **state)
{
    uint8_t old[512], out[512];
    struct addr from;

    (void)state;
    begin(1);
    size_t len = message(false, "old", old);

    for (unsigned i = 0; i < KRB5MSG_WINDOW; i++)
        (void)message(false, "lost on the way", out);
    say_from(client.fd, false, "new");
    udp_rig_expect(destination, &from, "new");
    udp_rig_send(client.fd, &client.relay, old, len);
    udp_rig_quiet(destination);
    assert_int_equal(end("closed", "").datagrams_dropped, 1);
}

/* Only what verifies fixes and moves the client's port. */
static void
test_port_moves(void **state)
{
    struct addr from, other_at;
    int other = udp_rig_socket(1, &other_at);
    uint8_t bare[64];

    (void)state;
    begin(2);
    size_t len = udp_rig_datagram(&target, 0, "spoofed", 7, bare);

    udp_rig_send(other, &client.relay, bare, len); /* well-formed, and it proves nothing */
    say_from(client.fd, true, "here");
    udp_rig_expect(destination, &from, "here");
    udp_rig_send(other, &client.relay, bare, len);
    udp_rig_send(destination, &from, "one", 3);
    hear_at(client.fd, true, "one");
    say_from(other, true, "moved");
    udp_rig_expect(destination, &from, "moved");
    udp_rig_send(destination, &from, "two", 3);
    hear_at(other, true, "two");
    udp_rig_quiet(client.fd);
    fd_close(&other);
    assert_int_equal(end("closed", "").datagrams_dropped, 2);
}

/* A datagram that somebody sends ahead with an octet more or less uses up no number and moves nothing. */
static void
test_spoiled_first(void **state)
{
    struct addr from, other_at;
    int other = udp_rig_socket(1, &other_at);
    uint8_t out[512];

    (void)state;
    begin(1);
    say_from(client.fd, false, "here");
    udp_rig_expect(destination, &from, "here");
    size_t len = message(false, "the true one", out);

    out[len] = 0;
    udp_rig_send(other, &client.relay, out, len + 1);
    udp_rig_send(other, &client.relay, out, len - 1);
    udp_rig_quiet(destination);
    udp_rig_send(destination, &from, "one", 3);
    hear_at(client.fd, false, "one");
    udp_rig_send(client.fd, &client.relay, out, len);
    udp_rig_expect(destination, &from, "the true one");
    fd_close(&other);
    assert_int_equal(end("closed", "").datagrams_dropped, 2);
}

/* The connection's messages and the datagrams share the numbers. */
static void
test_connection_beside(void **state)
{
    uint8_t late[512];
    struct addr from;

    (void)state;
    begin(2);
    size_t len = message(true, "late", late);

    seal_message(&seal, 3, true, "means nothing", 13);
    seal_send(&seal);
    session_rig_turns(5);
    udp_rig_send(client.fd, &client.relay, late, len);
    udp_rig_expect(destination, &from, "late");
    say_from(client.fd, true, "more");
    udp_rig_expect(destination, &from, "more");
    seal_message(&seal, 3, true, "again", 5);
    seal_send(&seal);
    session_rig_turns(5);
    assert_false(session_rig_ended(seal.id));
    /* On the connection a bad message is a violation, as ever. */
    seal_message(&seal, 3, true, "changed", 7);
    seal.out[seal.len - 1] ^= 1;
    seal_send(&seal);
    RIG_UNTIL(session_rig_ended(seal.id));
    (void)end("protection-violation", "bad-checksum");
}

/* What would be longer than a datagram with its seal is dropped. */
static void
test_largest(void **state)
{
    static uint8_t payload[SOCKS_UDP_DATAGRAM_MAX], got[70000];
    struct addr from, relay;
    struct krb5msg_plain plain;

    (void)state;
    begin(2);
    say_from(client.fd, true, "hello");
    udp_rig_expect(destination, &from, "hello");
    size_t most = SOCKS_UDP_DATAGRAM_MAX - 4 - krb5msg_header_len(seal.m, true) -
        krb5msg_trailer_len(seal.m, true) - SOCKS_UDP_HEADER_IPV4;

    udp_rig_send(destination, &from, payload, most + 1);
    udp_rig_send(destination, &from, payload, sizeof payload);
    udp_rig_send(destination, &from, payload, most);
    assert_int_equal(udp_rig_read(client.fd, got, sizeof got, &relay), SOCKS_UDP_DATAGRAM_MAX);
    assert_int_equal(
        krb5msg_unwrap(seal.m, got + 4, SOCKS_UDP_DATAGRAM_MAX - 4, &plain), KRB5MSG_OK);
    assert_int_equal(plain.len, most + SOCKS_UDP_HEADER_IPV4);
    struct session_closing c = end("closed", "");

    assert_int_equal(c.datagrams_down, 1);
    assert_int_equal(c.datagrams_dropped, 2);
    assert_int_equal(c.bytes_down, most);
}

/* The identity ends: so does the association, though datagrams pass. */
static void
test_ticket_expires(void **state)
{
    uint8_t blob[GSSAPI_BLOB_MAX], got[6], reply[16];
    struct conversation_result result = seal_success(blob);
    bool conf;

    (void)state;
    result.end = wall_read().us / CLOCK_SECOND_US + 3;
    seal_begin(&seal, 0);
    seal_level(&seal, 2);
    seal_message(&seal, 3, true, "\5\3\0\1\0\0\0\0\0\0", 10);
    seal_send(&seal);
    seal_answer(&result);
    seal_read(&seal, got, 6);
    seal_read_level(&seal, 2);
    assert_int_equal(seal_read_message(&seal, 3, reply, sizeof reply, &conf), 10);
    (void)seal_expect(&seal, EVENT_SESSION_END, "ticket-expired", "");
    seal_end(&seal);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, seal_setup, session_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_levels),
        TEST(test_disorder),
        TEST(test_window),
        TEST(test_port_moves),
        TEST(test_spoiled_first),
        TEST(test_connection_beside),
        TEST(test_largest),
        TEST(test_ticket_expires),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
