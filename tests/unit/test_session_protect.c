/* SPDX-License-Identifier: ISC */
/*
 * src/session/phase_protect.c, session_identity.c, session_terms.c and what they mean for every phase
 * behind them: clients of method gssapi, the test's own pool, the real faces.
 */
#include "tests/unit/session_seal.h"

#include "lib/base/fd.h"
#include "src/core/sandbox.h"
#include "src/session/session_private.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define RULES \
    "rule \"closed\" { action = \"deny\" destination = { \"10.0.0.0/8\" } }\n" \
    "rule \"here\" { action = \"allow\" destination = { \"127.0.0.1/32\" } }\n" \
    "rule \"safe\" { action = \"allow\" destination = { \"127.0.0.2/32\" }" \
    " protection = \"confidentiality\" }\n"
#define CONFIG(timeouts, gssapi, rules) \
    "methods = { \"gssapi\" }\nlisten \"127.0.0.1:1080\" {}\n" \
    "gssapi { keytab = \"/nonexistent/keytab\" replay-cache = \"\" " gssapi " }\n" \
    "timeouts { " timeouts " }\n" rules
#define ALL_LEVELS "protection = { \"confidentiality\", \"integrity\", \"selective\", \"none\" }"

static struct seal client;

static int
setup(void **state)
{
    (void)state;
    session_rig_begin(CONFIG("negotiate = 30", ALL_LEVELS, RULES));
    rig.host.all_events = true;
    return 0;
}

static int
setup_short(void **state)
{
    (void)state;
    session_rig_begin(CONFIG("negotiate = 1", ALL_LEVELS, RULES));
    return 0;
}

static int
setup_strict(void **state)
{
    (void)state;
    session_rig_begin(CONFIG("negotiate = 30", "protection = { \"confidentiality\" }", RULES));
    return 0;
}

/* Whatever may be agreed, no rule accepts it. */
static int
setup_useless(void **state)
{
    (void)state;
    session_rig_begin(CONFIG("negotiate = 30", "protection = { \"integrity\", \"none\" }",
        "rule \"safe\" { action = \"allow\" protection = \"confidentiality\" }\n"));
    return 0;
}

static struct session_closing
expect(enum event_id event, const char *reason, const char *detail)
{
    struct session_closing c = session_rig_expect(client.id, event, reason);

    assert_string_equal(c.detail, detail);
    assert_string_equal(c.user, SEAL_USER);
    assert_string_equal(c.mechanism, "krb5");
    assert_string_equal(c.enctype, "aes256-cts-hmac-sha1-96");
    assert_string_equal(c.claimed, "");
    for (size_t i = 0; i < CONVERSATION_MAX; i++) /* the blob is not left behind */
        assert_int_equal(rig.link.receiving[i], 0);
    return c;
}

/* ---- whole sessions ---- */

static void
both_ways(int target, bool conf)
{
    uint8_t got[16];
    bool sealed;

    session_rig_read(target, got, 5);
    assert_memory_equal(got, "early", 5);
    seal_message(&client, 3, conf, "up", 2);
    seal_send(&client);
    session_rig_read(target, got, 2);
    assert_memory_equal(got, "up", 2);
    session_rig_send(target, "down", 4);
    assert_int_equal(seal_read_message(&client, 3, got, sizeof got, &sealed), 4);
    assert_memory_equal(got, "down", 4);
}

static void
close_both(int *target)
{
    assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
    session_rig_read_end(*target);
    fd_close(target);
    session_rig_read_end(client.fd);
}

/* Level, request and data in one go, before the pool has answered; bytewise: after it. */
static void
whole_session(uint8_t level, bool conf, bool bytewise, const char *name)
{
    uint8_t blob[GSSAPI_BLOB_MAX], got[6];
    struct conversation_result result = seal_success(blob);

    seal_begin(&client, 0);
    client.bytewise = bytewise;
    seal_level(&client, level);
    seal_request(&client, conf, 1);
    seal_message(&client, 3, conf, "early", 5);
    seal_send(&client);
    seal_answer(&result);
    seal_read(&client, got, 6);
    seal_read_level(&client, level);
    seal_read_reply(&client, 0);
    int target = session_rig_accept();

    both_ways(target, conf);
    close_both(&target);
    struct session_closing c = expect(EVENT_SESSION_END, "closed", "");

    assert_string_equal(c.protection, name);
    assert_string_equal(c.account, "alice");
    assert_int_equal(c.logins, 1);
    assert_int_equal(c.bytes_up, 7);
    assert_int_equal(c.bytes_down, 4);
    assert_int_equal(c.wire_up, client.sent);
    assert_int_equal(c.wire_down, client.received);
    seal_end(&client);
}

/* What the cage forbids ends the process; the faces' libraries need nothing of it. In a child of its
   own, with nothing but what a worker does before it. */
static void
test_in_the_cage(void **state)
{
    int status = -1;
    pid_t child;

    if (!sandbox_available())
        skip();
    child = fork();
    if (child == 0) {
        (void)setup(state);
        assert_int_equal(sandbox_seccomp(SANDBOX_WORKER), 0);
        whole_session(1, false, false, "integrity");
        whole_session(2, true, false, "confidentiality");
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void
test_levels(void **state)
{
    (void)state;
    for (int bytewise = 0; bytewise < 2; bytewise++) {
        whole_session(1, false, bytewise, "integrity");
        whole_session(2, true, bytewise, "confidentiality");
        whole_session(3, true, bytewise, "selective");
        whole_session(3, false, bytewise, "selective");
    }
}

/* None was agreed, and the client seals all the same: it says at which level. */
static void
test_none_but_sealed(void **state)
{
    (void)state;
    whole_session(0, true, false, "confidentiality");
    whole_session(0, false, true, "integrity");
}

/* ... and one that means it: no layer, and the wire carries payload. */
static void
none_session(bool bytewise)
{
    uint8_t request[10], got[16];

    seal_login(&client, 0);
    client.bytewise = bytewise;
    seal_level(&client, 0);
    seal_bytes(&client, request, seal_request_bytes(1, request));
    seal_bytes(&client, "early", 5);
    seal_send(&client);
    seal_read_level(&client, 0);
    int target = session_rig_accept();

    seal_read(&client, got, 10);
    assert_memory_equal(got, "\x05\x00\x00\x01", 4);
    session_rig_read(target, got, 5);
    assert_memory_equal(got, "early", 5);
    session_rig_send(target, "down", 4);
    seal_read(&client, got, 4);
    close_both(&target);
    struct session_closing c = expect(EVENT_SESSION_END, "closed", "");

    assert_string_equal(c.protection, "none");
    assert_int_equal(c.bytes_up, 5);
    assert_int_equal(c.wire_up, UINT64_MAX);
    seal_end(&client);
}

static void
test_none(void **state)
{
    (void)state;
    none_session(false);
    none_session(true);
}

static void
test_other_level_answered(void **state)
{
    (void)state;
    seal_login(&client, 0);
    seal_level(&client, 1);
    seal_request(&client, true, 1);
    seal_send(&client);
    seal_read_level(&client, 2);
    seal_read_reply(&client, 0);
    int target = session_rig_accept();

    close_both(&target);
    assert_string_equal(expect(EVENT_SESSION_END, "closed", "").protection, "confidentiality");
    seal_end(&client);
}

/* Empty messages, the request in two, payload behind it in the second. */
static void
split_request(size_t cut)
{
    uint8_t request[14], got[4];

    memcpy(request + seal_request_bytes(1, request), "tail", 4);
    seal_login(&client, 0);
    seal_level(&client, 2);
    for (unsigned i = 0; i < 500; i++)
        seal_message(&client, 3, true, "", 0);
    seal_message(&client, 3, true, request, cut);
    seal_message(&client, 3, true, request + cut, sizeof request - cut);
    seal_send(&client);
    seal_read_level(&client, 2);
    seal_read_reply(&client, 0);
    int target = session_rig_accept();

    session_rig_read(target, got, 4);
    assert_memory_equal(got, "tail", 4);
    close_both(&target);
    assert_int_equal(expect(EVENT_SESSION_END, "closed", "").bytes_up, 4);
    seal_end(&client);
}

static void
test_split_request(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= 14; cut += 3)
        split_request(cut);
}

/* The answer to the level waits behind others the client has not read: nothing sealed overtakes it,
   and it is not sealed itself. */
static void
test_client_reads_late(void **state)
{
    static uint8_t token[60000], got[60006];
    uint8_t blob[GSSAPI_BLOB_MAX], first[64], byte;
    struct conversation_result result = seal_success(blob);
    const struct conversation_result more = { .outcome = AUTH_CONTINUE, .answer = token,
        .answer_len = sizeof token, .user = "", .mechanism = "", .enctype = "", .account = "",
        .reason = "" };
    size_t len = sizeof first;
    int small = 4096, pool;

    (void)state;
    seal_begin(&client, 0);
    assert_int_equal(setsockopt(client.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    assert_int_equal(setsockopt(rig.host.first->client.fd, SOL_SOCKET, SO_SNDBUF, &small,
        sizeof small), 0);
    seal_send(&client);
    pool = session_rig_pool_open(1, first, &len);
    session_rig_pool_result(pool, &more);
    seal_bytes(&client, SEAL_TOKEN, SEAL_TOKEN_SIZE);
    seal_level(&client, 2);
    seal_request(&client, true, 1);
    seal_send(&client);
    RIG_UNTIL(recv(pool, &byte, 1, MSG_DONTWAIT) == 1);
    session_rig_pool_result(pool, &result);
    RIG_UNTIL(rig.host.first->phase == SESSION_PROTECT);
    session_rig_turns(20);
    assert_int_equal(rig.host.first->phase, SESSION_PROTECT);
    seal_read(&client, got, 2 + 4 + sizeof token);
    assert_memory_equal(got, "\x05\x01\x01\x01\xEA\x60", 6);
    seal_read(&client, got, 4);
    assert_memory_equal(got, "\x01\x01\x00\x00", 4);
    seal_read_level(&client, 2);
    seal_read_reply(&client, 0);
    fd_close(&pool);
    pool = session_rig_accept();
    close_both(&pool);
    assert_int_equal(expect(EVENT_SESSION_END, "closed", "").wire_down, client.received);
    seal_end(&client);
}

/* ---- agreeing ends ---- */

static void
refused(const char *detail)
{
    seal_send(&client);
    seal_read_refusal(&client);
    fd_close(&client.fd);
    struct session_closing c = expect(EVENT_PROTOCOL_ERROR, "protection-violation", detail);

    assert_string_equal(c.protection, "");
    assert_int_equal(c.wire_up, UINT64_MAX);
    seal_end(&client);
}

static void
test_refusals(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *detail;
    } rows[] = {
        { "\x05\x01\x00\x03", 4, "unprotected-message" },
        { "\x01\x03\x00\x00", 4, "wrong-message-type" },
        { "\x01\x02\x00\x00", 4, "empty-token" },
        { "\x01\x02\x00\x01\x02", 5, "unwrapped-level" },
        { "\x17", 1, "wrong-version" },
    };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        seal_login(&client, 0);
        seal_bytes(&client, rows[i].bytes, rows[i].len);
        refused(rows[i].detail);
    }
    seal_login(&client, 0);
    seal_level(&client, 4);
    refused("unknown-level");
    seal_login(&client, 0);
    seal_level(&client, 2);
    client.out[client.len - 1] ^= 1;
    refused("bad-checksum");
}

static void
test_client_leaves_or_sleeps(void **state)
{
    (void)state;
    seal_login(&client, 0);
    seal_level(&client, 2);
    client.len /= 2;
    seal_send(&client);
    seal_read_refusal(&client);
    fd_close(&client.fd);
    (void)expect(EVENT_PROTOCOL_ERROR, "client-timeout", "");
    seal_end(&client);
    seal_login(&client, 0);
    session_rig_reset(&client.fd);
    (void)expect(EVENT_PROTOCOL_ERROR, "client-gone", "");
    seal_end(&client);
}

/* The deadline covers the request too; and what is awaited then is not said in the clear. */
static void
test_sealed_client_sleeps(void **state)
{
    (void)state;
    seal_login(&client, 0);
    seal_level(&client, 2);
    seal_send(&client);
    seal_read_level(&client, 2);
    session_rig_read_end(client.fd);
    fd_close(&client.fd);
    struct session_closing c = expect(EVENT_PROTOCOL_ERROR, "client-timeout", "");

    assert_string_equal(c.protection, "confidentiality");
    seal_end(&client);
}

static void
test_gateway_stops(void **state)
{
    (void)state;
    seal_login(&client, 0);
    session_rig_turns(2);
    session_end_all(&rig.host, REASON_SHUTDOWN);
    (void)expect(EVENT_REQUEST_FAILED, "shutdown", "");
    seal_end(&client);
    seal_login(&client, 0);
    seal_level(&client, 2);
    seal_send(&client);
    seal_read_level(&client, 2);
    session_end_all(&rig.host, REASON_SHUTDOWN);
    (void)expect(EVENT_REQUEST_FAILED, "shutdown", "");
    seal_end(&client);
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
    fd_close(&client.fd);
    struct session_closing c = expect(EVENT_PROTOCOL_ERROR, "protection-violation", detail);

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

/* A broken message in the relay ends a started session. */
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
    (void)expect(EVENT_SESSION_END, "protection-violation", "unprotected-message");
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
    struct session_closing c = expect(EVENT_AUTH_FAILURE, reason, detail);

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

    (void)expect(EVENT_SESSION_END, "ticket-expired", "");
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
    assert_int_equal(expect(event, reason, "").reply, reply);
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
        cmocka_unit_test(test_in_the_cage), /* first: nothing has been started yet */
        TEST(test_levels, setup),
        TEST(test_none_but_sealed, setup),
        TEST(test_none, setup),
        TEST(test_other_level_answered, setup_strict),
        TEST(test_split_request, setup),
        TEST(test_client_reads_late, setup),
        TEST(test_refusals, setup),
        TEST(test_client_leaves_or_sleeps, setup_short),
        TEST(test_sealed_client_sleeps, setup_short),
        TEST(test_gateway_stops, setup),
        TEST(test_violations, setup),
        TEST(test_truncated_request, setup),
        TEST(test_violation_in_relay, setup),
        TEST(test_bad_blobs, setup),
        TEST(test_ended_already, setup),
        TEST(test_ends_in_relay, setup),
        TEST(test_rule_minimum, setup),
        TEST(test_method_not_offered, setup_useless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
