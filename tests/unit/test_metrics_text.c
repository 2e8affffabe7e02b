/* SPDX-License-Identifier: ISC */
/* src/metrics: clients over HTTP that wait for a text of the master, one that comes, one that does not, and
   one that is none. */
#include "src/metrics/metrics_private.h"

#include "tests/unit/unit.h"

#include "lib/base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECONDS 10

static struct metrics x;
static struct ipc_peer master;
static struct sockaddr_in where;
static char answer[65536];

static int
setup(void **state)
{
    socklen_t len = sizeof where;
    int pair[2];

    (void)state;
    memset(&x, 0, sizeof x);
    where = (struct sockaddr_in) { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    x.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(x.listen_fd, (const struct sockaddr *)&where, len), 0);
    assert_int_equal(listen(x.listen_fd, 10), 0);
    assert_int_equal(getsockname(x.listen_fd, (struct sockaddr *)&where, &len), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    x.child.owner = &x;
    x.child.loop = loop_new();
    assert_non_null(x.child.loop);
    x.child.peer = (struct ipc_peer) { .fd = pair[0], .self = IPC_METRICS, .other = IPC_MASTER,
        .state = IPC_RUNNING };
    master = (struct ipc_peer) { .fd = pair[1], .self = IPC_MASTER, .other = IPC_METRICS,
        .state = IPC_RUNNING };
    http_start(&x);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    http_stop(&x);
    loop_free(&x.child.loop);
    fd_close(&x.child.peer.fd);
    fd_close(&master.fd);
    return 0;
}

/* ---- a client ---- */

static int
ask(const char *accept)
{
    char request[256];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int len = snprintf(request, sizeof request, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Accept: %s\r\n\r\n", accept);

    assert_int_equal(connect(fd, (const struct sockaddr *)&where, sizeof where), 0);
    assert_int_equal(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
    return fd;
}

/* Turns until the connection ends; all that it got. */
static void
hear(int *fd)
{
    struct mono end = mono_add_seconds(mono_read(), SECONDS);
    size_t len = 0;
    ssize_t n = -1;

    while (n != 0) {
        assert_int_equal(loop_turn(x.child.loop, 10), 0);
        n = recv(*fd, answer + len, sizeof answer - 1 - len, MSG_DONTWAIT);
        assert_true(n >= 0 || errno == EAGAIN);
        len += n > 0 ? (size_t)n : 0;
        assert_true(mono_before(mono_read(), end));
    }
    answer[len] = '\0';
    fd_close(fd);
}

static bool
has(const char *text)
{
    return strstr(answer, text) != NULL;
}

/* ---- the master ---- */

/* Turns until it is asked for a text of the format. */
static void
expect_question(enum metrics_format format)
{
    struct mono end = mono_add_seconds(mono_read(), SECONDS);
    struct ipc_message m;
    const char *why = NULL;
    enum metrics_format asked;
    enum ipc_result result = IPC_AGAIN;

    while (result == IPC_AGAIN) {
        assert_int_equal(loop_turn(x.child.loop, 10), 0);
        result = ipc_recv(&master, &m, &why);
        assert_true(mono_before(mono_read(), end));
    }
    assert_int_equal(result, IPC_OK);
    assert_int_equal(ipc_metrics_decode(&m, &asked), 0);
    assert_int_equal(asked, format);
}

static void
say(enum metrics_format format, const char *text)
{
    struct ipc_message m = { .type = IPC_METRICS_TEXT, .fd_count = 1 };

    m.fds[0] = memfd_sealed("text", text, strlen(text));
    assert_true(m.fds[0] >= 0);
    m.len = ipc_metrics_encode(format, m.body, sizeof m.body);
    text_arrived(&x.child, &m);
    ipc_message_close(&m);
}

/* The time for it is over. */
static void
too_late(enum metrics_format format)
{
    struct loop_timer *timer = &x.texts[format].patience;

    assert_true(loop_timer_armed(timer));
    loop_timer_cancel(x.child.loop, timer);
    timer->expired(timer);
}

/* ---- */

#define OPENMETRICS "application/openmetrics-text"

static void
test_a_text_that_comes(void **state)
{
    int one = ask(OPENMETRICS), two, three;

    (void)state;
    expect_question(METRICS_OPENMETRICS);
    two = ask("*/*");
    expect_question(METRICS_CLASSIC);
    three = ask(OPENMETRICS);
    say(METRICS_OPENMETRICS, "open text");
    hear(&one);
    assert_true(has("HTTP/1.1 200 ") && has("open text") && has(OPENMETRICS));
    hear(&three);
    assert_true(has("HTTP/1.1 200 ") && has("open text"));
    say(METRICS_CLASSIC, "classic text");
    hear(&two);
    assert_true(has("HTTP/1.1 200 ") && has("classic text") && has("text/plain; version=0.0.4"));
    assert_null(x.waiting);
}

/* Each format has a time of its own: when one is over, or was answered, the other's still runs. */
static void
test_deadlines(void **state)
{
    int one = ask(OPENMETRICS), two;
    struct mono first;

    (void)state;
    expect_question(METRICS_OPENMETRICS);
    first = x.texts[METRICS_OPENMETRICS].patience.deadline;
    /* A little later, as the loop counts. */
    while (loop_turn(x.child.loop, 1) == 0
        && !mono_before(first, mono_add_seconds(loop_now(x.child.loop), METRICS_ANSWER_SECONDS)))
        continue;
    two = ask("*/*");
    expect_question(METRICS_CLASSIC);
    assert_true(mono_before(first, x.texts[METRICS_CLASSIC].patience.deadline));
    too_late(METRICS_OPENMETRICS);
    hear(&one);
    assert_true(has("HTTP/1.1 503 ") && has("does not answer"));
    assert_non_null(x.waiting);
    say(METRICS_CLASSIC, "classic text");
    hear(&two);
    assert_true(has("HTTP/1.1 200 ") && has("classic text"));
    /* It is asked again, and what comes late is taken. */
    one = ask(OPENMETRICS);
    expect_question(METRICS_OPENMETRICS);
    say(METRICS_OPENMETRICS, "late");
    hear(&one);
    assert_true(has("HTTP/1.1 200 ") && has("late"));
    assert_false(loop_timer_armed(&x.texts[METRICS_OPENMETRICS].patience));
    assert_false(loop_timer_armed(&x.texts[METRICS_CLASSIC].patience));
}

/* The master could not render: an empty file. */
static void
test_a_text_that_failed(void **state)
{
    int one = ask("*/*");

    (void)state;
    expect_question(METRICS_CLASSIC);
    say(METRICS_CLASSIC, "");
    hear(&one);
    assert_true(has("HTTP/1.1 503 "));
    one = ask("*/*");
    expect_question(METRICS_CLASSIC);
    say(METRICS_CLASSIC, "there it is");
    hear(&one);
    assert_true(has("HTTP/1.1 200 ") && has("there it is"));
    one = ask("*/*"); /* it is fresh: nobody is asked */
    hear(&one);
    assert_true(has("HTTP/1.1 200 ") && has("there it is"));
}

/* Nobody waits for ever: the end of the process, or of the master. */
static void
test_those_who_wait_at_the_end(void **state)
{
    int one = ask("*/*"), two;

    (void)state;
    expect_question(METRICS_CLASSIC);
    two = ask(OPENMETRICS);
    expect_question(METRICS_OPENMETRICS);
    text_abandon(&x);
    hear(&one);
    assert_true(has("HTTP/1.1 503 "));
    hear(&two);
    assert_true(has("HTTP/1.1 503 "));
    one = ask("*/*");
    expect_question(METRICS_CLASSIC);
    fd_close(&one); /* the teardown ends it while it waits */
}

static void
test_accept(void **state)
{
    static const struct {
        const char *accept;
        enum metrics_format format;
    } rows[] = {
        { "*/*", METRICS_CLASSIC },
        { OPENMETRICS, METRICS_OPENMETRICS },
        { "Application/OpenMetrics-Text; version=1.0.0; q=0.5", METRICS_OPENMETRICS },
        { "text/plain;q=0.1,\t" OPENMETRICS ";version=0.0.1", METRICS_OPENMETRICS },
        { OPENMETRICS ";q=0", METRICS_CLASSIC },
        { OPENMETRICS "; version=1.0.0; q=0.00, text/plain", METRICS_CLASSIC },
        { OPENMETRICS ";q=0," OPENMETRICS ";q=0.001", METRICS_OPENMETRICS },
        { OPENMETRICS "ual", METRICS_CLASSIC },
        { ",,  ,;", METRICS_CLASSIC },
    };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        int fd = ask(rows[i].accept);

        expect_question(rows[i].format);
        say(rows[i].format, "text");
        hear(&fd);
        assert_true(has("HTTP/1.1 200 "));
        x.texts[rows[i].format].made = mono_add_seconds(mono_read(), -SECONDS); /* fresh no more */
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_text_that_comes),
        TEST(test_deadlines),
        TEST(test_a_text_that_failed),
        TEST(test_those_who_wait_at_the_end),
        TEST(test_accept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
