/* SPDX-License-Identifier: ISC */
/* src/core/sandbox.c: as root everything is shed and stays away; as an ordinary user it refuses. */
#include "tests/unit/core_unit.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "src/core/sandbox.h"

#define SOME_ID 54321

static char empty_dir[] = "/tmp/test-sandbox-XXXXXX";

static void
need_root(void)
{
    if (geteuid() == 0)
        return;
    print_message("skipped: dropping privileges needs root\n");
    skip();
}

static void
act_close(void *arg)
{
    (void)arg;
    CHILD_CHECK(dup2(0, 50) == 50 && dup2(0, 900) == 900);
    sandbox_close_from(50);
    CHILD_CHECK(fcntl(0, F_GETFD) >= 0);
    CHILD_CHECK(fcntl(50, F_GETFD) < 0 && fcntl(900, F_GETFD) < 0);
}

static void
test_close_from(void **state)
{
    (void)state;
    unit_assert_exit(unit_fork(act_close, NULL, NULL, 0), 0);
}

static void
act_no_new_privs(void *arg)
{
    (void)arg;
    CHILD_CHECK(sandbox_no_new_privs() == 0);
    CHILD_CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

static void
test_no_new_privs(void **state)
{
    (void)state;
    unit_assert_exit(unit_fork(act_no_new_privs, NULL, NULL, 0), 0);
}

static void
act_drop(void *arg)
{
    gid_t group = 0;

    (void)arg;
    CHILD_CHECK(sandbox_chroot(empty_dir) == 0);
    CHILD_CHECK(access("/etc", F_OK) < 0 && access("..", F_OK) == 0);
    CHILD_CHECK(sandbox_drop(SOME_ID, SOME_ID + 1) == 0);
    CHILD_CHECK(getuid() == SOME_ID && geteuid() == SOME_ID);
    CHILD_CHECK(getgid() == SOME_ID + 1 && getegid() == SOME_ID + 1);
    CHILD_CHECK(getgroups(1, &group) == 1 && group == SOME_ID + 1);
    CHILD_CHECK(setuid(0) < 0 && seteuid(0) < 0 && setgid(0) < 0);
    CHILD_CHECK(setgroups(0, NULL) < 0);
    CHILD_CHECK(chroot("/") < 0);
    CHILD_CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    CHILD_CHECK(open("/new", O_CREAT | O_WRONLY, 0600) < 0);
    for (int cap = 0; cap < 40; cap++)
        CHILD_CHECK(prctl(PR_CAPBSET_READ, cap, 0, 0, 0) <= 0);
}

static void
test_drop(void **state)
{
    (void)state;
    need_root();
    unit_assert_exit(unit_fork(act_drop, NULL, NULL, 0), 0);
}

static void
act_refusals(void *arg)
{
    (void)arg;
    CHILD_CHECK(sandbox_drop(0, SOME_ID) < 0 && errno == EINVAL);
    CHILD_CHECK(sandbox_drop(SOME_ID, 0) < 0 && errno == EINVAL);
    CHILD_CHECK(sandbox_drop((uid_t)-1, SOME_ID) < 0 && errno == EINVAL);
    CHILD_CHECK(sandbox_chroot("/nonexistent/x") < 0);
    CHILD_CHECK(sandbox_chroot("/etc/passwd") < 0);
    CHILD_CHECK(sandbox_chroot("/tmp") < 0);
    CHILD_CHECK(access("/etc/passwd", F_OK) == 0);
}

static void
test_refusals(void **state)
{
    (void)state;
    unit_assert_exit(unit_fork(act_refusals, NULL, NULL, 0), 0);
}

static void
act_bad_folders(void *arg)
{
    char path[128];

    (void)arg;
    CHILD_CHECK(chmod(empty_dir, 0775) == 0);
    CHILD_CHECK(sandbox_chroot(empty_dir) < 0 && errno == EPERM);
    CHILD_CHECK(chmod(empty_dir, 0755) == 0);
    CHILD_CHECK(chown(empty_dir, SOME_ID, 0) == 0);
    CHILD_CHECK(sandbox_chroot(empty_dir) < 0 && errno == EPERM);
    CHILD_CHECK(chown(empty_dir, 0, 0) == 0);
    CHILD_CHECK(snprintf(path, sizeof path, "%s/file", empty_dir) > 0);
    CHILD_CHECK(close(open(path, O_CREAT | O_WRONLY, 0600)) == 0);
    CHILD_CHECK(sandbox_chroot(empty_dir) < 0 && errno == ENOTEMPTY);
    CHILD_CHECK(unlink(path) == 0);
    CHILD_CHECK(snprintf(path, sizeof path, "%s.link", empty_dir) > 0);
    CHILD_CHECK(symlink(empty_dir, path) == 0);
    CHILD_CHECK(sandbox_chroot(path) < 0);
    CHILD_CHECK(unlink(path) == 0);
    CHILD_CHECK(access("/etc/passwd", F_OK) == 0);
}

static void
test_bad_folders(void **state)
{
    (void)state;
    need_root();
    unit_assert_exit(unit_fork(act_bad_folders, NULL, NULL, 0), 0);
}

static void
act_ordinary_user(void *arg)
{
    (void)arg;
    if (geteuid() == 0)
        CHILD_CHECK(sandbox_drop(SOME_ID, SOME_ID) == 0);
    CHILD_CHECK(sandbox_drop(SOME_ID + 1, SOME_ID + 1) < 0);
    CHILD_CHECK(sandbox_chroot(empty_dir) < 0);
}

static void
test_ordinary_user(void **state)
{
    (void)state;
    unit_assert_exit(unit_fork(act_ordinary_user, NULL, NULL, 0), 0);
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
        cmocka_unit_test(test_close_from),
        cmocka_unit_test(test_no_new_privs),
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_bad_folders),
        cmocka_unit_test(test_ordinary_user),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
