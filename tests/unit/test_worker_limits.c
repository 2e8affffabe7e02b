/* SPDX-License-Identifier: ISC */
/* src/worker/worker_limits.c: whatever state the channel is in, the master hears of every request. */
#include "tests/unit/config_rig.h"

#include "src/core/ipc_limits.h"
#include "src/worker/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/base/fd.h"

#define SESSIONS 1000

static struct worker w;
static struct rig config;
static struct ipc_peer master;
static uint64_t id;   /* of the last request */
static uint64_t next; /* the id that the master is to hear of */

static int
setup(void **state)
{
    int pair[2];
    int fd = table_create(SESSIONS);

    (void)state;
    memset(&w, 0, sizeof w);
    id = 0;
    next = 1;
    rig_good(&config, "methods = { \"none\" }\nlisten \"127.0.0.1:1080\" {}\n"
                      "limits { pending-per-client = 5 }\nrule \"a\" { action = \"allow\" }\n");
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    w.host.image = config.image;
    w.host.loop = w.child.loop = loop_new();
    w.host.table = table_open_writer(fd);
    w.child.peer = (struct ipc_peer) { pair[0], IPC_WORKER, IPC_MASTER, IPC_RUNNING };
    master = (struct ipc_peer) { pair[1], IPC_MASTER, IPC_WORKER, IPC_RUNNING };
    fd_close(&fd);
    return w.child.loop != NULL && w.host.table != NULL ? worker_requested_init(&w) : -1;
}

static int
teardown(void **state)
{
    (void)state;
    loop_timer_cancel(w.child.loop, &w.requested.timer);
    free(w.requested.ids);
    table_close(&w.host.table);
    loop_free(&w.child.loop);
    fd_close(&w.child.peer.fd);
    fd_close(&master.fd);
    rig_free(&config);
    return 0;
}

/* What the master reads now: every id once and in order. The messages. */
static unsigned
hear(void)
{
    uint64_t ids[IPC_REQUESTED_MAX];
    struct ipc_message m;
    const char *why;
    unsigned messages = 0;
    size_t count = 0;

    while (ipc_recv(&master, &m, &why) == IPC_OK) {
        if (m.type != IPC_REQUESTED)
            continue;
        messages++;
        assert_int_equal(ipc_requested_decode(&m, ids, &count), 0);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(ids[i], next++);
    }
    return messages;
}

static void
say(unsigned count)
{
    for (; count > 0; count--)
        worker_requested(&w.host, ++id);
}

static void
test_batches(void **state)
{
    (void)state;
    say(WORKER_REQUESTED_BATCH - 1);
    assert_int_equal(hear(), 0);
    say(1);
    assert_int_equal(hear(), 1);
    assert_int_equal(next, WORKER_REQUESTED_BATCH + 1);
    assert_false(loop_timer_armed(&w.requested.timer));
}

static void
test_nobody_reads(void **state)
{
    uint8_t body[8];
    size_t len = ipc_u32_encode(1, body, sizeof body);

    (void)state;
    while (child_send(&w.child, IPC_LOST, body, len) == 0)
        ;
    assert_int_equal(errno, EAGAIN);
    say(SESSIONS);
    assert_true(loop_timer_armed(&w.requested.timer));
    assert_int_equal(hear(), 0);
    w.requested.timer.expired(&w.requested.timer);
    assert_int_equal(hear(), SESSIONS / IPC_REQUESTED_MAX);
    assert_int_equal(next, SESSIONS + 1);
    assert_int_equal(w.requested.count, 0);
    assert_false(loop_timer_armed(&w.requested.timer));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_batches, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_reads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
