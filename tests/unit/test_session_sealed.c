/* SPDX-License-Identifier: ISC */
/*
 * Sessions whose messages are sealed, where they do not go as they should: violations, the pool's
 * word, the identity's end, rules, refusals. Clients of method gssapi, as in test_session_protect.c.
 */
#include "tests/unit/session_seal.h"

#include "lib/base/fd.h"
#include "src/session/session_private.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct seal client;

/* Whatever may be agreed, no rule accepts it. */
static int
setup_useless(void **state)
{
    (void)state;
    session_rig_begin(SEAL_CONFIG("negotiate = 30", "protection = { \"integrity\", \"none\" }",
        "rule \"safe\" { action = \"allow\" protection = \"confidentiality\" }\n"));
    return 0;
}

/* ---- violations behind it ---- */

/* After level 2 was agreed the client has appended something wrong: it is cut, without a word. */
static void
cut(const char *detail)
{
    uint8_t byte;
    ssize_t n = -1;

    seal_send(&client);
    seal_read_level(&client, 2);
    RIG_UNTIL((n = recv(client.fd, &byte, 1, 0)) >= 0 || errno != EAGAIN);
    assert_true(n <= 0);
    assert_int_equal(rig.host.count, 0); /* it does not wait for the client to close */
    fd_close(&client.fd);
    struct session_closing c =
        seal_expect(&client, EVENT_PROTOCOL_ERROR, "protection-violation", detail);

    assert_string_equal(c.protection, "confidentiality");
    assert_int_equal(accept(rig.listener, NULL, NULL), -1); /* nothing was dialled */
    seal_end(&client);
}

static void
agreed(void)
{
    seal_login(&client, 0);
    seal_level(&client, 2);
}

static void
test_violations(void **state)
{
    uint8_t request[10], copy[256];
    size_t at, len;

    (void)state;
    agreed();
    seal_bytes(&client, request, seal_request_bytes(1, request));
    cut("unprotected-message");
    agreed();
    seal_request(&client, false, 1);
    cut("message-not-confidential");
    agreed();
    seal_request(&client, true, 1);
    client.out[client.len - 1] ^= 0x80;
    cut("bad-checksum");
    agreed();
    at = client.len;
    seal_message(&client, 3, true, "\x05", 1);
    len = client.len - at;
    memcpy(copy, client.out + at, len);
    seal_bytes(&client, copy, len);
    cut("replayed-message");
    agreed();
    at = client.len;
    seal_request(&client, true, 1);
    client.len = at;
    seal_request(&client, true, 1);
    cut("out-of-sequence-message");
}

static void
test_truncated_request(void **state)
{
    (void)state;
    agreed();
    seal_request(&client, true, 1);
    client.len -= 3;
    seal_send(&client);
    assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
    cut("truncated-message");
}

static void
read_reset(int fd)
{
    uint8_t byte;
    ssize_t n = -1;

    RIG_UNTIL((n = recv(fd, &byte, 1, 0)) >= 0 || errno != EAGAIN);
    assert_int_equal(n, -1);
    assert_int_equal(errno, ECONNRESET);
}

/* A broken message in the relay ends a started session. What the destination got must not look
   whole: a reset, no end of file; and the client hears nothing more. */
static void
test_violation_in_relay(void **state)
{
    (void)state;
    agreed();
    seal_request(&client, true, 1);
    seal_send(&client);
    seal_read_level(&client, 2);
    seal_read_reply(&client, 0);
    int target = session_rig_accept();

    seal_bytes(&client, "\x05", 1);
    seal_send(&client);
    (void)seal_expect(&client, EVENT_SESSION_END, "protection-violation", "unprotected-message");
    read_reset(target);
    read_reset(client.fd);
    fd_close(&target);
    seal_end(&client);
}

/* ---- the pool's word ---- */

static void
login_refused(const struct conversation_result *result, const char *reason, const char *detail)
{
    uint8_t got[2];

    seal_begin(&client, 0);
    seal_send(&client);
    seal_answer(result);
    seal_read(&client, got, 2);
    seal_read_refusal(&client);
    fd_close(&client.fd);
    struct session_closing c = seal_expect(&client, EVENT_AUTH_FAILURE, reason, detail);

    assert_int_equal(c.logins, 0);
    seal_end(&client);
}

static void
test_bad_blobs(void **state)
{
    uint8_t blob[GSSAPI_BLOB_MAX];
    struct conversation_result result = seal_success(blob);

    (void)state;
    result.protect_len--;
    login_refused(&result, "auth-lost", "malformed-context");
    result = seal_success(blob);
    result.protect_len = 0;
    login_refused(&result, "auth-lost", "no-message-protection");
}

static void
test_ended_already(void **state)
{
    uint8_t blob[GSSAPI_BLOB_MAX];
    struct conversation_result result = seal_success(blob);

    (void)state;
    result.end = wall_read().us / CLOCK_SECOND_US - 1;
    login_refused(&result, "ticket-expired", "");
}

static void
test_ends_in_relay(void **state)
{
    uint8_t blob[GSSAPI_BLOB_MAX], got[6];
    struct conversation_result result = seal_success(blob);

    (void)state;
    result.end = wall_read().us / CLOCK_SECOND_US + 3;
    seal_begin(&client, 0);
    seal_level(&client, 2);
    seal_request(&client, true, 1);
    seal_send(&client);
    seal_answer(&result);
    seal_read(&client, got, 6);
    seal_read_level(&client, 2);
    seal_read_reply(&client, 0);
    int target = session_rig_accept();

    (void)seal_expect(&client, EVENT_SESSION_END, "ticket-expired", "");
    fd_close(&target);
    seal_end(&client);
    /* One that never ends is left alone, whatever its number. */
    result.end = INT64_MAX;
    seal_begin(&client, 0);
    seal_send(&client);
    seal_answer(&result);
    seal_read(&client, got, 6);
    assert_int_equal(rig.host.count, 1);
    seal_end(&client);
    (void)session_rig_expect(client.id, EVENT_PROTOCOL_ERROR, "client-gone");
}

/* ---- rules ---- */

/* 127.0.0.2 wants confidentiality. Nobody listens there: who may go gets another reply. */
static void
ask(uint8_t level, bool conf, uint8_t reply, enum event_id event, const char *reason)
{
    seal_login(&client, 0);
    seal_level(&client, level);
    seal_request(&client, conf, 2);
    seal_send(&client);
    seal_read_level(&client, level);
    seal_read_reply(&client, reply);
    seal_bytes(&client, "whatever comes now is thrown away", 33);
    seal_send(&client);
    session_rig_read_end(client.fd);
    fd_close(&client.fd);
    assert_int_equal(seal_expect(&client, event, reason, "").reply, reply);
    seal_end(&client);
}

static void
test_rule_minimum(void **state)
{
    (void)state;
    ask(2, true, 5, EVENT_REQUEST_FAILED, "connection-refused");
    ask(1, false, 2, EVENT_REQUEST_DENIED, "no-rule");
    ask(3, true, 2, EVENT_REQUEST_DENIED, "no-rule");
    ask(0, true, 5, EVENT_REQUEST_FAILED, "connection-refused");
    ask(0, false, 2, EVENT_REQUEST_DENIED, "no-rule");
}

/* A refusal reaches also a client that sends no messages any more; nobody opens what it sends. */
static void
test_rubbish_behind_refused_request(void **state)
{
    static const uint8_t noise[SEAL_ROOM / 2];

    (void)state;
    seal_login(&client, 0);
    seal_level(&client, 2);
    seal_request(&client, true, 3);
    for (unsigned i = 0; i < 8; i++) {
        seal_bytes(&client, noise, sizeof noise);
        seal_send(&client);
    }
    seal_read_level(&client, 2);
    seal_read_reply(&client, 2);
    session_rig_read_end(client.fd);
    fd_close(&client.fd);
    (void)seal_expect(&client, EVENT_REQUEST_DENIED, "no-rule", "");
    seal_end(&client);
}

/* What was sent is acknowledged, and the rest waits for a window: no acknowledgement is still to come. */
static bool
is_stuck(int fd)
{
    int held = 0, unsent = 0;

    assert_int_equal(ioctl(fd, SIOCOUTQ, &held), 0);
    assert_int_equal(ioctl(fd, SIOCOUTQNSD, &unsent), 0);
    return unsent > 0 && held == unsent;
}

/* The kernel takes no more for this client, not later either, when it asks for a window and the other side
   tidies its queue; how much was put into it. */
static size_t
fill_wire(void)
{
    static const uint8_t filler[512];
    int fd = rig.host.first->client.fd, small = 4096;
    size_t count = 0, before = 0;
    struct mono last = mono_read();

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    RIG_UNTIL(is_stuck(fd) && mono_diff_us(mono_read(), last) > CLOCK_SECOND_US) {
        for (ssize_t n = 0; n >= 0; count += n > 0 ? (size_t)n : 0)
            n = send(fd, filler, count == before ? 1 : sizeof filler, MSG_DONTWAIT);
        if (count != before)
            last = mono_read();
        before = count;
    }
    return count;
}

/* A reply the layer holds back is a reply all the same. */
static void
test_refusal_held_back(void **state)
{
    static uint8_t got[1U << 20];

    (void)state;
    rig.receive_buffer = 4096;
    seal_login(&client, 0);
    seal_level(&client, 2);
    seal_send(&client);
    seal_read_level(&client, 2);
    size_t filled = fill_wire();

    seal_request(&client, true, 3);
    seal_send(&client);
    RIG_UNTIL(rig.host.first->phase == SESSION_LINGER);
    session_rig_turns(5);
    assert_non_null(channel_protection(&rig.host.first->client));
    assert_true(filled <= sizeof got);
    session_rig_read(client.fd, got, filled);
    seal_read_reply(&client, 2);
    session_rig_read_end(client.fd);
    fd_close(&client.fd);
    (void)seal_expect(&client, EVENT_REQUEST_DENIED, "no-rule", "");
    seal_end(&client);
}

static void
test_method_not_offered(void **state)
{
    uint8_t got[2];

    (void)state;
    seal_begin(&client, 0);
    seal_send(&client);
    seal_read(&client, got, 2);
    assert_memory_equal(got, "\x05\xFF", 2);
    session_rig_read_end(client.fd);
    seal_end(&client);
    (void)session_rig_expect(client.id, EVENT_PROTOCOL_ERROR, "no-acceptable-method");
}

#define TEST(test, setup) cmocka_unit_test_setup_teardown(test, setup, session_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_violations, seal_setup),
        TEST(test_truncated_request, seal_setup),
        TEST(test_violation_in_relay, seal_setup),
        TEST(test_bad_blobs, seal_setup),
        TEST(test_ended_already, seal_setup),
        TEST(test_ends_in_relay, seal_setup),
        TEST(test_rule_minimum, seal_setup),
        TEST(test_rubbish_behind_refused_request, seal_setup),
        TEST(test_refusal_held_back, seal_setup),
        TEST(test_method_not_offered, setup_useless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
