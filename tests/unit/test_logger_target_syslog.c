/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include "tests/unit/logger_rig.h"

#include "src/core/log.h"
#include "src/logger/target.h"

#include <stdio.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINES 64U

struct fixture {
    struct loop *loop;
    struct target target;
    unsigned told;
    int daemon_fd;
    char path[96];
    char text[LINES][8];
    struct target_line lines[LINES];
};

static void
on_writable(struct target *t)
{
    ((struct fixture *)((char *)t - offsetof(struct fixture, target)))->told++;
}

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_int_equal(setenv("TZ", "XST-2:30", 1), 0);
    tzset();
    rig_folder_make();
    (void)snprintf(f->path, sizeof f->path, "%s", rig_path("log"));
    f->daemon_fd = rig_daemon_start(f->path);
    f->loop = loop_new();
    struct target_settings settings = { .kind = IMAGE_LOG_SYSLOG, .path = f->path, .pid = 4711,
        .facility = LOG_LOCAL0 };

    target_init(&f->target, &settings, f->loop);
    f->target.writable = on_writable;
    for (unsigned i = 0; i < LINES; i++) {
        int n = snprintf(f->text[i], sizeof f->text[i], "%u", i);

        f->lines[i] = (struct target_line) { f->text[i], (size_t)n };
    }
    log_to_stderr(0);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    target_close(&f->target);
    loop_free(&f->loop);
    rig_daemon_stop(&f->daemon_fd, f->path);
    rig_folder_remove();
    free(f);
    return 0;
}

static enum target_result
send_lines(struct fixture *f, size_t from, size_t to, size_t *sent)
{
    return f->target.ops->send(&f->target, f->lines + from, to - from, sent);
}

/* The daemon reads lines from..to and no more. */
static void
daemon_reads(struct fixture *f, size_t from, size_t to)
{
    char line[64];

    for (size_t i = from; i < to; i++) {
        assert_true(rig_daemon_read(f->daemon_fd, line, sizeof line, 1000) > 0);
        assert_string_equal(line, f->text[i]);
    }
}

static void
frames(void **state)
{
    static const struct {
        enum event_id id;
        enum image_log_format format;
        int64_t second;
        const char *text;
    } rows[] = {
        /* local0 is 16: 16 * 8 + severity; two and a half hours east */
        { EVENT_SESSION_END, IMAGE_LOG_KEYVALUE, 1769903999, "<134>Feb  1 02:29:59 sallyport[4711]: " },
        { EVENT_SESSION_END, IMAGE_LOG_KEYVALUE, 1769903999, "<134>Feb  1 02:29:59 sallyport[4711]: " },
        { EVENT_AUDIT_LOST, IMAGE_LOG_JSON, 0, "<131>Jan  1 02:30:00 sallyport[4711]: @cee: " },
        { EVENT_REQUEST_DENIED, IMAGE_LOG_JSON, 1797552000,
            "<132>Dec 18 02:30:00 sallyport[4711]: @cee: " },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct event_view view = { .id = rows[i].id,
            .time = { rows[i].second * CLOCK_SECOND_US + 999999 } };
        char out[128];
        struct line line = line_init(out, sizeof out);

        f->target.settings.format = rows[i].format;
        f->target.ops->frame(&f->target, &view, &line);
        *line.at = '\0';
        assert_string_equal(out, rows[i].text);
    }
}

static void
daemon_full(void **state)
{
    struct fixture *f = *state;
    size_t sent = 0;

    assert_int_equal(send_lines(f, 0, LINES, &sent), TARGET_FULL);
    assert_true(sent > 0 && sent < LINES);
    assert_int_equal(f->target.safe, 0);
    assert_int_equal(target_wait(&f->target), 0);
    assert_int_equal(loop_turn(f->loop, 0), 0);
    assert_int_equal(f->told, 0);
    daemon_reads(f, 0, sent);
    assert_int_equal(loop_turn(f->loop, 1000), 0);
    assert_int_equal(f->told, 1);
}

/* Once a batch is under way, a send after all was read proves what went before it. */
static void
later_sends_prove(void **state)
{
    struct fixture *f = *state;
    size_t sent = 0;

    for (size_t all = 0; all < LINES; all += sent) {
        assert_true(send_lines(f, all, LINES, &sent) <= TARGET_FULL);
        daemon_reads(f, all, all + sent);
        assert_int_equal(f->target.safe, 0);
    }
    assert_int_equal(send_lines(f, 0, 1, &sent), TARGET_OK);
    assert_int_equal(f->target.safe, LINES);
    assert_int_equal(f->target.sent, LINES + 1);
}

static void
proof(void **state)
{
    struct fixture *f = *state;
    char line[64];
    size_t sent = 0;

    assert_int_equal(f->target.ops->prove(&f->target), TARGET_OK); /* nothing to prove */
    assert_int_equal(send_lines(f, 0, 3, &sent), TARGET_OK);
    assert_int_equal(f->target.ops->prove(&f->target), TARGET_LATER);
    daemon_reads(f, 0, 2);
    assert_int_equal(f->target.ops->prove(&f->target), TARGET_LATER);
    assert_int_equal(f->target.safe, 0);
    daemon_reads(f, 2, 3);
    assert_int_equal(f->target.ops->prove(&f->target), TARGET_OK);
    assert_int_equal(f->target.safe, 3);
    assert_int_equal(rig_daemon_read(f->daemon_fd, line, sizeof line, 1000), 0);
}

/* It read them, or they died with it: nobody can tell, so they count as lost. */
static void
daemon_restarted(void **state)
{
    struct fixture *f = *state;
    size_t sent = 0;

    assert_int_equal(send_lines(f, 0, 3, &sent), TARGET_OK);
    daemon_reads(f, 0, 3);
    rig_daemon_stop(&f->daemon_fd, f->path);
    f->daemon_fd = rig_daemon_start(f->path);
    assert_int_equal(send_lines(f, 3, 5, &sent), TARGET_LOST);
    assert_int_equal(sent, 0);
    assert_int_equal(f->target.sent, f->target.safe);
    assert_int_equal(send_lines(f, 0, 5, &sent), TARGET_OK);
    daemon_reads(f, 0, 5);
    assert_false(f->target.complained);
}

static void
daemon_restarted_with_nothing_under_way(void **state)
{
    struct fixture *f = *state;
    size_t sent = 0;

    assert_int_equal(send_lines(f, 0, 3, &sent), TARGET_OK);
    daemon_reads(f, 0, 3);
    assert_int_equal(f->target.ops->prove(&f->target), TARGET_OK);
    rig_daemon_stop(&f->daemon_fd, f->path);
    f->daemon_fd = rig_daemon_start(f->path);
    assert_int_equal(send_lines(f, 3, 5, &sent), TARGET_OK);
    assert_int_equal(sent, 0);
    assert_int_equal(send_lines(f, 3, 5, &sent), TARGET_OK);
    assert_int_equal(sent, 2);
    daemon_reads(f, 3, 5);
}

static void
no_daemon(void **state)
{
    struct fixture *f = *state;
    size_t sent = 0;

    rig_daemon_stop(&f->daemon_fd, f->path);
    for (int64_t pause = 2 * TARGET_RETRY_LEAST_US; pause <= TARGET_RETRY_MOST_US; pause *= 2) {
        assert_int_equal(send_lines(f, 0, 3, &sent), TARGET_LATER);
        assert_int_equal(f->target.retry_us, pause);
        assert_int_equal(sent, 0);
    }
    assert_int_equal(target_wait(&f->target), -1);
    assert_true(f->target.complained);
    f->daemon_fd = rig_daemon_start(f->path);
    assert_int_equal(send_lines(f, 0, 3, &sent), TARGET_OK);
    assert_false(f->target.complained);
    assert_int_equal(f->target.retry_us, TARGET_RETRY_LEAST_US);
    daemon_reads(f, 0, 3);
}

/* A daemon that ends while it is full: the wait ends too. */
static void
daemon_ends_full(void **state)
{
    struct fixture *f = *state;
    size_t sent = 0;

    assert_int_equal(send_lines(f, 0, LINES, &sent), TARGET_FULL);
    assert_int_equal(target_wait(&f->target), 0);
    rig_daemon_stop(&f->daemon_fd, f->path);
    assert_int_equal(loop_turn(f->loop, 1000), 0);
    assert_int_equal(f->told, 1);
    assert_int_equal(send_lines(f, sent, LINES, &sent), TARGET_LOST);
}

static void
path_too_long(void **state)
{
    struct fixture *f = *state;
    char path[200];
    size_t sent;

    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    f->target.settings.path = path;
    assert_int_equal(send_lines(f, 0, 1, &sent), TARGET_LATER);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(frames, setup, teardown),
        cmocka_unit_test_setup_teardown(daemon_full, setup, teardown),
        cmocka_unit_test_setup_teardown(later_sends_prove, setup, teardown),
        cmocka_unit_test_setup_teardown(proof, setup, teardown),
        cmocka_unit_test_setup_teardown(daemon_restarted, setup, teardown),
        cmocka_unit_test_setup_teardown(daemon_restarted_with_nothing_under_way, setup, teardown),
        cmocka_unit_test_setup_teardown(no_daemon, setup, teardown),
        cmocka_unit_test_setup_teardown(daemon_ends_full, setup, teardown),
        cmocka_unit_test_setup_teardown(path_too_long, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
