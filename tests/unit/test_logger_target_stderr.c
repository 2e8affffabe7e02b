/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include "tests/unit/logger_rig.h"

#include "lib/base/fd.h"
#include "src/core/log.h"
#include "src/logger/target.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#define LINES 64U
#define LINE_LEN 1000U

struct fixture {
    struct loop *loop;
    struct target target;
    int saved;     /* our own standard error */
    int reader;    /* of the pipe that stands in its place */
    unsigned told; /* calls of writable */
    char text[LINES * LINE_LEN];
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
    struct target_settings settings = { .kind = IMAGE_LOG_STDERR, .path = "" };
    int pair[2];

    f->loop = loop_new();
    target_init(&f->target, &settings, f->loop);
    f->target.writable = on_writable;
    for (size_t i = 0; i < LINES; i++) {
        f->lines[i] = (struct target_line) { f->text + i * LINE_LEN, LINE_LEN };
        memset(f->text + i * LINE_LEN, 'a' + (int)(i % 26), LINE_LEN - 1);
        f->text[(i + 1) * LINE_LEN - 1] = '\n';
    }
    log_to_stderr(0);
    f->saved = dup(STDERR_FILENO);
    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    f->reader = pair[0];
    assert_int_equal(dup2(pair[1], STDERR_FILENO), STDERR_FILENO);
    close(pair[1]);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    target_close(&f->target);
    assert_int_equal(dup2(f->saved, STDERR_FILENO), STDERR_FILENO);
    fd_close(&f->saved);
    fd_close(&f->reader);
    loop_free(&f->loop);
    free(f);
    return 0;
}

static void
read_exactly(struct fixture *f, char *out, size_t len)
{
    for (size_t have = 0; have < len;) {
        ssize_t n = read(f->reader, out + have, len - have);

        assert_true(n > 0);
        have += (size_t)n;
    }
}

static void
lines_come_out(void **state)
{
    struct fixture *f = *state;
    char out[10 * LINE_LEN];
    size_t sent = 0;

    assert_int_equal(f->target.ops->send(&f->target, f->lines, 10, &sent), TARGET_OK);
    assert_int_equal(sent, 10);
    assert_int_equal(f->target.safe, 10);
    read_exactly(f, out, sizeof out);
    assert_memory_equal(out, f->text, sizeof out);
}

/* Nobody reads: it stops without blocking, and goes on where it was. */
static void
full_pipe(void **state)
{
    struct fixture *f = *state;
    char out[sizeof f->text];
    size_t sent = 0;
    size_t more = 0;

    assert_true(fcntl(f->reader, F_SETPIPE_SZ, PIPE_BUF) > 0);
    assert_int_equal(f->target.ops->send(&f->target, f->lines, LINES, &sent), TARGET_FULL);
    assert_int_equal(sent, PIPE_BUF / LINE_LEN);
    assert_int_equal(f->target.partial, PIPE_BUF % LINE_LEN);
    assert_int_equal(target_wait(&f->target), 0);
    assert_int_equal(loop_turn(f->loop, 0), 0);
    assert_int_equal(f->told, 0);
    read_exactly(f, out, PIPE_BUF);
    assert_int_equal(loop_turn(f->loop, 1000), 0);
    assert_int_equal(f->told, 1);
    assert_int_equal(loop_turn(f->loop, 0), 0);
    assert_int_equal(f->told, 1); /* once */
    for (size_t have = PIPE_BUF; sent < LINES; have += PIPE_BUF) {
        size_t rest = sizeof out - have;

        (void)f->target.ops->send(&f->target, f->lines + sent, LINES - sent, &more);
        sent += more;
        read_exactly(f, out + have, rest < PIPE_BUF ? rest : PIPE_BUF);
    }
    assert_memory_equal(out, f->text, sizeof out);
}

/* A regular file never blocks, so it is written at once; the loop cannot watch it. */
static void
regular_file(void **state)
{
    struct fixture *f = *state;
    size_t sent = 0;

    rig_folder_make();
    int fd = open(rig_path("err"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert_true(dup2(fd, STDERR_FILENO) >= 0);
    assert_int_equal(f->target.ops->send(&f->target, f->lines, LINES, &sent), TARGET_OK);
    assert_int_equal(sent, LINES);
    assert_int_equal(lseek(fd, 0, SEEK_END), sizeof f->text);
    assert_int_equal(target_wait(&f->target), -1);
    close(fd);
    rig_folder_remove();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_come_out, setup, teardown),
        cmocka_unit_test_setup_teardown(full_pipe, setup, teardown),
        cmocka_unit_test_setup_teardown(regular_file, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
