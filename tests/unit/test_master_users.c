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
    if (nobody == NULL) {
        print_message("this system has no user nobody: not tested\n");
        skip();
    }
    uid_t uid = nobody->pw_uid;

    assert_int_equal(user_find("user", "nobody", &u, error, sizeof error), 0);
    assert_int_equal(u.uid, uid);
}

static void
the_groups_of_an_outsider_are_found(void **state)
{
    struct outsider o;
    char error[512] = "";
    const struct passwd *nobody = getpwnam("nobody");
    bool primary = false;

    (void)state;
    if (nobody == NULL) {
        print_message("this system has no user nobody: not tested\n");
        skip();
    }
    const struct user user = { nobody->pw_uid, nobody->pw_gid };

    assert_int_equal(outsider_find(&o, "the workers' user", "nobody", &user, error, sizeof error), 0);
    assert_int_equal(o.uid, user.uid);
    assert_true(o.group_count >= 1);
    for (int i = 0; i < o.group_count; i++)
        primary = primary || o.groups[i] == user.gid;
    assert_true(primary);
}

static void
readers_are_found(void **state)
{
    static const struct {
        uid_t uid;
        gid_t gid;
        mode_t mode;
        int reader; /* -1: none */
    } rows[] = {
        { 0, 0, 0600, -1 }, { 0, 0, 0640, -1 }, { 0, 0, 0604, 0 }, /* others */
        { 100, 0, 0600, 0 }, { 100, 0, 0200, -1 }, { 200, 0, 0400, 1 }, /* the owner */
        { 0, 101, 0640, 0 }, { 0, 101, 0600, -1 }, { 0, 102, 0640, 0 }, /* its groups */
        { 0, 201, 0640, 1 }, { 0, 300, 0640, -1 },
    };
    static const struct users users = { .privileged = true,
        .outsiders = { { "the workers' user", "w", 100, { 101, 102 }, 2 },
            { "the logger's user", "l", 200, { 201 }, 1 } },
        .outsider_count = 2 };
    static const struct users nobody = { .privileged = false };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        const struct stat st = { .st_uid = rows[i].uid, .st_gid = rows[i].gid,
            .st_mode = S_IFREG | rows[i].mode };
        const struct outsider *found = users_reader(&users, &st);

        assert_ptr_equal(found, rows[i].reader < 0 ? NULL : &users.outsiders[rows[i].reader]);
        assert_null(users_reader(&nobody, &st));
        assert_null(users_reader(NULL, &st));
    }
}

static void
the_empty_folder_is_made_and_judged(void **state)
{
    char dir[] = "/tmp/sallyport-run-XXXXXX";
    char path[128];
    char error[512] = "";

    (void)state;
    if (geteuid() != 0) {
        print_message("the empty folder of the workers has to be root's: not tested\n");
        skip();
    }
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
        cmocka_unit_test(the_groups_of_an_outsider_are_found),
        cmocka_unit_test(readers_are_found),
        cmocka_unit_test(the_empty_folder_is_made_and_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
