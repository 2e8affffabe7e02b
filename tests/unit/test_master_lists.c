/* SPDX-License-Identifier: ISC */
/* src/master/master_lists.c: a list file that changes is a reload of its own, a text that changes is none. */
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/fd.h"

enum { MAIN, PART, FIRST, SECOND, FILES };

static const char *const names[FILES] = { "main.conf", "part.conf", "first", "second" };
static char folder[64], paths[FILES][96];

/* A new file takes the place of the old one: never the same inode at the same time. */
static void
write_file(int i, const char *text)
{
    char fresh[112];

    assert_true(snprintf(fresh, sizeof fresh, "%s.new", paths[i]) > 0);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    fd_close(&fd);
    assert_int_equal(rename(fresh, paths[i]), 0);
}

/* One list is named by two rules, the other one beside the main file. */
static void
write_config(void)
{
    char text[512];
    int n = snprintf(text, sizeof text,
        "workers = 3\nmethods = { \"none\" }\nlisten \"127.0.0.1:0\" { }\nlog { target = \"stderr\" }\n"
        "rule \"a\" { action = \"allow\" destination = { \"@%s\" } }\n"
        "rule \"b\" { action = \"allow\" destination = { \"@second\", \"@%s\" } port = { \"80\" } }\n"
        "include(\"part.conf\")\n",
        paths[FIRST], paths[FIRST]);

    assert_in_range(n, 1, sizeof text - 1);
    write_file(MAIN, text);
}

static int
setup(void **state)
{
    if (rig_setup(state) != 0)
        return -1;
    struct rig *r = *state;

    assert_true(snprintf(folder, sizeof folder, "/tmp/sallyport-unit-XXXXXX") > 0);
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < FILES; i++)
        assert_true(snprintf(paths[i], sizeof paths[i], "%s/%s", folder, names[i]) > 0);
    write_config();
    write_file(PART, "timeouts { idle = 9 }\n");
    write_file(FIRST, "192.0.2.1\n");
    write_file(SECOND, "192.0.2.2\n");
    r->m.options.config = paths[MAIN];
    if (config_load(&r->m.options, &r->m.config) < 0)
        return -1;
    r->m.settings = image_settings(r->m.config.image);
    reload_init(&r->m);
    return 0;
}

static int
teardown(void **state)
{
    struct rig *r = *state;

    reload_cancel(&r->m, "the test is over");
    compiled_free(&r->m.config);
    for (int i = 0; i < FILES; i++)
        (void)unlink(paths[i]);
    (void)rmdir(folder);
    return rig_teardown(state);
}

/* What the look of every 5 s begins: the path of a list, or nothing. */
static void
assert_look(struct rig *r, const char *cause)
{
    reload_look(&r->m);
    assert_int_equal(r->m.reload.wanted, cause != NULL);
    if (cause != NULL)
        assert_string_equal(r->m.reload.cause, cause);
    r->m.reload.wanted = false;
}

static void
lists_are_told_from_text(void **state)
{
    struct rig *r = *state;
    const struct config_files *files = &r->m.config.files;

    assert_int_equal(files->count, FILES);
    for (size_t i = 0; i < files->count; i++) {
        const struct config_file *f = &files->list[i];

        assert_int_equal(f->list,
            strcmp(f->path, paths[FIRST]) == 0 || strcmp(f->path, paths[SECOND]) == 0);
    }
    assert_look(r, NULL);
}

static void
a_changed_list_is_a_reload_once(void **state)
{
    struct rig *r = *state;

    write_file(SECOND, "192.0.2.3\n");
    assert_look(r, paths[SECOND]);
    assert_look(r, NULL);
    write_file(FIRST, "192.0.2.4\n");
    write_file(SECOND, "192.0.2.5\n");
    reload_look(&r->m);
    assert_true(r->m.reload.wanted);
    r->m.reload.wanted = false;
    assert_look(r, NULL); /* both at once */
}

static void
a_list_that_goes_and_comes(void **state)
{
    struct rig *r = *state;

    assert_int_equal(unlink(paths[FIRST]), 0);
    assert_look(r, paths[FIRST]);
    assert_look(r, NULL);
    write_file(FIRST, "192.0.2.1\n");
    assert_look(r, paths[FIRST]);
}

static void
a_changed_text_waits_for_somebody(void **state)
{
    struct rig *r = *state;

    write_file(PART, "timeouts { idle = 10 }\n");
    assert_look(r, NULL);
    /* Nor does a list bring a text into force that nobody asked for. */
    write_file(FIRST, "192.0.2.4\n");
    assert_look(r, NULL);
}

static void
while_one_runs_nobody_looks(void **state)
{
    struct rig *r = *state;

    write_file(FIRST, "192.0.2.4\n");
    r->m.reload.phase = RELOAD_COMPILING;
    assert_look(r, NULL);
    r->m.reload.phase = RELOAD_IDLE;
    assert_look(r, paths[FIRST]);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(lists_are_told_from_text),
        TEST(a_changed_list_is_a_reload_once),
        TEST(a_list_that_goes_and_comes),
        TEST(a_changed_text_waits_for_somebody),
        TEST(while_one_runs_nobody_looks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
