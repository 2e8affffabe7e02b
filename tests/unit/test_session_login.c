/* SPDX-License-Identifier: ISC */
/* src/session/phase_authenticate.c: logins through a conversation whose pool end the test plays. */
#include "tests/unit/session_rig.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO "\x05\x01\x02"
#define LOGIN "\x01\x05" "alice" "\x06" "secret"
#define LOGIN_SIZE 14

static void
read_status(int fd, uint8_t status)
{
    uint8_t got[4];

    session_rig_read(fd, got, 4);
    assert_memory_equal(got, "\x05\x02\x01", 3);
    assert_int_equal(got[3], status);
}

static int
logging_in(uint64_t *id)
{
    int fd = session_rig_client(1, id);

    session_rig_send(fd, HELLO LOGIN, 3 + LOGIN_SIZE);
    return fd;
}

static void
check_login(const char login[512])
{
    assert_memory_equal(login, "\x05" "alice" "\x06" "secret", LOGIN_SIZE - 1);
    for (size_t i = 0; i < CONVERSATION_MAX; i++)
        assert_int_equal(rig.link.sending[i], 0);
}

static void
test_success(void **state)
{
    uint8_t request[] = { 5, 1, 0, 1, 127, 0, 0, 1, (uint8_t)(rig.port >> 8), (uint8_t)rig.port };
    char login[512], got[10];
    uint64_t id;
    int fd = logging_in(&id), pool, target;

    (void)state;
    session_rig_send(fd, request, sizeof request); /* ahead of the answer */
    session_rig_send(fd, "early", 5);
    pool = session_rig_pool_take(login);
    check_login(login);
    session_rig_turns(3);
    session_rig_pool_answer(pool, AUTH_SUCCESS, "alice", "");
    target = session_rig_accept();
    read_status(fd, 0);
    session_rig_read(fd, got, 10);
    assert_int_equal(got[1], 0);
    session_rig_read(target, got, 5);
    assert_memory_equal(got, "early", 5);
    fd_close(&fd);
    session_rig_read_end(target);
    fd_close(&target);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    assert_string_equal(c.user, "alice");
    assert_string_equal(c.claimed, "");
    fd_close(&pool);
}

static void
test_failure(void **state)
{
    static const uint8_t noise[300000];
    char login[512];
    uint64_t id;
    int fd = session_rig_client(1, &id), pool;

    (void)state;
    for (size_t i = 0; i < 3 + LOGIN_SIZE; i++) {
        session_rig_send(fd, &(HELLO LOGIN)[i], 1);
        session_rig_turns(2);
    }
    pool = session_rig_pool_take(login);
    check_login(login);
    session_rig_pool_answer(pool, AUTH_FAILURE, "", "wrong-password");
    session_rig_send(fd, noise, sizeof noise);
    read_status(fd, 1);
    session_rig_read_end(fd);
    fd_close(&fd);
    fd_close(&pool);
    struct session_closing c = session_rig_expect(id, EVENT_AUTH_FAILURE, "bad-credentials");

    assert_string_equal(c.detail, "wrong-password");
    assert_string_equal(c.claimed, "alice");
    assert_string_equal(c.user, "");
}

/* Whatever the pool does: one refusal of the module's own, one record. */
static void
expect_refused(uint64_t id, int fd, const char *reason)
{
    read_status(fd, 1);
    session_rig_read_end(fd);
    fd_close(&fd);
    struct session_closing c = session_rig_expect(id, EVENT_AUTH_FAILURE, reason);

    assert_string_equal(c.claimed, "alice");
}

static void
test_pool_goes_away(void **state)
{
    char login[512];
    uint64_t id;
    int fd = logging_in(&id), pool = session_rig_pool_take(login);

    (void)state;
    fd_close(&pool);
    expect_refused(id, fd, "auth-lost");
}

static void
test_malformed_answer(void **state)
{
    char login[512];
    uint64_t id;
    int fd = logging_in(&id), pool = session_rig_pool_take(login);

    (void)state;
    assert_int_equal(send(pool, "nonsense", 8, 0), 8);
    expect_refused(id, fd, "auth-lost");
    fd_close(&pool);
}

/* userpass has one round: an answer that wants another makes no sense. */
static void
test_senseless_answer(void **state)
{
    char login[512];
    uint64_t id;
    int fd = logging_in(&id), pool = session_rig_pool_take(login);

    (void)state;
    session_rig_pool_answer(pool, AUTH_CONTINUE, "", "");
    expect_refused(id, fd, "auth-lost");
    fd_close(&pool);
}

/* The client hears one answer, not a success and a refusal behind it. */
static void
test_user_too_long(void **state)
{
    char login[512], user[400];
    uint64_t id;
    int fd = logging_in(&id), pool = session_rig_pool_take(login);

    (void)state;
    memset(user, 'u', sizeof user - 1);
    user[sizeof user - 1] = '\0';
    session_rig_pool_answer(pool, AUTH_SUCCESS, user, "");
    expect_refused(id, fd, "bad-credentials");
    fd_close(&pool);
}

static void
test_no_pool(void **state)
{
    uint64_t id;
    int fd;

    (void)state;
    fd_close(&rig.pool);
    fd = logging_in(&id);
    expect_refused(id, fd, "auth-unavailable");
}

/* A login of no length is one the pool refuses; another version is no login at all. */
static void
test_odd_logins(void **state)
{
    char login[512];
    uint64_t id;
    int fd = session_rig_client(1, &id), pool;

    (void)state;
    session_rig_send(fd, HELLO "\x01\x00\x00", 6);
    pool = session_rig_pool_take(login);
    session_rig_pool_answer(pool, AUTH_FAILURE, "", "empty");
    read_status(fd, 1);
    session_rig_read_end(fd);
    fd_close(&fd);
    fd_close(&pool);
    (void)session_rig_expect(id, EVENT_AUTH_FAILURE, "bad-credentials");
    fd = session_rig_client(1, &id);
    session_rig_send(fd, HELLO "\x05\x01u\x01p", 8);
    read_status(fd, 1);
    session_rig_read_end(fd);
    fd_close(&fd);
    (void)session_rig_expect(id, EVENT_PROTOCOL_ERROR, "malformed-message");
}

static void
test_client_leaves(void **state)
{
    char login[512];
    uint64_t id;
    int fd = logging_in(&id), pool = session_rig_pool_take(login);

    (void)state;
    session_rig_reset(&fd);
    struct session_closing c = session_rig_expect(id, EVENT_PROTOCOL_ERROR, "client-gone");

    assert_string_equal(c.claimed, "alice");
    assert_int_equal(recv(pool, login, 1, MSG_DONTWAIT), 0); /* the pool learns of it */
    fd_close(&pool);
}

static int
fill_queue(void)
{
    int queue = -1, count = 0;

    for (size_t i = 0; i < AUTHLINK_POOLS_MAX; i++)
        if (rig.link.queues[i].fd >= 0)
            queue = rig.link.queues[i].fd;
    while (send(queue, "", 1, MSG_DONTWAIT) == 1)
        count++;
    assert_int_equal(errno, EAGAIN);
    return count;
}

/* A login waits for room in the queue instead of failing. */
static void
test_queue_full(void **state)
{
    int count = fill_queue(), fd, pool;
    char login[512];
    uint64_t id;

    (void)state;
    fd = logging_in(&id);
    session_rig_send(fd, "behind", 6);
    session_rig_turns(50);
    assert_int_equal(session_rig_closing(id).count, 0);
    while (count-- > 0)
        assert_int_equal(recv(rig.pool, login, 1, MSG_DONTWAIT), 1);
    pool = session_rig_pool_take(login);
    check_login(login);
    session_rig_pool_answer(pool, AUTH_FAILURE, "", "no");
    expect_refused(id, fd, "bad-credentials");
    fd_close(&pool);
}

static void
test_queue_stays_full(void **state)
{
    uint64_t id;
    int fd;

    (void)state;
    (void)fill_queue();
    fd = logging_in(&id);
    expect_refused(id, fd, "auth-timeout");
}

static void
test_pool_too_slow(void **state)
{
    char login[512];
    uint64_t id;
    int fd = logging_in(&id), pool = session_rig_pool_take(login);

    (void)state;
    expect_refused(id, fd, "auth-timeout");
    fd_close(&pool);
}

static void
test_end_while_waiting(void **state)
{
    char login[512];
    uint64_t id;
    int fd = logging_in(&id), pool = session_rig_pool_take(login);

    (void)state;
    session_end_all(&rig.host, REASON_GATEWAY_LOST);
    (void)session_rig_expect(id, EVENT_REQUEST_FAILED, "gateway-lost");
    assert_int_equal(recv(pool, login, 1, MSG_DONTWAIT), 0);
    session_rig_turns(3);
    fd_close(&pool);
    fd_close(&fd);
}

#define LONG(test) cmocka_unit_test_setup_teardown(test, session_rig_setup, session_rig_teardown)
#define SHORT(test) \
    cmocka_unit_test_setup_teardown(test, session_rig_setup_short, session_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LONG(test_success),
        LONG(test_failure),
        LONG(test_pool_goes_away),
        LONG(test_malformed_answer),
        LONG(test_senseless_answer),
        LONG(test_user_too_long),
        LONG(test_no_pool),
        LONG(test_odd_logins),
        LONG(test_client_leaves),
        LONG(test_queue_full),
        SHORT(test_queue_stays_full),
        SHORT(test_pool_too_slow),
        LONG(test_end_while_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
