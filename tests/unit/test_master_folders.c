/* SPDX-License-Identifier: ISC */
/* Folders for the pools: made, judged, and never somebody else's. */
#include "src/master/master_parts.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define STRANGER 12345

static char top[32];
static char run_dir[64];
static char path[128];
static char error[1024];
static struct folder_rule rule;

static int
setup(void **state)
{
    (void)state;
    memcpy(top, "/tmp/sallyport-folders-XXXXXX", 30);
    if (mkdtemp(top) == NULL || chmod(top, 0755) < 0)
        return -1;
    rule = (struct folder_rule) { .key = "gssapi { replay-cache }", .run_dir = run_dir,
        .owner = geteuid(), .group = getegid() };
    return snprintf(run_dir, sizeof run_dir, "%s/run", top) < 0
            || snprintf(path, sizeof path, "%s/rcache", run_dir) < 0
        ? -1
        : 0;
}

static int
teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)rmdir(path);
    (void)rmdir(run_dir);
    return rmdir(top);
}

static void
assert_refused(int result, const char *word)
{
    assert_int_equal(result, -1);
    if (strstr(error, word) == NULL || strstr(error, "gssapi { replay-cache }: /") != error)
        fail_msg("\"%s\" lacks \"%s\"", error, word);
}

static void
assert_folder(uid_t owner)
{
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(st.st_uid, owner);
}

static void
make_run_dir(mode_t mode)
{
    assert_int_equal(mkdir(run_dir, 0755), 0);
    assert_int_equal(chmod(run_dir, mode), 0);
}

static void
it_is_made_with_the_run_directory(void **state)
{
    struct stat st;
    mode_t mask = umask(0);

    (void)state;
    assert_int_equal(folder_check(&rule, path, error, sizeof error), 0);
    assert_int_equal(access(run_dir, F_OK), -1);
    assert_int_equal(folder_make(&rule, path, error, sizeof error), 0);
    (void)umask(mask);
    assert_folder(geteuid());
    assert_int_equal(stat(run_dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    /* The next start finds it. */
    assert_int_equal(folder_make(&rule, path, error, sizeof error), 0);
    assert_int_equal(folder_check(&rule, path, error, sizeof error), 0);
}

static void
another_parent_is_not_made(void **state)
{
    char other[128];

    (void)state;
    assert_true(snprintf(other, sizeof other, "%s/other/rcache", top) > 0);
    assert_refused(folder_make(&rule, other, error, sizeof error), "/other does not exist");
    assert_non_null(strstr(error, "\"\" for none"));
    assert_refused(folder_check(&rule, other, error, sizeof error), "/other does not exist");
}

static void
a_mode_is_put_right(void **state)
{
    (void)state;
    make_run_dir(0755);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(folder_check(&rule, path, error, sizeof error), 0);
    assert_int_equal(folder_make(&rule, path, error, sizeof error), 0);
    assert_folder(geteuid());
}

static void
what_is_no_folder_is_refused(void **state)
{
    (void)state;
    make_run_dir(0755);
    assert_int_equal(symlink("/tmp", path), 0);
    assert_refused(folder_make(&rule, path, error, sizeof error), "is a symbolic link");
    assert_refused(folder_check(&rule, path, error, sizeof error), "is a symbolic link");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/nonexistent", path), 0);
    assert_refused(folder_make(&rule, path, error, sizeof error), "is a symbolic link");
    assert_int_equal(unlink(path), 0);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    assert_refused(folder_make(&rule, path, error, sizeof error), "is no folder");
    assert_refused(folder_check(&rule, path, error, sizeof error), "is no folder");
}

static void
names_are_judged(void **state)
{
    char slashed[160];
    char dots[160];

    (void)state;
    make_run_dir(0755);
    assert_true(snprintf(slashed, sizeof slashed, "%s//", path) > 0);
    assert_int_equal(folder_make(&rule, slashed, error, sizeof error), 0);
    assert_folder(geteuid());
    assert_true(snprintf(dots, sizeof dots, "%s/..", path) > 0);
    assert_refused(folder_make(&rule, dots, error, sizeof error), "no name");
    assert_int_equal(folder_make(&rule, "rcache", error, sizeof error), -1);
    assert_non_null(strstr(error, "begins with a slash"));
    assert_refused(folder_make(&rule, "/", error, sizeof error), "no name");
}

static void
its_place_is_nobody_elses(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("only root can give a folder away: not tested\n");
        skip();
    }
    rule.privileged = true;
    rule.owner = STRANGER + 1;
    make_run_dir(0755);
    assert_int_equal(chown(run_dir, STRANGER, STRANGER), 0);
    assert_refused(folder_make(&rule, path, error, sizeof error), "belongs to user 12345");
    assert_refused(folder_check(&rule, path, error, sizeof error), "belongs to user 12345");
    assert_int_equal(chown(run_dir, rule.owner, STRANGER), 0);
    assert_int_equal(folder_make(&rule, path, error, sizeof error), 0);
    assert_folder(rule.owner);
}

static void
a_parent_for_everybody_is_refused_but_a_sticky_one(void **state)
{
    (void)state;
    make_run_dir(0777);
    assert_refused(folder_make(&rule, path, error, sizeof error), "everybody may write to");
    assert_refused(folder_check(&rule, path, error, sizeof error), "everybody may write to");
    assert_int_equal(chmod(run_dir, 01777), 0);
    assert_int_equal(folder_make(&rule, path, error, sizeof error), 0);
    assert_folder(geteuid());
}

static void
root_gives_it_away_and_takes_nobody_elses(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("only root can give a folder away: not tested\n");
        skip();
    }
    rule.privileged = true;
    rule.owner = STRANGER;
    rule.group = STRANGER;
    assert_int_equal(folder_make(&rule, path, error, sizeof error), 0);
    assert_folder(STRANGER);
    rule.owner = STRANGER + 1;
    assert_refused(folder_make(&rule, path, error, sizeof error), "belongs to user 12345; user 12346");
    assert_refused(folder_check(&rule, path, error, sizeof error), "belongs to user 12345");
    /* Root's is not given away either: it may be any folder of the system. */
    assert_int_equal(chown(path, 0, 0), 0);
    assert_refused(folder_make(&rule, path, error, sizeof error), "belongs to user 0");
    assert_folder(0);
}

/* As a user who may not write to the run directory. */
static int
try_as_stranger(void)
{
    rule.owner = STRANGER;
    if (setresuid(STRANGER, STRANGER, STRANGER) < 0)
        return 1;
    if (folder_check(&rule, path, error, sizeof error) != -1 || strstr(error, "cannot be made") == NULL)
        return 2;
    if (folder_make(&rule, path, error, sizeof error) != -1)
        return 3;
    return strstr(error, "where the user who starts the gateway may write, or \"\" for none") == NULL
        ? 4
        : 0;
}

static void
an_ordinary_user_is_told_the_way_out(void **state)
{
    int status = 0;

    (void)state;
    if (geteuid() != 0) {
        print_message("only root can give a folder away: not tested\n");
        skip();
    }
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
            _exit(try_as_stranger());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        if (i == 0)
            make_run_dir(0755); /* without it first, then with it */
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(its_place_is_nobody_elses, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_made_with_the_run_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(another_parent_is_not_made, setup, teardown),
        cmocka_unit_test_setup_teardown(a_mode_is_put_right, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_folder_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(names_are_judged, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_parent_for_everybody_is_refused_but_a_sticky_one, setup, teardown),
        cmocka_unit_test_setup_teardown(root_gives_it_away_and_takes_nobody_elses, setup, teardown),
        cmocka_unit_test_setup_teardown(an_ordinary_user_is_told_the_way_out, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
