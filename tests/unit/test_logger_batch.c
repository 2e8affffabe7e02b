/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include "tests/unit/logger_rig.h"

#include "src/core/log.h"
#include "src/logger/batch.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#define RINGS 3U

struct fixture {
    struct loop *loop;
    struct target target;
    struct log_rings rings;
    struct batch batch;
    struct rig_ring ring[RINGS];
    char path[96];
    int daemon_fd;
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    rig_folder_make();
    (void)snprintf(f->path, sizeof f->path, "%s", rig_path("log"));
    f->daemon_fd = rig_daemon_start(f->path);
    f->loop = loop_new();
    struct target_settings settings = { .kind = IMAGE_LOG_SYSLOG, .format = IMAGE_LOG_KEYVALUE,
        .facility = LOG_LOCAL0, .path = f->path, .pid = 1 };

    target_init(&f->target, &settings, f->loop);
    rings_init(&f->rings, f->loop);
    batch_init(&f->batch, &f->rings, &f->target, "logger");
    for (uint32_t i = 0; i < RINGS; i++) {
        struct ipc_ring what = { .ring = i, .label = { (char)('a' + i) } };
        int pidfd = eventfd(0, EFD_NONBLOCK), none = -1;

        rig_ring_open(&f->ring[i], -1);
        assert_non_null(
            rings_add(&f->rings, &what, f->ring[i].data_fd, f->ring[i].index_fd, &pidfd, &none));
    }
    log_to_stderr(0);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    rings_free(&f->rings);
    target_close(&f->target);
    loop_free(&f->loop);
    for (unsigned i = 0; i < RINGS; i++)
        rig_ring_close(&f->ring[i]);
    rig_daemon_stop(&f->daemon_fd, f->path);
    rig_folder_remove();
    free(f);
    return 0;
}

/* Reads what the daemon has; every line's ring and number go on from *next[ring]. */
static size_t
read_all(const struct fixture *f, uint64_t next[RINGS])
{
    char line[16384];
    size_t n = 0;

    while (rig_daemon_read(f->daemon_fd, line, sizeof line, 0) > 0) {
        const char *worker = strstr(line, " worker=");

        assert_non_null(worker);
        size_t ring = (size_t)(worker[8] - 'a');

        assert_true(ring < RINGS);
        assert_int_equal(rig_seq_of(line), next[ring]);
        next[ring]++;
        n++;
    }
    return n;
}

static void
every_ring_has_its_turn(void **state)
{
    struct fixture *f = *state;
    size_t of[RINGS] = { 0 };

    rig_write(&f->ring[0], 500, 10);
    rig_write(&f->ring[1], 500, 10);
    rig_write(&f->ring[2], 5, 10);
    batch_fill(&f->batch, false);
    assert_int_equal(batch_unsent(&f->batch), BATCH_LINES);
    for (size_t i = 0; i < f->batch.count; i++)
        of[f->batch.items[i].ring->id]++;
    assert_true(of[0] >= 16 && of[1] >= 16);
    assert_int_equal(of[2], 5);
}

/* Through a daemon's short queue: all of it, in order, and the indices follow. */
static void
everything_arrives(void **state)
{
    struct fixture *f = *state;
    uint64_t next[RINGS] = { 1, 1, 1 };
    size_t arrived = 0;

    for (unsigned i = 0; i < RINGS; i++)
        rig_write(&f->ring[i], 400, 100);
    while (arrived < 400 * RINGS) {
        if (batch_unsent(&f->batch) == 0)
            batch_fill(&f->batch, false);
        if (batch_unsent(&f->batch) > 0)
            assert_true(batch_send(&f->batch) <= TARGET_FULL);
        else
            (void)batch_prove(&f->batch);
        arrived += read_all(f, next);
    }
    assert_int_equal(batch_prove(&f->batch), TARGET_OK);
    assert_int_equal(batch_unsafe(&f->batch), 0);
    assert_true(rings_done(&f->rings));
}

/* Lines the daemon did not read are not safe, however far the kernel took them. */
static void
unread_is_not_safe(void **state)
{
    struct fixture *f = *state;
    uint64_t next[RINGS] = { 1, 1, 1 };

    rig_write(&f->ring[0], 5, 10);
    batch_fill(&f->batch, false);
    assert_int_equal(batch_send(&f->batch), TARGET_OK);
    assert_int_equal(batch_unsafe(&f->batch), 5);
    assert_int_equal(batch_prove(&f->batch), TARGET_LATER);
    assert_int_equal(read_all(f, next), 5);
    assert_int_equal(batch_prove(&f->batch), TARGET_OK);
    assert_int_equal(batch_unsafe(&f->batch), 0);
}

static void
unread_comes_again(void **state)
{
    struct fixture *f = *state;
    uint64_t next[RINGS] = { 1, 1, 1 };

    rig_write(&f->ring[0], 5, 10);
    batch_fill(&f->batch, false);
    assert_int_equal(batch_send(&f->batch), TARGET_OK);
    rig_daemon_stop(&f->daemon_fd, f->path); /* with five lines unread */
    assert_int_equal(batch_prove(&f->batch), TARGET_LOST);
    batch_fill(&f->batch, false);
    assert_int_equal(batch_unsent(&f->batch), 5);
    assert_int_equal(batch_send(&f->batch), TARGET_LATER);
    f->daemon_fd = rig_daemon_start(f->path);
    assert_int_equal(batch_send(&f->batch), TARGET_OK);
    assert_int_equal(read_all(f, next), 5);
}

static void
too_much_unsafe_takes_no_more(void **state)
{
    struct fixture *f = *state;
    uint64_t next[RINGS] = { 1, 1, 1 };
    char line[16384];
    size_t read = 0;

    rig_write(&f->ring[0], 1000, 10);
    /* A daemon that always leaves one line unread: nothing is ever proved. */
    while (!batch_is_full(&f->batch)) {
        if (batch_unsent(&f->batch) == 0)
            batch_fill(&f->batch, false);
        enum target_result result = batch_send(&f->batch);

        if (result == TARGET_FULL) {
            assert_true(rig_daemon_read(f->daemon_fd, line, sizeof line, 0) > 0);
            assert_int_equal(rig_seq_of(line), next[0]++);
            read++;
        }
    }
    assert_true(batch_unsafe(&f->batch) > FLIGHT_LINES - BATCH_LINES);
    assert_true(read > 0);
    while (batch_unsent(&f->batch) > 0) {
        read += read_all(f, next);
        assert_true(batch_send(&f->batch) <= TARGET_FULL);
    }
    batch_fill(&f->batch, true);
    assert_int_equal(batch_unsent(&f->batch), batch_is_full(&f->batch) ? 0 : BATCH_LINES);
}

/* A socket that takes short messages only: the line is cut and marked, and goes. */
static void
long_line_is_shortened(void **state)
{
    struct fixture *f = *state;
    char line[16384];
    int least = 1;

    rig_write(&f->ring[0], 1, 10);
    batch_fill(&f->batch, false);
    assert_int_equal(batch_send(&f->batch), TARGET_OK);
    assert_int_equal(
        setsockopt(f->target.fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
    assert_true(rig_daemon_read(f->daemon_fd, line, sizeof line, 0) > 0);
    f->target.settings.format = IMAGE_LOG_JSON;
    struct event e;

    event_begin(&e, EVENT_GATEWAY_MESSAGE, 0, wall_read());
    char hostile[3000];

    memset(hostile, 1, sizeof hostile);
    event_bytes(&e, FIELD_TEXT, hostile, sizeof hostile);
    (void)event_commit(f->ring[0].writer, &e);
    rig_write(&f->ring[0], 1, 10);
    batch_fill(&f->batch, false);
    assert_int_equal(batch_unsent(&f->batch), 2);
    for (int i = 0; i < 4 && batch_unsent(&f->batch) > 0; i++)
        (void)batch_send(&f->batch);
    assert_int_equal(batch_unsent(&f->batch), 0);
    assert_true(rig_daemon_read(f->daemon_fd, line, sizeof line, 0) > 2000);
    assert_int_equal(rig_seq_of(line), 2);
    assert_non_null(strstr(line, "\\u0001\",\"truncated\":true}"));
    assert_true(rig_daemon_read(f->daemon_fd, line, sizeof line, 0) > 0);
    assert_int_equal(rig_seq_of(line), 3);
}

static void
losses_have_their_record(void **state)
{
    struct fixture *f = *state;
    char line[16384];

    rig_write(&f->ring[1], RING_DATA_SIZE / 1000 + 100, 1000);
    batch_fill(&f->batch, false);
    assert_true(batch_send(&f->batch) <= TARGET_FULL);
    assert_true(rig_daemon_read(f->daemon_fd, line, sizeof line, 0) > 0);
    assert_non_null(strstr(line, " event=audit.lost worker=logger seq=1 reason=ring-full count="));
    assert_non_null(strstr(line, " ring=b"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_ring_has_its_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(everything_arrives, setup, teardown),
        cmocka_unit_test_setup_teardown(unread_is_not_safe, setup, teardown),
        cmocka_unit_test_setup_teardown(unread_comes_again, setup, teardown),
        cmocka_unit_test_setup_teardown(too_much_unsafe_takes_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(long_line_is_shortened, setup, teardown),
        cmocka_unit_test_setup_teardown(losses_have_their_record, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
