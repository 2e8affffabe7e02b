/* SPDX-License-Identifier: ISC */
/*
 * SOCKS 4 sessions whose client's host is asked about its user: a real identd on loopback, at a port of
 * the test's. Three listeners: ident, ident and none, ident where no rule accepts it.
 */
#include "tests/unit/session_rig.h"

#include "lib/base/fd.h"
#include "lib/socks/socks4.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { VOUCHED, EITHER };

static struct {
    int listener;
    int fd; /* the question's connection */
    char ports[64];
} identd;

static int
setup_with(const char *rules)
{
    static char text[2048];
    struct sockaddr_in sin = { .sin_family = AF_INET };
    socklen_t len = sizeof sin;

    assert_true(snprintf(text, sizeof text,
                    "methods = { \"none\", \"ident\" }\n"
                    "listen \"127.0.0.1:1080\" { methods = { \"ident\" } }\n"
                    "listen \"127.0.0.1:1081\" { methods = { \"none\", \"ident\" } }\n"
                    "socks4 { ident-timeout = 1 }\n%s",
                    rules) < (int)sizeof text);
    session_rig_begin(text);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    identd.fd = -1;
    identd.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(identd.listener, (struct sockaddr *)&sin, sizeof sin), 0);
    assert_int_equal(listen(identd.listener, 4), 0);
    assert_int_equal(getsockname(identd.listener, (struct sockaddr *)&sin, &len), 0);
    rig.host.ident_port = ntohs(sin.sin_port);
    return 0;
}

static int
setup(void **state)
{
    (void)state;
    return setup_with("rule \"vouched\" { action = \"allow\" method = { \"ident\" }"
                      " destination = { \"127.0.0.1/32\" } }\n"
                      "rule \"anyone\" { action = \"allow\" method = { \"none\" }"
                      " destination = { \"127.0.0.1/32\" } }\n");
}

static int
setup_unasked(void **state)
{
    (void)state;
    return setup_with("rule \"anyone\" { action = \"allow\" method = { \"none\" }"
                      " destination = { \"127.0.0.1/32\" } }\n");
}

static int
teardown(void **state)
{
    fd_close(&identd.fd);
    fd_close(&identd.listener);
    return session_rig_teardown(state);
}

/* A client's request, payload behind it. */
static int
request(uint16_t listener, const char *user, uint64_t *id)
{
    static const uint8_t ip[4] = { 127, 0, 0, 1 };
    struct addr here = addr_ipv4(ip, rig.port);
    uint8_t out[SOCKS4_REQUEST_MAX + 7];
    size_t len = socks4_request_encode(SOCKS_CONNECT, &here, NULL, user, out);
    int fd = session_rig_client(listener, id);

    memcpy(out + len, "payload", 7);
    session_rig_send(fd, out, len + 7);
    return fd;
}

/* The question arrives: its ports, without the end of line. */
static void
take_question(int client)
{
    struct sockaddr_in sin;
    socklen_t len = sizeof sin;
    char wanted[64];
    size_t at = 0;

    RIG_UNTIL((identd.fd = accept4(identd.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0);
    RIG_UNTIL(at > 2 && identd.ports[at - 1] == '\n') {
        ssize_t n = recv(identd.fd, identd.ports + at, sizeof identd.ports - 1 - at, 0);

        at += n > 0 ? (size_t)n : 0;
    }
    identd.ports[at - 2] = '\0';
    assert_int_equal(getpeername(client, (struct sockaddr *)&sin, &len), 0);
    (void)snprintf(wanted, sizeof wanted, "4711,%u", ntohs(sin.sin_port)); /* the rig's client port */
    assert_string_equal(identd.ports, wanted);
}

static void
answer(const char *rest)
{
    char line[128];
    int n = snprintf(line, sizeof line, "%s %s\r\n", identd.ports, rest);

    assert_int_equal(send(identd.fd, line, (size_t)n, MSG_NOSIGNAL), n);
}

static void
read_reply(int fd, uint8_t reply)
{
    uint8_t got[SOCKS4_REPLY_SIZE];

    session_rig_read(fd, got, sizeof got);
    assert_int_equal(got[0], 0);
    assert_int_equal(got[1], reply);
}

static struct session_closing
served(int fd, uint64_t id)
{
    char got[7];
    int target = session_rig_accept();

    session_rig_read(target, got, sizeof got);
    assert_memory_equal(got, "payload", 7);
    read_reply(fd, SOCKS4_GRANTED);
    fd_close(&fd);
    fd_close(&target);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    assert_string_equal(c.user, "");
    assert_string_equal(c.claimed, "fred");
    return c;
}

static void
refused(int fd, uint64_t id, uint8_t reply, const char *reason, const char *detail)
{
    read_reply(fd, reply);
    session_rig_read_end(fd);
    fd_close(&fd);
    struct session_closing c = session_rig_expect(id, EVENT_AUTH_FAILURE, reason);

    assert_string_equal(c.detail, detail);
    assert_string_equal(c.method, "ident");
    assert_string_equal(c.user, "");
    assert_int_equal(c.reply, reply);
}

static void
test_confirmed(void **state)
{
    (void)state;
    for (uint16_t listener = VOUCHED; listener <= EITHER; listener++) {
        uint64_t id;
        int fd = request(listener, "fred", &id);

        take_question(fd);
        answer(": USERID : UNIX : fred");
        struct session_closing c = served(fd, id);

        assert_string_equal(c.method, "ident");
        assert_string_equal(c.rule, "vouched");
        fd_close(&identd.fd);
    }
}

static void
test_contradicted(void **state)
{
    static const char *const users[] = { "fred", "FREDDY", "fredd", "freddyx", "" };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(users); i++) {
        uint64_t id;
        int fd = request(i % 2, users[i], &id);

        take_question(fd);
        answer(": USERID : UNIX : freddy");
        refused(fd, id, SOCKS4_WRONG_USER, "ident-mismatch", "");
        fd_close(&identd.fd);
    }
}

static void
test_useless_answers(void **state)
{
    static const struct {
        const char *rest, *detail;
    } rows[] = {
        { ": ERROR : NO-USER", "no-user" },
        { ": ERROR : HIDDEN-USER", "hidden-user" },
        { ": USERID : OTHER : fred", "no-user-name" },
        { "1 : USERID : UNIX : fred", "wrong-ports" },
        { "hello", "malformed-answer" },
    };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        uint64_t id;
        int fd = request(VOUCHED, "fred", &id);

        take_question(fd);
        answer(rows[i].rest);
        refused(fd, id, SOCKS4_NO_IDENTD, "no-identd", rows[i].detail);
        fd_close(&identd.fd);
    }
}

/* It listens and says nothing: socks4.ident-timeout. */
static void
test_silent(void **state)
{
    uint64_t id;
    int fd = request(VOUCHED, "fred", &id);

    (void)state;
    take_question(fd);
    refused(fd, id, SOCKS4_NO_IDENTD, "no-identd", "timeout");
}

static void
test_unreachable(void **state)
{
    uint64_t id[2];
    int fd;

    (void)state;
    fd_close(&identd.listener);
    fd = request(VOUCHED, "fred", &id[0]);
    refused(fd, id[0], SOCKS4_NO_IDENTD, "no-identd", "unreachable");
    /* none beside it: the client goes on as anybody. */
    fd = request(EITHER, "fred", &id[1]);
    struct session_closing c = served(fd, id[1]);

    assert_string_equal(c.method, "none");
    assert_string_equal(c.rule, "anyone");
}

/* No rule could accept ident: nobody is asked, and where there is nothing else the client is refused. */
static void
test_unasked(void **state)
{
    uint64_t id[2];
    int fd = request(EITHER, "fred", &id[0]);

    (void)state;
    struct session_closing c = served(fd, id[0]);

    assert_string_equal(c.method, "none");
    fd = request(VOUCHED, "fred", &id[1]);
    read_reply(fd, SOCKS4_REFUSED);
    session_rig_read_end(fd);
    fd_close(&fd);
    (void)session_rig_expect(id[1], EVENT_PROTOCOL_ERROR, "no-acceptable-method");
    assert_true(accept4(identd.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) < 0);
}

static void
test_client_leaves(void **state)
{
    uint64_t id;
    int fd = request(VOUCHED, "fred", &id);

    (void)state;
    take_question(fd);
    session_rig_reset(&fd);
    (void)session_rig_expect(id, EVENT_PROTOCOL_ERROR, "client-gone");
    session_rig_read_end(identd.fd);
}

/* The worker stops while questions are out: the teardown finds nothing left. */
static void
test_stopped(void **state)
{
    uint64_t id[2];
    int first = request(VOUCHED, "fred", &id[0]), second = request(EITHER, "fred", &id[1]);

    (void)state;
    take_question(first);
    session_end_all(&rig.host, REASON_SHUTDOWN);
    (void)session_rig_expect(id[0], EVENT_REQUEST_FAILED, "shutdown");
    (void)session_rig_expect(id[1], EVENT_REQUEST_FAILED, "shutdown");
    fd_close(&first);
    fd_close(&second);
}

/* SOCKS 5 knows no method ident: a client that offers its code is not understood. */
static void
test_socks5(void **state)
{
    uint8_t got[2];
    uint64_t id;
    int fd = session_rig_client(VOUCHED, &id);

    (void)state;
    session_rig_send(fd, "\x05\x02\x00\xff", 4);
    session_rig_read(fd, got, sizeof got);
    assert_memory_equal(got, "\x05\xff", 2);
    session_rig_read_end(fd);
    fd_close(&fd);
    (void)session_rig_expect(id, EVENT_PROTOCOL_ERROR, "no-acceptable-method");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_confirmed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_contradicted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_useless_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unreachable, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unasked, setup_unasked, teardown),
        cmocka_unit_test_setup_teardown(test_client_leaves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stopped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_socks5, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
