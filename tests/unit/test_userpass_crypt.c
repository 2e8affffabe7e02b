/* SPDX-License-Identifier: ISC */
/* auth/userpass/userpass_crypt.c */
#include "tests/unit/unit.h"

#include "auth/userpass/userpass_crypt.h"
#include "tests/unit/userpass_samples.h"

#include "lib/base/secret.h"

static char error[256];

static bool
matches(struct userpass_crypt *c, const char *hash, const char *password)
{
    return userpass_crypt_matches(c, hash, (const uint8_t *)password, strlen(password));
}

static void
test_every_kind(void **state)
{
    static const char *const hashes[] = { SAMPLE_YESCRYPT, SAMPLE_YESCRYPT_1, SAMPLE_GOST,
        SAMPLE_BCRYPT_2Y, SAMPLE_BCRYPT_2B, SAMPLE_SHA512, SAMPLE_SHA512_1000, SAMPLE_SHA256,
        SAMPLE_SHA256_1000 };
    struct userpass_crypt *c = userpass_crypt_new();

    (void)state;
    for (size_t i = 0; i < SP_COUNT(hashes); i++) {
        assert_true(matches(c, hashes[i], "secret"));
        assert_false(matches(c, hashes[i], "secreT"));
        assert_false(matches(c, hashes[i], "secret "));
        assert_false(matches(c, hashes[i], "secre"));
        assert_true(matches(c, hashes[i], "secret"));
    }
    userpass_crypt_free(&c);
    assert_null(c);
}

static void
test_longest_password(void **state)
{
    struct userpass_crypt *c = userpass_crypt_new();
    uint8_t password[256];

    (void)state;
    memset(password, 'p', sizeof password);
    assert_true(userpass_crypt_matches(c, SAMPLE_SHA512_255, password, 255));
    assert_false(userpass_crypt_matches(c, SAMPLE_SHA512_255, password, 254));
    assert_false(userpass_crypt_matches(c, SAMPLE_SHA512_255, password, 256));
    userpass_crypt_free(&c);
}

static void
test_leaves_nothing(void **state)
{
    struct userpass_crypt *c = userpass_crypt_new();
    const uint8_t *bytes = (const uint8_t *)c;

    (void)state;
    assert_true(matches(c, SAMPLE_SHA256, "secret"));
    /* All that was allocated for it, password and intermediate values. */
    for (size_t i = 0; i < 33000; i++)
        assert_int_equal(bytes[i], 0);
    userpass_crypt_free(&c);
}

static void
dummy_for(const char *text, char dummy[USERPASS_HASH_MAX + 1])
{
    struct userpass_crypt *c = userpass_crypt_new();
    struct userpass_table *t =
        userpass_table_load(text, strlen(text), true, "f", error, sizeof error);

    assert_non_null(t);
    userpass_dummy_make(c, t, dummy);
    /* crypt(3) takes it, and it belongs to no password. */
    assert_false(matches(c, dummy, "secret"));
    userpass_table_free(&t);
    userpass_crypt_free(&c);
}

static void
test_dummy(void **state)
{
    char dummy[USERPASS_HASH_MAX + 1];
    char other[USERPASS_HASH_MAX + 1];

    (void)state;
    dummy_for("", dummy);
    assert_memory_equal(dummy, "$y$j9T$", 7);
    dummy_for("a:" SAMPLE_BCRYPT_2Y "\n", dummy);
    assert_memory_equal(dummy, "$2y$05$", 7);
    assert_int_equal(strlen(dummy), 29);
    dummy_for("a:" SAMPLE_BCRYPT_2Y "\n", other);
    assert_string_not_equal(dummy, other);
    dummy_for("a:" SAMPLE_SHA512_1000 "\nb:" SAMPLE_SHA512 "\n", dummy);
    assert_memory_equal(dummy, "$6$", 3);
    assert_memory_not_equal(dummy, "$6$rounds=", 10); /* a salt may begin with r */
    /* Of several schemes the one that takes longest. */
    dummy_for("a:" SAMPLE_SHA256_1000 "\nb:" SAMPLE_YESCRYPT "\nc:" SAMPLE_SHA512_1000 "\n", dummy);
    assert_memory_equal(dummy, "$y$j9T$", 7);
    dummy_for("a:" SAMPLE_YESCRYPT_1
              "\nb:$6$rounds=200000$dDQV1RSyX92olFNv$7.ThJSw8Z3sQ2EdA7gcIVDKxk.7ZE5CWAF3BfBZS6fcFfDZi"
              "MTJdGXQRo8lUlyqzRXyTMJPUgOvmNDbkTN.hH1\n", dummy);
    assert_memory_equal(dummy, "$6$rounds=200000$", 17);
}

/* Each scheme's dummy is a setting that crypt(3) takes: its time is that of a real hash. */
static void
test_dummy_is_computed(void **state)
{
    static const char *const hashes[] = { SAMPLE_YESCRYPT_1, SAMPLE_GOST, SAMPLE_BCRYPT_2Y,
        SAMPLE_BCRYPT_2B, SAMPLE_SHA512, SAMPLE_SHA512_1000, SAMPLE_SHA256 };
    char text[256] = "a:";
    char dummy[USERPASS_HASH_MAX + 1];
    struct userpass_hash hash;
    const char *why;

    (void)state;
    for (size_t i = 0; i < SP_COUNT(hashes); i++) {
        const size_t len = strlen(hashes[i]);

        memcpy(text + 2, hashes[i], len + 1);
        dummy_for(text, dummy);
        /* With the hash's own digest behind it, it is the shape of a hash. */
        const size_t n = strlen(dummy);
        const size_t digest = len - (size_t)(strrchr(hashes[i], '$') + 1 - hashes[i]);
        const size_t tail = memcmp(dummy, "$2", 2) == 0 ? 31 : digest;

        memcpy(dummy + n, hashes[i] + len - tail, tail + 1);
        assert_int_equal(userpass_hash_read(dummy, n + tail, &hash, &why), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),
        cmocka_unit_test(test_longest_password),
        cmocka_unit_test(test_leaves_nothing),
        cmocka_unit_test(test_dummy),
        cmocka_unit_test(test_dummy_is_computed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
