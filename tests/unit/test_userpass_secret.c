/* SPDX-License-Identifier: ISC */
/* auth/userpass/userpass_secret.c: opening a file, and one login after another. */
#include "tests/unit/unit.h"

#include "auth/builtin.h"
#include "tests/unit/userpass_samples.h"

#include <sys/resource.h>

static const char users[] = "alice:" SAMPLE_BCRYPT_2Y "\n"
                            "bob:" SAMPLE_SHA512 "\n"
                            "carol:" SAMPLE_YESCRYPT_1 "\n"
                            "gost:" SAMPLE_GOST "\n"
                            "long:" SAMPLE_BCRYPT_72 "\n"
                            "longest:" SAMPLE_SHA512_255 "\n";

/* What the module is given. */
static struct {
    const char *text; /* NULL: the file did not arrive */
    const char *remember;
} given;

static char error[512];

static const char *
value(const void *ctx, const char *name, unsigned i)
{
    (void)ctx;
    if (i > 0)
        return NULL;
    return strcmp(name, "file") == 0 ? "/etc/users" : strcmp(name, "remember") == 0 ? given.remember
                                                                                    : NULL;
}

static const void *
content(const void *ctx, const char *name, size_t *len)
{
    (void)ctx;
    assert_string_equal(name, "file");
    *len = given.text != NULL ? strlen(given.text) : 0;
    return given.text;
}

static const struct auth_secret_module *
userpass(void)
{
    const struct auth_secret_module *m =
        auth_secret_find("userpass", "/nowhere", error, sizeof error);

    assert_non_null(m);
    return m;
}

static void *
open_module(const char *text, const char *remember)
{
    const struct auth_config config = { NULL, value };
    const struct auth_files files = { NULL, NULL, content };

    given.text = text;
    given.remember = remember;
    memset(error, 0, sizeof error);
    return userpass()->open(&config, &files, error, sizeof error);
}

struct login {
    enum auth_outcome outcome;
    const char *reason;
    struct auth_identity identity;
};

static struct login
step(void *module, const void *in, size_t len, bool initiator)
{
    const struct auth_opening opening = { .session = 1, .method = 2, .initiator = initiator };
    uint8_t answer[16];
    uint8_t protect[16];
    struct login login = { .outcome = AUTH_CONTINUE };
    struct auth_step out = { .identity = &login.identity, .answer = { answer, sizeof answer, 0 },
        .protect = { protect, sizeof protect, 0 } };
    uint8_t *copy = unit_copy(in, len);

    userpass()->step(module, NULL, &opening, copy, len, &out);
    free(copy);
    assert_int_equal(out.answer.len, 0);
    assert_int_equal(out.protect.len, 0);
    assert_int_equal(login.identity.groups_len, 0);
    login.outcome = out.outcome;
    login.reason = out.reason;
    return login;
}

static struct login
try_login(void *module, const void *user, size_t user_len, const void *password, size_t len)
{
    uint8_t message[512];

    message[0] = (uint8_t)user_len;
    memcpy(message + 1, user, user_len);
    message[1 + user_len] = (uint8_t)len;
    memcpy(message + 2 + user_len, password, len);
    return step(module, message, 2 + user_len + len, false);
}

static void
expect_failure(struct login login, const char *reason)
{
    assert_int_equal(login.outcome, AUTH_FAILURE);
    assert_string_equal(login.reason, reason);
}

static void
test_good_logins(void **state)
{
    static const char *const names[] = { "alice", "bob", "carol", "gost" };
    void *m = open_module(users, "60");

    (void)state;
    assert_non_null(m);
    /* The second time from memory. */
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < SP_COUNT(names); i++) {
            const struct login l = try_login(m, names[i], strlen(names[i]), "secret", 6);

            assert_int_equal(l.outcome, AUTH_SUCCESS);
            assert_null(l.reason);
            assert_string_equal(l.identity.user, names[i]);
            assert_string_equal(l.identity.account, "");
            assert_true(l.identity.end == 0);
        }
    }
    userpass()->close(m);
}

static void
test_bad_logins(void **state)
{
    void *m = open_module(users, "60");

    (void)state;
    expect_failure(try_login(m, "alice", 5, "secreT", 6), "wrong-password");
    expect_failure(try_login(m, "alice", 5, "secret", 5), "wrong-password");
    expect_failure(try_login(m, "alice", 5, "secret ", 7), "wrong-password");
    expect_failure(try_login(m, "Alice", 5, "secret", 6), "unknown-user");
    expect_failure(try_login(m, "mallory", 7, "secret", 6), "unknown-user");
    /* A name of the file that is prefixed or extended is another name. */
    expect_failure(try_login(m, "alice ", 6, "secret", 6), "unknown-user");
    /* A failure is not remembered as a success, nor a success for another password. */
    assert_int_equal(try_login(m, "alice", 5, "secret", 6).outcome, AUTH_SUCCESS);
    expect_failure(try_login(m, "alice", 5, "secreT", 6), "wrong-password");
    expect_failure(try_login(m, "bob", 3, "secreT", 6), "wrong-password");
    /* Whom the login was about, for the master's count. */
    assert_string_equal(try_login(m, "mallory", 7, "x", 1).identity.user, "mallory");
    userpass()->close(m);
}

static void
test_malformed(void **state)
{
    static const char reason[] = "malformed-credentials";
    void *m = open_module(users, "0");

    (void)state;
    expect_failure(try_login(m, "", 0, "secret", 6), reason);
    expect_failure(try_login(m, "alice", 5, "", 0), reason);
    expect_failure(try_login(m, "", 0, "", 0), reason);
    expect_failure(try_login(m, "al\0ce", 5, "secret", 6), reason);
    expect_failure(try_login(m, "alice\n", 6, "secret", 6), reason);
    expect_failure(try_login(m, "alice\x7f", 6, "secret", 6), reason);
    /* A NUL would end the password early. */
    expect_failure(try_login(m, "alice", 5, "secret\0", 7), reason);
    expect_failure(try_login(m, "alice", 5, "secret\0more", 11), reason);
    assert_string_equal(try_login(m, "alice\n", 6, "secret", 6).identity.user, "");
    expect_failure(step(m, "", 0, false), reason);
    expect_failure(step(m, "\005alice\006secre", 12, false), reason);
    expect_failure(step(m, "\005alice\006secret!", 14, false), reason);
    expect_failure(step(m, "\377alice", 6, false), reason);
    expect_failure(step(m, "\005alice\006secret", 13, true), "unsupported-role");
    assert_int_equal(step(m, "\005alice\006secret", 13, false).outcome, AUTH_SUCCESS);
    userpass()->close(m);
}

/* bcrypt looks at 72 bytes: more would be a password that is not checked to its end. */
static void
test_long_passwords(void **state)
{
    void *m = open_module(users, "60");
    char password[256];

    (void)state;
    memset(password, 'x', sizeof password);
    assert_int_equal(try_login(m, "long", 4, password, 72).outcome, AUTH_SUCCESS);
    expect_failure(try_login(m, "long", 4, password, 71), "wrong-password");
    expect_failure(try_login(m, "long", 4, password, 73), "password-too-long");
    expect_failure(try_login(m, "long", 4, password, 255), "password-too-long");
    expect_failure(try_login(m, "long", 4, password, 73), "password-too-long");
    memset(password, 'p', sizeof password);
    assert_int_equal(try_login(m, "longest", 7, password, 255).outcome, AUTH_SUCCESS);
    expect_failure(try_login(m, "longest", 7, password, 254), "wrong-password");
    userpass()->close(m);
}

/* Microseconds of processor: what else the machine does is no matter. */
static int64_t
cpu_read(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_THREAD, &usage), 0);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) +
        usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static int64_t
time_of(void *m, const char *user, const char *password)
{
    int64_t best = INT64_MAX;

    for (int i = 0; i < 5; i++) {
        const int64_t begin = cpu_read();

        (void)try_login(m, user, strlen(user), password, strlen(password));
        const int64_t took = cpu_read() - begin;

        best = took < best ? took : best;
    }
    return best;
}

/* A name that does not exist costs as much as one that does, a remembered success next to nothing. */
static void
test_times(void **state)
{
    static const char file[] = "alice:" SAMPLE_YESCRYPT "\n";
    void *m = open_module(file, "60");
    void *forgetful = open_module(file, "0");

    (void)state;
    const int64_t wrong = time_of(m, "alice", "wrong");
    const int64_t unknown = time_of(m, "mallory", "wrong");

    (void)try_login(m, "alice", 5, "secret", 6);
    const int64_t remembered = time_of(m, "alice", "secret");
    const int64_t again = time_of(forgetful, "alice", "secret");

    assert_true(unknown > wrong / 2 && unknown < wrong * 2);
    assert_true(remembered < wrong / 10);
    assert_true(again > wrong / 2);
    userpass()->close(m);
    userpass()->close(forgetful);
}

static void
test_open_fails(void **state)
{
    (void)state;
    assert_null(open_module(NULL, "60"));
    assert_string_equal(error, "the password file did not arrive");
    assert_null(open_module("alice:" SAMPLE_APR1 "\n", "60"));
    assert_non_null(strstr(error, "/etc/users:1: user \"alice\": Apache's MD5"));
    userpass()->close(NULL);
}

static void
test_nobody(void **state)
{
    void *m = open_module("# nobody yet\n", "60");

    (void)state;
    assert_non_null(m);
    expect_failure(try_login(m, "alice", 5, "secret", 6), "unknown-user");
    userpass()->close(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_logins),
        cmocka_unit_test(test_bad_logins),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_long_passwords),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_open_fails),
        cmocka_unit_test(test_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
