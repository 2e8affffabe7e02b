/* SPDX-License-Identifier: ISC */
/* src/net/ident.c against identds of every kind, over real sockets of the loopback. */
#include "tests/unit/unit.h"

#include "lib/base/fd.h"
#include "src/net/ident.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_US (INT64_C(20) * CLOCK_SECOND_US)

static struct {
    struct loop *loop;
    struct ident *ident;
    unsigned calls;
    const char *detail;
    char user[IDENT_USER_MAX + 1];
    int listener, identd;
    struct ident_question question;
    int descriptors;
} t;

static void
turn(struct mono end, const char *condition)
{
    assert_int_equal(loop_turn(t.loop, 5), 0);
    if (mono_before(end, mono_read()))
        fail_msg("in vain: %s", condition);
}

/* Turns until the condition holds, with a body before each turn. */
#define UNTIL(condition) \
    for (struct mono end_ = mono_add_us(mono_read(), PATIENCE_US); !(condition); \
         turn(end_, #condition))

static void
answered(void *ctx, const struct ident_answer *answer)
{
    assert_ptr_equal(ctx, &t);
    t.calls++;
    t.detail = answer->detail;
    if (answer->detail == NULL) {
        memcpy(t.user, answer->user, answer->user_len);
        t.user[answer->user_len] = '\0';
    }
    ident_free(&t.ident);
}

static int
setup(void **state)
{
    struct sockaddr_storage ss;
    socklen_t len;

    (void)state;
    memset(&t, 0, sizeof t);
    t.identd = -1;
    t.descriptors = fd_count_open();
    t.loop = loop_new();
    assert_non_null(t.loop);
    assert_int_equal(addr_parse("127.0.0.1:0", &t.question.client), 0);
    assert_int_equal(addr_parse("127.0.0.2:1080", &t.question.local), 0);
    t.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    len = addr_to_sockaddr(&t.question.client, &ss);
    assert_int_equal(bind(t.listener, (struct sockaddr *)&ss, len), 0);
    assert_int_equal(listen(t.listener, 4), 0);
    len = sizeof ss;
    assert_int_equal(getsockname(t.listener, (struct sockaddr *)&ss, &len), 0);
    t.question.port = addr_from_sockaddr((struct sockaddr *)&ss, len).port;
    t.question.client.port = 6193;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    ident_free(&t.ident);
    fd_close(&t.identd);
    fd_close(&t.listener);
    loop_free(&t.loop);
    assert_int_equal(fd_count_open(), t.descriptors);
    return 0;
}

static void
ask(int64_t deadline_us)
{
    t.ident = ident_ask(t.loop, &t.question, mono_add_us(loop_now(t.loop), deadline_us), answered, &t);
    assert_non_null(t.ident);
    assert_int_equal(t.calls, 0); /* never from inside */
}

/* The double has the connection and the whole question. */
static void
take_question(void)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    char got[64];
    size_t at = 0;

    UNTIL((t.identd = accept4(t.listener, (struct sockaddr *)&ss, &len,
              SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0);
    struct addr from = addr_from_sockaddr((struct sockaddr *)&ss, len);

    assert_true(addr_equal_ip(&from, &t.question.local));
    UNTIL(at == 11) {
        ssize_t n = recv(t.identd, got + at, sizeof got - at, 0);

        at += n > 0 ? (size_t)n : 0;
    }
    assert_memory_equal(got, "6193,1080\r\n", 11);
}

static void
say(const char *text, size_t len)
{
    assert_int_equal(send(t.identd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

#define SAY(text) say(text, sizeof(text) - 1)

static void
expect(const char *detail, const char *user)
{
    UNTIL(t.calls > 0);
    assert_null(t.ident);
    if (detail != NULL)
        assert_string_equal(t.detail, detail);
    else
        assert_null(t.detail);
    if (user != NULL)
        assert_string_equal(t.user, user);
    for (int i = 0; i < 3; i++)
        assert_int_equal(loop_turn(t.loop, 1), 0);
    assert_int_equal(t.calls, 1);
}

static void
test_user(void **state)
{
    (void)state;
    ask(PATIENCE_US);
    take_question();
    SAY("6193, 1080 : USERID : UNIX : stjohns\r\n");
    expect(NULL, "stjohns");
}

static void
test_bytewise(void **state)
{
    static const char line[] = "6193,1080:USERID:UNIX:stjohns\n6193,1080:USERID:UNIX:root\r\n";

    (void)state;
    ask(PATIENCE_US);
    take_question();
    for (const char *at = line; *at != '\0' && t.calls == 0; at++) {
        say(at, 1);
        assert_int_equal(loop_turn(t.loop, 5), 0);
    }
    expect(NULL, "stjohns"); /* one line counts, an LF alone ends it */
}

/* All before the question was read, and an end of file right behind it. */
static void
test_hasty(void **state)
{
    (void)state;
    ask(PATIENCE_US);
    UNTIL((t.identd = accept4(t.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0);
    SAY("6193,1080:USERID:UNIX:stjohns\r\n6193");
    assert_int_equal(shutdown(t.identd, SHUT_WR), 0);
    expect(NULL, "stjohns");
}

static void
test_error(void **state)
{
    (void)state;
    ask(PATIENCE_US);
    take_question();
    SAY("6193 , 1080 : ERROR : HIDDEN-USER\r\n");
    expect("hidden-user", NULL);
}

static void
test_no_end_of_line(void **state)
{
    (void)state;
    ask(PATIENCE_US);
    take_question();
    SAY("6193,1080:USERID:UNIX:stjohns");
    fd_close(&t.identd);
    expect("no-answer", NULL);
}

static void
test_reset(void **state)
{
    static const struct linger hard = { 1, 0 };

    (void)state;
    ask(PATIENCE_US);
    take_question();
    assert_int_equal(setsockopt(t.identd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    fd_close(&t.identd);
    expect("no-answer", NULL);
}

static void
test_too_long(void **state)
{
    char line[IDENT_LINE_MAX];

    (void)state;
    memset(line, ' ', sizeof line);
    ask(PATIENCE_US);
    take_question();
    say(line, sizeof line);
    expect("answer-too-long", NULL);
}

static void
test_longest(void **state)
{
    static const char words[] = "6193,1080:USERID:UNIX:stjohns\n";
    char line[IDENT_LINE_MAX];

    (void)state;
    memset(line, ' ', sizeof line);
    memcpy(line + sizeof line - (sizeof words - 1), words, sizeof words - 1);
    ask(PATIENCE_US);
    take_question();
    say(line, sizeof line);
    expect(NULL, "stjohns");
}

static void
test_refused(void **state)
{
    (void)state;
    fd_close(&t.listener);
    ask(PATIENCE_US);
    expect("unreachable", NULL);
}

/* Our own end is no address of this host (any more). */
static void
test_no_source(void **state)
{
    (void)state;
    assert_int_equal(addr_parse("192.0.2.1:1080", &t.question.local), 0);
    ask(PATIENCE_US);
    expect("unreachable", NULL);
}

static void
test_silent(void **state)
{
    (void)state;
    ask(100 * CLOCK_MSEC_US);
    take_question();
    SAY("6193,1080:");
    expect("timeout", NULL);
}

/* Freed at any moment: nobody is called, nothing is left. */
static void
test_freed(void **state)
{
    (void)state;
    ident_free(&t.ident); /* NULL */
    ask(PATIENCE_US);
    ident_free(&t.ident);
    assert_null(t.ident);
    UNTIL((t.identd = accept4(t.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0);
    fd_close(&t.identd);
    ask(PATIENCE_US);
    take_question();
    SAY("6193,1080:USERID:UNIX:stjohns\r\n");
    ident_free(&t.ident);
    for (int i = 0; i < 3; i++)
        assert_int_equal(loop_turn(t.loop, 1), 0);
    assert_int_equal(t.calls, 0);
}

static void
test_ipv6(void **state)
{
    struct sockaddr_storage ss;
    socklen_t len;
    static const int on = 1;

    (void)state;
    fd_close(&t.listener);
    assert_int_equal(addr_parse("[::1]:0", &t.question.client), 0);
    len = addr_to_sockaddr(&t.question.client, &ss);
    t.listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(setsockopt(t.listener, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), 0);
    assert_int_equal(bind(t.listener, (struct sockaddr *)&ss, len), 0);
    assert_int_equal(listen(t.listener, 4), 0);
    len = sizeof ss;
    assert_int_equal(getsockname(t.listener, (struct sockaddr *)&ss, &len), 0);
    t.question.port = addr_from_sockaddr((struct sockaddr *)&ss, len).port;
    t.question.client.port = 6193;
    assert_int_equal(addr_parse("[::1]:1080", &t.question.local), 0);
    ask(PATIENCE_US);
    take_question();
    SAY("6193,1080:USERID:UNIX:stjohns\r\n");
    expect(NULL, "stjohns");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_user, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bytewise, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hasty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_end_of_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reset, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_longest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_source, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_freed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ipv6, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
