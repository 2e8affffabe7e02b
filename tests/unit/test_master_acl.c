/* SPDX-License-Identifier: ISC */
/* Who reads a file by its access control list. */
#include "lib/base/fd.h"
#include "src/master/master_parts.h"
#include "tests/unit/unit.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

static char path[] = "/var/tmp/sallyport-acl-XXXXXX";
static int file = -1;
static const struct users users = { .privileged = true,
    .outsiders = { { "the workers' user", "w", 12345, { 12345, 12346 }, 2 },
        { "the logger's user", "l", 22345, { 22345 }, 1 } },
    .outsider_count = 2 };

static int
make_file(void **state)
{
    (void)state;
    file = mkstemp(path);
    return file < 0 ? -1 : 0;
}

static int
remove_file(void **state)
{
    (void)state;
    fd_close(&file);
    return unlink(path);
}

static struct posix_acl_xattr_entry
entry(unsigned tag, unsigned perm, unsigned id)
{
    return (struct posix_acl_xattr_entry) { htole16((uint16_t)tag), htole16((uint16_t)perm),
        htole32(id) };
}

/* The usual entries, a mask, and one more. */
static void
set_list(unsigned tag, unsigned id, unsigned perm, unsigned mask)
{
    const unsigned none = (unsigned)ACL_UNDEFINED_ID;
    struct {
        struct posix_acl_xattr_header header;
        struct posix_acl_xattr_entry entries[5];
    } acl = { .header = { htole32(POSIX_ACL_XATTR_VERSION) } };
    size_t n = 0;

    acl.entries[n++] = entry(ACL_USER_OBJ, 6, none);
    if (tag == ACL_USER)
        acl.entries[n++] = entry(tag, perm, id);
    acl.entries[n++] = entry(ACL_GROUP_OBJ, 0, none);
    if (tag == ACL_GROUP)
        acl.entries[n++] = entry(tag, perm, id);
    acl.entries[n++] = entry(ACL_MASK, mask, none);
    acl.entries[n++] = entry(ACL_OTHER, 0, none);
    if (fsetxattr(file, "system.posix_acl_access", &acl, sizeof acl, 0) == 0)
        return;
    if (errno == EOPNOTSUPP) {
        print_message("%s: this file system has no access control lists: not tested\n", path);
        skip();
    }
    fail_msg("fsetxattr: %s", strerror(errno));
}

static void
no_list_lets_nobody(void **state)
{
    (void)state;
    assert_null(users_acl_reader(&users, file));
    assert_null(users_acl_reader(NULL, file));
}

static void
users_and_groups_are_found(void **state)
{
    static const struct {
        unsigned tag, id, perm, mask;
        int reader; /* -1: none */
    } rows[] = {
        { ACL_USER, 12345, 4, 4, 0 }, { ACL_USER, 22345, 4, 4, 1 }, { ACL_USER, 33333, 4, 4, -1 },
        { ACL_USER, 12345, 2, 6, -1 }, { ACL_USER, 12345, 4, 2, -1 }, /* may not read; is masked */
        { ACL_GROUP, 12346, 4, 4, 0 }, { ACL_GROUP, 22345, 4, 4, 1 }, { ACL_GROUP, 33333, 4, 4, -1 },
        { ACL_GROUP, 12346, 4, 0, -1 },
    };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        set_list(rows[i].tag, rows[i].id, rows[i].perm, rows[i].mask);
        assert_ptr_equal(users_acl_reader(&users, file),
            rows[i].reader < 0 ? NULL : &users.outsiders[rows[i].reader]);
    }
}

static void
such_a_file_is_refused(void **state)
{
    char error[512] = "";

    (void)state;
    set_list(ACL_USER, 12345, 4, 4);
    assert_int_equal(file_copy(&file_rule_secret, path, &users, NULL, error, sizeof error), -1);
    assert_non_null(strstr(error, "readable by the workers' user \"w\": its access control list"));
    set_list(ACL_USER, 33333, 4, 4);
    int fd = file_copy(&file_rule_secret, path, &users, NULL, error, sizeof error);

    assert_true(fd >= 0);
    fd_close(&fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_list_lets_nobody),
        cmocka_unit_test(users_and_groups_are_found),
        cmocka_unit_test(such_a_file_is_refused),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
