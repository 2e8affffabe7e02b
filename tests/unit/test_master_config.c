/* SPDX-License-Identifier: ISC */
/* src/master/master_config.c: the compiling child, waited for and served from a loop. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "src/core/loop.h"
#include "src/master/master_config.h"
#include "src/master/master_parts.h"

#define GOOD                                                                                       \
    "methods = { \"none\" }\nlisten \"127.0.0.1:0\" { }\nlog { target = \"stderr\" }\n"            \
    "rule \"all\" { action = \"allow\" }\n"

static char folder[64], path[96], part[96];

struct stage {
    struct loop *loop;
    struct master_options options;
    struct compilation c;
    char text[4096];
    unsigned ended;
    bool ok;
};

static void
write_file(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    fd_close(&fd);
}

static void
on_text(struct compilation *c, const char *text, size_t len)
{
    struct stage *s = (struct stage *)((char *)c - offsetof(struct stage, c));

    assert_true(strlen(s->text) + len < sizeof s->text);
    strncat(s->text, text, len);
}

static void
on_ended(struct compilation *c, bool ok)
{
    struct stage *s = (struct stage *)((char *)c - offsetof(struct stage, c));

    s->ended++;
    s->ok = ok;
}

static int
setup(void **state)
{
    struct stage *s = calloc(1, sizeof *s);

    assert_non_null(s);
    assert_true(snprintf(folder, sizeof folder, "/tmp/sallyport-unit-XXXXXX") > 0);
    assert_non_null(mkdtemp(folder));
    assert_true(snprintf(path, sizeof path, "%s/main.conf", folder) > 0);
    assert_true(snprintf(part, sizeof part, "%s/part.conf", folder) > 0);
    s->loop = loop_new();
    assert_non_null(s->loop);
    s->options.config = path;
    s->c = (struct compilation) { .options = &s->options, .generation = 7, .text = on_text,
        .ended = on_ended };
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct stage *s = *state;

    compiled_free(&s->c.out);
    loop_free(&s->loop);
    free(s);
    (void)unlink(path);
    (void)unlink(part);
    return rmdir(folder);
}

/* What the master does on SIGCHLD. */
static void
reap(struct stage *s)
{
    siginfo_t info = { .si_pid = 0 };

    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0)
        assert_true(compile_reaped(&s->c, &info));
}

static void
run(struct stage *s)
{
    assert_int_equal(compile_begin(&s->c, s->loop), 0);
    assert_true(compile_runs(&s->c));
    for (int i = 0; i < 10000 && s->ended == 0; i++) {
        assert_int_equal(loop_turn(s->loop, 1), 0);
        reap(s);
    }
    assert_int_equal(s->ended, 1);
    assert_false(compile_runs(&s->c));
}

static void
at_the_start_somebody_waits(void **state)
{
    struct stage *s = *state;
    struct compiled out = { .fd = -1 };

    write_file(path, GOOD);
    assert_int_equal(config_load(&s->options, &out), 0);
    assert_int_equal(image_header(out.image)->generation, 1);
    assert_int_equal(out.files.count, 1);
    compiled_free(&out);
    assert_null(out.image);
    assert_int_equal(out.fd, -1);
}

static void
served_from_the_loop(void **state)
{
    struct stage *s = *state;

    write_file(path, GOOD);
    run(s);
    assert_true(s->ok);
    assert_string_equal(s->text, "");
    assert_non_null(s->c.out.image);
    assert_int_equal(image_header(s->c.out.image)->generation, 7);
    assert_true(memfd_check(s->c.out.fd, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) > 0);
}

static void
errors_are_told_and_leave_nothing(void **state)
{
    struct stage *s = *state;

    write_file(path, GOOD "bogus = 1\n");
    run(s);
    assert_false(s->ok);
    assert_non_null(strstr(s->text, "main.conf:5:"));
    assert_int_equal(s->text[strlen(s->text) - 1], '\n');
    assert_null(s->c.out.image);
    assert_int_equal(s->c.out.fd, -1);
}

static void
a_file_that_is_not_there(void **state)
{
    struct stage *s = *state;

    run(s);
    assert_false(s->ok);
    assert_non_null(strstr(s->text, "main.conf"));
}

static void
what_was_read_is_known(void **state)
{
    struct stage *s = *state;

    write_file(part, "timeouts { idle = 9 }\n");
    write_file(path, GOOD "include(\"part.conf\")\n");
    run(s);
    assert_true(s->ok);
    assert_int_equal(s->c.out.files.count, 2);
    struct config_file *f = &s->c.out.files.list[1];

    assert_string_equal(f->path, part);
    assert_false(f->list || s->c.out.files.list[0].list);
    assert_false(config_file_changed(f));
    write_file(part, "timeouts { idle = 10 }\n");
    assert_true(config_file_changed(f));
    assert_int_equal(unlink(part), 0);
    assert_true(config_file_changed(f));
}

static void
given_up_it_says_nothing(void **state)
{
    struct stage *s = *state;

    write_file(path, GOOD);
    assert_int_equal(compile_begin(&s->c, s->loop), 0);
    compile_cancel(&s->c);
    assert_false(compile_runs(&s->c));
    for (int i = 0; i < 10000 && s->c.pid != 0; i++) {
        assert_int_equal(loop_turn(s->loop, 1), 0);
        reap(s);
    }
    assert_int_equal(s->c.pid, 0);
    assert_int_equal(s->ended, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(at_the_start_somebody_waits),
        TEST(served_from_the_loop),
        TEST(errors_are_told_and_leave_nothing),
        TEST(a_file_that_is_not_there),
        TEST(what_was_read_is_known),
        TEST(given_up_it_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
