/* SPDX-License-Identifier: ISC */
/* Which users are accepted, and the empty folder. */
#include "src/master/master_parts.h"
#include "tests/unit/unit.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

static void
root_and_strangers_are_refused(void **state)
{
    struct user u;
    char error[512] = "";

    (void)state;
    assert_int_equal(user_find("user", "root", &u, error, sizeof error), -1);
    assert_non_null(strstr(error, "user = \"root\""));
    assert_int_equal(user_find("log-user", "no-such-user-here", &u, error, sizeof error), -1);
    assert_non_null(strstr(error, "log-user"));
    assert_non_null(strstr(error, "no such user"));
}

static void
an_ordinary_user_is_found(void **state)
{
    struct user u;
    char error[512] = "";
    const struct passwd *nobody = getpwnam("nobody");

    (void)state;
    if (nobody == NULL)
        skip();
    uid_t uid = nobody->pw_uid;

    assert_int_equal(user_find("user", "nobody", &u, error, sizeof error), 0);
    assert_int_equal(u.uid, uid);
}

static void
the_empty_folder_is_made_and_judged(void **state)
{
    char dir[] = "/tmp/sallyport-run-XXXXXX";
    char path[128];
    char error[512] = "";

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_non_null(mkdtemp(dir));
    assert_int_equal(users_empty_dir(dir, path, sizeof path, error, sizeof error), 0);
    assert_non_null(strstr(path, "/empty"));
    assert_int_equal(users_empty_dir(dir, path, sizeof path, error, sizeof error), 0);
    assert_int_equal(chmod(path, 0777), 0);
    assert_int_equal(users_empty_dir(dir, path, sizeof path, error, sizeof error), -1);
    assert_non_null(strstr(error, path));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink("/tmp", path), 0);
    assert_int_equal(users_empty_dir(dir, path, sizeof path, error, sizeof error), -1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_and_strangers_are_refused),
        cmocka_unit_test(an_ordinary_user_is_found),
        cmocka_unit_test(the_empty_folder_is_made_and_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
