/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include "tests/unit/logger_rig.h"

#include "lib/base/fd.h"
#include "src/core/log.h"
#include "src/logger/target.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct loop *loop;
    struct target target;
    char text[64];
    struct target_line lines[3];
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct target_settings settings = { .kind = IMAGE_LOG_FILE, .path = "/var/log/x" };

    rig_folder_make();
    f->loop = loop_new();
    target_init(&f->target, &settings, f->loop);
    (void)snprintf(f->text, sizeof f->text, "first\nsecond\nthird\n");
    f->lines[0] = (struct target_line) { f->text, 6 };
    f->lines[1] = (struct target_line) { f->text + 6, 7 };
    f->lines[2] = (struct target_line) { f->text + 13, 6 };
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
    rig_folder_remove();
    free(f);
    return 0;
}

static const char *
give(struct fixture *f, const char *name, int flags)
{
    int fd = open(rig_path(name), flags | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    const char *why = f->target.ops->give(&f->target, &fd);

    fd_close(&fd);
    return why;
}

static void
expect_file(const char *name, const char *text)
{
    char have[256] = "";
    int fd = open(rig_path(name), O_RDONLY);

    assert_true(fd >= 0);
    assert_true(read(fd, have, sizeof have - 1) >= 0);
    close(fd);
    assert_string_equal(have, text);
}

static void
waits_for_its_descriptor(void **state)
{
    struct fixture *f = *state;
    size_t sent = 9;

    assert_int_equal(f->target.ops->send(&f->target, f->lines, 3, &sent), TARGET_LATER);
    assert_int_equal(sent, 0);
    assert_null(give(f, "log", O_WRONLY | O_APPEND | O_CREAT));
    assert_int_equal(f->target.ops->send(&f->target, f->lines, 3, &sent), TARGET_OK);
    assert_int_equal(sent, 3);
    assert_int_equal(f->target.safe, 3);
    expect_file("log", "first\nsecond\nthird\n");
}

static void
takes_only_what_appends(void **state)
{
    struct fixture *f = *state;

    assert_non_null(give(f, "log", O_WRONLY | O_CREAT));
    assert_non_null(give(f, "log", O_RDONLY));
    assert_int_equal(f->target.fd, -1);
    assert_int_equal(mkfifo(rig_path("fifo"), 0600), 0);
    assert_non_null(give(f, "fifo", O_RDWR | O_APPEND));
    assert_null(give(f, "log", O_WRONLY | O_APPEND));
}

static void
new_one_takes_the_place(void **state)
{
    struct fixture *f = *state;
    size_t sent;

    assert_null(give(f, "log", O_WRONLY | O_APPEND | O_CREAT));
    assert_int_equal(f->target.ops->send(&f->target, f->lines, 1, &sent), TARGET_OK);
    assert_null(give(f, "log2", O_WRONLY | O_APPEND | O_CREAT));
    assert_int_equal(f->target.ops->send(&f->target, f->lines + 1, 2, &sent), TARGET_OK);
    expect_file("log", "first\n");
    expect_file("log2", "second\nthird\n");
}

static void
limit_file_size(rlim_t size)
{
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    struct rlimit limit = { size, RLIM_INFINITY };

    assert_int_equal(sigaction(SIGXFSZ, &ignore, NULL), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A file that may not grow stands for a full disk: a line cut by it is completed later. */
static void
full_disk(void **state)
{
    struct fixture *f = *state;
    size_t sent;

    assert_null(give(f, "log", O_WRONLY | O_APPEND | O_CREAT));
    limit_file_size(9);
    assert_int_equal(f->target.ops->send(&f->target, f->lines, 3, &sent), TARGET_OK);
    assert_int_equal(sent, 1);
    assert_int_equal(f->target.partial, 3);
    for (int64_t pause = 2 * TARGET_RETRY_LEAST_US; pause <= TARGET_RETRY_MOST_US; pause *= 2) {
        assert_int_equal(f->target.ops->send(&f->target, f->lines + 1, 2, &sent), TARGET_LATER);
        assert_int_equal(sent, 0);
        assert_int_equal(f->target.retry_us, pause);
        assert_true(f->target.complained);
    }
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(f->target.ops->send(&f->target, f->lines + 1, 2, &sent), TARGET_OK);
    assert_int_equal(sent, 2);
    assert_int_equal(f->target.retry_us, TARGET_RETRY_LEAST_US);
    expect_file("log", "first\nsecond\nthird\n");
}

/* Half a line in the old file: in the new one it stands whole. */
static void
rotated_inside_a_line(void **state)
{
    struct fixture *f = *state;
    size_t sent;

    assert_null(give(f, "log", O_WRONLY | O_APPEND | O_CREAT));
    limit_file_size(9);
    assert_int_equal(f->target.ops->send(&f->target, f->lines, 3, &sent), TARGET_OK);
    limit_file_size(RLIM_INFINITY);
    assert_null(give(f, "log2", O_WRONLY | O_APPEND | O_CREAT));
    assert_int_equal(f->target.ops->send(&f->target, f->lines + 1, 2, &sent), TARGET_OK);
    expect_file("log2", "second\nthird\n");
}

/* The file was not rotated: what is cut is completed. */
static void
the_same_file_inside_a_line(void **state)
{
    struct fixture *f = *state;
    size_t sent;

    assert_null(give(f, "log", O_WRONLY | O_APPEND | O_CREAT));
    limit_file_size(9);
    assert_int_equal(f->target.ops->send(&f->target, f->lines, 3, &sent), TARGET_OK);
    limit_file_size(RLIM_INFINITY);
    assert_null(give(f, "log", O_WRONLY | O_APPEND));
    assert_int_equal(f->target.ops->send(&f->target, f->lines + 1, 2, &sent), TARGET_OK);
    expect_file("log", "first\nsecond\nthird\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(waits_for_its_descriptor, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_only_what_appends, setup, teardown),
        cmocka_unit_test_setup_teardown(new_one_takes_the_place, setup, teardown),
        cmocka_unit_test_setup_teardown(full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(rotated_inside_a_line, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_file_inside_a_line, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
