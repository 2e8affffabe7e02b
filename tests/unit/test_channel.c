/* SPDX-License-Identifier: ISC */
/* src/net/channel.c over TCP connections on loopback: what edges leave behind. */
#include "tests/unit/unit.h"

#include "src/net/channel.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "src/net/dial.h"

static struct {
    struct loop *loop;
    struct channel channel;
    int peer;
    unsigned calls;
    int descriptors;
} t;

static void
ready(struct channel *channel)
{
    assert_ptr_equal(channel, &t.channel);
    t.calls++;
}

static int
near_end(void)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    socklen_t len = sizeof sin;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&sin, sizeof sin), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&sin, &len), 0);
    t.peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(t.peer, (struct sockaddr *)&sin, sizeof sin), 0);
    dial_tune(t.peer, 0);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    assert_true(fd >= 0);
    dial_tune(fd, 0);
    fd_close(&listener);
    return fd;
}

static int
setup(void **state)
{
    (void)state;
    memset(&t, 0, sizeof t);
    t.descriptors = fd_count_open();
    t.loop = loop_new();
    assert_non_null(t.loop);
    assert_int_equal(channel_open(&t.channel, t.loop, near_end(), ready), 0);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    channel_close(&t.channel);
    channel_close(&t.channel); /* harmless */
    assert_false(channel_is_open(&t.channel));
    fd_close(&t.peer);
    loop_free(&t.loop);
    assert_int_equal(fd_count_open(), t.descriptors);
    return 0;
}

/* Until what the peer did has arrived here and the loop has told of it. */
static void
arrived(short events)
{
    struct pollfd p = { channel_raw_fd(&t.channel), events, 0 };

    assert_int_equal(poll(&p, 1, 10000), 1);
    do
        assert_int_equal(loop_turn(t.loop, 10), 0);
    while (t.calls == 0);
    t.calls = 0;
}

static ssize_t
take(void *out, size_t size)
{
    errno = 0;
    return channel_read(&t.channel, out, size);
}

static void
test_short_read_ends(void **state)
{
    char data[16];

    (void)state;
    assert_int_equal(send(t.peer, "one", 3, 0), 3);
    arrived(POLLIN);
    assert_true(t.channel.readable);
    assert_int_equal(take(data, sizeof data), 3);
    assert_false(t.channel.readable);
    assert_int_equal(send(t.peer, "more", 4, 0), 4);
    arrived(POLLIN);
    assert_true(t.channel.readable);
    assert_int_equal(take(data, 2), 2); /* a full read may have left some */
    assert_true(t.channel.readable);
    assert_int_equal(take(data, 2), 2);
    assert_int_equal(take(data, 2), -1);
    assert_int_equal(errno, EAGAIN);
    assert_false(t.channel.readable);
}

/* Bytes and the end of file in one edge: the end is found. */
static void
test_end_behind_bytes(void **state)
{
    char data[16];

    (void)state;
    assert_int_equal(send(t.peer, "last", 4, 0), 4);
    assert_int_equal(shutdown(t.peer, SHUT_WR), 0);
    arrived(POLLRDHUP);
    while (!t.channel.peer_shut)
        assert_int_equal(loop_turn(t.loop, 10), 0);
    assert_int_equal(take(data, sizeof data), 4);
    assert_true(t.channel.readable);
    assert_int_equal(take(data, sizeof data), 0);
    assert_int_equal(channel_write(&t.channel, "still", 5), 5);
    assert_int_equal(recv(t.peer, data, sizeof data, 0), 5);
}

/* An urgent byte stays in the stream, and what lies behind it is not forgotten. */
static void
test_urgent(void **state)
{
    char data[32], all[32];
    size_t len = 0;

    (void)state;
    assert_int_equal(send(t.peer, "before!", 7, MSG_OOB), 7);
    assert_int_equal(send(t.peer, "after", 5, 0), 5);
    while (recv(channel_raw_fd(&t.channel), data, sizeof data, MSG_PEEK | MSG_DONTWAIT) < 6)
        assert_int_equal(loop_turn(t.loop, 10), 0);
    arrived(POLLPRI);
    assert_true(t.channel.urgent);
    while (t.channel.readable || len < 12) {
        ssize_t n = take(data, sizeof data);

        if (n < 0 && len < 12)
            assert_int_equal(loop_turn(t.loop, 10), 0);
        if (n < 0)
            continue;
        assert_true(n > 0 && len + (size_t)n <= sizeof all);
        memcpy(all + len, data, (size_t)n);
        len += (size_t)n;
    }
    assert_int_equal(len, 12);
    assert_memory_equal(all, "before!after", 12);
    assert_false(t.channel.urgent);
}

static void
test_back_pressure(void **state)
{
    static char data[65536];
    size_t sent = 0, got = 0;

    (void)state;
    assert_int_equal(loop_turn(t.loop, 10), 0);
    while (t.channel.writable) {
        ssize_t n = channel_write(&t.channel, data, sizeof data);

        assert_true(n > 0 || errno == EAGAIN);
        sent += n > 0 ? (size_t)n : 0;
    }
    while (got < sent) {
        ssize_t n = recv(t.peer, data, sizeof data, MSG_DONTWAIT);

        assert_true(n > 0 || errno == EAGAIN);
        got += n > 0 ? (size_t)n : 0;
        assert_int_equal(loop_turn(t.loop, 0), 0);
    }
    while (!t.channel.writable)
        assert_int_equal(loop_turn(t.loop, 10), 0);
}

static void
test_reset_seen(void **state)
{
    struct linger linger = { 1, 0 };
    char byte;

    (void)state;
    assert_int_equal(setsockopt(t.peer, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    fd_close(&t.peer);
    arrived(POLLERR);
    assert_true(t.channel.failed && t.channel.readable && t.channel.writable);
    assert_int_equal(channel_error(&t.channel), ECONNRESET);
    assert_false(t.channel.failed);
    assert_int_equal(channel_error(&t.channel), 0);
    assert_true(take(&byte, 1) <= 0);
}

static void
test_reset_sent(void **state)
{
    char byte;

    (void)state;
    channel_reset(&t.channel);
    channel_reset(&t.channel); /* harmless */
    assert_int_equal(recv(t.peer, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
}

/* A descriptor that cannot be registered is closed all the same. */
static void
test_open_fails(void **state)
{
    struct channel other = { 0 };
    int file = memfd_sealed("file", "x", 1);

    (void)state;
    assert_true(file >= 0);
    assert_int_equal(channel_open(&other, t.loop, file, ready), -1);
    assert_int_equal(errno, EPERM);
    assert_false(channel_is_open(&other));
    assert_int_equal(close(file), -1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_short_read_ends),
        TEST(test_end_behind_bytes),
        TEST(test_urgent),
        TEST(test_back_pressure),
        TEST(test_reset_seen),
        TEST(test_reset_sent),
        TEST(test_open_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
