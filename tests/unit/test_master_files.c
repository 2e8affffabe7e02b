/* SPDX-License-Identifier: ISC */
/* What a privileged file must be like, and that its copy is sealed. */
#include "lib/base/fd.h"
#include "src/master/master_parts.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/sallyport-files-XXXXXX";
static char path[64];
static char error[512];

static int
make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || snprintf(path, sizeof path, "%s/secret", folder) < 0 ? -1 : 0;
}

static int
remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int
remove_file(void **state)
{
    (void)state;
    (void)unlink(path);
    return 0;
}

static void
write_file(const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    assert_int_equal(fchmod(fd, mode), 0);
    fd_close(&fd);
}

static void
assert_refused(const struct file_rule *rule, const char *word)
{
    error[0] = '\0';
    assert_int_equal(file_copy(rule, path, NULL, NULL, error, sizeof error), -1);
    assert_non_null(strstr(error, path));
    assert_non_null(strstr(error, word));
}

static void
a_good_file_is_copied_and_sealed(void **state)
{
    struct stat st;
    char text[16] = "";

    (void)state;
    write_file("ann:hash\n", 0640);
    int fd = file_copy(&file_rule_secret, path, NULL, &st, error, sizeof error);

    assert_true(fd >= 0);
    assert_int_equal(memfd_check(fd, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK), 9);
    assert_int_equal(pread(fd, text, sizeof text, 0), 9);
    assert_string_equal(text, "ann:hash\n");
    assert_int_equal(st.st_size, 9);
    fd_close(&fd);
}

static void
modes_are_judged(void **state)
{
    static const mode_t refused[] = { 0644, 0660, 0602, 0700, 04600 };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(refused); i++) {
        write_file("x", refused[i]);
        assert_refused(&file_rule_secret, "at most 0640");
    }
}

static void
a_symbolic_link_is_refused(void **state)
{
    (void)state;
    assert_int_equal(symlink("/etc/hosts", path), 0);
    assert_refused(&file_rule_secret, "symbolic link");
    int fd = file_copy(&file_rule_hosts, path, NULL, NULL, error, sizeof error);

    assert_true(fd >= 0);
    fd_close(&fd);
}

static void
what_is_no_file_is_refused(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_refused(&file_rule_secret, "regular file");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(&file_rule_secret, "regular file");
    assert_int_equal(rmdir(path), 0);
}

static void
another_owner_is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("only root can give a file away: not tested\n");
        skip();
    }
    write_file("x", 0600);
    assert_int_equal(chown(path, 12345, 0), 0);
    assert_refused(&file_rule_secret, "12345");
}

static void
a_secret_is_kept_from_workers(void **state)
{
    struct users users = { .privileged = true,
        .outsiders = { { "the workers' user", "walter", 12345, { 12345, 12399 }, 2 } },
        .outsider_count = 1 };

    (void)state;
    write_file("x", 0644);
    assert_int_equal(file_copy(&file_rule_secret, path, &users, NULL, error, sizeof error), -1);
    assert_non_null(strstr(error, "readable by the workers' user \"walter\": it has mode 0644"));
    users.outsiders[0].groups[1] = getegid();
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(file_copy(&file_rule_secret, path, &users, NULL, error, sizeof error), -1);
    assert_non_null(strstr(error, "readable by the workers' user"));
    assert_int_equal(chmod(path, 0600), 0);
    int fd = file_copy(&file_rule_secret, path, &users, NULL, error, sizeof error);

    assert_true(fd >= 0);
    fd_close(&fd);
    /* What is no secret they may read. */
    assert_int_equal(chmod(path, 0644), 0);
    fd = file_copy(&file_rule_hosts, path, &users, NULL, error, sizeof error);
    assert_true(fd >= 0);
    fd_close(&fd);
}

static void
too_much_is_refused(void **state)
{
    (void)state;
    write_file("", 0600);
    assert_int_equal(truncate(path, 64 * 1024 * 1024 + 1), 0);
    assert_refused(&file_rule_secret, "at most");
}

static void
a_missing_file_is_empty_where_that_is_fine(void **state)
{
    struct stat st;
    int fd = file_copy(&file_rule_resolv, path, NULL, &st, error, sizeof error);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(memfd_check(fd, F_SEAL_WRITE), 0);
    assert_false(file_changed(&file_rule_resolv, path, &st));
    fd_close(&fd);
    assert_refused(&file_rule_secret, "No such file");
}

static void
a_change_is_seen_once(void **state)
{
    struct stat st;

    (void)state;
    write_file("one", 0600);
    int fd = file_copy(&file_rule_secret, path, NULL, &st, error, sizeof error);

    assert_true(fd >= 0);
    fd_close(&fd);
    assert_false(file_changed(&file_rule_secret, path, &st));
    write_file("three", 0600);
    assert_true(file_changed(&file_rule_secret, path, &st));
    /* A refused one too: it is not complained about again until it changes. */
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(file_copy(&file_rule_secret, path, NULL, &st, error, sizeof error), -1);
    assert_false(file_changed(&file_rule_secret, path, &st));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/hosts", path), 0);
    assert_true(file_changed(&file_rule_secret, path, &st));
    assert_int_equal(file_copy(&file_rule_secret, path, NULL, &st, error, sizeof error), -1);
    assert_false(file_changed(&file_rule_secret, path, &st));
}

static void
the_log_is_made_and_appended_to(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(file_check_log(path, error, sizeof error), 0);
    assert_int_equal(access(path, F_OK), -1);
    int fd = file_open_log(path, error, sizeof error);

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777 & ~0640, 0);
    assert_int_not_equal(fcntl(fd, F_GETFL) & O_APPEND, 0);
    fd_close(&fd);
    assert_int_equal(file_check_log(path, error, sizeof error), 0);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(file_check_log(path, error, sizeof error), -1);
    assert_int_equal(file_open_log(path, error, sizeof error), -1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_int_equal(file_open_log(path, error, sizeof error), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_good_file_is_copied_and_sealed, remove_file),
        cmocka_unit_test_teardown(modes_are_judged, remove_file),
        cmocka_unit_test_teardown(a_symbolic_link_is_refused, remove_file),
        cmocka_unit_test_teardown(what_is_no_file_is_refused, remove_file),
        cmocka_unit_test_teardown(another_owner_is_refused, remove_file),
        cmocka_unit_test_teardown(a_secret_is_kept_from_workers, remove_file),
        cmocka_unit_test_teardown(too_much_is_refused, remove_file),
        cmocka_unit_test_teardown(a_missing_file_is_empty_where_that_is_fine, remove_file),
        cmocka_unit_test_teardown(a_change_is_seen_once, remove_file),
        cmocka_unit_test_teardown(the_log_is_made_and_appended_to, remove_file),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
