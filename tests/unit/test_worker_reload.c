/* SPDX-License-Identifier: ISC */
/* src/worker/worker_reload.c: an answer to the master that its channel does not take yet. */
#include "tests/unit/unit.h"

#include "src/worker/worker.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

static struct worker w;
static struct ipc_peer master;

static int
setup(void **state)
{
    int pair[2];

    (void)state;
    w = (struct worker) { .child.owner = &w };
    w.child.loop = loop_new();
    if (w.child.loop == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0
        || fd_set_nonblock(pair[0]) < 0 || fd_set_nonblock(pair[1]) < 0)
        return -1;
    w.child.peer = (struct ipc_peer) { pair[0], IPC_WORKER, IPC_MASTER, IPC_RUNNING };
    master = (struct ipc_peer) { pair[1], IPC_MASTER, IPC_WORKER, IPC_RUNNING };
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    worker_reload_free(&w);
    fd_close(&w.child.peer.fd);
    fd_close(&master.fd);
    loop_free(&w.child.loop);
    return 0;
}

/* PREPARE without its descriptor: the worker says no. */
static void
prepare(uint64_t generation)
{
    struct ipc_prepare p = { .generation = generation };
    struct ipc_message m = { .type = IPC_PREPARE };

    m.len = ipc_prepare_encode(&p, m.body, sizeof m.body);
    worker_prepare(&w.child, &m);
}

/* The next message, or IPC_TYPE_COUNT when there is none. */
static enum ipc_type
next(struct ipc_prepared *answer)
{
    struct ipc_message m;
    const char *why;

    if (ipc_recv(&master, &m, &why) != IPC_OK)
        return IPC_TYPE_COUNT;
    if (m.type == IPC_PREPARED)
        assert_int_equal(ipc_prepared_decode(&m, answer), 0);
    ipc_message_close(&m);
    return m.type;
}

static void
test_at_once(void **state)
{
    struct ipc_prepared answer;

    (void)state;
    prepare(2);
    assert_int_equal(next(&answer), IPC_PREPARED);
    assert_int_equal(answer.generation, 2);
    assert_false(answer.ok);
    assert_string_equal(answer.error, "policy image: out of descriptors");
    assert_false(loop_timer_armed(&w.reload.answer_timer));
}

static void
test_when_there_is_room(void **state)
{
    struct ipc_prepared answer = { .generation = 0 };
    uint8_t body[4];
    enum ipc_type type;

    (void)state;
    while (child_send(&w.child, IPC_LOST, body, ipc_u32_encode(1, body, sizeof body)) == 0)
        ;
    assert_int_equal(errno, EAGAIN);
    prepare(2);
    prepare(3); /* the older one is of no interest any more */
    for (int i = 0; i < 3; i++)
        assert_int_equal(loop_turn(w.child.loop, 20), 0);
    while ((type = next(&answer)) != IPC_TYPE_COUNT)
        assert_int_equal(type, IPC_LOST);
    for (int i = 0; i < 100 && (type = next(&answer)) == IPC_TYPE_COUNT; i++)
        assert_int_equal(loop_turn(w.child.loop, 20), 0);
    assert_int_equal(type, IPC_PREPARED);
    assert_int_equal(answer.generation, 3);
    assert_int_equal(next(&answer), IPC_TYPE_COUNT);
    assert_false(loop_timer_armed(&w.reload.answer_timer));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_at_once),
        TEST(test_when_there_is_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
