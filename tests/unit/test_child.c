/* SPDX-License-Identifier: ISC */
/* src/core/child.c: the first steps of a child program, and every way they end early. */
#include "tests/unit/core_child.h"

#include <signal.h>
#include <sys/stat.h>

#include "src/core/event.h"
#include "src/core/log.h"

#define SOME_ID 54321

static char empty_dir[] = "/tmp/test-child-XXXXXX";

static void
nothing_to_stop(struct child *child, uint32_t seconds)
{
    (void)child;
    (void)seconds;
}

static void
nothing_to_orphan(struct child *child)
{
    (void)child;
}

static const struct child_handler no_handlers[] = { { IPC_INIT, NULL } };

static struct child
child_of(enum ipc_role role, const char *program)
{
    return (struct child) { .role = role, .program = program, .handlers = no_handlers,
        .stop = nothing_to_stop, .orphaned = nothing_to_orphan };
}

static void
begin(struct child *child)
{
    static char name[] = "sallyport-worker";
    char *argv[] = { name, NULL };

    child_begin(child, 1, argv, environ);
}

static void
act_worker(void)
{
    struct child c = child_of(IPC_WORKER, "sallyport-worker");

    CHILD_CHECK(dup2(0, 77) == 77); /* inherited by mistake */
    begin(&c);
    CHILD_CHECK(fcntl(77, F_GETFD) < 0);
    CHILD_CHECK(c.init.number == 2 && c.init.capacity == 4);
    CHILD_CHECK(c.image_fd >= 0 && c.wake_fd >= 0 && c.table_fd >= 0);
    CHILD_CHECK(c.ring != NULL && c.loop != NULL && !c.orphan);
    CHILD_CHECK(fd_count_open() <= 10);
    CHILD_CHECK(raise(SIGTERM) == 0 && raise(SIGINT) == 0 && raise(SIGPIPE) == 0);
    child_cage(&c);
    CHILD_CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    CHILD_CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    log_warn("caged as %d", (int)geteuid());
    child_ready(&c);
    child_end(&c);
    CHILD_CHECK(c.loop == NULL && c.ring == NULL && c.peer.fd == -1);
}

static const struct ipc_init worker_init
    = { .role = IPC_WORKER, .number = 2, .incarnation = 9, .capacity = 4, .label = "2" };

/* The log line is on standard error and in the ring. */
static void
test_worker(void **state)
{
    struct stage s;
    struct ipc_message m;
    uint8_t record[EVENT_RECORD_MAX];
    struct event_view view;

    (void)state;
    stage_open(&s, IPC_WORKER, act_worker);
    stage_init(&s, &worker_init, 6);
    stage_expect(&s, IPC_READY, &m);
    struct ring_reader *reader = ring_reader_open(s.data_fd, s.index_fd);

    unit_assert_exit(stage_close(&s), 0);
    assert_non_null(strstr(s.text, "sallyport-worker[2]: warning: caged as "));
    ssize_t len = ring_peek(reader, 0, record, sizeof record);

    assert_true(len > 0);
    assert_int_equal(event_decode(record, (size_t)len, &view), 0);
    assert_int_equal(view.id, EVENT_GATEWAY_MESSAGE);
    ring_reader_close(&reader);
}

/* Where the audit is on standard error too, a line would stand there twice. */
static void
test_plain_log(void **state)
{
    struct stage s;
    struct ipc_message m;
    struct ipc_init init = worker_init;

    (void)state;
    init.plain_log = true;
    stage_open(&s, IPC_WORKER, act_worker);
    stage_init(&s, &init, 6);
    stage_expect(&s, IPC_READY, &m);
    struct ring_reader *reader = ring_reader_open(s.data_fd, s.index_fd);

    unit_assert_exit(stage_close(&s), 0);
    assert_non_null(strstr(s.text, "sallyport-worker[2]: warning: caged as "));
    assert_true(ring_empty(reader));
    ring_reader_close(&reader);
}

static void
act_privileged(void)
{
    struct child c = child_of(IPC_WORKER, "sallyport-worker");

    begin(&c);
    child_cage(&c);
    CHILD_CHECK(geteuid() == SOME_ID && getegid() == SOME_ID + 1);
    CHILD_CHECK(access("/etc", F_OK) < 0);
    CHILD_CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    child_ready(&c);
    child_end(&c);
}

static void
test_privileged(void **state)
{
    struct stage s;
    struct ipc_message m;
    struct ipc_init init = worker_init;

    (void)state;
    if (geteuid() != 0) {
        print_message("skipped: dropping privileges needs root\n");
        skip();
    }
    init.privileged = true;
    init.uid = SOME_ID;
    init.gid = SOME_ID + 1;
    (void)snprintf(init.chroot_dir, sizeof init.chroot_dir, "%s", empty_dir);
    stage_open(&s, IPC_WORKER, act_privileged);
    stage_init(&s, &init, 6);
    stage_expect(&s, IPC_READY, &m);
    unit_assert_exit(stage_close(&s), 0);
    /* A folder that is not fit ends the child instead. */
    (void)snprintf(init.chroot_dir, sizeof init.chroot_dir, "%s/none", empty_dir);
    stage_open(&s, IPC_WORKER, act_privileged);
    stage_init(&s, &init, 6);
    unit_assert_exit(stage_close(&s), 1);
    assert_non_null(strstr(s.text, "chroot"));
}

static void
act_logger(void)
{
    struct child c = child_of(IPC_LOGGER, "sallyport-logger");

    begin(&c);
    CHILD_CHECK(c.ring == NULL && c.image_fd >= 0 && c.wake_fd >= 0 && c.table_fd == -1);
    CHILD_CHECK(write(c.wake_fd, &(uint64_t) { 1 }, 8) == 8);
    child_cage(&c);
    child_ready(&c);
    child_end(&c);
}

static void
test_logger(void **state)
{
    struct stage s;
    struct ipc_message m;
    struct ipc_init init = { .role = IPC_LOGGER, .number = 1, .label = "logger" };

    (void)state;
    stage_open(&s, IPC_LOGGER, act_logger);
    stage_init(&s, &init, 2);
    stage_expect(&s, IPC_READY, &m);
    unit_assert_exit(stage_close(&s), 0);
}

static void
act_begin(void)
{
    struct child c = child_of(IPC_WORKER, "sallyport-worker");

    begin(&c);
}

static void
act_no_channel(void)
{
    close(CHILD_CONTROL_FD);
    act_begin();
}

static void
expect_fatal(struct stage *s, const char *words)
{
    unit_assert_exit(stage_close(s), 1);
    if (strstr(s->text, words) == NULL)
        fail_msg("\"%s\" is not in: %s", words, s->text);
}

static void
test_started_by_hand(void **state)
{
    struct stage s;

    (void)state;
    stage_open(&s, IPC_WORKER, act_no_channel);
    expect_fatal(&s, "started by sallyportd");
}

static void
test_bad_beginnings(void **state)
{
    struct stage s;
    struct ipc_init init = worker_init;
    uint8_t body[512];

    (void)state;
    stage_open(&s, IPC_WORKER, act_begin);
    fd_close(&s.peer.fd);
    expect_fatal(&s, "master is gone");

    stage_open(&s, IPC_WORKER, act_begin);
    stage_send_u32(&s, IPC_PING, 1);
    expect_fatal(&s, "not INIT");

    stage_open(&s, IPC_WORKER, act_begin);
    init.role = IPC_AUTH;
    stage_init(&s, &init, 4);
    expect_fatal(&s, "not INIT for this program");

    stage_open(&s, IPC_WORKER, act_begin);
    stage_init(&s, &worker_init, 4);
    expect_fatal(&s, "INIT brought 4 descriptors");

    stage_open(&s, IPC_WORKER, act_begin);
    assert_int_equal(send(s.peer.fd, "garbage", 7, 0), 7);
    expect_fatal(&s, "broke the rules");

    stage_open(&s, IPC_WORKER, act_begin);
    const int wrong[] = { s.image_fd, s.image_fd, s.index_fd, s.wake_fd, s.table_fd,
        s.accepted_fd };
    size_t len = ipc_init_encode(&worker_init, body, sizeof body);

    assert_int_equal(ipc_send(&s.peer, IPC_INIT, body, len, wrong, 6), 0);
    expect_fatal(&s, "event ring");
}

static int
make_dir(void **state)
{
    (void)state;
    return mkdtemp(empty_dir) == NULL || chmod(empty_dir, 0755) < 0;
}

static int
remove_dir(void **state)
{
    (void)state;
    return rmdir(empty_dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worker),
        cmocka_unit_test(test_plain_log),
        cmocka_unit_test(test_privileged),
        cmocka_unit_test(test_logger),
        cmocka_unit_test(test_started_by_hand),
        cmocka_unit_test(test_bad_beginnings),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
