/* SPDX-License-Identifier: ISC */
/* BIND of clients whose messages are sealed: both replies come sealed, each by itself. */
#include "tests/unit/session_bind_tools.h"
#include "tests/unit/session_seal.h"

#include "lib/base/fd.h"

#include <sys/socket.h>

static struct seal client;

static int
setup(void **state)
{
    (void)state;
    session_rig_begin(SEAL_CONFIG("negotiate = 30", SEAL_ALL_LEVELS, BIND_RULES));
    return 0;
}

static void
ask(bool conf, const char *behind)
{
    static const uint8_t request[] = { 5, 2, 0, 1, 127, 0, 0, 5, 0, 21 };
    uint8_t plain[64];
    size_t len = strlen(behind);

    memcpy(plain, request, sizeof request);
    memcpy(plain + sizeof request, behind, len);
    seal_message(&client, 3, conf, plain, sizeof request + len);
}

/* One message holds the reply and nothing else. */
static struct addr
read_reply(uint8_t code, bool sealed)
{
    uint8_t reply[64];
    bool conf;

    assert_int_equal(seal_read_message(&client, 3, reply, sizeof reply, &conf), 10);
    assert_int_equal(conf, sealed);
    assert_int_equal(reply[0], 5);
    assert_int_equal(reply[1], code);
    assert_int_equal(reply[3], 1);
    return addr_ipv4(reply + 4, (uint16_t)(reply[8] << 8 | reply[9]));
}

static void
whole(uint8_t level, bool conf)
{
    struct addr at, from, second;
    uint8_t got[64];
    bool sealed;

    seal_login(&client, 0);
    seal_level(&client, level);
    ask(conf, "with it");
    seal_message(&client, 3, conf, ", early", 7);
    seal_send(&client);
    seal_read_level(&client, level);
    at = read_reply(0, conf);
    int other = bind_peer(9, &at, NULL);

    bind_turned_away(&other);
    int peer = bind_peer(5, &at, &from);

    second = read_reply(0, conf);
    assert_true(addr_equal(&second, &from));
    session_rig_read(peer, got, 14);
    assert_memory_equal(got, "with it, early", 14);
    session_rig_send(peer, "content", 7);
    assert_int_equal(seal_read_message(&client, 3, got, sizeof got, &sealed), 7);
    assert_memory_equal(got, "content", 7);
    assert_int_equal(sealed, conf);
    fd_close(&client.fd);
    session_rig_read_end(peer);
    fd_close(&peer);
    struct session_closing c = seal_expect(&client, EVENT_SESSION_END, "closed", "");

    assert_string_equal(c.command, "bind");
    assert_int_equal(c.strangers, 1);
    assert_int_equal(c.bytes_up, 14);
    assert_int_equal(c.bytes_down, 7);
    seal_end(&client);
}

static void
test_levels(void **state)
{
    (void)state;
    whole(1, false);
    whole(2, true);
}

/* A message that breaks the protection while the peer is awaited is met where it is read: behind the
   second reply, and nothing of it goes on. */
static void
test_violation(void **state)
{
    struct addr at;
    uint8_t byte;

    (void)state;
    seal_login(&client, 0);
    seal_level(&client, 2);
    ask(true, "");
    seal_bytes(&client, "\x05", 1);
    seal_send(&client);
    seal_read_level(&client, 2);
    at = read_reply(0, true);
    int peer = bind_peer(5, &at, NULL);

    (void)seal_expect(&client, EVENT_SESSION_END, "protection-violation", "unprotected-message");
    assert_true(recv(peer, &byte, 1, 0) < 0);
    fd_close(&peer);
    seal_end(&client);
}

static void
test_ticket_ends(void **state)
{
    uint8_t blob[GSSAPI_BLOB_MAX], got[6];
    struct conversation_result result = seal_success(blob);
    struct addr at;

    (void)state;
    result.end = wall_read().us / CLOCK_SECOND_US + 2;
    seal_begin(&client, 0);
    seal_level(&client, 2);
    ask(true, "");
    seal_send(&client);
    seal_answer(&result);
    seal_read(&client, got, 6);
    seal_read_level(&client, 2);
    at = read_reply(0, true);
    (void)read_reply(1, true);
    session_rig_read_end(client.fd);
    bind_nobody_at(&at);
    fd_close(&client.fd);
    struct session_closing c = seal_expect(&client, EVENT_AUTH_FAILURE, "ticket-expired", "");

    assert_int_equal(c.starts, 0);
    assert_int_equal(c.reply, 1);
    seal_end(&client);
}

#define SEALED(test) cmocka_unit_test_setup_teardown(test, setup, session_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SEALED(test_levels),
        SEALED(test_violation),
        SEALED(test_ticket_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
