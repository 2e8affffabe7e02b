/* SPDX-License-Identifier: ISC */
/*
 * auth/gssapi/gssapi_identity.c: names that nobody may have, and accounts and groups of a database that is
 * this test's own, since the machine's has neither thousands of groups nor failures on demand.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <grp.h>
#include <gssapi/gssapi_krb5.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/gssapi/gssapi_identity.h"

/* ---- the database ---- */

static struct {
    int passwd_error, group_error; /* errno's */
    int last_error; /* of the last source of groups */
    bool unknown;                  /* the account */
    int count;                     /* groups of the account */
    size_t name_len;               /* of each group's name */
    unsigned nameless;             /* every so manieth has none; 0: all have one */
} db;
static const char *asked; /* the account that was looked for */

int
getpwnam_r(const char *name, struct passwd *pwd, char *buffer, size_t size, struct passwd **found)
{
    static char last[256];

    (void)buffer;
    (void)snprintf(last, sizeof last, "%s", name);
    asked = last;
    *found = NULL;
    if (db.passwd_error == ERANGE && size >= 65536)
        db.passwd_error = 0;
    if (db.passwd_error != 0 || db.unknown)
        return db.passwd_error;
    *pwd = (struct passwd) { .pw_name = last, .pw_gid = 1 };
    *found = pwd;
    return 0;
}

int
getgrgid_r(gid_t gid, struct group *record, char *buffer, size_t size, struct group **found)
{
    *found = NULL;
    if (db.group_error != 0)
        return db.group_error;
    if (db.nameless != 0 && gid % db.nameless == 0)
        return 0;
    if (size <= db.name_len)
        return ERANGE;
    memset(buffer, 'g', db.name_len);
    buffer[db.name_len] = '\0';
    *record = (struct group) { .gr_name = buffer, .gr_gid = gid };
    *found = record;
    return 0;
}

/* Asked for a group that nobody has. */
int
getgrnam_r(const char *name, struct group *record, char *buffer, size_t size, struct group **found)
{
    (void)name;
    (void)record;
    (void)buffer;
    (void)size;
    *found = NULL;
    return db.last_error;
}

int
getgrouplist(const char *user, gid_t gid, gid_t *groups, int *count)
{
    const int room = *count;

    (void)user;
    for (int i = 0; i < room && i < db.count; i++)
        groups[i] = gid + (gid_t)i;
    *count = db.count;
    return db.count <= room ? db.count : -1;
}

/* ---- krb5.conf ---- */

static struct gssapi_identities ids;
static char path[] = "/tmp/sallyport-identity-XXXXXX";

/* With a rule for accounts; NULL: without any realm. */
static int
open_with(struct gssapi_identities *out, const char *rule)
{
    char error[256];
    FILE *f = fopen(path, "we");

    if (f == NULL)
        return -1;
    (void)fprintf(f, "[libdefaults]\n dns_lookup_realm = false\n");
    if (rule != NULL)
        (void)fprintf(f, " default_realm = A.TEST\n[realms]\n A.TEST = {\n  auth_to_local = %s\n }\n", rule);
    if (fclose(f) != 0 || setenv("KRB5_CONFIG", path, 1) != 0)
        return -1;
    return gssapi_identities_open(out, error, sizeof error);
}

/* ---- names ---- */

static const char *
name_of(const char *text, size_t len, char out[AUTH_NAME_MAX])
{
    OM_uint32 minor;
    gss_name_t name = GSS_C_NO_NAME;
    gss_buffer_desc buffer = { len, (void *)(uintptr_t)text };

    assert_int_equal(gss_import_name(&minor, &buffer, GSS_KRB5_NT_PRINCIPAL_NAME, &name),
        GSS_S_COMPLETE);
    const char *reason = gssapi_identity_name(name, out, AUTH_NAME_MAX);

    (void)gss_release_name(&minor, &name);
    return reason;
}

static void
test_names_of_nobody(void **state)
{
    static const char *const bad[] = { "root\\0x@A.TEST", "alice@A.TEST\\0", "alice\\n@A.TEST",
        "ali\\tce@A.TEST", "ali\\bce@A.TEST", "alice\r@A.TEST", "alice\x1b[2J@A.TEST",
        "\x7f@A.TEST", "host/a\\0b@A.TEST", "alice@EVIL\\@A.TEST", "alice@A.TEST\x01" };
    char name[AUTH_NAME_MAX];

    (void)state;
    for (size_t i = 0; i < SP_COUNT(bad); i++) {
        const char *reason = name_of(bad[i], strlen(bad[i]), name);

        if (reason == NULL)
            fail_msg("accepted: %s", bad[i]);
        assert_string_equal(reason, "bad-name");
        assert_string_equal(name, "");
    }
}

static void
test_names_as_they_are(void **state)
{
    static const char *const good[] = { "alice@A.TEST", "host/gw.example@A.TEST", "odd name@A.TEST",
        "alice\\@B.TEST@A.TEST", "a\\/b@A.TEST", "back\\\\0slash@A.TEST", "\xc3\xa4nne@A.TEST",
        "alice@EXAMPLE.COM" };
    char name[AUTH_NAME_MAX];

    (void)state;
    for (size_t i = 0; i < SP_COUNT(good); i++) {
        assert_null(name_of(good[i], strlen(good[i]), name));
        assert_string_equal(name, good[i]);
    }
}

static void
test_long_names(void **state)
{
    char text[AUTH_NAME_MAX + 16];
    char name[AUTH_NAME_MAX];
    const size_t most = AUTH_NAME_MAX - 1 - strlen("@A.TEST");

    (void)state;
    memset(text, 'x', sizeof text);
    (void)snprintf(text + most, sizeof text - most, "@A.TEST");
    assert_null(name_of(text, strlen(text), name));
    assert_string_equal(name, text);
    text[most] = 'x';
    (void)snprintf(text + most + 1, sizeof text - most - 1, "@A.TEST");
    assert_string_equal(name_of(text, strlen(text), name), "name-too-long");
    assert_string_equal(name, "");
}

static void
test_services(void **state)
{
    char service[64];

    (void)state;
    assert_null(gssapi_identity_service(&ids, "rcmd/gateway@A.TEST", service, sizeof service));
    assert_string_equal(service, "rcmd");
    assert_null(gssapi_identity_service(&ids, "rc\\/md/gateway@A.TEST", service, sizeof service));
    assert_string_equal(service, "rc/md");
    assert_string_equal(gssapi_identity_service(&ids, "rcmd/x@A.TEST", service, 4), "no-name");
    assert_string_equal(service, "");
}

/* ---- accounts and groups ---- */

static const char *
account_of(const char *user, struct auth_identity *id)
{
    memset(id, 0, sizeof *id);
    (void)snprintf(id->user, sizeof id->user, "%s", user);
    asked = NULL;
    return gssapi_identity_account(&ids, id);
}

static void
test_accounts(void **state)
{
    struct auth_identity id;

    (void)state;
    assert_null(account_of("alice@A.TEST", &id));
    assert_string_equal(id.account, "alice");
    assert_string_equal(asked, "alice");
    /* Another realm's alice is not ours, and neither is who has an instance. */
    assert_null(account_of("alice@B.TEST", &id));
    assert_string_equal(id.account, "");
    assert_null(account_of("alice/admin@A.TEST", &id));
    assert_string_equal(id.account, "");
    assert_null(account_of("alice\\@A.TEST@B.TEST", &id));
    assert_string_equal(id.account, "");
    assert_null(asked);
    db.unknown = true;
    assert_null(account_of("alice@A.TEST", &id));
    assert_string_equal(id.account, "alice");
    assert_int_equal(id.groups_len, 0);
}

/* A rule of krb5.conf that is no rule: whom it would have made somebody is not let in as nobody. */
static void
test_rules_that_are_none(void **state)
{
    struct gssapi_identities broken;
    struct auth_identity id = { .user = "alice@A.TEST" };

    (void)state;
    assert_int_equal(open_with(&broken, "RULE:[1:$1"), 0);
    assert_string_equal(gssapi_identity_account(&broken, &id), "account-unavailable");
    assert_string_equal(id.account, "");
    gssapi_identities_close(&broken);
    /* Without a realm of its own a machine maps nobody. */
    assert_int_equal(open_with(&broken, NULL), 0);
    assert_null(gssapi_identity_account(&broken, &id));
    assert_string_equal(id.account, "");
    gssapi_identities_close(&broken);
}

static void
test_long_account(void **state)
{
    struct auth_identity id;
    char user[AUTH_NAME_MAX];

    (void)state;
    memset(user, 'x', sizeof user);
    (void)snprintf(user + sizeof id.account, sizeof user - sizeof id.account, "@A.TEST");
    assert_string_equal(account_of(user, &id), "account-name-too-long");
    assert_string_equal(id.account, "");
}

static void
test_groups(void **state)
{
    struct auth_identity id;

    (void)state;
    db.count = 3;
    db.name_len = 5;
    assert_null(account_of("alice@A.TEST", &id));
    assert_int_equal(id.groups_len, 18);
    assert_memory_equal(id.groups, "ggggg\0ggggg\0ggggg", 18);
    db.nameless = 2; /* 1 and 3 have names */
    assert_null(account_of("alice@A.TEST", &id));
    assert_int_equal(id.groups_len, 12);
    db.nameless = 0;
    db.name_len = 50000; /* a record larger than the first scratch */
    db.count = 1;
    assert_null(account_of("alice@A.TEST", &id));
    assert_int_equal(id.groups_len, 50001);
}

/* Never some of the groups: a rule that denies one of the others would not match. */
static void
test_too_many_groups(void **state)
{
    struct auth_identity id;

    (void)state;
    db.count = 8192;
    db.name_len = 7; /* 64 KiB with their NULs */
    assert_null(account_of("alice@A.TEST", &id));
    assert_int_equal(id.groups_len, GSSAPI_GROUPS_MAX);
    db.count++;
    assert_string_equal(account_of("alice@A.TEST", &id), "too-many-groups");
    assert_null(id.groups);
    assert_int_equal(id.groups_len, 0);
    db.count = 65537;
    db.name_len = 0;
    assert_string_equal(account_of("alice@A.TEST", &id), "too-many-groups");
}

static void
test_database_that_fails(void **state)
{
    /* nslcd's module says ENOENT where its daemon is gone; "no such name" is 0 */
    static const int errors[] = { EIO, ETIMEDOUT, ENOMEM, EMFILE, ECONNREFUSED, ENOENT, EPERM };
    struct auth_identity id;

    (void)state;
    db.count = 1;
    for (size_t i = 0; i < SP_COUNT(errors); i++) {
        db.passwd_error = errors[i];
        assert_string_equal(account_of("alice@A.TEST", &id), "groups-unavailable");
        db.passwd_error = 0;
        db.group_error = errors[i];
        assert_string_equal(account_of("alice@A.TEST", &id), "groups-unavailable");
        assert_null(id.groups);
        db.group_error = 0;
        db.last_error = errors[i]; /* its groups are missing, and getgrouplist says nothing */
        assert_string_equal(account_of("alice@A.TEST", &id), "groups-unavailable");
        db.last_error = 0;
    }
    db.passwd_error = ERANGE;
    assert_null(account_of("alice@A.TEST", &id));
}

/* ---- */

static int
each_setup(void **state)
{
    (void)state;
    memset(&db, 0, sizeof db);
    return 0;
}

static int
setup(void **state)
{
    const int fd = mkstemp(path);

    (void)state;
    return fd >= 0 && close(fd) == 0 ? open_with(&ids, "DEFAULT") : -1;
}

static int
teardown(void **state)
{
    (void)state;
    gssapi_identities_close(&ids);
    return unlink(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_names_of_nobody, each_setup),
        cmocka_unit_test_setup(test_names_as_they_are, each_setup),
        cmocka_unit_test_setup(test_long_names, each_setup),
        cmocka_unit_test_setup(test_services, each_setup),
        cmocka_unit_test_setup(test_accounts, each_setup),
        cmocka_unit_test_setup(test_rules_that_are_none, each_setup),
        cmocka_unit_test_setup(test_long_account, each_setup),
        cmocka_unit_test_setup(test_groups, each_setup),
        cmocka_unit_test_setup(test_too_many_groups, each_setup),
        cmocka_unit_test_setup(test_database_that_fails, each_setup),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
