/* SPDX-License-Identifier: ISC */
/* What sessions add to the worker's counters, and when. */
#include "tests/unit/session_rig.h"

#include "lib/base/fd.h"

#include <stdio.h>
#include <string.h>

#define SOCKS5 3 /* protocol */
#define LOGIN "\x05\x01\x02\x01\x05" "alice" "\x06" "secret"

static int
setup(void **state)
{
    int failed = session_rig_setup(state);

    rig.host.stats = stats_new();
    assert_non_null(rig.host.stats);
    return failed;
}

static int
teardown(void **state)
{
    stats_close(&rig.host.stats);
    return session_rig_teardown(state);
}

static uint64_t
count(enum stats_metric metric, struct stats_at at)
{
    return stats_get(rig.host.stats, metric, at);
}

static uint64_t
count_session(const char *method, unsigned verdict)
{
    unsigned m = stats_name(rig.host.stats, STATS_SET_METHOD, method);

    return count(STATS_SESSIONS, STATS_AT(SOCKS5, m, 0, verdict));
}

static uint64_t
count_end(const char *reason)
{
    return count(STATS_ENDED, STATS_AT(stats_name(rig.host.stats, STATS_SET_REASON, reason)));
}

static int
asking(const uint8_t ip[4], uint16_t port, uint64_t *id)
{
    const uint8_t all[] = { 5, 1, 0, 5, 1, 0, 1, ip[0], ip[1], ip[2], ip[3], (uint8_t)(port >> 8),
        (uint8_t)port };
    int fd = session_rig_client(0, id);

    session_rig_send(fd, all, sizeof all);
    return fd;
}

/* Accepted with the reply, bytes while it goes on, its end at the end. */
static void
test_relay(void **state)
{
    static const uint8_t here[] = { 127, 0, 0, 1 };
    struct stats_histogram h;
    char got[12];
    uint64_t id;
    int fd = asking(here, rig.port, &id), target = session_rig_accept();

    (void)state;
    session_rig_read(fd, got, 12);
    assert_int_equal(count_session("none", STATS_ACCEPTED), 1);
    session_rig_send(fd, "twelve bytes", 12);
    session_rig_read(target, got, 12);
    assert_int_equal(count(STATS_PAYLOAD, STATS_AT(STATS_TCP, STATS_UP)), 12);
    session_rig_send(target, "back", 4);
    session_rig_read(fd, got, 4);
    assert_int_equal(count(STATS_PAYLOAD, STATS_AT(STATS_TCP, STATS_DOWN)), 4);
    assert_int_equal(count_end("closed"), 0);
    fd_close(&fd);
    session_rig_read_end(target);
    fd_close(&target);
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
    assert_int_equal(count_end("closed"), 1);
    assert_int_equal(count_session("none", STATS_ACCEPTED), 1);
    assert_int_equal(count(STATS_PAYLOAD, STATS_AT(STATS_TCP, STATS_UP)), 12);
    stats_read_histogram(rig.host.stats, STATS_CONNECT_TIME, STATS_AT(STATS_SUCCESS), &h);
    assert_int_equal(h.count, 1);
}

static void
test_refusals(void **state)
{
    static const uint8_t closed[] = { 10, 0, 0, 1 }, unknown[] = { 203, 0, 113, 1 };
    char got[12];
    uint64_t id;
    int fd = asking(closed, 80, &id);

    (void)state;
    session_rig_read(fd, got, 12);
    fd_close(&fd);
    (void)session_rig_expect(id, EVENT_REQUEST_DENIED, "rule");
    fd = asking(unknown, 80, &id);
    session_rig_read(fd, got, 12);
    fd_close(&fd);
    (void)session_rig_expect(id, EVENT_REQUEST_DENIED, "no-rule");
    unsigned rule = stats_name(rig.host.stats, STATS_SET_RULE, "closed");
    unsigned none = stats_name(rig.host.stats, STATS_SET_RULE, "");

    assert_int_equal(count(STATS_DENIALS, STATS_AT(rule, STATS_BY_RULE)), 1);
    assert_int_equal(count(STATS_DENIALS, STATS_AT(none, STATS_NO_RULE)), 1);
    assert_int_equal(count_session("none", STATS_DENIED), 2);
    assert_int_equal(count_session("none", STATS_ACCEPTED), 0);
}

static void
log_in(enum auth_outcome outcome, const char *reason, enum event_id event, const char *end)
{
    char login[512], got[4];
    uint64_t id;
    int fd = session_rig_client(1, &id), pool;

    session_rig_send(fd, LOGIN, sizeof LOGIN - 1);
    pool = session_rig_pool_take(login);
    session_rig_pool_answer(pool, outcome, outcome == AUTH_SUCCESS ? "alice" : "", reason);
    session_rig_read(fd, got, 4);
    fd_close(&fd);
    (void)session_rig_expect(id, event, end);
    fd_close(&pool);
}

static void
test_logins(void **state)
{
    struct stats_histogram h;

    (void)state;
    log_in(AUTH_SUCCESS, "", EVENT_PROTOCOL_ERROR, "client-gone");
    log_in(AUTH_FAILURE, "wrong-password", EVENT_AUTH_FAILURE, "bad-credentials");
    log_in(AUTH_FAILURE, "wrong-password", EVENT_AUTH_FAILURE, "bad-credentials");
    unsigned method = stats_name(rig.host.stats, STATS_SET_METHOD, "userpass");

    assert_int_equal(count(STATS_LOGINS, STATS_AT(method, 0)), 1);
    assert_int_equal(count(STATS_LOGINS, STATS_AT(method, 1)), 2);
    stats_read_histogram(rig.host.stats, STATS_LOGIN_TIME, STATS_AT(method), &h);
    assert_int_equal(h.count, 3);
    assert_int_equal(count_session("userpass", STATS_AUTH_FAILURE), 2);
    assert_int_equal(count_session("userpass", STATS_PROTOCOL_ERROR), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_relay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_logins, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
