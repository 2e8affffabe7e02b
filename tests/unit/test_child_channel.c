/* SPDX-License-Identifier: ISC */
/* src/core/child_channel.c: a running child and its master. */
#include "tests/unit/core_child.h"

#include <signal.h>

#include "src/core/log.h"

/* Ends with 10 + seconds of STOP. */
static void
on_stop(struct child *child, uint32_t seconds)
{
    CHILD_CHECK(child->peer.state == IPC_STOPPING);
    *(int *)child->owner = 10 + (int)seconds;
    loop_stop(child->loop);
}

/* Ends with 40, and cannot send any more. */
static void
on_orphaned(struct child *child)
{
    uint8_t body[4] = { 0 };

    CHILD_CHECK(child->orphan);
    CHILD_CHECK(child_send(child, IPC_LOST, body, sizeof body) < 0 && errno == EPIPE);
    child_want_write(child);
    *(int *)child->owner = 40;
    loop_stop(child->loop);
}

/* Answers with the generation and with what the descriptor holds. */
static void
on_file(struct child *child, struct ipc_message *m)
{
    struct ipc_file_result result = { .accepted = true };
    uint8_t body[1024];
    int fd = fd_take(&m->fds[0]);

    CHILD_CHECK(ipc_file_decode(m, &result.file) == 0);
    CHILD_CHECK(pread(fd, result.error, 5, 0) == 5);
    fd_close(&fd);
    size_t len = ipc_file_result_encode(&result, body, sizeof body);

    CHILD_CHECK(child_send(child, IPC_FILE_RESULT, body, len) == 0);
}

static unsigned unsent;

/* LOST means: fill the channel, then send the rest as it drains. */
static void
send_more(struct child *child)
{
    uint8_t body[8] = { 1 };

    while (unsent > 0) {
        if (child_send(child, IPC_ENDED, body, sizeof body) < 0) {
            CHILD_CHECK(errno == EAGAIN);
            child_want_write(child);
            child_want_write(child);
            return;
        }
        unsent--;
    }
}

static void
on_pipes(struct child *child, struct ipc_message *m)
{
    struct ipc_pipes pipes;

    CHILD_CHECK(ipc_pipes_decode(m, &pipes) == 0);
    unsent = pipes.size; /* as many records as the test asks for */
    send_more(child);
}

static const struct child_handler handlers[] = {
    { IPC_FILE, on_file },
    { IPC_PIPES, on_pipes },
    { IPC_INIT, NULL },
};

static void
act_worker(void)
{
    static char name[] = "sallyport-worker";
    char *argv[] = { name, NULL };
    int code = 1;
    struct child c = { .role = IPC_WORKER, .program = "sallyport-worker", .handlers = handlers,
        .stop = on_stop, .orphaned = on_orphaned, .writable = send_more, .owner = &code };

    child_begin(&c, 1, argv, environ);
    child_cage(&c);
    child_ready(&c);
    CHILD_CHECK(loop_run(c.loop) == 0);
    child_end(&c);
    _exit(code);
}

static void
start(struct stage *s)
{
    struct ipc_message m;
    const struct ipc_init init
        = { .role = IPC_WORKER, .number = 1, .capacity = 4, .label = "1" };

    stage_open(s, IPC_WORKER, act_worker);
    stage_init(s, &init, 6);
    stage_expect(s, IPC_READY, &m);
    ipc_set_state(&s->peer, IPC_RUNNING);
}

static void
stop(struct stage *s)
{
    stage_send_u32(s, IPC_STOP, 5);
    ipc_set_state(&s->peer, IPC_STOPPING);
    unit_assert_exit(stage_close(s), 15);
}

static void
test_heartbeat_and_stop(void **state)
{
    struct stage s;
    struct ipc_message m;
    uint32_t value = 0;

    (void)state;
    start(&s);
    for (uint32_t i = 0; i < 40; i++)
        stage_send_u32(&s, IPC_PING, i + 7);
    for (uint32_t i = 0; i < 40; i++) {
        stage_expect(&s, IPC_PONG, &m);
        assert_int_equal(ipc_u32_decode(&m, &value), 0);
        assert_int_equal(value, i + 7);
    }
    stop(&s);
}

/* Sent right behind INIT, before the child is ready: handled with the first turn, in order. */
static void
test_messages_behind_init(void **state)
{
    struct stage s;
    struct ipc_message m;
    uint8_t body[64];
    const struct ipc_init init
        = { .role = IPC_WORKER, .number = 1, .capacity = 4, .label = "1" };
    struct ipc_file file = { .kind = IPC_FILE_HOSTS, .generation = 3 };
    struct ipc_file_result result;

    (void)state;
    stage_open(&s, IPC_WORKER, act_worker);
    int fd = memfd_sealed("hosts", "hello", 5);

    assert_true(fd >= 0);
    stage_init(&s, &init, 6);
    size_t len = ipc_file_encode(&file, body, sizeof body);

    assert_int_equal(ipc_send(&s.peer, IPC_FILE, body, len, &fd, 1), 0);
    stage_send_u32(&s, IPC_PING, 1);
    fd_close(&fd);
    stage_expect(&s, IPC_READY, &m);
    ipc_set_state(&s.peer, IPC_RUNNING);
    stage_expect(&s, IPC_FILE_RESULT, &m);
    assert_int_equal(ipc_file_result_decode(&m, &result), 0);
    assert_int_equal(result.file.generation, 3);
    assert_string_equal(result.error, "hello");
    stage_expect(&s, IPC_PONG, &m);
    stop(&s);
}

/* STOP may cross READY. */
static void
test_stop_before_ready(void **state)
{
    struct stage s;
    struct ipc_message m;
    const struct ipc_init init
        = { .role = IPC_WORKER, .number = 1, .capacity = 4, .label = "1" };

    (void)state;
    stage_open(&s, IPC_WORKER, act_worker);
    stage_init(&s, &init, 6);
    stage_send_u32(&s, IPC_STOP, 0);
    ipc_set_state(&s.peer, IPC_STOPPING);
    stage_expect(&s, IPC_READY, &m);
    unit_assert_exit(stage_close(&s), 10);
}

static void
test_orphan(void **state)
{
    struct stage s;

    (void)state;
    start(&s);
    stage_send_u32(&s, IPC_PING, 1); /* its answer meets a closed channel */
    fd_close(&s.peer.fd);
    unit_assert_exit(stage_close(&s), 40);
}

/* More than the channel holds: the rest follows when the master reads again. */
static void
test_full_channel(void **state)
{
    enum { RECORDS = 5000 };
    struct stage s;
    struct ipc_message m;
    uint8_t body[8];
    struct ipc_pipes pipes = { 1, RECORDS };
    int fds[2];

    (void)state;
    start(&s);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    size_t len = ipc_pipes_encode(&pipes, body, sizeof body);

    assert_int_equal(ipc_send(&s.peer, IPC_PIPES, body, len, fds, 2), 0);
    fd_close(&fds[0]);
    fd_close(&fds[1]);
    for (int i = 0; i < RECORDS; i++)
        stage_expect(&s, IPC_ENDED, &m);
    stop(&s);
}

static void
test_master_breaks_the_rules(void **state)
{
    struct stage s;

    (void)state;
    start(&s);
    assert_int_equal(send(s.peer.fd, "garbage", 7, 0), 7);
    unit_assert_exit(stage_close(&s), 1);
    assert_non_null(strstr(s.text, "broke the rules"));

    start(&s); /* legal, but this program has no handler for it */
    int fd = s.image_fd;

    assert_int_equal(ipc_send(&s.peer, IPC_QUEUE_SEND, "\0\0\0", 4, &fd, 1), 0);
    unit_assert_exit(stage_close(&s), 1);
    assert_non_null(strstr(s.text, "QUEUE_SEND"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heartbeat_and_stop),
        cmocka_unit_test(test_messages_behind_init),
        cmocka_unit_test(test_stop_before_ready),
        cmocka_unit_test(test_orphan),
        cmocka_unit_test(test_full_channel),
        cmocka_unit_test(test_master_breaks_the_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
