/* SPDX-License-Identifier: ISC */
/*
 * src/session/phase_protect.c, session_identity.c, session_terms.c and what they mean for every
 * phase behind them: clients of method gssapi, the test's own pool, the real faces.
 */
#include "tests/unit/session_seal.h"

#include "lib/base/fd.h"
#include "src/core/sandbox.h"
#include "src/session/session_private.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct seal client;

static int
setup_strict(void **state)
{
    (void)state;
    session_rig_begin(SEAL_CONFIG("negotiate = 30", "protection = { \"confidentiality\" }",
        SEAL_RULES));
    return 0;
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
    struct session_closing c = seal_expect(&client, EVENT_SESSION_END, "closed", "");

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

    if (!sandbox_available()) {
        print_message("this build has no sandbox: not tested\n");
        skip();
    }
    child = fork();
    if (child == 0) {
        (void)seal_setup(state);
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
    struct session_closing c = seal_expect(&client, EVENT_SESSION_END, "closed", "");

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
    assert_string_equal(seal_expect(&client, EVENT_SESSION_END, "closed", "").protection,
        "confidentiality");
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
    assert_int_equal(seal_expect(&client, EVENT_SESSION_END, "closed", "").bytes_up, 4);
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
    /* A window that was once wide takes in more than what fits: it is small from the start. */
    rig.receive_buffer = small;
    seal_begin(&client, 0);
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
    assert_int_equal(seal_expect(&client, EVENT_SESSION_END, "closed", "").wire_down,
        client.received);
    seal_end(&client);
}

/* ---- agreeing ends ---- */

static void
refused(const char *detail)
{
    seal_send(&client);
    seal_read_refusal(&client);
    fd_close(&client.fd);
    struct session_closing c =
        seal_expect(&client, EVENT_PROTOCOL_ERROR, "protection-violation", detail);

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
    (void)seal_expect(&client, EVENT_PROTOCOL_ERROR, "client-timeout", "");
    seal_end(&client);
    seal_login(&client, 0);
    session_rig_reset(&client.fd);
    (void)seal_expect(&client, EVENT_PROTOCOL_ERROR, "client-gone", "");
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
    struct session_closing c = seal_expect(&client, EVENT_PROTOCOL_ERROR, "client-timeout", "");

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
    (void)seal_expect(&client, EVENT_REQUEST_FAILED, "shutdown", "");
    seal_end(&client);
    seal_login(&client, 0);
    seal_level(&client, 2);
    seal_send(&client);
    seal_read_level(&client, 2);
    session_end_all(&rig.host, REASON_SHUTDOWN);
    (void)seal_expect(&client, EVENT_REQUEST_FAILED, "shutdown", "");
    seal_end(&client);
}

#define TEST(test, setup) cmocka_unit_test_setup_teardown(test, setup, session_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_the_cage), /* first: nothing has been started yet */
        TEST(test_levels, seal_setup),
        TEST(test_none_but_sealed, seal_setup),
        TEST(test_none, seal_setup),
        TEST(test_other_level_answered, setup_strict),
        TEST(test_split_request, seal_setup),
        TEST(test_client_reads_late, seal_setup),
        TEST(test_refusals, seal_setup),
        TEST(test_client_leaves_or_sleeps, seal_setup_short),
        TEST(test_sealed_client_sleeps, seal_setup_short),
        TEST(test_gateway_stops, seal_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
