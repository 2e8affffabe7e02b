/* SPDX-License-Identifier: ISC */
/*
 * src/session: whole sessions over real sockets, what the client gets and what the audit says. The
 * rig's teardown checks after each test: one closing record a session, its number in the slot, no
 * descriptor, no pipe and no byte of a login left.
 */
#include "tests/unit/session_rig.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO "\x05\x02\x00\x02"

/* A request for 127.0.0.1 and the rig's listener. */
static size_t
request_here(uint8_t out[10], uint16_t port)
{
    static const uint8_t head[8] = { 5, 1, 0, 1, 127, 0, 0, 1 };

    memcpy(out, head, sizeof head);
    out[8] = (uint8_t)(port >> 8);
    out[9] = (uint8_t)port;
    return 10;
}

static size_t
request_name(uint8_t *out, const char *name, size_t len, uint16_t port)
{
    static const uint8_t head[4] = { 5, 1, 0, 3 };

    memcpy(out, head, sizeof head);
    out[4] = (uint8_t)len;
    memcpy(out + 5, name, len);
    out[5 + len] = (uint8_t)(port >> 8);
    out[6 + len] = (uint8_t)port;
    return 7 + len;
}

static void
read_choice(int fd, uint8_t method)
{
    uint8_t got[2];

    session_rig_read(fd, got, sizeof got);
    assert_int_equal(got[0], 5);
    assert_int_equal(got[1], method);
}

static void
read_reply(int fd, uint8_t reply)
{
    uint8_t got[10];

    session_rig_read(fd, got, sizeof got);
    assert_int_equal(got[0], 5);
    assert_int_equal(got[1], reply);
    assert_int_equal(got[3], 1);
}

/* A session that relays: the client's end; the destination's goes to *target. */
static int
relaying(uint64_t *id, int *target)
{
    uint8_t request[10];
    int fd = session_rig_client(0, id);

    session_rig_send(fd, HELLO, 4);
    read_choice(fd, 0);
    session_rig_send(fd, request, request_here(request, rig.port));
    *target = session_rig_accept();
    read_reply(fd, 0);
    return fd;
}

static void
exchange(int from, int to, const char *text)
{
    char got[64];

    session_rig_send(from, text, strlen(text));
    session_rig_read(to, got, strlen(text));
    assert_memory_equal(got, text, strlen(text));
}

/* ---- good sessions ---- */

static void
test_pipelined(void **state)
{
    enum { PAYLOAD = 500000 };
    static uint8_t out[4 + 10 + PAYLOAD], got[PAYLOAD];
    struct unit_random random = UNIT_RANDOM_INIT;
    uint64_t id;
    int fd = session_rig_client(0, &id), target;

    (void)state;
    unit_random_fill(&random, out, sizeof out);
    memcpy(out, HELLO, 4);
    request_here(out + 4, rig.port);
    session_rig_send(fd, out, 14 + 1000);
    target = session_rig_accept();
    session_rig_send(fd, out + 1014, sizeof out - 1014);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    session_rig_read(target, got, PAYLOAD);
    assert_memory_equal(got, out + 14, PAYLOAD);
    session_rig_read_end(target);
    read_choice(fd, 0);
    read_reply(fd, 0);
    exchange(target, fd, "still open this way");
    fd_close(&target);
    session_rig_read_end(fd);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    assert_int_equal(c.bytes_up, PAYLOAD);
    assert_int_equal(c.bytes_down, 19);
    assert_string_equal(c.rule, "here");
    fd_close(&fd);
}

static void
test_bytewise(void **state)
{
    uint8_t out[14];
    uint64_t id;
    int fd = session_rig_client(0, &id), target;

    (void)state;
    memcpy(out, HELLO, 4);
    request_here(out + 4, rig.port);
    for (size_t i = 0; i < sizeof out; i++) {
        session_rig_send(fd, out + i, 1);
        session_rig_turns(2);
    }
    target = session_rig_accept();
    read_choice(fd, 0);
    read_reply(fd, 0);
    exchange(fd, target, "up");
    exchange(target, fd, "down");
    assert_int_equal(shutdown(target, SHUT_WR), 0);
    session_rig_read_end(fd);
    exchange(fd, target, "and up again");
    fd_close(&fd);
    session_rig_read_end(target);
    fd_close(&target);
    (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
}

static void
test_name_from_hosts(void **state)
{
    uint8_t out[64];
    uint64_t id;
    int fd = session_rig_client(0, &id), target;

    (void)state;
    session_rig_send(fd, HELLO, 4);
    session_rig_send(fd, out, request_name(out, "HERE.test.", 10, rig.port));
    target = session_rig_accept();
    read_choice(fd, 0);
    read_reply(fd, 0);
    session_rig_reset(&target);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "destination-reset");

    assert_string_equal(c.rule, "here");
    fd_close(&fd);
}

/* ---- resets ---- */

static void
expect_reset(int fd)
{
    char byte;

    RIG_UNTIL(recv(fd, &byte, 1, 0) < 0 && errno != EAGAIN);
    assert_int_equal(errno, ECONNRESET);
}

static void
test_reset_reaches_the_other(void **state)
{
    uint64_t a, b;
    int target, other, fd = relaying(&a, &target);

    (void)state;
    session_rig_reset(&fd);
    expect_reset(target);
    fd_close(&target);
    (void)session_rig_expect(a, EVENT_SESSION_END, "client-reset");
    fd = relaying(&b, &other);
    session_rig_reset(&other);
    expect_reset(fd);
    fd_close(&fd);
    (void)session_rig_expect(b, EVENT_SESSION_END, "destination-reset");
}

/* What was sent before a reset arrives before the reset. */
static void
test_last_words(void **state)
{
    static const char words[] = "413 too large, go away";
    char got[sizeof words];
    uint64_t a, b;
    int target, other, fd = relaying(&a, &target);

    (void)state;
    assert_int_equal(send(target, words, sizeof words, 0), sizeof words);
    session_rig_reset(&target);
    session_rig_read(fd, got, sizeof words);
    assert_memory_equal(got, words, sizeof words);
    expect_reset(fd);
    fd_close(&fd);
    struct session_closing c = session_rig_expect(a, EVENT_SESSION_END, "destination-reset");

    assert_int_equal(c.bytes_down, sizeof words);
    fd = relaying(&b, &other);
    assert_int_equal(send(fd, words, sizeof words, 0), sizeof words);
    session_rig_reset(&fd);
    session_rig_read(other, got, sizeof words);
    assert_memory_equal(got, words, sizeof words);
    expect_reset(other);
    fd_close(&other);
    (void)session_rig_expect(b, EVENT_SESSION_END, "client-reset");
}

static void
test_client_resets_early(void **state)
{
    uint8_t out[64];
    uint64_t id[3];
    int fd = session_rig_client(0, &id[0]);

    (void)state;
    session_rig_reset(&fd); /* before its first byte */
    (void)session_rig_expect(id[0], EVENT_PROTOCOL_ERROR, "client-reset");
    fd = session_rig_client(0, &id[1]);
    session_rig_send(fd, HELLO, 4);
    read_choice(fd, 0);
    session_rig_send(fd, out, request_name(out, "asked.test", 10, 80));
    session_rig_turns(5);
    session_rig_reset(&fd); /* while the name is looked up */
    struct session_closing c = session_rig_expect(id[1], EVENT_PROTOCOL_ERROR, "client-gone");

    assert_true(c.reply == UINT64_MAX);
    fd = session_rig_client(0, &id[2]);
    session_rig_send(fd, HELLO, 3);
    assert_int_equal(shutdown(fd, SHUT_WR), 0); /* in the middle of a message */
    (void)session_rig_expect(id[2], EVENT_PROTOCOL_ERROR, "client-gone");
    session_rig_read_end(fd);
    fd_close(&fd);
}

/* ---- refusals ---- */

static const struct refusal {
    const char *bytes; /* after the hello */
    size_t len;
    uint8_t reply;
    enum event_id event;
    const char *reason;
} refusals[] = {
    { "\x05\x01\x00\x01\x0a\x00\x00\x01\x00\x50", 10, 2, EVENT_REQUEST_DENIED, "rule" },
    { "\x05\x01\x00\x01\xcb\x00\x71\x01\x00\x50", 10, 2, EVENT_REQUEST_DENIED, "no-rule" },
    { "\x05\x01\x00\x01\x7f\x00\x00\x02\x00\x50", 10, 2, EVENT_REQUEST_DENIED, "no-rule" },
    { "\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x00\x00\x01\x00\x50", 22, 2,
        EVENT_REQUEST_DENIED, "rule" },
    { "\x05\x01\x00\x03\x0b" "denied.test\x00\x50", 18, 2, EVENT_REQUEST_DENIED, "rule" },
    { "\x05\x01\x00\x03\x05" "127.1\x00\x50", 12, 1, EVENT_REQUEST_FAILED, "bad-name" },
    { "\x05\x01\x00\x03\x03" "a\0b\x00\x50", 10, 1, EVENT_REQUEST_FAILED, "bad-name" },
    { "\x05\x01\x00\x03\x00\x00\x50", 7, 1, EVENT_PROTOCOL_ERROR, "malformed-message" },
    { "\x05\x02\x00\x01\x0a\x00\x00\x01\x00\x50", 10, 2, EVENT_REQUEST_DENIED, "rule" },
    { "\x05\x09\x00\x01\x7f\x00\x00\x01\x00\x50", 10, 7, EVENT_REQUEST_FAILED,
        "command-not-supported" },
    { "\x05\x01\x00\x02\x7f\x00\x00\x01\x00\x50", 10, 8, EVENT_REQUEST_FAILED,
        "address-type-not-supported" },
    { "\x05\x01\x07\x01\x7f\x00\x00\x01\x00\x50", 10, 1, EVENT_PROTOCOL_ERROR,
        "malformed-message" },
    { "\x04\x01", 2, 1, EVENT_PROTOCOL_ERROR, "malformed-message" },
};

/* The reply arrives whole and with an end of file, however much the client sends behind. */
static void
test_refusals(void **state)
{
    static uint8_t noise[600000];

    (void)state;
    for (size_t i = 0; i < SP_COUNT(refusals); i++) {
        const struct refusal *r = &refusals[i];
        uint64_t id;
        int fd = session_rig_client(0, &id);

        session_rig_send(fd, HELLO, 4);
        session_rig_send(fd, r->bytes, r->len);
        session_rig_send(fd, noise, sizeof noise);
        read_choice(fd, 0);
        read_reply(fd, r->reply);
        session_rig_read_end(fd);
        assert_false(session_rig_ended(id));
        assert_int_equal(session_rig_closing(id).count, 1);
        fd_close(&fd);
        struct session_closing c = session_rig_expect(id, r->event, r->reason);

        assert_int_equal(c.reply, r->reply);
    }
}

static void
test_not_socks(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *reason;
        bool refused;
    } rows[] = {
        { "GET / HTTP/1.0\r\n\r\n", 18, "unknown-protocol", false },
        { "\x03\x01\x00\x50\x7f\x00\x00\x01\x00", 9, "unknown-protocol", false },
        { "\x05\x00", 2, "no-acceptable-method", true },
        { "\x05\x01\x02", 3, "no-acceptable-method", true },
    };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        uint64_t id;
        int fd = session_rig_client(0, &id);

        session_rig_send(fd, rows[i].bytes, rows[i].len);
        if (rows[i].refused)
            read_choice(fd, 0xff);
        session_rig_read_end(fd);
        fd_close(&fd);
        (void)session_rig_expect(id, EVENT_PROTOCOL_ERROR, rows[i].reason);
    }
}

static void
test_connection_refused(void **state)
{
    uint8_t out[10];
    uint64_t id;
    int fd = session_rig_client(0, &id);

    (void)state;
    fd_close(&rig.listener);
    session_rig_send(fd, HELLO, 4);
    read_choice(fd, 0);
    session_rig_send(fd, out, request_here(out, rig.port));
    read_reply(fd, 5);
    session_rig_read_end(fd);
    fd_close(&fd);
    struct session_closing c =
        session_rig_expect(id, EVENT_REQUEST_FAILED, "connection-refused");

    assert_string_equal(c.rule, "here");
}

static void
test_out_of_descriptors(void **state)
{
    struct rlimit old, low;
    uint8_t out[10];
    uint64_t id;
    int fd = session_rig_client(0, &id);

    (void)state;
    session_rig_send(fd, HELLO, 4);
    read_choice(fd, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = (struct rlimit) { 3, old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    session_rig_send(fd, out, request_here(out, rig.port));
    read_reply(fd, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    fd_close(&fd);
    (void)session_rig_expect(id, EVENT_REQUEST_FAILED, "internal-error");
}

/* ---- deadlines, all of one second ---- */

static void
test_silent_client(void **state)
{
    uint64_t id;
    int fd = session_rig_client(0, &id);

    (void)state;
    session_rig_send(fd, HELLO, 4);
    read_choice(fd, 0);
    session_rig_read_end(fd);
    fd_close(&fd);
    (void)session_rig_expect(id, EVENT_PROTOCOL_ERROR, "client-timeout");
}

/* Looking up and connecting have one deadline together. */
static void
test_silent_name_server(void **state)
{
    struct mono begun = mono_read();
    uint8_t out[64];
    uint64_t id;
    int fd = session_rig_client(0, &id);

    (void)state;
    session_rig_send(fd, HELLO, 4);
    session_rig_send(fd, out, request_name(out, "slow.test", 9, 80));
    read_choice(fd, 0);
    read_reply(fd, 4);
    assert_true(mono_diff_us(mono_read(), begun) < 8 * CLOCK_SECOND_US);
    session_rig_read_end(fd);
    fd_close(&fd);
    (void)session_rig_expect(id, EVENT_REQUEST_FAILED, "dns-timeout");
}

static void
test_idle(void **state)
{
    uint64_t a, b;
    int ta, tb, fa = relaying(&a, &ta), fb = relaying(&b, &tb);

    (void)state;
    assert_int_equal(shutdown(fb, SHUT_WR), 0);
    session_rig_read_end(fa);
    session_rig_read_end(ta);
    session_rig_read_end(fb);
    session_rig_read_end(tb);
    (void)session_rig_expect(a, EVENT_SESSION_END, "idle-timeout");
    (void)session_rig_expect(b, EVENT_SESSION_END, "half-closed-timeout");
    fd_close(&fa);
    fd_close(&fb);
    fd_close(&ta);
    fd_close(&tb);
}

/* A client that never stops sending does not keep a refused session. */
static void
test_linger_is_bounded(void **state)
{
    static const uint8_t noise[100000];
    struct mono begun = mono_read();
    uint64_t id;
    int fd = session_rig_client(0, &id);

    (void)state;
    session_rig_send(fd, HELLO "\x05\x09\x00\x01\x7f\x00\x00\x01\x00\x50", 14);
    read_choice(fd, 0);
    read_reply(fd, 7);
    RIG_UNTIL(session_rig_ended(id)) {
        (void)send(fd, noise, sizeof noise, MSG_NOSIGNAL);
    }
    assert_true(mono_diff_us(mono_read(), begun) < 10 * CLOCK_SECOND_US);
    fd_close(&fd);
}

/* ---- all at once ---- */

static void
test_end_all(void **state)
{
    uint8_t out[64];
    uint64_t id[4];
    int target, fd[4];

    (void)state;
    fd[0] = session_rig_client(0, &id[0]); /* negotiates */
    fd[1] = session_rig_client(0, &id[1]);
    session_rig_send(fd[1], HELLO, 4);
    session_rig_send(fd[1], out, request_name(out, "asked.test", 10, 80)); /* resolves */
    fd[2] = session_rig_client(0, &id[2]);
    session_rig_send(fd[2], "\x05\x00", 2); /* lingers */
    fd[3] = relaying(&id[3], &target);
    RIG_UNTIL(session_rig_closing(id[2]).count == 1);
    session_end_all(&rig.host, REASON_SHUTDOWN);
    (void)session_rig_expect(id[0], EVENT_REQUEST_FAILED, "shutdown");
    (void)session_rig_expect(id[1], EVENT_REQUEST_FAILED, "shutdown");
    (void)session_rig_expect(id[2], EVENT_PROTOCOL_ERROR, "no-acceptable-method");
    (void)session_rig_expect(id[3], EVENT_SESSION_END, "shutdown");
    session_rig_turns(5);
    for (size_t i = 0; i < SP_COUNT(fd); i++)
        fd_close(&fd[i]);
    fd_close(&target);
}

static void
test_lost_descriptor(void **state)
{
    struct ipc_session from = { .id = rig.next_id++ };

    (void)state;
    session_lost(&rig.host, &from);
    (void)session_rig_expect(from.id, EVENT_REQUEST_FAILED, "descriptor-lost");
}

#define LONG(test) cmocka_unit_test_setup_teardown(test, session_rig_setup, session_rig_teardown)
#define SHORT(test) \
    cmocka_unit_test_setup_teardown(test, session_rig_setup_short, session_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LONG(test_pipelined),
        LONG(test_bytewise),
        LONG(test_name_from_hosts),
        LONG(test_reset_reaches_the_other),
        LONG(test_last_words),
        LONG(test_client_resets_early),
        LONG(test_refusals),
        LONG(test_not_socks),
        LONG(test_connection_refused),
        LONG(test_out_of_descriptors),
        SHORT(test_silent_client),
        SHORT(test_silent_name_server),
        SHORT(test_idle),
        LONG(test_linger_is_bounded),
        LONG(test_end_all),
        LONG(test_lost_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
