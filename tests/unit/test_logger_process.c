/* SPDX-License-Identifier: ISC */
/* The real sallyport-logger under a master of ours: what the pump, the messages and main do. */
#include "tests/unit/unit.h"

#include "tests/unit/logger_rig.h"

#include "lib/base/clock.h"
#include "lib/base/fd.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define RINGS 2U
#define MOST 8192U
#define PATIENCE_US (10 * CLOCK_SECOND_US)

struct fixture {
    struct rig_master master;
    struct rig_ring ring[RINGS];
    uint8_t seen[RINGS][MOST + 1]; /* how often each seq came */
    struct rig_ring waiting; /* a third one, of a test that wants it */
    char path[96];
    int daemon_fd;
    int image_fd;
};

static void
start(struct fixture *f, int stderr_fd)
{
    rig_master_start(&f->master, f->image_fd, stderr_fd);
    for (uint32_t i = 0; i < RINGS; i++)
        rig_ring_add(&f->master, &f->ring[i], i, i == 0 ? "0" : "1", getpid());
}

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    rig_folder_make();
    (void)snprintf(f->path, sizeof f->path, "%s", rig_path("log"));
    f->daemon_fd = rig_daemon_start(f->path);
    f->image_fd = rig_image(IMAGE_LOG_SYSLOG, IMAGE_LOG_KEYVALUE, f->path);
    f->master.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    for (unsigned i = 0; i < RINGS; i++)
        rig_ring_open(&f->ring[i], f->master.wake_fd);
    *state = f;
    return 0;
}

/* Every test ends its logger itself. */
static int
teardown(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < RINGS; i++)
        rig_ring_close(&f->ring[i]);
    fd_close(&f->image_fd);
    fd_close(&f->master.wake_fd);
    rig_daemon_stop(&f->daemon_fd, f->path);
    rig_folder_remove();
    free(f);
    return 0;
}

static void
note(struct fixture *f, const char *line)
{
    const char *worker = strstr(line, " worker=");
    uint64_t seq = rig_seq_of(line);

    assert_non_null(worker);
    if (worker[8] == 'l')
        return; /* the logger's own */
    assert_true(worker[8] == '0' || worker[8] == '1');
    assert_true(seq >= 1 && seq <= MOST);
    f->seen[worker[8] - '0'][seq]++;
}

static bool
has_all(const struct fixture *f, unsigned ring, uint64_t last)
{
    for (uint64_t seq = 1; seq <= last; seq++) {
        if (f->seen[ring][seq] == 0)
            return false;
    }
    return true;
}

/* Reads until records 1..last of both rings were there. */
static void
read_until(struct fixture *f, uint64_t last)
{
    char line[16384];
    struct mono deadline = mono_add_us(mono_read(), PATIENCE_US);

    while (!has_all(f, 0, last) || !has_all(f, 1, last)) {
        if (rig_daemon_read(f->daemon_fd, line, sizeof line, 100) > 0)
            note(f, line);
        assert_true(mono_before(mono_read(), deadline));
    }
}

static void
write_both(struct fixture *f, unsigned count)
{
    for (unsigned i = 0; i < RINGS; i++)
        rig_write(&f->ring[i], count, 100);
}

/* The daemon goes on reading until the logger has ended. */
static int
stop(struct fixture *f, uint32_t seconds)
{
    char line[16384];

    rig_send_u32(&f->master, IPC_STOP, seconds);
    while (rig_quiet(&f->master, 0)) {
        if (f->daemon_fd >= 0 && rig_daemon_read(f->daemon_fd, line, sizeof line, 10) > 0)
            note(f, line);
    }
    return rig_reap(&f->master);
}

static void
expect_once(const struct fixture *f, uint64_t last)
{
    for (unsigned i = 0; i < RINGS; i++) {
        for (uint64_t seq = 1; seq <= last; seq++)
            assert_int_equal(f->seen[i][seq], 1);
        assert_int_equal(f->seen[i][last + 1], 0);
    }
}

static void
records_arrive_once(void **state)
{
    struct fixture *f = *state;

    start(f, -1);
    write_both(f, 500);
    read_until(f, 500);
    write_both(f, 1);
    read_until(f, 501);
    assert_int_equal(stop(f, 10), 0);
    expect_once(f, 501);
}

static void
what_was_there_before_arrives(void **state)
{
    struct fixture *f = *state;

    write_both(f, 300);
    start(f, -1);
    read_until(f, 300);
    assert_int_equal(stop(f, 10), 0);
    expect_once(f, 300);
}

static void
stop_drains(void **state)
{
    struct fixture *f = *state;

    start(f, -1);
    write_both(f, 700);
    assert_int_equal(stop(f, 10), 0);
    expect_once(f, 700);
}

static void
stop_gives_up(void **state)
{
    struct fixture *f = *state;
    struct mono begin;

    start(f, open("/dev/null", O_WRONLY | O_CLOEXEC));
    write_both(f, 700);
    begin = mono_read();
    rig_send_u32(&f->master, IPC_STOP, 1);
    assert_int_equal(rig_reap(&f->master), 0);
    assert_in_range(mono_diff_us(mono_read(), begin), 900 * CLOCK_MSEC_US, 5 * CLOCK_SECOND_US);
}

static void
daemon_restarts(void **state)
{
    struct fixture *f = *state;
    char line[16384];

    start(f, open("/dev/null", O_WRONLY | O_CLOEXEC));
    for (unsigned round = 1; round <= 5; round++) {
        write_both(f, 200);
        for (unsigned i = 0; i < 50; i++) {
            assert_true(rig_daemon_read(f->daemon_fd, line, sizeof line, 5000) > 0);
            note(f, line);
        }
        rig_daemon_stop(&f->daemon_fd, f->path);
        write_both(f, 100);
        f->daemon_fd = rig_daemon_start(f->path);
    }
    read_until(f, 1500);
    assert_int_equal(stop(f, 10), 0);
}

/* kill -9: the next logger goes on, nothing is missing. */
static void
successor_resumes(void **state)
{
    struct fixture *f = *state;
    char line[16384];

    for (unsigned round = 1; round <= 5; round++) {
        start(f, -1);
        write_both(f, 200);
        for (unsigned i = 0; i < 150; i++) {
            assert_true(rig_daemon_read(f->daemon_fd, line, sizeof line, 5000) > 0);
            note(f, line);
        }
        rig_kill(&f->master);
    }
    start(f, -1);
    read_until(f, 1000);
    assert_int_equal(stop(f, 10), 0);
    for (unsigned i = 0; i < RINGS; i++) {
        for (uint64_t seq = 1; seq <= 1000; seq++)
            assert_in_range(f->seen[i][seq], 1, 6); /* once more for each that was killed, at most */
    }
}

static void
drained_when_out(void **state)
{
    struct fixture *f = *state;
    struct ipc_message m;
    uint32_t id = 99;
    char line[16384];
    unsigned got = 0;

    start(f, -1);
    rig_write(&f->ring[1], 100, 100);
    rig_send_u32(&f->master, IPC_RING_DRAIN, 1);
    while (got < 100) { /* read one after the other: not drained before the last is out */
        assert_true(rig_quiet(&f->master, 0));
        got += rig_daemon_read(f->daemon_fd, line, sizeof line, 5000) > 0;
    }
    rig_receive(&f->master, &m, IPC_RING_DRAINED);
    assert_int_equal(ipc_u32_decode(&m, &id), 0);
    assert_int_equal(id, 1);
    rig_write(&f->ring[0], 1, 10);
    assert_int_equal(stop(f, 10), 0);
    assert_int_equal(f->seen[0][1], 1);
}

static void
overflow_is_told(void **state)
{
    struct fixture *f = *state;
    char line[16384] = "";
    struct mono deadline = mono_add_us(mono_read(), PATIENCE_US);

    start(f, -1);
    rig_write(&f->ring[0], RING_DATA_SIZE / 1000 + 500, 1000);
    while (strstr(line, " event=audit.lost worker=logger seq=1 ") == NULL) {
        (void)rig_daemon_read(f->daemon_fd, line, sizeof line, 100);
        assert_true(mono_before(mono_read(), deadline));
    }
    assert_non_null(strstr(line, " reason=ring-full count="));
    assert_non_null(strstr(line, " ring=0"));
    rig_kill(&f->master);
}

/* A writer that waits is told soon, though nothing else comes; and once. */
static void
waiting_writer_is_told(void **state)
{
    struct fixture *f = *state;
    int accepted = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct pollfd p = { .fd = accepted, .events = POLLIN };
    struct mono begin;
    uint64_t count = 0;

    start(f, -1);
    rig_ring_open(&f->waiting, f->master.wake_fd);
    rig_ring_add_waiting(&f->master, &f->waiting, 2, "2", accepted);
    rig_write(&f->waiting, 3, 100);
    begin = mono_read();
    ring_want(f->waiting.writer, ring_end(f->waiting.writer));
    assert_false(ring_accepted(f->waiting.writer, ring_end(f->waiting.writer)));
    /* Sent is not enough: unread it is not safe. */
    assert_int_equal(poll(&p, 1, 300), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_true(rig_daemon_read(f->daemon_fd, (char[16384]) { 0 }, 16384, 5000) > 0);
    assert_int_equal(poll(&p, 1, 5000), 1);
    assert_true(mono_diff_us(mono_read(), begin) < 1250 * CLOCK_MSEC_US); /* no second of quiet */
    assert_true(ring_accepted(f->waiting.writer, ring_end(f->waiting.writer)));
    assert_int_equal(read(accepted, &count, sizeof count), (ssize_t)sizeof count);
    assert_int_equal(count, 1);
    rig_write(&f->waiting, 1, 100);
    assert_int_equal(rig_daemon_read(f->daemon_fd, (char[16384]) { 0 }, 16384, 5000), 0); /* the proof */
    assert_true(rig_daemon_read(f->daemon_fd, (char[16384]) { 0 }, 16384, 5000) > 0);
    assert_int_equal(stop(f, 10), 0);
    assert_int_equal(poll(&p, 1, 0), 0);
    rig_ring_close(&f->waiting);
    close(accepted);
}

/* A logger that is killed with its loss told goes on with the next number. */
static void
own_numbers_go_on(void **state)
{
    struct fixture *f = *state;
    char line[16384] = "";
    struct mono deadline = mono_add_us(mono_read(), PATIENCE_US);
    static const char *const told[] = { " worker=logger seq=1 ", " worker=logger seq=2 " };

    for (unsigned i = 0; i < 2; i++) {
        start(f, open("/dev/null", O_WRONLY | O_CLOEXEC));
        rig_write(&f->ring[1], RING_DATA_SIZE / 1000 + 500, 1000);
        while (strstr(line, told[i]) == NULL) {
            (void)rig_daemon_read(f->daemon_fd, line, sizeof line, 100);
            assert_true(mono_before(mono_read(), deadline));
        }
        while (!ring_accepted(f->ring[1].writer, ring_end(f->ring[1].writer))) {
            (void)rig_daemon_read(f->daemon_fd, line, sizeof line, 100);
            assert_true(mono_before(mono_read(), deadline));
        }
        rig_kill(&f->master);
    }
}

/* What the master hears: nothing stands, then records wait for a target that is away, then all is well
   and the loss counted. */
static void
master_hears_of_the_target(void **state)
{
    struct fixture *f = *state;
    char line[16384];
    struct mono deadline = mono_add_us(mono_read(), PATIENCE_US);

    rig_daemon_stop(&f->daemon_fd, f->path);
    start(f, open("/dev/null", O_WRONLY | O_CLOEXEC));
    rig_write(&f->ring[0], RING_DATA_SIZE / 1000 + 500, 1000);
    while (f->master.audit.lost_untold == 0 || f->master.audit.stuck_since.us == 0) {
        assert_true(rig_quiet(&f->master, 100));
        assert_true(mono_before(mono_read(), deadline));
    }
    uint64_t lost = f->master.audit.lost_untold, waiting = f->master.audit.waiting;

    assert_false(f->master.audit.connected);
    assert_int_equal(lost + waiting, RING_DATA_SIZE / 1000 + 500);
    f->daemon_fd = rig_daemon_start(f->path);
    while (f->master.audit.lost_told != lost || f->master.audit.waiting > 0) {
        (void)rig_daemon_read(f->daemon_fd, line, sizeof line, 1);
        assert_true(rig_quiet(&f->master, 0));
        assert_true(mono_before(mono_read(), deadline));
    }
    assert_true(f->master.audit.connected);
    assert_int_equal(f->master.audit.stuck_since.us, 0);
    assert_int_equal(f->master.audit.lost_untold, 0);
    assert_in_range(f->master.audit_count, 2, 11); /* at most once a second */
    assert_int_equal(stop(f, 10), 0);
}

static void
garbage_harms_nobody_else(void **state)
{
    struct fixture *f = *state;

    rig_write(&f->ring[1], 100, 10);
    rig_ring_spoil(&f->ring[1], 0);
    rig_write(&f->ring[0], 100, 10);
    start(f, open("/dev/null", O_WRONLY | O_CLOEXEC));
    memset(f->seen[1], 1, sizeof f->seen[1]);
    read_until(f, 100);
    assert_int_equal(stop(f, 10), 0);
}

/* A process that lives until the test closes its pipe. */
static pid_t
start_writer(int *pipe_fd)
{
    int pair[2];
    char byte;

    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        close(pair[1]);
        _exit(read(pair[0], &byte, 1) < 0);
    }
    close(pair[0]);
    *pipe_fd = pair[1];
    return pid;
}

static void
orphan_stays_for_its_writers(void **state)
{
    struct fixture *f = *state;
    int pipe_fd;
    pid_t writer = start_writer(&pipe_fd);

    rig_master_start(&f->master, f->image_fd, open("/dev/null", O_WRONLY | O_CLOEXEC));
    for (uint32_t i = 0; i < RINGS; i++)
        rig_ring_add(&f->master, &f->ring[i], i, i == 0 ? "0" : "1", writer);
    write_both(f, 50);
    read_until(f, 50);
    rig_master_vanish(&f->master);
    write_both(f, 50);
    read_until(f, 100);
    assert_int_equal(waitpid(f->master.pid, NULL, WNOHANG), 0);
    write_both(f, 50);
    close(pipe_fd);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    read_until(f, 150);
    assert_int_equal(rig_reap(&f->master), 0);
}

static int
open_log(const char *name)
{
    int fd = open(rig_path(name), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    return fd;
}

static void
expect_result(struct fixture *f, bool accepted)
{
    struct ipc_message m;
    struct ipc_file_result result;

    rig_receive(&f->master, &m, IPC_FILE_RESULT);
    assert_int_equal(ipc_file_result_decode(&m, &result), 0);
    assert_int_equal(result.accepted, accepted);
    assert_int_equal(result.error[0] == '\0', accepted);
}

/* Notes the lines of a file. One whose end is not there yet is being written. */
static void
read_file(struct fixture *f, int fd)
{
    FILE *file = fdopen(dup(fd), "r");
    char line[16384];

    assert_non_null(file);
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strchr(line, '\n') == NULL)
            break;
        assert_memory_equal(line, "v=1 time=", 9);
        note(f, line);
    }
    fclose(file);
}

static void
wait_for_file(struct fixture *f, int fd, uint64_t last)
{
    struct mono deadline = mono_add_us(mono_read(), PATIENCE_US);

    do {
        memset(f->seen, 0, sizeof f->seen);
        assert_true(mono_before(mono_read(), deadline));
        assert_int_equal(poll(NULL, 0, 5), 0);
        read_file(f, fd);
    } while (!has_all(f, 0, last) || !has_all(f, 1, last));
}

static void
file_is_replaced(void **state)
{
    struct fixture *f = *state;
    int first = open_log("first");
    int second = open_log("second");
    int wrong = open("/dev/null", O_RDONLY | O_CLOEXEC);

    fd_close(&f->image_fd);
    f->image_fd = rig_image(IMAGE_LOG_FILE, IMAGE_LOG_KEYVALUE, "/nowhere/log");
    start(f, -1);
    write_both(f, 100); /* before there is a file */
    rig_send_file(&f->master, first);
    expect_result(f, true);
    wait_for_file(f, first, 100);
    rig_send_file(&f->master, wrong);
    expect_result(f, false);
    rig_send_file(&f->master, second);
    expect_result(f, true);
    off_t size = lseek(first, 0, SEEK_END);

    write_both(f, 100);
    assert_int_equal(stop(f, 10), 0);
    assert_int_equal(lseek(first, 0, SEEK_END), size);
    memset(f->seen, 0, sizeof f->seen);
    read_file(f, first);
    expect_once(f, 100);
    read_file(f, second);
    expect_once(f, 200);
    fd_close(&first);
    fd_close(&second);
    fd_close(&wrong);
}

/* Nobody reads standard error: the heartbeat is answered all the same. */
static void
full_stderr_stops_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct ipc_message m;
    uint32_t number = 0;
    int pair[2];
    char line[16384];

    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    fd_close(&f->image_fd);
    f->image_fd = rig_image(IMAGE_LOG_STDERR, IMAGE_LOG_JSON, "");
    start(f, pair[1]);
    fd_close(&pair[1]);
    write_both(f, 1000);
    for (uint32_t i = 1; i <= 50; i++) {
        rig_send_u32(&f->master, IPC_PING, i);
        rig_receive(&f->master, &m, IPC_PONG);
        assert_int_equal(ipc_u32_decode(&m, &number), 0);
        assert_int_equal(number, i);
        assert_int_equal(poll(NULL, 0, 2), 0);
    }
    FILE *file = fdopen(pair[0], "r");

    for (unsigned i = 0; i < 2000; i++) {
        assert_non_null(fgets(line, sizeof line, file));
        assert_memory_equal(line, "{\"v\":1,", 7);
        f->seen[strstr(line, "\"worker\":\"1\"") != NULL][rig_seq_of(line)]++;
    }
    expect_once(f, 1000);
    assert_int_equal(stop(f, 10), 0);
    fclose(file);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_arrive_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_there_before_arrives, setup, teardown),
        cmocka_unit_test_setup_teardown(stop_drains, setup, teardown),
        cmocka_unit_test_setup_teardown(stop_gives_up, setup, teardown),
        cmocka_unit_test_setup_teardown(daemon_restarts, setup, teardown),
        cmocka_unit_test_setup_teardown(successor_resumes, setup, teardown),
        cmocka_unit_test_setup_teardown(drained_when_out, setup, teardown),
        cmocka_unit_test_setup_teardown(overflow_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(waiting_writer_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(own_numbers_go_on, setup, teardown),
        cmocka_unit_test_setup_teardown(master_hears_of_the_target, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_harms_nobody_else, setup, teardown),
        cmocka_unit_test_setup_teardown(orphan_stays_for_its_writers, setup, teardown),
        cmocka_unit_test_setup_teardown(file_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(full_stderr_stops_nothing_else, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
