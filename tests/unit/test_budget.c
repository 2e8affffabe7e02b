/* SPDX-License-Identifier: ISC */
/* src/session/budget.c: what a budget asks for, gets, keeps and gives back, and other images. */
#include "tests/unit/budget_rig.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <sys/socket.h>

static uint8_t got[16384];

static int
setup_users(void **state)
{
    (void)state;
    return budget_rig_begin("negotiate = 30", "user-bandwidth = \"80k\"");
}

static int
setup_short(void **state)
{
    (void)state;
    return budget_rig_begin("idle = 1 half-closed = 1", "bandwidth = \"80k\"");
}

static int
setup_fast(void **state)
{
    (void)state;
    return budget_rig_begin("negotiate = 30", "bandwidth = \"8m\""); /* 1 MiB an ask */
}

static void
test_no_more_than_granted(void **state)
{
    uint64_t id;
    int target, fd = rig_relaying(&id, &target);
    size_t total = 0;

    (void)state;
    assert_int_equal(rig.ask_count, 1);
    assert_int_equal(rig_last_ask()->rule, 1);
    assert_int_equal(rig_last_ask()->bytes, 10240);
    assert_string_equal(rig_last_ask()->user, "");
    session_rig_send(fd, rig_data, 50000);
    assert_int_equal(rig_arrived(target), 0);
    assert_int_equal(rig.ask_count, 1); /* never a second one */
    while (total < 50000) {
        unsigned before = rig.ask_count;

        rig_grant(rig_last_ask()->handle, rig_last_ask()->bytes);
        size_t n = rig_arrived(target);

        assert_int_equal(n, total < 40960 ? 10240 : 50000 - 40960);
        total += n;
        assert_int_equal(rig.ask_count, before + 1);
    }
    session_rig_send(target, rig_data, 3000); /* what is left, the other way */
    rig_grant(rig_last_ask()->handle, rig_last_ask()->bytes);
    assert_int_equal(rig_arrived(fd), 3000);
    fd_close(&fd);
    fd_close(&target);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    assert_int_equal(c.bytes_up, 50000);
    assert_int_equal(c.bytes_down, 3000);
}

static void
test_spliced(void **state)
{
    uint64_t id;
    int target, fd = rig_relaying(&id, &target);
    size_t want = 0;

    (void)state;
    assert_int_equal(rig_last_ask()->bytes, 1048576);
    session_rig_send(fd, rig_data, RIG_DATA_MOST);
    for (uint32_t n = 90001; n <= 150001; n += 60000) {
        rig_grant(rig_last_ask()->handle, n);
        want += n;
        assert_int_equal(rig_arrived(target), n);
    }
    rig_grant(rig_last_ask()->handle, 1048576);
    assert_int_equal(rig_arrived(target), RIG_DATA_MOST - want);
    fd_close(&fd);
    fd_close(&target);
    assert_int_equal(session_rig_expect(id, EVENT_SESSION_END, "closed").bytes_up, RIG_DATA_MOST);
}

/* It waits for us: that is neither idle nor half closed; and its end of file comes behind its bytes. */
static void
test_waiting_is_not_idle(void **state)
{
    uint64_t id;
    int target, fd = rig_relaying(&id, &target);
    struct mono end = mono_add_us(mono_read(), 2500 * CLOCK_MSEC_US);

    (void)state;
    session_rig_send(fd, rig_data, 15000);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    while (mono_before(mono_read(), end))
        session_rig_turns(1);
    assert_false(session_rig_ended(id));
    rig_grant(rig_last_ask()->handle, 10240);
    assert_int_equal(rig_arrived(target), 10240);
    rig_grant(rig_last_ask()->handle, 10240);
    session_rig_read(target, got, 15000 - 10240);
    session_rig_read_end(target);
    fd_close(&target);
    assert_int_equal(session_rig_expect(id, EVENT_SESSION_END, "closed").bytes_up, 15000);
    fd_close(&fd);
}

static int
logged_in(const char *user, uint64_t *id, int *target)
{
    uint8_t in[2];
    char login[512];
    int fd = session_rig_client(1, id), pool;

    session_rig_send(fd, "\x05\x01\x02\x01\x01u\x01p", 8);
    pool = session_rig_pool_take(login);
    session_rig_pool_answer(pool, AUTH_SUCCESS, user, "");
    session_rig_read(fd, in, 2);
    session_rig_read(fd, in, 2);
    *target = rig_request(fd, 1);
    session_rig_turns(2);
    fd_close(&pool);
    return fd;
}

static void
test_users_are_apart(void **state)
{
    uint64_t id[3];
    int target[3], fd[3];
    uint32_t alice;

    (void)state;
    fd[0] = logged_in("alice", &id[0], &target[0]);
    alice = rig_last_ask()->handle;
    assert_string_equal(rig_last_ask()->user, "alice");
    fd[1] = logged_in("bob", &id[1], &target[1]);
    assert_string_equal(rig_last_ask()->user, "bob");
    assert_int_not_equal(rig_last_ask()->handle, alice);
    fd[2] = rig_relaying(&id[2], &target[2]); /* nobody: the rule has no limit of its own */
    assert_int_equal(rig.ask_count, 2);
    for (int i = 0; i < 3; i++)
        session_rig_send(fd[i], rig_data, 20000);
    assert_int_equal(rig_arrived(target[2]), 20000);
    rig_grant(alice, 10240);
    assert_int_equal(rig_arrived(target[0]), 10240);
    assert_int_equal(rig_arrived(target[1]), 0);
    for (int i = 0; i < 3; i++) {
        fd_close(&fd[i]);
        fd_close(&target[i]);
    }
}

/* What an ended session left over is the next one's; a budget is there once. */
static void
test_remembered(void **state)
{
    uint64_t id;
    int target, fd = rig_relaying(&id, &target);

    (void)state;
    rig_grant(rig_last_ask()->handle, 10240);
    fd_close(&fd);
    fd_close(&target);
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
    fd = rig_relaying(&id, &target);
    assert_int_equal(rig.ask_count, 1);
    session_rig_send(fd, rig_data, 20000);
    assert_int_equal(rig_arrived(target), 10240);
    assert_int_equal(rig.ask_count, 2);
    fd_close(&fd);
    fd_close(&target);
}

static void
test_asked_again(void **state)
{
    uint64_t id;
    int target, fd = rig_relaying(&id, &target);

    (void)state;
    session_rig_send(fd, rig_data, 20000);
    session_rig_turns(5);
    rig_grant(rig_last_ask()->handle, 0); /* about another image */
    RIG_UNTIL(rig.ask_count == 2);
    rig_grant(rig_last_ask()->handle, 10240);
    assert_int_equal(rig_arrived(target), 10240);
    fd_close(&fd);
    fd_close(&target);
}

/* A channel that is full; then no master at all: each budget has its rate for itself. */
static void
test_nobody_hears(void **state)
{
    uint64_t id;
    int target, fd = rig_relaying(&id, &target);
    size_t n = 0;

    (void)state;
    session_rig_send(fd, rig_data, 60000);
    rig.ask_errno = EAGAIN;
    rig_grant(rig_last_ask()->handle, 10240);
    assert_int_equal(rig_arrived(target), 10240);
    assert_int_equal(rig.ask_count, 1);
    rig.ask_errno = 0;
    RIG_UNTIL(rig.ask_count == 2);
    rig.ask_errno = EPIPE;
    budgets_orphaned(&rig.host.budgets);
    struct mono begin = mono_read();

    RIG_UNTIL((n += rig_arrived(target)) >= 60000 - 10240);
    assert_int_equal(n, 60000 - 10240);
    assert_true(mono_diff_us(mono_read(), begin) > 300 * CLOCK_MSEC_US);
    fd_close(&fd);
    fd_close(&target);
}

/* Another image without the limit: nobody waits any more. */
static void
test_limit_is_gone(void **state)
{
    struct rig other;
    uint64_t id;
    int target, fd = rig_relaying(&id, &target);

    (void)state;
    session_rig_send(fd, rig_data, 20000);
    assert_int_equal(rig_arrived(target), 0);
    rig_later(&other, "methods = { \"none\", \"userpass\" }\n"
                      "listen \"127.0.0.1:1080\" { methods = { \"none\" } }\n"
                      "listen \"127.0.0.1:1081\" { methods = { \"userpass\" } }\n"
                      "userpass { file = \"/nonexistent/users\" }\n"
                      "rule \"slow\" { action = \"allow\" destination = { \"127.0.0.1/32\" } }\n");
    session_rig_commit(other.image, 0);
    assert_int_equal(rig_arrived(target), 20000);
    fd_close(&fd);
    fd_close(&target);
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
    session_rig_commit(rig.config.image, 0);
    rig_free(&other);
}

/* A rule that is gone has no number to ask by. */
static void
test_nothing_is_asked_about_a_rule_that_is_gone(void **state)
{
    struct budgets *set = &rig.host.budgets;
    int (*ask)(struct session_host *host, const struct ipc_budget_ask *ask) = set->ask;
    struct rig other;
    uint64_t id;
    int target, fd = rig_relaying(&id, &target);

    (void)state;
    assert_int_equal(rig.ask_count, 1); /* not answered */
    rig_later(&other, "methods = { \"none\", \"userpass\" }\n"
                      "listen \"127.0.0.1:1080\" { methods = { \"none\" } }\n"
                      "listen \"127.0.0.1:1081\" { methods = { \"userpass\" } }\n"
                      "userpass { file = \"/nonexistent/users\" }\n"
                      "rule \"other\" { action = \"allow\" destination = { \"127.0.0.1/32\" } }\n");
    session_rig_commit(other.image, 0);
    fd_close(&fd);
    fd_close(&target);
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
    budgets_close(set);
    assert_int_equal(rig.ask_count, 1);
    budgets_open(set, &rig.host, ask);
    session_rig_commit(rig.config.image, 0);
    rig_free(&other);
}

#define CASE(test, setup) cmocka_unit_test_setup_teardown(test, setup, session_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_no_more_than_granted, budget_rig_setup),
        CASE(test_spliced, setup_fast),
        CASE(test_waiting_is_not_idle, setup_short),
        CASE(test_users_are_apart, setup_users),
        CASE(test_remembered, budget_rig_setup),
        CASE(test_asked_again, budget_rig_setup),
        CASE(test_nobody_hears, budget_rig_setup),
        CASE(test_limit_is_gone, budget_rig_setup),
        CASE(test_nothing_is_asked_about_a_rule_that_is_gone, budget_rig_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
