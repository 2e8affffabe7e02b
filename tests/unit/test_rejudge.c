/* SPDX-License-Identifier: ISC */
/*
 * src/session/rejudge.c, session_adopt.c, session_listener.c, session_kill.c: an image that comes into force
 * under live sessions. The rig's teardown checks that each has one closing record and gave everything back.
 */
#include "tests/unit/session_bind_tools.h"

#include "lib/base/fd.h"
#include "src/session/session_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define HEAD \
    "methods = { \"none\", \"userpass\" }\n" \
    "listen \"127.0.0.1:1080\" { methods = { \"none\" } }\n" \
    "userpass { file = \"/nonexistent/users\" }\n"
#define BOTH HEAD "listen \"127.0.0.1:1081\" { methods = { \"userpass\" } }\n"
#define HERE "rule \"still\" { action = \"allow\" destination = { \"127.0.0.1/32\" } }\n"
#define NAMES "rule \"names\" { action = \"allow\" destination = { \"*.test\" } }\n"

static struct rig next; /* the image in force after change() */
static bool changed;
static struct {
    unsigned count;
    uint64_t generation;
    uint32_t ended;
} told;

static void
rejudged(struct session_host *host, uint64_t generation, uint32_t ended)
{
    (void)host;
    told.count++;
    told.generation = generation;
    told.ended = ended;
}

/* This configuration comes into force, its listeners with numbers from `first` on. */
static void
change(const char *config, uint16_t first)
{
    struct rig before = next;
    struct rig *r = &next;

    rig_later(r, config);
    session_rig_commit(r->image, first);
    if (changed)
        rig_free(&before);
    changed = true;
    rig.host.rejudged = rejudged;
    session_rejudge(&rig.host, 7, false);
}

static void
change_done(const char *config, uint16_t first)
{
    unsigned before = told.count;

    change(config, first);
    RIG_UNTIL(told.count > before);
    assert_int_equal(told.generation, 7);
}

/* ---- sessions ---- */

static void
read_reply(int fd, uint8_t reply)
{
    uint8_t got[10];

    session_rig_read(fd, got, sizeof got);
    assert_int_equal(got[1], reply);
}

static void
say_hello(int fd, const char *hello, uint8_t method)
{
    uint8_t got[2];

    session_rig_send(fd, hello, 3);
    session_rig_read(fd, got, 2);
    assert_int_equal(got[1], method);
}

static void
ask_here(int fd)
{
    uint8_t request[] = { 5, 1, 0, 1, 127, 0, 0, 1, (uint8_t)(rig.port >> 8), (uint8_t)rig.port };

    session_rig_send(fd, request, sizeof request);
}

static int
by_address(uint64_t *id, int *target)
{
    int fd = session_rig_client(0, id);

    say_hello(fd, "\x05\x01\x00", 0);
    ask_here(fd);
    *target = session_rig_accept();
    read_reply(fd, 0);
    return fd;
}

static int
by_name(uint64_t *id, int *target)
{
    uint8_t request[5 + 9 + 2] = "\x05\x01\x00\x03\x09here.test";
    int fd = session_rig_client(0, id);

    say_hello(fd, "\x05\x01\x00", 0);
    request[14] = (uint8_t)(rig.port >> 8);
    request[15] = (uint8_t)rig.port;
    session_rig_send(fd, request, sizeof request);
    *target = session_rig_accept();
    read_reply(fd, 0);
    return fd;
}

/* Logged in as alice, who is in these groups. */
static int
by_user(uint64_t *id, int *target, const void *groups, size_t len)
{
    struct conversation_result result = { .outcome = AUTH_SUCCESS, .user = "alice", .reason = "",
        .mechanism = "", .enctype = "", .account = "", .groups = groups, .groups_len = len };
    int fd = session_rig_client(1, id), pool;
    char login[512];
    uint8_t got[4];

    session_rig_send(fd, "\x05\x01\x02\x01\x05" "alice" "\x06" "secret", 3 + 14);
    pool = session_rig_pool_take(login);
    session_rig_pool_result(pool, &result);
    fd_close(&pool);
    session_rig_read(fd, got, 4);
    assert_int_equal(got[3], 0);
    if (target == NULL)
        return fd;
    ask_here(fd);
    *target = session_rig_accept();
    read_reply(fd, 0);
    return fd;
}

static void
works(int fd, int target)
{
    char got[4];

    session_rig_send(fd, "ping", 4);
    session_rig_read(target, got, 4);
    session_rig_send(target, "pong", 4);
    session_rig_read(fd, got, 4);
}

static struct session *
session_of(uint64_t id)
{
    struct session *s = rig.host.first;

    while (s != NULL && s->id != id)
        s = s->next;
    assert_non_null(s);
    return s;
}

static void
close_all(int count, const int *fds)
{
    for (int i = 0; i < count; i++) {
        int fd = fds[i];

        fd_close(&fd);
    }
}

/* ---- which end and which live ---- */

static void
test_exactly_those(void **state)
{
    uint64_t a, n;
    int at, nt, afd = by_address(&a, &at), nfd = by_name(&n, &nt);

    (void)state;
    change_done(BOTH "rule \"closed\" { action = \"deny\" destination = { \"here.test\" } }\n" HERE, 0);
    assert_int_equal(told.ended, 1);
    struct session_closing c = session_rig_expect(n, EVENT_SESSION_END, "policy");

    assert_string_equal(c.detail, "rule");
    assert_string_equal(c.rule, "closed");
    assert_int_equal(c.starts, 1);
    session_rig_read_end(nfd);
    session_rig_read_end(nt);
    works(afd, at);
    assert_false(session_rig_ended(a));
    change_done(BOTH NAMES, 0);
    assert_int_equal(told.ended, 1);
    c = session_rig_expect(a, EVENT_SESSION_END, "policy");
    assert_string_equal(c.detail, "no-rule");
    assert_string_equal(c.rule, "");
    close_all(4, (int[]) { afd, at, nfd, nt });
}

/* The rule shown is the one that allows it now. */
static void
test_title(void **state)
{
    uint64_t id;
    int target, fd = by_address(&id, &target);

    (void)state;
    assert_string_equal(session_of(id)->slot->rule, "here");
    change_done(BOTH HERE, 0);
    assert_int_equal(told.ended, 0);
    assert_string_equal(session_of(id)->slot->rule, "still");
    works(fd, target);
    close_all(2, (int[]) { fd, target });
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    assert_string_equal(c.rule, "still");
}

/* A prefix that opened the loopback is a wider one now. */
static void
test_special(void **state)
{
    uint64_t id;
    int target, fd = by_address(&id, &target);

    (void)state;
    change_done(BOTH "rule \"all\" { action = \"allow\" destination = { \"0.0.0.0/0\" } }\n", 0);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "policy");

    assert_string_equal(c.detail, "loopback");
    close_all(2, (int[]) { fd, target });
}

static void
test_groups(void **state)
{
    static const char of_a[] = "staff\0wheel", of_b[] = "guests";
    uint64_t a, b, none;
    int at, bt, nt, afd = by_user(&a, &at, of_a, sizeof of_a), bfd = by_user(&b, &bt, of_b, sizeof of_b);
    int nfd = by_user(&none, &nt, NULL, 0);

    (void)state;
    assert_int_equal(rig.host.groups.count, 2);
    change_done(BOTH "rule \"g\" { action = \"allow\" group = { \"staff\" } destination = { \"127.0.0.1/32\" } }\n", 0);
    (void)session_rig_expect(b, EVENT_SESSION_END, "policy");
    (void)session_rig_expect(none, EVENT_SESSION_END, "policy");
    works(afd, at);
    assert_int_equal(rig.host.groups.count, 1);
    change_done(BOTH "rule \"g\" { action = \"deny\" group = { \"wheel\" } }\n" HERE, 0);
    (void)session_rig_expect(a, EVENT_SESSION_END, "policy");
    assert_int_equal(rig.host.groups.count, 0);
    close_all(6, (int[]) { afd, at, bfd, bt, nfd, nt });
}

static void
test_groups_refused(void **state)
{
    static char bad[] = { 's', 't', 'a', 'f', 'f' };
    struct conversation_result result = { .outcome = AUTH_SUCCESS, .user = "alice", .reason = "",
        .mechanism = "", .enctype = "", .account = "", .groups = (uint8_t *)bad, .groups_len = sizeof bad };
    static uint8_t packet[CONVERSATION_MAX];
    char login[512];
    uint8_t got[4];
    uint64_t id;
    int fd = session_rig_client(1, &id), pool;

    (void)state;
    session_rig_send(fd, "\x05\x01\x02\x01\x05" "alice" "\x06" "secret", 3 + 14);
    pool = session_rig_pool_take(login);
    size_t len = conversation_result_encode(&result, packet, sizeof packet);

    if (len > 0)
        assert_int_equal(conversation_send(pool, packet, len), 0);
    else
        fd_close(&pool);
    session_rig_read(fd, got, 4);
    assert_int_not_equal(got[3], 0);
    session_rig_read_end(fd);
    fd_close(&fd);
    fd_close(&pool);
    (void)session_rig_expect(id, EVENT_AUTH_FAILURE, "auth-lost");
}

/* ---- before the relay ---- */

static void
test_in_the_midst(void **state)
{
    uint64_t hello, login, late;
    int target, hfd = session_rig_client(0, &hello), lfd = by_user(&login, NULL, NULL, 0);
    int late_fd = session_rig_client(0, &late);

    (void)state;
    say_hello(hfd, "\x05\x01\x00", 0);
    change_done(BOTH "rule \"u\" { action = \"allow\" user = { \"alice\" } destination = { \"127.0.0.1/32\" } }\n", 0);
    assert_int_equal(told.ended, 0);
    ask_here(hfd);
    read_reply(hfd, 2);
    fd_close(&hfd);
    struct session_closing c = session_rig_expect(hello, EVENT_REQUEST_DENIED, "no-rule");

    assert_int_equal(c.starts, 0);
    ask_here(lfd);
    target = session_rig_accept();
    read_reply(lfd, 0);
    works(lfd, target);
    assert_string_equal(session_of(login)->slot->rule, "u");
    close_all(2, (int[]) { lfd, target });
    /* No rule for its method any more. */
    say_hello(late_fd, "\x05\x01\x00", 0xff);
    fd_close(&late_fd);
    (void)session_rig_expect(late, EVENT_PROTOCOL_ERROR, "no-acceptable-method");
}

/* While its connection is on the way; nobody answers there. */
static void
test_connecting(void **state)
{
    uint8_t request[] = { 5, 1, 0, 1, 192, 0, 2, 1, 0, 9 };
    uint64_t id;
    int fd;

    (void)state;
    change_done(BOTH "rule \"far\" { action = \"allow\" destination = { \"192.0.2.0/24\" } }\n", 0);
    fd = session_rig_client(0, &id);
    say_hello(fd, "\x05\x01\x00", 0);
    session_rig_send(fd, request, sizeof request);
    session_rig_turns(2);
    if (!session_rig_ended(id) && session_of(id)->phase == SESSION_CONNECT) {
        change_done(BOTH HERE, 0);
        read_reply(fd, 2);
        fd_close(&fd);
        struct session_closing c = session_rig_expect(id, EVENT_REQUEST_DENIED, "no-rule");

        assert_string_equal(c.rule, "");
    }
    fd_close(&fd); /* a machine without a route there has answered at once */
    RIG_UNTIL(session_rig_ended(id));
}

/* It waits for anybody; its first reply is out. */
static void
test_bind_for_anybody(void **state)
{
    uint64_t id;
    int fd;

    (void)state;
    change_done(BOTH "rule \"any\" { action = \"allow\" command = { \"bind\" } bind-any = true }\n", 0);
    fd = session_rig_client(0, &id);
    say_hello(fd, "\x05\x01\x00", 0);
    session_rig_send(fd, "\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00", 10);
    read_reply(fd, 0);
    assert_int_equal(session_of(id)->phase, SESSION_BIND);
    change_done(BOTH "rule \"no\" { action = \"deny\" command = { \"bind\" } }\n" HERE, 0);
    assert_int_equal(told.ended, 1);
    read_reply(fd, 2);
    fd_close(&fd);
    struct session_closing c = session_rig_expect(id, EVENT_REQUEST_DENIED, "policy");

    assert_string_equal(c.rule, "no");
}

/* ---- listeners ---- */

/* The listener is gone; what began there goes on under what it said. */
static void
test_listener_removed(void **state)
{
    uint64_t relays, asks;
    int target, fd = by_address(&relays, &target), afd = session_rig_client(1, &asks);

    (void)state;
    say_hello(afd, "\x05\x01\x02", 2);
    change_done(HEAD HERE, 5);
    works(fd, target);
    assert_string_equal(session_of(relays)->listener->name, "127.0.0.1:1080");
    session_rig_send(afd, "\x01\x05" "alice" "\x06" "secret", 14);
    char login[512];
    uint8_t got[2];

    int pool = session_rig_pool_take(login);

    session_rig_pool_answer(pool, AUTH_SUCCESS, "alice", "");
    fd_close(&pool);
    session_rig_read(afd, got, 2);
    assert_int_equal(got[1], 0);
    close_all(3, (int[]) { fd, target, afd });
    (void)session_rig_expect(relays, EVENT_SESSION_END, "closed");
    (void)session_rig_expect(asks, EVENT_PROTOCOL_ERROR, "client-gone");
}

static void
test_numbers(void **state)
{
    static const uint16_t twice[] = { 3, 3 }, large[] = { 0, SESSION_LISTENERS_MAX }, good[] = { 9, 4 };
    char error[256];
    struct session_adoption *a;
    const struct image *image = rig.host.image;

    (void)state;
    assert_null(session_prepare(&rig.host, image, twice, 2, error, sizeof error));
    assert_null(session_prepare(&rig.host, image, large, 2, error, sizeof error));
    assert_string_equal(error, "listener number 4096 is no number or another's");
    assert_null(session_prepare(&rig.host, image, good, 1, error, sizeof error));
    a = session_prepare(&rig.host, image, good, 2, error, sizeof error);
    assert_non_null(a);
    session_abandon(&rig.host, &a);
    assert_null(a);
    assert_null(rig.host.listeners[9]);
    a = session_prepare(&rig.host, image, good, 2, error, sizeof error);
    session_commit(&rig.host, &a);
    assert_string_equal(rig.host.listeners[9]->name, "127.0.0.1:1080");
    assert_string_equal(rig.host.listeners[4]->name, "127.0.0.1:1081");
    assert_int_equal(rig.host.listeners[0]->references, 1); /* of an earlier image: its sessions may come late */
}

/* ---- time ---- */

#define DAYS "\"Sun-Sat 00:00-24:00\""

static void
test_windows(void **state)
{
    uint64_t id;
    int target, fd;

    (void)state;
    change_done(BOTH "rule \"never\" { action = \"allow\" time = { " DAYS " } destination = { \"127.0.0.1/32\" } }\n", 0);
    fd = by_address(&id, &target);
    assert_false(session_rejudge_time(&rig.host, 1000000000, 2000000000)); /* always open */
    session_rejudge_clock(&rig.host);
    session_rig_turns(2);
    works(fd, target);
    close_all(2, (int[]) { fd, target });
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
    assert_int_equal(told.count, 1); /* the master is told of images alone */
}

/* A window that closed: another image stands for another hour. */
static void
test_hour(void **state)
{
    uint64_t id;
    int target, fd = by_address(&id, &target);
    struct rig other;

    (void)state;
    rig_later(&other, BOTH "rule \"gone\" { action = \"deny\" time = { " DAYS " } }\n" HERE);
    session_rig_commit(other.image, 0);
    session_rejudge_clock(&rig.host);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "policy");

    assert_string_equal(c.detail, "time");
    assert_string_equal(c.rule, "gone");
    close_all(2, (int[]) { fd, target });
    session_rig_commit(rig.config.image, 0);
    rig_free(&other);
}

/* ---- kill ---- */

static void
test_kill(void **state)
{
    uint64_t a, b, c, ids[3];
    int at, bt, afd = by_address(&a, &at), bfd = by_address(&b, &bt), cfd = session_rig_client(0, &c);

    (void)state;
    ids[0] = c;
    ids[1] = 99999; /* nobody's */
    ids[2] = a;
    session_kill(&rig.host, ids, 2);
    session_kill(&rig.host, ids + 2, 1);
    (void)session_rig_expect(a, EVENT_SESSION_END, "killed");
    session_rig_read_end(afd);
    session_rig_read_end(cfd);
    fd_close(&cfd);
    (void)session_rig_expect(c, EVENT_REQUEST_FAILED, "killed");
    works(bfd, bt);
    session_kill(&rig.host, &b, 1);
    session_kill(&rig.host, ids, 1); /* gone already */
    (void)session_rig_expect(b, EVENT_SESSION_END, "killed");
    session_kill(&rig.host, ids, 0);
    session_rig_turns(2);
    assert_null(rig.host.kill.ids);
    close_all(4, (int[]) { afd, at, bfd, bt });
}

/* ---- */

static int
setup(void **state)
{
    changed = false;
    memset(&told, 0, sizeof told);
    return session_rig_setup(state);
}

static int
teardown(void **state)
{
    int r = session_rig_teardown(state);

    if (changed)
        rig_free(&next);
    return r;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_exactly_those),
        TEST(test_title),
        TEST(test_special),
        TEST(test_groups),
        TEST(test_groups_refused),
        TEST(test_in_the_midst),
        TEST(test_connecting),
        TEST(test_bind_for_anybody),
        TEST(test_listener_removed),
        TEST(test_numbers),
        TEST(test_windows),
        TEST(test_hour),
        TEST(test_kill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
