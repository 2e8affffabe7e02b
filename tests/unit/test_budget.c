/* SPDX-License-Identifier: ISC */
/*
 * src/session/budget.c and budget_session.c: whole sessions whose rule limits them, the test being the
 * master that grants. What is counted is what the destination really got.
 */
#include "src/session/session_private.h"
#include "tests/unit/session_rig.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 400000U
static uint8_t data[MOST], got[MOST];

static int
begin(const char *timeouts, const char *limits)
{
    static char text[2048];

    assert_true(snprintf(text, sizeof text,
                    "methods = { \"none\", \"userpass\" }\n"
                    "listen \"127.0.0.1:1080\" { methods = { \"none\" } }\n"
                    "listen \"127.0.0.1:1081\" { methods = { \"userpass\" } }\n"
                    "userpass { file = \"/nonexistent/users\" }\ntimeouts { %s }\n"
                    "rule \"free\" { action = \"allow\" destination = { \"127.0.0.2/32\" } }\n"
                    "rule \"slow\" { action = \"allow\" destination = { \"127.0.0.1/32\" } %s }\n",
                    timeouts, limits) < (int)sizeof text);
    session_rig_begin(text);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    return 0;
}

static int
setup(void **state)
{
    (void)state;
    return begin("negotiate = 30", "bandwidth = \"80k\""); /* 10240 bytes an ask */
}

static int
setup_short(void **state)
{
    (void)state;
    return begin("idle = 1 half-closed = 1", "bandwidth = \"80k\"");
}

static int
setup_fast(void **state)
{
    (void)state;
    return begin("negotiate = 30", "bandwidth = \"8m\""); /* 1 MiB an ask */
}

static int
setup_users(void **state)
{
    (void)state;
    return begin("negotiate = 30", "user-bandwidth = \"80k\"");
}

/* From the request on. */
static int
request(int fd, uint8_t last)
{
    uint8_t out[10] = { 5, 1, 0, 1, 127, 0, 0, last, (uint8_t)(rig.port >> 8), (uint8_t)rig.port };
    uint8_t in[10];

    session_rig_send(fd, out, sizeof out);
    if (last != 1)
        return -1;
    int target = session_rig_accept();

    session_rig_read(fd, in, sizeof in);
    assert_int_equal(in[1], 0);
    return target;
}

static int
relaying(uint64_t *id, int *target)
{
    uint8_t in[2];
    int fd = session_rig_client(0, id);

    session_rig_send(fd, "\x05\x01\x00", 3);
    session_rig_read(fd, in, 2);
    *target = request(fd, 1);
    session_rig_turns(2);
    return fd;
}

static void
grant(uint32_t handle, uint32_t bytes)
{
    struct ipc_budget_grant g = { handle, bytes };

    budgets_grant(&rig.host.budgets, &g, 1);
}

/* How much has come to fd, after some turns. */
static size_t
arrived(int fd)
{
    size_t n = 0;
    ssize_t r;

    for (int quiet = 0; quiet < 20; quiet++) {
        session_rig_turns(2);
        while ((r = recv(fd, got, sizeof got, MSG_DONTWAIT)) > 0) {
            n += (size_t)r;
            quiet = 0;
        }
    }
    return n;
}

static const struct ipc_budget_ask *
last_ask(void)
{
    assert_true(rig.ask_count > 0);
    return &rig.asks[(rig.ask_count - 1) % RIG_ASKS_MAX];
}

static void
test_no_more_than_granted(void **state)
{
    uint64_t id;
    int target, fd = relaying(&id, &target);
    size_t total = 0;

    (void)state;
    assert_int_equal(rig.ask_count, 1);
    assert_int_equal(last_ask()->rule, 1);
    assert_int_equal(last_ask()->bytes, 10240);
    assert_string_equal(last_ask()->user, "");
    session_rig_send(fd, data, 50000);
    assert_int_equal(arrived(target), 0);
    assert_int_equal(rig.ask_count, 1); /* never a second one */
    while (total < 50000) {
        unsigned before = rig.ask_count;

        grant(last_ask()->handle, last_ask()->bytes);
        size_t n = arrived(target);

        assert_int_equal(n, total < 40960 ? 10240 : 50000 - 40960);
        total += n;
        assert_int_equal(rig.ask_count, before + 1);
    }
    session_rig_send(target, data, 3000); /* what is left, the other way */
    grant(last_ask()->handle, last_ask()->bytes);
    assert_int_equal(arrived(fd), 3000);
    fd_close(&fd);
    fd_close(&target);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    assert_int_equal(c.bytes_up, 50000);
    assert_int_equal(c.bytes_down, 3000);
}

/* One that has much to move leaves as much to the others. */
static void
test_same_share(void **state)
{
    uint64_t id[2];
    int target[2], fd[2] = { relaying(&id[0], &target[0]), relaying(&id[1], &target[1]) };

    (void)state;
    assert_int_equal(rig.ask_count, 1); /* one budget */
    session_rig_send(fd[0], data, 100000);
    session_rig_turns(5);
    session_rig_send(fd[1], data, 100000);
    for (int i = 0; i < 5; i++) {
        grant(last_ask()->handle, 10240);
        assert_int_equal(arrived(target[0]), 5120);
        assert_int_equal(arrived(target[1]), 5120);
    }
    for (int i = 0; i < 2; i++) { /* they end as they stand */
        fd_close(&fd[i]);
        fd_close(&target[i]);
    }
}

/* Both directions of one session, too. */
static void
test_both_ways(void **state)
{
    uint64_t id;
    int target, fd = relaying(&id, &target);

    (void)state;
    session_rig_send(fd, data, 60000);
    session_rig_send(target, data, 60000);
    session_rig_turns(5);
    grant(last_ask()->handle, 10240);
    size_t up = arrived(target), down = arrived(fd);

    assert_int_equal(up + down, 10240);
    assert_in_range(up, 4096, 6144);
    fd_close(&fd);
    fd_close(&target);
}

static void
test_spliced(void **state)
{
    uint64_t id;
    int target, fd = relaying(&id, &target);
    size_t want = 0;

    (void)state;
    assert_int_equal(last_ask()->bytes, 1048576);
    session_rig_send(fd, data, MOST);
    for (uint32_t n = 90001; n <= 150001; n += 60000) {
        grant(last_ask()->handle, n);
        want += n;
        assert_int_equal(arrived(target), n);
    }
    grant(last_ask()->handle, 1048576);
    assert_int_equal(arrived(target), MOST - want);
    fd_close(&fd);
    fd_close(&target);
    assert_int_equal(session_rig_expect(id, EVENT_SESSION_END, "closed").bytes_up, MOST);
}

/* It waits for us: that is neither idle nor half closed; and its end of file comes behind its bytes. */
static void
test_waiting_is_not_idle(void **state)
{
    uint64_t id;
    int target, fd = relaying(&id, &target);
    struct mono end = mono_add_us(mono_read(), 2500 * CLOCK_MSEC_US);

    (void)state;
    session_rig_send(fd, data, 15000);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    while (mono_before(mono_read(), end))
        session_rig_turns(1);
    assert_false(session_rig_ended(id));
    grant(last_ask()->handle, 10240);
    assert_int_equal(arrived(target), 10240);
    grant(last_ask()->handle, 10240);
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
    *target = request(fd, 1);
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
    alice = last_ask()->handle;
    assert_string_equal(last_ask()->user, "alice");
    fd[1] = logged_in("bob", &id[1], &target[1]);
    assert_string_equal(last_ask()->user, "bob");
    assert_int_not_equal(last_ask()->handle, alice);
    fd[2] = relaying(&id[2], &target[2]); /* nobody: the rule has no limit of its own */
    assert_int_equal(rig.ask_count, 2);
    for (int i = 0; i < 3; i++)
        session_rig_send(fd[i], data, 20000);
    assert_int_equal(arrived(target[2]), 20000);
    grant(alice, 10240);
    assert_int_equal(arrived(target[0]), 10240);
    assert_int_equal(arrived(target[1]), 0);
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
    int target, fd = relaying(&id, &target);

    (void)state;
    grant(last_ask()->handle, 10240);
    fd_close(&fd);
    fd_close(&target);
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
    fd = relaying(&id, &target);
    assert_int_equal(rig.ask_count, 1);
    session_rig_send(fd, data, 20000);
    assert_int_equal(arrived(target), 10240);
    assert_int_equal(rig.ask_count, 2);
    fd_close(&fd);
    fd_close(&target);
}

static void
test_asked_again(void **state)
{
    uint64_t id;
    int target, fd = relaying(&id, &target);

    (void)state;
    session_rig_send(fd, data, 20000);
    session_rig_turns(5);
    grant(last_ask()->handle, 0); /* about another image */
    RIG_UNTIL(rig.ask_count == 2);
    grant(last_ask()->handle, 10240);
    assert_int_equal(arrived(target), 10240);
    fd_close(&fd);
    fd_close(&target);
}

/* A channel that is full; then no master at all: each budget has its rate for itself. */
static void
test_nobody_hears(void **state)
{
    uint64_t id;
    int target, fd = relaying(&id, &target);
    size_t n = 0;

    (void)state;
    session_rig_send(fd, data, 60000);
    rig.ask_errno = EAGAIN;
    grant(last_ask()->handle, 10240);
    assert_int_equal(arrived(target), 10240);
    assert_int_equal(rig.ask_count, 1);
    rig.ask_errno = 0;
    RIG_UNTIL(rig.ask_count == 2);
    rig.ask_errno = EPIPE;
    budgets_orphaned(&rig.host.budgets);
    struct mono begin = mono_read();

    RIG_UNTIL((n += arrived(target)) >= 60000 - 10240);
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
    int target, fd = relaying(&id, &target);

    (void)state;
    session_rig_send(fd, data, 20000);
    assert_int_equal(arrived(target), 0);
    rig_later(&other, "methods = { \"none\", \"userpass\" }\n"
                      "listen \"127.0.0.1:1080\" { methods = { \"none\" } }\n"
                      "listen \"127.0.0.1:1081\" { methods = { \"userpass\" } }\n"
                      "userpass { file = \"/nonexistent/users\" }\n"
                      "rule \"slow\" { action = \"allow\" destination = { \"127.0.0.1/32\" } }\n");
    session_rig_commit(other.image, 0);
    assert_int_equal(arrived(target), 20000);
    fd_close(&fd);
    fd_close(&target);
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
    session_rig_commit(rig.config.image, 0);
    rig_free(&other);
}

/* Who ends while it waits is in nobody's line any more. */
static void
test_the_end_of_one_that_waits(void **state)
{
    uint64_t id[3];
    int fd[3], target[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        fd[i] = relaying(&id[i], &target[i]);
        session_rig_send(fd[i], data, 5000);
    }
    session_rig_turns(5);
    const struct budget *b = idmap_get(&rig.host.budgets.by_handle, last_ask()->handle);

    assert_non_null(b);
    assert_int_equal(b->waiting, 3);
    for (int i = 0; i < 3; i += 2) {
        const struct linger reset = { .l_onoff = 1 };

        assert_int_equal(setsockopt(fd[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
        fd_close(&fd[i]);
        (void)session_rig_expect(id[i], EVENT_SESSION_END, "client-reset");
    }
    assert_int_equal(b->waiting, 1);
    grant(b->handle, 10240);
    assert_int_equal(arrived(target[1]), 5000);
    assert_int_equal(b->waiting, 0);
    fd_close(&fd[1]);
    for (int i = 0; i < 3; i++)
        fd_close(&target[i]);
    (void)session_rig_expect(id[1], EVENT_SESSION_END, "closed");
}

static const struct session *
session_of(uint64_t id)
{
    const struct session *s = rig.host.first;

    while (s != NULL && s->id != id)
        s = s->next;
    assert_non_null(s);
    return s;
}

/* Between a grant and the turn of those who waited for it nobody else takes any of it. */
static void
test_those_in_line_come_first(void **state)
{
    uint64_t id[2];
    int target[2], fd[2] = { relaying(&id[0], &target[0]), relaying(&id[1], &target[1]) };
    const struct session *newcomer = session_of(id[1]);

    (void)state;
    session_rig_send(fd[0], data, 5000);
    session_rig_turns(5);
    grant(last_ask()->handle, 10240);
    assert_int_equal(budget_allowance(newcomer), 0);
    assert_int_equal(arrived(target[0]), 5000);
    assert_int_equal(budget_allowance(newcomer), 5240);
    for (int i = 0; i < 2; i++) {
        fd_close(&fd[i]);
        fd_close(&target[i]);
    }
}

/* Each session has one, and for a moment who serves the line; in the end nobody. */
static void
test_references(void **state)
{
    struct budgets *set = &rig.host.budgets;
    uint64_t id[2];
    int target[2], fd[2] = { relaying(&id[0], &target[0]), relaying(&id[1], &target[1]) };
    const struct budget *b = idmap_get(&set->by_handle, last_ask()->handle);

    (void)state;
    assert_int_equal(b->references, 2);
    for (int i = 0; i < 5; i++) {
        session_rig_send(fd[0], data, 20000);
        session_rig_turns(5);
        grant(b->handle, 10240);
        assert_int_equal(b->references, 3);
        assert_int_equal(arrived(target[0]), 10240);
        assert_int_equal(b->references, 2);
    }
    session_rig_turns(5);
    grant(b->handle, 10240);
    for (int i = 0; i < 2; i++) { /* before it is served */
        budget_release((struct session *)session_of(id[i]));
        assert_int_equal(set->idle_count, 0);
    }
    assert_int_equal(b->references, 1);
    session_rig_turns(2);
    assert_int_equal(b->references, 0);
    assert_int_equal(set->idle_count, 1);
    for (int i = 0; i < 2; i++) {
        fd_close(&fd[i]);
        fd_close(&target[i]);
    }
}

/* A rule that is gone has no number to ask by. */
static void
test_nothing_is_asked_about_a_rule_that_is_gone(void **state)
{
    struct budgets *set = &rig.host.budgets;
    int (*ask)(struct session_host *host, const struct ipc_budget_ask *ask) = set->ask;
    struct rig other;
    uint64_t id;
    int target, fd = relaying(&id, &target);

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_more_than_granted, setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_same_share, setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_both_ways, setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_spliced, setup_fast, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_waiting_is_not_idle, setup_short, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_users_are_apart, setup_users, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_remembered, setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_asked_again, setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_nobody_hears, setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_limit_is_gone, setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_the_end_of_one_that_waits, setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_those_in_line_come_first, setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_references, setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_nothing_is_asked_about_a_rule_that_is_gone, setup,
            session_rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
