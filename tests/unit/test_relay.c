/* SPDX-License-Identifier: ISC */
/*
 * The relay engines over real TCP connections: content through random sizes, half-close, back-pressure
 * without holding more than promised, and pipes that always come home.
 */
#include "tests/unit/unit.h"

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "src/session/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIPE 65536

static uint8_t scratch[RELAY_SCRATCH_SIZE];

static void
ignore(struct channel *channel)
{
    (void)channel;
}

/* A connected TCP pair on loopback: near is ours, far the peer's, both non-blocking. */
static void
tcp_pair(int *near_fd, int *far_fd)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    socklen_t len = sizeof sin;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&sin, sizeof sin), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&sin, &len), 0);
    *far_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(*far_fd, (struct sockaddr *)&sin, sizeof sin), 0);
    *near_fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    assert_true(*near_fd >= 0);
    assert_int_equal(fd_set_nonblock(*far_fd), 0);
    fd_close(&listener);
}

struct rig {
    struct loop *loop;
    struct channel source, sink;
    int writer, reader; /* the peers' ends */
    struct pipe_pool pipes;
    struct relay_shared shared;
    struct relay_flow flow;
    struct mono end; /* a busy machine takes its time, over loopback too */
};

static bool
in_time(const struct rig *r)
{
    return mono_before(mono_read(), r->end);
}

static void
rig_init(struct rig *r, unsigned pipe_count)
{
    int fd;

    memset(r, 0, sizeof *r);
    r->end = mono_add_seconds(mono_read(), 20);
    r->loop = loop_new();
    assert_non_null(r->loop);
    tcp_pair(&fd, &r->writer);
    assert_int_equal(channel_open(&r->source, r->loop, fd, ignore), 0);
    tcp_pair(&fd, &r->reader);
    assert_int_equal(channel_open(&r->sink, r->loop, fd, ignore), 0);
    while (pipe_count-- > 0) {
        int ends[2];

        assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
        assert_int_equal(pipes_add(&r->pipes, ends[0], ends[1], PIPE), 0);
    }
    r->shared = (struct relay_shared) { scratch, &r->pipes };
    r->flow.pending = BUFFER_INIT;
}

static void
rig_free(struct rig *r)
{
    relay_flow_free(&r->flow, &r->pipes);
    assert_int_equal(r->pipes.free_count, r->pipes.total);
    pipes_free(&r->pipes);
    channel_close(&r->source);
    channel_close(&r->sink);
    fd_close(&r->writer);
    fd_close(&r->reader);
    loop_free(&r->loop);
}

static enum relay_result
pump(struct rig *r)
{
    bool moved = false;

    assert_int_equal(loop_turn(r->loop, 0), 0);
    return relay_pump(&r->flow, &r->source, &r->sink, &r->shared, RELAY_UNLIMITED, &moved);
}

static uint8_t
pattern(uint64_t i)
{
    return (uint8_t)((i * 2654435761U) >> 13);
}

static void
write_some(struct rig *r, uint64_t *sent, uint64_t total, size_t chunk)
{
    uint8_t data[100000];

    if (chunk > total - *sent)
        chunk = (size_t)(total - *sent);
    for (size_t i = 0; i < chunk; i++)
        data[i] = pattern(*sent + i);
    ssize_t n = send(r->writer, data, chunk, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0)
        *sent += (uint64_t)n;
}

static void
read_some(struct rig *r, uint64_t *got, size_t chunk)
{
    uint8_t data[100000];
    ssize_t n = recv(r->reader, data, chunk, MSG_DONTWAIT);

    for (ssize_t i = 0; i < n; i++)
        assert_int_equal(data[i], pattern(*got + (uint64_t)i));
    if (n > 0)
        *got += (uint64_t)n;
}

static void
transfer(unsigned pipe_count, size_t largest)
{
    struct unit_random random = UNIT_RANDOM_INIT;
    const uint64_t total = 8 * 1024 * 1024;
    uint64_t sent = 0, got = 0;
    struct rig r;

    rig_init(&r, pipe_count);
    while (got < total) {
        write_some(&r, &sent, total, 1 + unit_random(&random) % largest);
        assert_in_range(pump(&r), RELAY_WAIT, RELAY_MORE);
        assert_true(relay_held(&r.flow) <= RELAY_READ_SIZE);
        read_some(&r, &got, 1 + unit_random(&random) % largest);
    }
    assert_int_equal(r.flow.bytes, total);
    assert_int_equal(relay_held(&r.flow), 0);
    assert_null(r.flow.pending.data);
    assert_null(r.flow.pipe);
    rig_free(&r);
}

static void
test_copy(void **state)
{
    (void)state;
    transfer(0, 1000);
    transfer(0, 100000);
}

static void
test_splice(void **state)
{
    (void)state;
    transfer(1, 100000);
}

/* After two full reads a pipe is used; without a free one the flow goes on copying. */
static void
test_engine_choice(void **state)
{
    uint64_t sent = 0, got = 0;
    unsigned with_pipe = 0;
    struct rig r;

    (void)state;
    rig_init(&r, 1);
    for (int i = 0; i < 2000 || (with_pipe == 0 && in_time(&r)); i++) {
        write_some(&r, &sent, UINT64_MAX, 100000);
        (void)pump(&r);
        with_pipe += r.flow.pipe != NULL;
        if (i % 3 == 0) /* a reader slower than the writer: bytes stay in the pipe */
            read_some(&r, &got, 100000);
    }
    assert_true(with_pipe > 0);
    rig_free(&r);
}

static void
test_back_pressure(void **state)
{
    uint64_t sent = 0, before;
    struct rig r;

    (void)state;
    rig_init(&r, 1);
    do { /* nobody reads: the writer must come to a stand */
        before = sent;
        for (int i = 0; i < 50; i++) {
            write_some(&r, &sent, UINT64_MAX, 100000);
            (void)pump(&r);
            assert_true(relay_held(&r.flow) <= RELAY_READ_SIZE);
        }
    } while (sent != before);
    rig_free(&r);
}

static void
test_half_close(void **state)
{
    uint64_t sent = 0, got = 0;
    uint8_t byte;
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    write_some(&r, &sent, 1000, 1000);
    assert_int_equal(shutdown(r.writer, SHUT_WR), 0);
    while (pump(&r) != RELAY_COMPLETE && in_time(&r))
        ;
    assert_true(r.flow.shut);
    while (got < 1000)
        read_some(&r, &got, 1000);
    assert_int_equal(recv(r.reader, &byte, 1, 0), 0);
    /* The other direction of both connections still works. */
    assert_int_equal(send(r.reader, "x", 1, 0), 1);
    rig_free(&r);
}

static void
test_source_reset(void **state)
{
    struct linger linger = { 1, 0 };
    enum relay_result result = RELAY_WAIT;
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    assert_int_equal(setsockopt(r.writer, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    fd_close(&r.writer);
    while (result == RELAY_WAIT && in_time(&r))
        result = pump(&r);
    assert_int_equal(result, RELAY_SOURCE_FAILED);
    rig_free(&r);
}

static void
test_sink_reset(void **state)
{
    struct linger linger = { 1, 0 };
    enum relay_result result = RELAY_WAIT;
    uint64_t sent = 0;
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    assert_int_equal(setsockopt(r.reader, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    fd_close(&r.reader);
    while (result != RELAY_SINK_FAILED && in_time(&r)) {
        write_some(&r, &sent, UINT64_MAX, 10000);
        result = pump(&r);
    }
    assert_int_equal(result, RELAY_SINK_FAILED);
    rig_free(&r);
}

/* An ended flow's bytes never reach the next user of its pipe. */
static void
test_drained_pipe(void **state)
{
    uint64_t sent = 0, got = 0;
    uint8_t byte;
    struct rig r;

    (void)state;
    rig_init(&r, 1);
    for (int i = 0; r.flow.pipe == NULL && in_time(&r); i++) {
        write_some(&r, &sent, UINT64_MAX, 100000);
        (void)pump(&r);
        if (i % 3 == 0 && r.flow.pipe == NULL)
            read_some(&r, &got, 100000);
    }
    assert_non_null(r.flow.pipe);
    relay_flow_free(&r.flow, &r.pipes);
    assert_int_equal(r.pipes.free_count, 1);
    assert_int_equal(read(r.pipes.free_list[0]->read_fd, &byte, 1), -1);
    assert_int_equal(errno, EAGAIN);
    rig_free(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_splice),
        cmocka_unit_test(test_engine_choice),
        cmocka_unit_test(test_back_pressure),
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_source_reset),
        cmocka_unit_test(test_sink_reset),
        cmocka_unit_test(test_drained_pipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
