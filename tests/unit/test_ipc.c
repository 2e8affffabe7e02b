/* SPDX-License-Identifier: ISC */
/* src/core/ipc.c: every row of the table from both sides, descriptors lost and surplus, noise. */
#include "tests/unit/core_unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "lib/base/fd.h"
#include "src/core/ipc.h"
#include "src/core/ipc_private.h"

static const enum ipc_role roles[] = { IPC_MASTER, IPC_WORKER, IPC_AUTH, IPC_LOGGER,
    IPC_METRICS };
static const enum ipc_state states[] = { IPC_STARTING, IPC_RUNNING, IPC_STOPPING };

struct pair {
    struct ipc_peer peer; /* under test */
    int raw;              /* the other end */
};

static void
pair_open(struct pair *p, enum ipc_role self, enum ipc_role other, enum ipc_state state)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    p->peer = (struct ipc_peer) { .fd = fds[0], .self = self, .other = other };
    ipc_set_state(&p->peer, state);
    p->raw = fds[1];
}

static void
pair_close(struct pair *p)
{
    fd_close(&p->peer.fd);
    fd_close(&p->raw);
}

/* Sends a packet past all checks: head, len bytes of body, fd_count copies of descriptor 0. */
static void
raw_send(int fd, uint16_t type, uint16_t zero, uint32_t said, const void *body, size_t len,
    size_t fd_count)
{
    struct {
        uint16_t type;
        uint16_t zero;
        uint32_t len;
    } head = { type, zero, said };
    struct iovec iov[] = { { &head, sizeof head }, { (void *)(uintptr_t)body, len } };
    uint8_t control[CMSG_SPACE(sizeof(int) * 253)] __attribute__((aligned(8))) = { 0 };
    struct msghdr hdr = { .msg_iov = iov, .msg_iovlen = 2 };

    if (fd_count > 0) {
        hdr.msg_control = control;
        hdr.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);

        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
    }
    assert_int_equal(sendmsg(fd, &hdr, MSG_DONTWAIT), sizeof head + len);
}

/* A body of zeros, except that PIPES says how many there are. */
static enum ipc_result
try_packet(struct pair *p, enum ipc_type type, size_t len, size_t fd_count)
{
    static uint8_t body[IPC_BODY_MAX + 64];
    struct ipc_message m;
    const char *why = NULL;

    raw_send(p->raw, (uint16_t)type, 0, (uint32_t)len, body, len, fd_count);
    enum ipc_result result = ipc_recv(&p->peer, &m, &why);

    if (result == IPC_OK) {
        assert_int_equal(m.type, type);
        assert_int_equal(m.len, len);
        assert_int_equal(m.fd_count, fd_count);
        assert_int_equal(m.fd_lost, 0);
        ipc_message_close(&m);
    } else {
        assert_non_null(why);
    }
    return result;
}

static bool
legal(const struct ipc_row *row, enum ipc_role from, enum ipc_role to, enum ipc_state state)
{
    return (row->from & from) != 0 && (row->to & to) != 0 && (row->states & state) != 0;
}

/* Lengths and descriptor counts around the limits of a row. */
static void
try_limits(struct pair *p, enum ipc_type type)
{
    const struct ipc_row *row = &ipc_table[type];

    assert_int_equal(try_packet(p, type, row->min_len, row->min_fds), IPC_OK);
    assert_int_equal(try_packet(p, type, row->max_len, row->max_fds), IPC_OK);
    assert_int_equal(try_packet(p, type, row->max_len + 1, row->min_fds), IPC_VIOLATION);
    assert_int_equal(try_packet(p, type, row->min_len, row->max_fds + 1), IPC_VIOLATION);
    if (row->min_len > 0)
        assert_int_equal(try_packet(p, type, row->min_len - 1, row->min_fds), IPC_VIOLATION);
    if (row->min_fds > 0)
        assert_int_equal(try_packet(p, type, row->min_len, row->min_fds - 1), IPC_VIOLATION);
}

static void
test_every_row_received(void **state)
{
    (void)state;
    int before = fd_count_open();
    int allowed = 0;

    for (size_t i = 0; i < 5 * 5 * 3 * (size_t)IPC_TYPE_COUNT; i++) {
        enum ipc_type type = (enum ipc_type)(i / 75);
        enum ipc_role from = roles[i / 15 % 5], to = roles[i / 3 % 5];
        enum ipc_state at = states[i % 3];
        struct pair p;

        pair_open(&p, to, from, at);
        if (legal(&ipc_table[type], from, to, at)) {
            try_limits(&p, type);
            allowed++;
        } else {
            assert_int_equal(
                try_packet(&p, type, ipc_table[type].min_len, ipc_table[type].min_fds),
                IPC_VIOLATION);
        }
        pair_close(&p);
    }
    assert_in_range(allowed, 40, 200);
    assert_int_equal(fd_count_open(), before);
}

struct attempt {
    struct ipc_peer peer;
    enum ipc_type type;
    size_t len;
    size_t fd_count;
};

static void
act_send(void *arg)
{
    struct attempt *a = arg;
    static const uint8_t body[IPC_BODY_MAX + 1];
    int fds[IPC_FDS_MAX + 1] = { 0 };

    CHILD_CHECK(ipc_send(&a->peer, a->type, body, a->len, fds, a->fd_count) == 0);
}

/* The same table holds on the sending side, where breaking it is a panic. */
static void
test_every_row_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5 * 5 * 3 * (size_t)IPC_TYPE_COUNT; i++) {
        enum ipc_type type = (enum ipc_type)(i / 75);
        const struct ipc_row *row = &ipc_table[type];
        enum ipc_role from = roles[i / 15 % 5], to = roles[i / 3 % 5];
        enum ipc_state at = states[i % 3];
        struct pair p;

        if (!legal(row, from, to, at))
            continue;
        pair_open(&p, from, to, at);
        struct attempt a = { p.peer, type, row->max_len, row->max_fds };

        act_send(&a);
        pair_close(&p);
    }
}

static void
assert_panics(struct attempt a)
{
    char text[256];

    unit_assert_signal(unit_fork(act_send, &a, text, sizeof text), SIGABRT);
    assert_non_null(strstr(text, ipc_type_name(a.type)));
}

static void
test_sending_the_forbidden_panics(void **state)
{
    struct pair p;

    (void)state;
    pair_open(&p, IPC_WORKER, IPC_MASTER, IPC_RUNNING);
    assert_panics((struct attempt) { p.peer, IPC_SESSIONS, 58, 1 });
    assert_panics((struct attempt) { p.peer, IPC_AUTH_RESULT, 19, 0 });
    assert_panics((struct attempt) { p.peer, IPC_READY, 0, 0 });
    assert_panics((struct attempt) { p.peer, IPC_ENDED, 7, 0 });
    assert_panics((struct attempt) { p.peer, IPC_ENDED, 2049, 0 });
    assert_panics((struct attempt) { p.peer, IPC_ENDED, 8, 1 });
    pair_close(&p);
}

static void
expect_violation(struct pair *p)
{
    struct ipc_message m;
    const char *why = NULL;

    assert_int_equal(ipc_recv(&p->peer, &m, &why), IPC_VIOLATION);
    assert_non_null(why);
    assert_int_equal(m.fd_count, 0);
}

static void
test_malformed_packets(void **state)
{
    struct pair p;
    static const uint8_t zeros[4096];

    (void)state;
    int before = fd_count_open();

    pair_open(&p, IPC_MASTER, IPC_WORKER, IPC_RUNNING);
    assert_int_equal(send(p.raw, zeros, 1, 0), 1);
    expect_violation(&p);
    assert_int_equal(send(p.raw, zeros, 7, 0), 7);
    expect_violation(&p);
    raw_send(p.raw, IPC_PONG, 1, 4, zeros, 4, 0);
    expect_violation(&p);
    raw_send(p.raw, IPC_PONG, 0, 3, zeros, 4, 0);
    expect_violation(&p);
    raw_send(p.raw, IPC_PONG, 0, 5, zeros, 4, 0);
    expect_violation(&p);
    raw_send(p.raw, IPC_TYPE_COUNT, 0, 4, zeros, 4, 0);
    expect_violation(&p);
    raw_send(p.raw, 0xffff, 0, 4, zeros, 4, 0);
    expect_violation(&p);
    raw_send(p.raw, IPC_ENDED, 0, 2048, zeros, 4096, 0);
    expect_violation(&p);
    raw_send(p.raw, IPC_PONG, 0, 4, zeros, 4, 253);
    expect_violation(&p);
    raw_send(p.raw, IPC_PONG, 0, 4, zeros, 4, 0); /* the channel itself is unharmed */
    struct ipc_message m;
    const char *why;

    assert_int_equal(ipc_recv(&p.peer, &m, &why), IPC_OK);
    assert_string_equal(ipc_type_name(m.type), "PONG");
    pair_close(&p);
    assert_int_equal(fd_count_open(), before);
}

static void
test_again_and_end(void **state)
{
    struct pair p;
    struct ipc_message m;
    const char *why = NULL;

    (void)state;
    pair_open(&p, IPC_MASTER, IPC_WORKER, IPC_RUNNING);
    assert_int_equal(ipc_recv(&p.peer, &m, &why), IPC_AGAIN);
    raw_send(p.raw, IPC_PONG, 0, 4, "abcd", 4, 0);
    fd_close(&p.raw);
    assert_int_equal(ipc_recv(&p.peer, &m, &why), IPC_OK);
    assert_int_equal(ipc_recv(&p.peer, &m, &why), IPC_EOF);
    uint8_t body[4] = { 0 };

    assert_int_equal(ipc_send(&p.peer, IPC_PING, body, 4, NULL, 0), -1);
    assert_int_equal(errno, EPIPE);
    pair_close(&p);
    p.peer.fd = -1;
    assert_int_equal(ipc_recv(&p.peer, &m, &why), IPC_ERROR);
    assert_int_equal(errno, EBADF);
}

static void
test_full_channel(void **state)
{
    struct pair p;
    uint8_t body[4] = { 0 };
    int n = 0;

    (void)state;
    pair_open(&p, IPC_MASTER, IPC_WORKER, IPC_RUNNING);
    while (ipc_send(&p.peer, IPC_PING, body, 4, NULL, 0) == 0)
        assert_true(++n < 100000);
    assert_int_equal(errno, EAGAIN);
    pair_close(&p);
}

static void
test_descriptors_arrive(void **state)
{
    struct pair p;
    struct ipc_message m;
    const char *why = NULL;
    uint8_t body[8];
    int pipes[4];

    (void)state;
    int before = fd_count_open();

    pair_open(&p, IPC_MASTER, IPC_WORKER, IPC_RUNNING);
    struct ipc_peer worker = { p.raw, IPC_WORKER, IPC_MASTER, IPC_RUNNING };

    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(pipe(pipes + 2), 0);
    size_t len = ipc_pipes_encode(&(struct ipc_pipes) { 2, 65536 }, body, sizeof body);

    assert_int_equal(ipc_send(&p.peer, IPC_PIPES, body, len, pipes, 4), 0);
    for (int i = 0; i < 4; i++)
        fd_close(&pipes[i]);
    assert_int_equal(ipc_recv(&worker, &m, &why), IPC_OK);
    assert_int_equal(m.fd_count, 4);
    struct ipc_pipes got;

    assert_int_equal(ipc_pipes_decode(&m, &got), 0);
    int mine = fd_take(&m.fds[3]);

    assert_int_equal(write(mine, "x", 1), 1);
    assert_int_equal(read(m.fds[2], body, 1), 1);
    assert_int_equal(fcntl(mine, F_GETFD), FD_CLOEXEC);
    ipc_message_close(&m);
    assert_int_equal(m.fd_count, 0);
    assert_true(fcntl(mine, F_GETFD) >= 0);
    fd_close(&mine);
    pair_close(&p);
    assert_int_equal(fd_count_open(), before);
}

/* Leaves room for exactly spare more descriptors. */
static void
limit_descriptors(int spare)
{
    int top = fcntl(0, F_DUPFD, 600);
    struct rlimit limit = { 0, 0 };

    for (int next = -1; next != top + 1;) /* fill every hole below */
        CHILD_CHECK((next = dup(0)) >= 0 && next <= top + 1);
    CHILD_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = (rlim_t)(top + 2 + spare);
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

struct loss {
    struct ipc_peer peer;
    int raw;
    int spare;
};

static void
act_lose(void *arg)
{
    struct loss *l = arg;
    struct ipc_message m;
    const char *why = NULL;

    limit_descriptors(l->spare);
    CHILD_CHECK(ipc_recv(&l->peer, &m, &why) == IPC_OK);
    CHILD_CHECK(m.fd_count == (size_t)l->spare);
    CHILD_CHECK(m.fd_lost == 4 - (size_t)l->spare);
    if (m.type == IPC_SESSIONS) {
        struct ipc_session list[IPC_SESSIONS_MAX];
        size_t count = 0;

        CHILD_CHECK(ipc_sessions_decode(&m, list, &count) == 0 && count == 4);
    } else {
        struct ipc_pipes pipes;

        CHILD_CHECK(ipc_pipes_decode(&m, &pipes) == 0 && pipes.count == 2);
    }
    ipc_message_close(&m);
}

/* A receiver out of descriptors: the message says how many were lost. */
static void
test_lost_descriptors(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct pair p;
        uint8_t body[IPC_BODY_MAX];
        struct ipc_session list[4] = { { .id = 1 }, { .id = 2 }, { .id = 3 }, { .id = 4 } };
        struct ipc_pipes pipes = { 2, 65536 };
        enum ipc_type type = i < 4 ? IPC_SESSIONS : IPC_PIPES;
        size_t len = i < 4 ? ipc_sessions_encode(list, 4, body, sizeof body)
                           : ipc_pipes_encode(&pipes, body, sizeof body);

        pair_open(&p, IPC_WORKER, IPC_MASTER, IPC_RUNNING);
        raw_send(p.raw, (uint16_t)type, 0, (uint32_t)len, body, len, 4);
        struct loss l = { p.peer, p.raw, i % 4 };

        unit_assert_exit(unit_fork(act_lose, &l, NULL, 0), 0);
        pair_close(&p);
    }
}

/* A child that sends its master anything at all. */
static void
test_random_packets(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;
    struct pair p;
    uint8_t body[IPC_BODY_MAX + 100];
    int accepted = 0;

    (void)state;
    int before = fd_count_open();

    pair_open(&p, IPC_MASTER, IPC_WORKER, IPC_RUNNING);
    for (int i = 0; i < 100000; i++) {
        struct ipc_message m;
        const char *why = NULL;
        size_t len = unit_random(&random) % (unit_random(&random) % 8 == 0 ? sizeof body : 24);

        unit_random_fill(&random, body, len);
        if (i % 4 == 0)
            assert_int_equal(send(p.raw, body, len + 1, 0), len + 1);
        else
            raw_send(p.raw, (uint16_t)(unit_random(&random) % (IPC_TYPE_COUNT + 1)), 0,
                (uint32_t)len, body, len, unit_random(&random) % 16 == 0);
        enum ipc_result result = ipc_recv(&p.peer, &m, &why);

        assert_true(result == IPC_OK || result == IPC_VIOLATION);
        if (result == IPC_OK) {
            accepted++;
            ipc_message_close(&m);
        }
    }
    assert_true(accepted > 100);
    assert_int_equal(fd_count_open(), before + 2);
    pair_close(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_received),
        cmocka_unit_test(test_every_row_sent),
        cmocka_unit_test(test_sending_the_forbidden_panics),
        cmocka_unit_test(test_malformed_packets),
        cmocka_unit_test(test_again_and_end),
        cmocka_unit_test(test_full_channel),
        cmocka_unit_test(test_descriptors_arrive),
        cmocka_unit_test(test_lost_descriptors),
        cmocka_unit_test(test_random_packets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
