/* SPDX-License-Identifier: ISC */
/*
 * The relay between channels of which one or both are protected: over TCP, with RFC 1961 messages and
 * with a face without cryptography. Content, back-pressure, half-close behind sealed bytes that wait,
 * violations, floods, and that no wake-up is lost: a pump runs only for an edge or when it was asked
 * to run again.
 */
#include "tests/unit/sealed_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/krb5msg/krb5msg.h"
#include "src/session/relay.h"

#define PIPE 65536

static uint8_t scratch[RELAY_SCRATCH_SIZE];

/* source and sink are ours; writer and reader the peers', protected like their counterpart. */
struct rig {
    struct loop *loop;
    struct channel source, sink, writer, reader;
    struct pipe_pool pipes;
    struct relay_shared shared;
    struct relay_flow flow;
    bool due;      /* an edge came, or the last pump asked for another */
    bool moved;    /* by the last pump */
    unsigned pumps;
    struct mono end;
    int descriptors;
};

static struct rig r;

static void
ready(struct channel *channel)
{
    if (channel == &r.source || channel == &r.sink)
        r.due = true;
}

static void
protect(struct channel *channel, const struct sealed_kind *kind, bool ours)
{
    void *state;

    if (kind == NULL)
        return;
    state = sealed_state(kind, ours);
    assert_int_equal(channel_protect(channel, kind->module, &state, NULL, 0), 0);
}

/* NULL: not protected. */
static void
rig_init(const struct sealed_kind *up, const struct sealed_kind *down)
{
    int near_fd, far_fd, ends[2];

    memset(&r, 0, sizeof r);
    assert_true(krb5msg_start());
    r.descriptors = fd_count_open();
    r.end = mono_add_seconds(mono_read(), 60);
    r.loop = loop_new();
    assert_non_null(r.loop);
    tcp_pair(&near_fd, &far_fd);
    assert_int_equal(channel_open(&r.source, r.loop, near_fd, ready), 0);
    assert_int_equal(channel_open(&r.writer, r.loop, far_fd, ready), 0);
    tcp_pair(&near_fd, &far_fd);
    assert_int_equal(channel_open(&r.sink, r.loop, near_fd, ready), 0);
    assert_int_equal(channel_open(&r.reader, r.loop, far_fd, ready), 0);
    protect(&r.source, up, true);
    protect(&r.writer, up, false);
    protect(&r.sink, down, true);
    protect(&r.reader, down, false);
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(pipes_add(&r.pipes, ends[0], ends[1], PIPE), 0);
    r.shared = (struct relay_shared) { scratch, &r.pipes };
    r.flow.pending = BUFFER_INIT;
    r.due = true;
}

/* A sink that is full soon: by itself the kernel would take megabytes. */
static void
small_sink(void)
{
    int size = 20000;

    assert_int_equal(setsockopt(r.sink.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    assert_int_equal(setsockopt(r.reader.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
}

static void
rig_free(void)
{
    relay_flow_free(&r.flow, &r.pipes);
    assert_int_equal(r.pipes.free_count, r.pipes.total);
    pipes_free(&r.pipes);
    channel_close(&r.source);
    channel_close(&r.sink);
    channel_close(&r.writer);
    channel_close(&r.reader);
    loop_free(&r.loop);
    assert_int_equal(face_live, 0);
    assert_int_equal(fd_count_open(), r.descriptors);
}

static bool
in_time(void)
{
    return mono_before(mono_read(), r.end);
}

/* One turn, as the session lives it. */
static enum relay_result
pump(void)
{
    enum relay_result result;

    assert_true(in_time());
    assert_int_equal(loop_turn(r.loop, r.due ? 0 : 1), 0);
    if (!r.due)
        return RELAY_WAIT;
    r.due = false;
    r.moved = false;
    r.pumps++;
    result = relay_pump(&r.flow, &r.source, &r.sink, &r.shared, RELAY_UNLIMITED, &r.moved);
    r.due = r.due || result == RELAY_MORE;
    return result;
}

static size_t
held(void)
{
    return relay_held(&r.flow) + channel_held(&r.source) + channel_held(&r.sink);
}

static size_t
read_some(const uint8_t *plain, size_t got)
{
    static uint8_t room[CHANNEL_ROOM_MIN];
    uint8_t *data;
    ssize_t n = r.reader.readable ? channel_read_in(&r.reader, room, sizeof room, &data) : 0;

    assert_true(n >= 0 || errno == EAGAIN);
    if (n > 0)
        assert_memory_equal(data, plain + got, (size_t)n);
    return n > 0 ? (size_t)n : 0;
}

/* Sends of the peer's wire at most cut bytes. */
static void
send_some(const struct wire *w, size_t *sent, size_t cut, struct unit_random *random)
{
    size_t piece = 1 + unit_random(random) % cut;
    ssize_t n;

    if (piece > w->len - *sent)
        piece = w->len - *sent;
    n = send(r.writer.fd, w->data + *sent, piece, MSG_DONTWAIT | MSG_NOSIGNAL);
    *sent += n > 0 ? (size_t)n : 0;
}

/* What the writer's end will send, as one run of bytes. */
static struct wire
make_wire(const struct sealed_kind *up, const uint8_t *plain, size_t len, size_t most)
{
    struct unit_random random = UNIT_RANDOM_INIT;
    struct wire w = { NULL, 0, 0 };

    if (up == NULL) {
        wire_add(&w, plain, len);
        return w;
    }
    void *peer = sealed_state(up, false);

    wire_stream(&w, up, peer, plain, len, most, &random);
    up->module->free(peer);
    return w;
}

/* Also the bound of what is held: a message in part at the source, or what the sink did not take. */
static void
transfer(const struct sealed_kind *up, const struct sealed_kind *down, size_t most, size_t cut,
    unsigned reads)
{
    static uint8_t plain[3000000];
    struct unit_random random = UNIT_RANDOM_INIT;
    size_t len = most < 1000 ? 100000 : sizeof plain, sent = 0, got = 0;
    struct wire w;
    bool ended = false;

    rig_init(up, down);
    if (reads > 1)
        small_sink();
    unit_random_fill(&random, plain, len);
    w = make_wire(up, plain, len, most);
    while (!r.flow.shut || got < len) {
        if (sent < w.len)
            send_some(&w, &sent, cut, &random);
        else if (!ended)
            ended = shutdown(r.writer.fd, SHUT_WR) == 0;
        assert_in_range(pump(), RELAY_WAIT, RELAY_COMPLETE);
        assert_true(held() <= 3 * CHANNEL_ROOM_MIN);
        if (up == NULL) /* sealed at once: what waits, waits as a message */
            assert_int_equal(relay_held(&r.flow), 0);
        if (sent == w.len || unit_random(&random) % reads == 0)
            got += read_some(plain, got);
    }
    assert_int_equal(r.flow.bytes, len);
    assert_int_equal(held(), 0);
    assert_null(r.flow.pending.data);
    assert_int_equal(r.source.received, w.len);
    wire_free(&w);
    rig_free();
}

static void
test_sealed_to_plain(void **state)
{
    (void)state;
    for (size_t k = 0; k < sealed_kind_count; k++) {
        transfer(&sealed_kinds[k], NULL, 65000, 100000, 1);
        transfer(&sealed_kinds[k], NULL, 3000, 40000, 9);
        transfer(&sealed_kinds[k], NULL, 60, 700, 2);
    }
}

static void
test_plain_to_sealed(void **state)
{
    (void)state;
    for (size_t k = 0; k < sealed_kind_count; k++) {
        transfer(NULL, &sealed_kinds[k], 65000, 100000, 1);
        transfer(NULL, &sealed_kinds[k], 65000, 100000, 9);
        transfer(NULL, &sealed_kinds[k], 60, 700, 2);
    }
}

static void
test_sealed_to_sealed(void **state)
{
    (void)state;
    for (size_t k = 0; k < sealed_kind_count; k++) {
        transfer(&sealed_kinds[k], &sealed_kinds[sealed_kind_count - 1 - k], 65000, 100000, 1);
        transfer(&sealed_kinds[k], KIND_FACE, 65000, 100000, 9);
        transfer(&sealed_kinds[k], &sealed_kinds[k], 3000, 100000, 3);
    }
}

static void
writer_send(const void *data, size_t len)
{
    assert_int_equal(send(r.writer.fd, data, len, 0), len);
}

static ssize_t
reader_get(uint8_t *out, size_t size)
{
    return recv(r.reader.fd, out, size, MSG_DONTWAIT);
}

/* Nobody reads: the writer comes to a stand, and no more is held than a message on either side. */
static void
test_back_pressure(void **state)
{
    static uint8_t plain[100000];
    size_t sent, before;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        rig_init(i == 0 ? NULL : KIND_FACE, i == 0 ? KIND_FACE : NULL);
        sent = 0;
        do {
            before = sent;
            for (int k = 0; k < 50; k++) {
                ssize_t n = channel_write(&r.writer, plain, sizeof plain);

                sent += n > 0 ? (size_t)n : 0;
                (void)pump();
                assert_true(held() <= 2 * CHANNEL_ROOM_MIN);
            }
        } while (sent != before);
        assert_true(held() > 0);
        assert_false(r.sink.writable);
        rig_free();
    }
}

/* The source has fallen silent, the sink was full: an edge of the sink alone brings the rest. */
static void
test_silent_source(void **state)
{
    static uint8_t plain[CHANNEL_ROOM_MIN];
    size_t sent = 0, got = 0;

    (void)state;
    rig_init(NULL, KIND_INTEGRITY);
    small_sink();
    while (channel_held(&r.sink) == 0) {
        assert_int_equal(send(r.writer.fd, plain, 9000, 0), 9000);
        sent += 9000;
        while (r.flow.bytes < sent)
            (void)pump();
    }
    assert_false(r.source.readable);
    while (got < sent) {
        got += read_some(plain, 0);
        (void)pump();
    }
    assert_int_equal(got, sent);
    assert_int_equal(r.flow.bytes, sent);
    assert_int_equal(held(), 0);
    rig_free();
}

/* The end of file is passed on behind the last sealed byte, and not before. */
static void
test_end_waits(void **state)
{
    static uint8_t plain[100000];
    size_t sent = 0, got = 0;
    uint8_t *data;
    static uint8_t room[CHANNEL_ROOM_MIN];

    (void)state;
    rig_init(NULL, KIND_CONFIDENTIALITY);
    for (int idle = 0; idle < 50; idle++) {
        ssize_t n = send(r.writer.fd, plain, sizeof plain, MSG_DONTWAIT);

        sent += n > 0 ? (size_t)n : 0;
        idle = n > 0 ? 0 : idle;
        (void)pump();
    }
    assert_true(channel_held(&r.sink) > 0);
    assert_int_equal(shutdown(r.writer.fd, SHUT_WR), 0);
    for (;;) {
        ssize_t n = r.reader.readable ? channel_read_in(&r.reader, room, sizeof room, &data) : -1;

        if (n == 0)
            break;
        got += n > 0 ? (size_t)n : 0;
        if (channel_held(&r.sink) > 0)
            assert_false(r.flow.shut);
        (void)pump();
    }
    assert_true(r.flow.shut);
    assert_int_equal(got, sent);
    assert_int_equal(held(), 0);
    rig_free();
}

/* Only the sealed bytes of the last message are left, and the end was read already. */
static void
test_end_already_read(void **state)
{
    static uint8_t plain[65000];
    static uint8_t room[CHANNEL_ROOM_MIN];
    uint8_t *data;
    ssize_t n;

    (void)state;
    rig_init(NULL, KIND_FACE);
    while (channel_held(&r.sink) == 0)
        assert_true(channel_write(&r.sink, plain, sizeof plain) > 0);
    assert_int_equal(shutdown(r.writer.fd, SHUT_WR), 0);
    while (!r.source.peer_shut)
        (void)pump();
    for (int i = 0; i < 20; i++)
        assert_int_equal(pump(), RELAY_WAIT);
    assert_false(r.flow.shut);
    do {
        (void)pump();
        n = channel_read_in(&r.reader, room, sizeof room, &data);
        assert_true(n >= 0 || errno == EAGAIN);
    } while (n != 0);
    assert_true(r.flow.shut);
    rig_free();
}

static void
test_end_inside(void **state)
{
    uint8_t out[100];
    struct wire w = make_wire(KIND_CONFIDENTIALITY, (const uint8_t *)"some bytes", 10, 10);
    enum relay_result result = RELAY_WAIT;

    (void)state;
    rig_init(KIND_CONFIDENTIALITY, NULL);
    writer_send(w.data, w.len - 1);
    assert_int_equal(shutdown(r.writer.fd, SHUT_WR), 0);
    while (result != RELAY_SOURCE_BROKEN)
        result = pump();
    assert_string_equal(channel_fault(&r.source), "truncated-message");
    assert_false(r.flow.shut);
    assert_true(reader_get(out, sizeof out) != 0); /* no end of file */
    wire_free(&w);
    rig_free();
}

/* What came before a bad message goes on; of the bad one nothing, even when both come at once. */
static void
test_violation(void **state)
{
    (void)state;
    for (size_t k = 0; k < sealed_kind_count; k++) {
        const struct sealed_kind *kind = &sealed_kinds[k];
        void *peer = sealed_state(kind, false);
        struct wire w = { NULL, 0, 0 };
        enum relay_result result = RELAY_WAIT;
        uint8_t out[100];
        ssize_t n = -1;

        rig_init(kind, NULL);
        wire_message(&w, kind, peer, "good", 4);
        wire_message(&w, kind, peer, "evil", 4);
        w.data[w.len - 1] ^= 1;
        wire_message(&w, kind, peer, "more", 4);
        writer_send(w.data, w.len);
        while (result != RELAY_SOURCE_BROKEN)
            result = pump();
        assert_string_equal(channel_fault(&r.source), "bad-checksum");
        assert_int_equal(r.flow.bytes, 4);
        while (n < 0 && in_time())
            n = reader_get(out, sizeof out);
        assert_int_equal(n, 4);
        assert_memory_equal(out, "good", 4);
        assert_int_equal(reader_get(out, sizeof out), -1);
        kind->module->free(peer);
        wire_free(&w);
        rig_free();
    }
}

/* The sink is full when the violation comes: it is found when what came before it is gone. */
static void
test_violation_behind_pressure(void **state)
{
    static uint8_t plain[65000];
    struct wire w = make_wire(KIND_FACE, plain, sizeof plain, sizeof plain);
    enum relay_result result = RELAY_WAIT;
    size_t full = 0, got = 0;
    ssize_t n;

    (void)state;
    wire_add(&w, "\x05", 1);
    rig_init(KIND_FACE, NULL);
    while ((n = send(r.sink.fd, plain, sizeof plain, MSG_DONTWAIT)) > 0)
        full += (size_t)n;
    writer_send(w.data, w.len);
    while (relay_held(&r.flow) == 0)
        assert_int_equal(pump(), RELAY_WAIT);
    while (result != RELAY_SOURCE_BROKEN) {
        n = reader_get(scratch, 1000);
        got += n > 0 ? (size_t)n : 0;
        result = pump();
        assert_in_range(result, RELAY_WAIT, RELAY_SOURCE_BROKEN);
    }
    while (got < full + sizeof plain && in_time()) {
        n = reader_get(scratch, sizeof scratch);
        got += n > 0 ? (size_t)n : 0;
    }
    assert_int_equal(got, full + sizeof plain);
    wire_free(&w);
    rig_free();
}

/* Empty messages use up the turn's share without a byte moved, and what follows them is found. */
static void
test_flood_of_nothing(void **state)
{
    void *peer = sealed_state(KIND_FACE, false);
    struct wire w = { NULL, 0, 0 };
    size_t sent = 0, most = 0;
    bool moved = false;
    uint8_t out[10];

    (void)state;
    rig_init(KIND_FACE, NULL);
    while (w.len < 3000000)
        wire_message(&w, KIND_FACE, peer, "", 0);
    wire_message(&w, KIND_FACE, peer, "end", 3);
    while (r.flow.bytes < 3) {
        uint64_t before = r.source.received;
        ssize_t n = send(r.writer.fd, w.data + sent, w.len - sent, MSG_DONTWAIT);

        sent += n > 0 ? (size_t)n : 0;
        r.moved = false;
        assert_in_range(pump(), RELAY_WAIT, RELAY_MORE);
        moved = moved || (r.moved && r.flow.bytes == 0);
        if (r.source.received - before > most)
            most = (size_t)(r.source.received - before);
        assert_true(held() < FACE_HEAD + FACE_TAIL);
    }
    assert_false(moved);
    assert_in_range(most, RELAY_SEALED_TURN_BYTES / 2, RELAY_SEALED_TURN_BYTES + CHANNEL_ROOM_MIN);
    while (reader_get(out, sizeof out) < 0)
        assert_true(in_time());
    assert_memory_equal(out, "end", 3);
    KIND_FACE->module->free(peer);
    wire_free(&w);
    rig_free();
}

/* Many small messages at once go on as one piece. */
static void
test_one_write(void **state)
{
    uint8_t plain[500], out[600];
    struct wire w;
    ssize_t n = -1;

    (void)state;
    memset(plain, 'x', sizeof plain);
    w = make_wire(KIND_INTEGRITY, plain, sizeof plain, 1);
    rig_init(KIND_INTEGRITY, NULL);
    writer_send(w.data, w.len);
    while (recv(r.source.fd, scratch, w.len, MSG_PEEK | MSG_DONTWAIT) < (ssize_t)w.len)
        assert_true(in_time());
    while (r.flow.bytes == 0)
        assert_int_equal(pump(), RELAY_WAIT);
    assert_int_equal(r.flow.bytes, sizeof plain);
    while (n < 0 && in_time())
        n = reader_get(out, sizeof out);
    assert_int_equal(n, sizeof plain);
    wire_free(&w);
    rig_free();
}

/* No pipe is taken where a channel is protected, however much comes. */
static void
test_never_spliced(void **state)
{
    static uint8_t plain[65000];

    (void)state;
    for (int sealed_up = 0; sealed_up < 2; sealed_up++) {
        rig_init(sealed_up ? KIND_FACE : NULL, sealed_up ? NULL : KIND_FACE);
        r.flow.full_reads = RELAY_FULL_READS;
        assert_true(channel_write(&r.writer, plain, sizeof plain) > 0);
        while (r.flow.bytes < sizeof plain) {
            (void)pump();
            assert_null(r.flow.pipe);
            assert_int_equal(r.pipes.free_count, 1);
        }
        rig_free();
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sealed_to_plain),
        cmocka_unit_test(test_plain_to_sealed),
        cmocka_unit_test(test_sealed_to_sealed),
        cmocka_unit_test(test_back_pressure),
        cmocka_unit_test(test_silent_source),
        cmocka_unit_test(test_end_waits),
        cmocka_unit_test(test_end_already_read),
        cmocka_unit_test(test_end_inside),
        cmocka_unit_test(test_violation),
        cmocka_unit_test(test_violation_behind_pressure),
        cmocka_unit_test(test_flood_of_nothing),
        cmocka_unit_test(test_one_write),
        cmocka_unit_test(test_never_spliced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
