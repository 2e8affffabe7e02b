/* SPDX-License-Identifier: ISC */
/*
 * src/net/channel_sealed.c over TCP connections on loopback, with RFC 1961 messages and with a face
 * that has no cryptography: what arrives is what was sent, whatever the cuts; what breaks the rules
 * is named and nothing of it returned; nothing is held without need.
 */
#include "tests/unit/sealed_rig.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/krb5msg/krb5msg.h"
#include "src/net/dial.h"

#define ROOM CHANNEL_ROOM_MIN

static struct {
    struct loop *loop;
    struct channel channel;
    int peer;
    const struct sealed_kind *kind;
    void *state; /* the peer's */
    struct wire wire;
    uint8_t *room;
    struct mono end;
    int descriptors;
} t;

static void
ignore(struct channel *channel)
{
    assert_ptr_equal(channel, &t.channel);
}

static void
turn(void)
{
    assert_true(mono_before(mono_read(), t.end));
    assert_int_equal(loop_turn(t.loop, 10), 0);
}

static void
begin(const struct sealed_kind *kind, const void *ahead, size_t len)
{
    void *ours = sealed_state(kind, true);

    t.kind = kind;
    t.state = sealed_state(kind, false);
    assert_int_equal(channel_protect(&t.channel, kind->module, &ours, ahead, len), 0);
    assert_null(ours);
    assert_non_null(channel_protection(&t.channel));
    assert_int_equal(channel_raw_fd(&t.channel), -1);
    assert_true(t.channel.readable);
}

static void
peer_forget(void)
{
    if (t.state != NULL)
        t.kind->module->free(t.state);
    t.state = NULL;
}

static int
setup(void **state)
{
    int fd;

    (void)state;
    memset(&t, 0, sizeof t);
    assert_true(krb5msg_start());
    t.descriptors = fd_count_open();
    t.end = mono_add_seconds(mono_read(), 60);
    t.loop = loop_new();
    assert_non_null(t.loop);
    tcp_pair(&fd, &t.peer);
    dial_tune(fd, 0);
    dial_tune(t.peer, 0);
    assert_int_equal(channel_open(&t.channel, t.loop, fd, ignore), 0);
    /* Exactly the room that was promised: a sanitizer sees the byte before and behind it. */
    t.room = malloc(ROOM);
    assert_non_null(t.room);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    channel_close(&t.channel);
    assert_false(channel_is_open(&t.channel));
    fd_close(&t.peer);
    peer_forget();
    wire_free(&t.wire);
    free(t.room);
    loop_free(&t.loop);
    assert_int_equal(fd_count_open(), t.descriptors);
    assert_int_equal(face_live, 0);
    return 0;
}

static ssize_t
take(uint8_t **data)
{
    errno = 0;
    return channel_read_in(&t.channel, t.room, ROOM, data);
}

/* Sends what the peer's wire holds, and waits until it is here (as much of it as a room takes). */
static void
peer_send(void)
{
    size_t most = t.wire.len < ROOM ? t.wire.len : ROOM;
    ssize_t n = 0;

    assert_int_equal(send(t.peer, t.wire.data, t.wire.len, 0), t.wire.len);
    while (n < (ssize_t)most || !t.channel.readable) {
        turn();
        n = recv(t.channel.fd, t.room, ROOM, MSG_PEEK | MSG_DONTWAIT);
    }
    t.wire.len = 0;
}

static void
peer_end(void)
{
    assert_int_equal(shutdown(t.peer, SHUT_WR), 0);
    while (!t.channel.peer_shut)
        turn();
}

static void
expect(const void *plain, size_t len)
{
    uint8_t *data;

    assert_int_equal(take(&data), len);
    assert_true(data >= t.room && data + len <= t.room + ROOM);
    assert_memory_equal(data, plain, len);
}

static void
expect_errno(int error)
{
    uint8_t *data;

    assert_int_equal(take(&data), -1);
    assert_int_equal(errno, error);
}

static void
expect_fault(const char *word)
{
    for (int i = 0; i < 2; i++) { /* for good */
        expect_errno(EBADMSG);
        assert_string_equal(channel_fault(&t.channel), word);
        assert_int_equal(channel_held(&t.channel), 0);
    }
}

static void
message(const void *plain, size_t len)
{
    wire_message(&t.wire, t.kind, t.state, plain, len);
}

/* ---- reading ---- */

static void
test_pieces_of_a_stream(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        begin(i == 0 ? KIND_FACE : KIND_CONFIDENTIALITY, NULL, 0);
        message("\x05\x01", 2); /* a request in two messages, payload behind it in the second */
        message("\x00\x01payload", 9);
        peer_send();
        expect("\x05\x01\x00\x01payload", 11);
        expect_errno(EAGAIN);
        assert_false(t.channel.readable);
        assert_int_equal(channel_held(&t.channel), 0);
        assert_null(channel_fault(&t.channel));
        channel_unprotect(&t.channel);
        peer_forget();
    }
}

static void
test_empty_messages(void **state)
{
    (void)state;
    begin(KIND_INTEGRITY, NULL, 0);
    message("", 0);
    message("one", 3);
    message("", 0);
    message("two", 3);
    message("", 0);
    peer_send();
    expect("onetwo", 6);
    for (int i = 0; i < 4; i++)
        message("", 0);
    peer_send();
    expect_errno(EAGAIN);
}

static void
test_500_in_one_segment(void **state)
{
    uint8_t plain[500];

    (void)state;
    begin(KIND_CONFIDENTIALITY, NULL, 0);
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)(i * 7);
        message(plain + i, 1);
    }
    peer_send();
    expect(plain, sizeof plain);
    assert_int_equal(channel_held(&t.channel), 0);
}

static void
test_byte_by_byte(void **state)
{
    struct wire all;
    size_t got = 0;

    (void)state;
    begin(KIND_CONFIDENTIALITY, NULL, 0);
    message("drop", 4);
    message("", 0);
    message("by drop", 7);
    all = t.wire;
    for (size_t i = 0; i < all.len; i++) {
        uint8_t *data;
        ssize_t n;

        t.wire = (struct wire) { all.data + i, 1, 1 };
        peer_send();
        n = take(&data);
        assert_true(n > 0 || errno == EAGAIN);
        if (n > 0)
            assert_memory_equal(data, &"dropby drop"[got], (size_t)n);
        got += n > 0 ? (size_t)n : 0;
    }
    t.wire = all;
    assert_int_equal(got, 11);
    assert_int_equal(channel_held(&t.channel), 0);
    assert_int_equal(t.channel.received, all.len);
}

/* Messages that the session read together with the last one of the login: no edge tells of them. */
static void
test_ahead(void **state)
{
    static uint8_t plain[120000];
    struct unit_random random = UNIT_RANDOM_INIT;
    void *ours = sealed_state(KIND_FACE, true);
    size_t got = 0;

    (void)state;
    t.kind = KIND_FACE;
    t.state = sealed_state(KIND_FACE, false);
    unit_random_fill(&random, plain, sizeof plain);
    for (size_t i = 0; i < sizeof plain; i += 20000) {
        message("", 0);
        message(plain + i, 20000);
    }
    size_t cut = t.wire.len - 100; /* the last in part */
    assert_int_equal(channel_read(&t.channel, t.room, ROOM), -1);
    assert_false(t.channel.readable);
    assert_int_equal(channel_protect(&t.channel, &face, &ours, t.wire.data, cut), 0);
    while (t.channel.readable) {
        uint8_t *data;
        ssize_t n = take(&data);

        assert_true(n > 0 || errno == EAGAIN);
        if (n > 0)
            assert_memory_equal(data, plain + got, (size_t)n);
        got += n > 0 ? (size_t)n : 0;
    }
    assert_int_equal(got, 100000);
    assert_int_equal(t.channel.received, 0);
    memmove(t.wire.data, t.wire.data + cut, 100);
    t.wire.len = 100;
    peer_send();
    expect(plain + 100000, 20000);
    assert_int_equal(channel_held(&t.channel), 0);
}

static void
test_largest_messages(void **state)
{
    static uint8_t plain[66000];
    struct unit_random random = UNIT_RANDOM_INIT;

    (void)state;
    for (size_t k = 0; k < sealed_kind_count; k++) {
        begin(&sealed_kinds[k], NULL, 0);
        size_t most = t.kind->module->plain_max(t.state), got = 0;

        assert_int_equal(channel_write_max(&t.channel), most);
        unit_random_fill(&random, plain, most);
        for (int i = 0; i < 3; i++)
            message(plain, most);
        peer_send();
        while (got < 3 * most) {
            uint8_t *data;
            ssize_t n = take(&data);

            if (n < 0)
                turn();
            for (size_t i = 0; n > 0 && i < (size_t)n; i++)
                if (data[i] != plain[(got + i) % most])
                    fail();
            got += n > 0 ? (size_t)n : 0;
        }
        assert_int_equal(channel_held(&t.channel), 0);
        channel_unprotect(&t.channel);
        peer_forget();
    }
}

/* Random messages, cut at random places, arrive as one stream. */
static void
cut_stream(size_t most, size_t cut)
{
    static uint8_t plain[2000000];
    struct unit_random random = UNIT_RANDOM_INIT;
    size_t len = most < 100 ? 20000 : sizeof plain, sent = 0, got = 0;

    unit_random_fill(&random, plain, len);
    wire_stream(&t.wire, t.kind, t.state, plain, len, most, &random);
    while (got < len) {
        size_t piece = 1 + unit_random(&random) % cut;
        uint8_t *data;
        ssize_t n;

        if (piece > t.wire.len - sent)
            piece = t.wire.len - sent;
        n = send(t.peer, t.wire.data + sent, piece, MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
        assert_int_equal(loop_turn(t.loop, 0), 0);
        n = t.channel.readable ? take(&data) : 0;
        assert_true(n >= 0 || errno == EAGAIN);
        if (n > 0)
            assert_memory_equal(data, plain + got, (size_t)n);
        got += n > 0 ? (size_t)n : 0;
        assert_true(mono_before(mono_read(), t.end));
    }
    assert_int_equal(got, len);
}

static void
test_random_cuts(void **state)
{
    static const struct {
        size_t most, cut;
    } rows[] = { { 40, 300 }, { 2000, 30000 }, { 40000, 65000 }, { 65000, 9000 }, { 65000, 200000 } };

    (void)state;
    for (size_t k = 0; k < sealed_kind_count; k++) {
        for (size_t i = 0; i < SP_COUNT(rows); i++) {
            begin(&sealed_kinds[k], NULL, 0);
            cut_stream(rows[i].most, rows[i].cut);
            while (t.channel.readable) { /* empty messages at the end */
                uint8_t *data;
                assert_int_equal(take(&data), -1);
                turn();
            }
            assert_int_equal(channel_held(&t.channel), 0);
            channel_unprotect(&t.channel);
            peer_forget();
            wire_free(&t.wire);
        }
    }
}

static void
test_read_moves(void **state)
{
    (void)state;
    begin(KIND_FACE, NULL, 0);
    message("moved", 5);
    peer_send();
    assert_int_equal(channel_read(&t.channel, t.room, 1000), -1);
    assert_int_equal(errno, EMSGSIZE);
    assert_int_equal(channel_read(&t.channel, t.room, ROOM), 5);
    assert_memory_equal(t.room, "moved", 5);
}

/* An urgent byte within a message is one of its bytes. */
static void
test_urgent(void **state)
{
    size_t half;

    (void)state;
    begin(KIND_FACE, NULL, 0);
    message("urgent", 6);
    half = t.wire.len / 2;
    assert_int_equal(send(t.peer, t.wire.data, half, MSG_OOB), half);
    assert_int_equal(send(t.peer, t.wire.data + half, t.wire.len - half, 0), t.wire.len - half);
    for (;;) {
        uint8_t *data;
        ssize_t n = t.channel.readable ? take(&data) : 0;

        if (n > 0) {
            assert_int_equal(n, 6);
            assert_memory_equal(data, "urgent", 6);
            break;
        }
        assert_true(n == 0 || errno == EAGAIN);
        turn();
    }
}

/* ---- the end of the stream ---- */

static void
test_end_of_file(void **state)
{
    uint8_t *data;

    (void)state;
    begin(KIND_CONFIDENTIALITY, NULL, 0);
    message("last", 4);
    peer_send();
    peer_end();
    expect("last", 4);
    assert_true(t.channel.readable);
    assert_int_equal(take(&data), 0);
    assert_int_equal(take(&data), 0);
    assert_null(channel_fault(&t.channel));
    /* The other direction still works. */
    assert_int_equal(channel_write(&t.channel, "still", 5), 5);
}

/* The end with the bytes, or behind them. */
static void
end_inside(const struct sealed_kind *kind, size_t missing, bool later)
{
    begin(kind, NULL, 0);
    message("whole", 5);
    message("in part", 7);
    t.wire.len -= missing;
    peer_send();
    if (!later)
        peer_end();
    expect("whole", 5);
    assert_true(channel_held(&t.channel) > 0);
    if (later) {
        expect_errno(EAGAIN);
        peer_end();
    }
    assert_true(t.channel.readable);
    expect_fault("truncated-message");
}

static void
test_end_inside(void **state)
{
    for (size_t k = 0; k < sealed_kind_count; k++) {
        for (size_t missing = 1; missing < 13; missing += 3) {
            end_inside(&sealed_kinds[k], missing, missing % 2 == 0);
            (void)teardown(state);
            (void)setup(state);
        }
    }
}

/* ---- violations ---- */

/* Good messages, then a bad one: the good plaintext comes first, of the bad one nothing. */
static void
violation(const struct sealed_kind *kind, void (*spoil)(struct wire *w, size_t from),
    const char *word)
{
    size_t from;

    begin(kind, NULL, 0);
    message("good", 4);
    message(" too", 4);
    from = t.wire.len;
    message("evil", 4);
    spoil(&t.wire, from);
    peer_send();
    expect("good too", 8);
    assert_string_equal(channel_fault(&t.channel), word);
    assert_true(t.channel.readable); /* no edge will tell of it */
    expect_fault(word);
    channel_unprotect(&t.channel);
    assert_null(channel_fault(&t.channel));
    peer_forget();
    t.wire.len = 0;
}

static void
spoil_last(struct wire *w, size_t from)
{
    (void)from;
    w->data[w->len - 1] ^= 1;
}

static void
spoil_first(struct wire *w, size_t from)
{
    w->data[from] ^= 0x40;
}

static void
spoil_plain(struct wire *w, size_t from)
{
    w->data[from] = 0x05;
}

static void
spoil_replay(struct wire *w, size_t from)
{
    memmove(w->data + from, w->data, from / 2);
    w->len = from + from / 2;
}

static void
spoil_order(struct wire *w, size_t from)
{
    w->len = from;
    wire_message(w, t.kind, t.state, "next but one", 12);
}

static void
test_violations(void **state)
{
    (void)state;
    violation(KIND_FACE, spoil_last, "bad-checksum");
    violation(KIND_FACE, spoil_first, "wrong-type");
    violation(KIND_INTEGRITY, spoil_last, "bad-checksum");
    violation(KIND_CONFIDENTIALITY, spoil_last, "bad-checksum");
    violation(KIND_CONFIDENTIALITY, spoil_first, "wrong-version");
    violation(KIND_CONFIDENTIALITY, spoil_plain, "unprotected-message");
    violation(KIND_CONFIDENTIALITY, spoil_replay, "replayed-message");
    violation(KIND_INTEGRITY, spoil_order, "out-of-sequence-message");
}

/* What lies behind a bad message is not looked at. */
static void
test_good_behind_bad(void **state)
{
    (void)state;
    begin(KIND_FACE, NULL, 0);
    message("evil", 4);
    t.wire.data[4] ^= 1;
    message("good", 4);
    peer_send();
    expect_fault("bad-checksum");
}

/* ---- writing ---- */

/* Reads what the peer's socket has and opens it, with the layer's own code on the peer's side. */
static struct channel other;

static void
other_ignore(struct channel *channel)
{
    (void)channel;
}

static void
other_begin(void)
{
    assert_int_equal(channel_open(&other, t.loop, fd_take(&t.peer), other_ignore), 0);
    assert_int_equal(channel_protect(&other, t.kind->module, &t.state, NULL, 0), 0);
}

static size_t
other_read(const uint8_t *plain, size_t got)
{
    uint8_t *data;
    ssize_t n = other.readable ? channel_read_in(&other, t.room, ROOM, &data) : 0;

    assert_true(n >= 0 || errno == EAGAIN);
    if (n > 0)
        assert_memory_equal(data, plain + got, (size_t)n);
    return n > 0 ? (size_t)n : 0;
}

static ssize_t
write_random(const uint8_t *plain, size_t len, struct unit_random *random)
{
    static uint8_t room[CHANNEL_HEAD + CHANNEL_ROOM_MIN + CHANNEL_TAIL];
    size_t most = channel_write_max(&t.channel), piece = 1 + unit_random(random) % 100000;

    if (piece > len)
        piece = len;
    errno = 0;
    if (unit_random(random) % 2 == 0)
        return channel_write(&t.channel, plain, piece);
    if (piece > most)
        piece = most;
    memcpy(room + CHANNEL_HEAD, plain, piece);
    return channel_write_in(&t.channel, room + CHANNEL_HEAD, piece);
}

/* Both ways of writing, a reader that is slower, and never more held than one message. */
static void
test_write_blocked(void **state)
{
    static uint8_t plain[6000000];

    (void)state;
    for (size_t k = 0; k < sealed_kind_count; k++) {
        struct unit_random random = UNIT_RANDOM_INIT;
        size_t sent = 0, got = 0, blocked = 0;

        begin(&sealed_kinds[k], NULL, 0);
        unit_random_fill(&random, plain, sizeof plain);
        other_begin();
        while (got < sizeof plain) {
            ssize_t n = sent < sizeof plain
                ? write_random(plain + sent, sizeof plain - sent, &random)
                : channel_flush(&t.channel);

            assert_true(n >= 0 || errno == EAGAIN);
            sent += n > 0 ? (size_t)n : 0;
            assert_true(channel_held(&t.channel) <= t.kind->module->message_max);
            if (channel_held(&t.channel) > 0)
                assert_false(t.channel.writable);
            blocked += n < 0;
            assert_int_equal(loop_turn(t.loop, 0), 0);
            assert_true(mono_before(mono_read(), t.end));
            if (blocked > 3 || sent == sizeof plain)
                got += other_read(plain, got);
        }
        assert_int_equal(channel_flush(&t.channel), 0);
        assert_int_equal(channel_held(&t.channel), 0);
        assert_int_equal(t.channel.sent, other.received);
        assert_true(blocked > 0);
        channel_close(&other);
        (void)teardown(NULL);
        (void)setup(NULL);
    }
}

static void
test_write_bounds(void **state)
{
    (void)state;
    begin(KIND_CONFIDENTIALITY, NULL, 0);
    assert_int_equal(channel_write(&t.channel, "", 0), 0);
    assert_int_equal(t.channel.sent, 0);
    assert_int_equal(channel_write_in(&t.channel, t.room, channel_write_max(&t.channel) + 1), -1);
    assert_int_equal(errno, EMSGSIZE);
    assert_int_equal(t.channel.sent, 0);
}

/* ---- the layer ---- */

static void
test_protect_refuses(void **state)
{
    struct auth_protect_module large = face;
    void *ours = face_state();

    (void)state;
    large.message_max = CHANNEL_ROOM_MIN + 1;
    assert_int_equal(channel_protect(&t.channel, &large, &ours, NULL, 0), -1);
    assert_int_equal(errno, EINVAL);
    assert_null(ours);
    ours = face_state();
    assert_int_equal(channel_protect(&t.channel, &face, &ours, t.room, AUTH_TOKEN_MAX + 1), -1);
    assert_null(ours);
    begin(KIND_FACE, NULL, 0);
    ours = face_state();
    assert_int_equal(channel_protect(&t.channel, &face, &ours, NULL, 0), -1);
    assert_int_equal(errno, EBUSY);
    assert_null(ours);
}

/* To throw away what a client still sends, its bytes need not be opened. */
static void
test_unprotect(void **state)
{
    uint8_t byte[10];

    (void)state;
    channel_unprotect(&t.channel); /* harmless */
    begin(KIND_FACE, "\x5a", 1);
    channel_unprotect(&t.channel);
    assert_null(channel_protection(&t.channel));
    assert_int_equal(channel_held(&t.channel), 0);
    assert_true(channel_raw_fd(&t.channel) >= 0);
    assert_true(t.channel.readable);
    assert_int_equal(send(t.peer, "raw", 3, 0), 3);
    while (recv(t.channel.fd, byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) < 3)
        turn();
    assert_int_equal(channel_read(&t.channel, byte, sizeof byte), 3);
    assert_memory_equal(byte, "raw", 3);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pieces_of_a_stream),
        TEST(test_empty_messages),
        TEST(test_500_in_one_segment),
        TEST(test_byte_by_byte),
        TEST(test_ahead),
        TEST(test_largest_messages),
        TEST(test_random_cuts),
        TEST(test_read_moves),
        TEST(test_urgent),
        TEST(test_end_of_file),
        TEST(test_end_inside),
        TEST(test_violations),
        TEST(test_good_behind_bad),
        TEST(test_write_blocked),
        TEST(test_write_bounds),
        TEST(test_protect_refuses),
        TEST(test_unprotect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
