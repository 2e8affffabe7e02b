/* SPDX-License-Identifier: ISC */
/* auth/userpass/userpass_hash.c */
#include "tests/unit/unit.h"

#include "auth/userpass/userpass_hash.h"
#include "tests/unit/userpass_samples.h"

static const struct {
    const char *hash;
    enum userpass_scheme scheme;
    uint64_t cost;
    size_t params_len;
} accepted[] = {
    { SAMPLE_YESCRYPT, USERPASS_YESCRYPT, 4096 * 32, 7 },
    { SAMPLE_YESCRYPT_1, USERPASS_YESCRYPT, 1024 * 8, 7 },
    { SAMPLE_YESCRYPT_11, USERPASS_YESCRYPT, 262144 * 32, 7 },
    { SAMPLE_GOST, USERPASS_GOST, 1024 * 8, 8 },
    { SAMPLE_BCRYPT_2Y, USERPASS_BCRYPT, 5, 7 },
    { SAMPLE_BCRYPT_2B, USERPASS_BCRYPT, 5, 7 },
    { SAMPLE_SHA512, USERPASS_SHA512, 5000, 3 },
    { SAMPLE_SHA512_1000, USERPASS_SHA512, 1000, 15 },
    { SAMPLE_SHA256, USERPASS_SHA256, 5000, 3 },
    { SAMPLE_SHA256_1000, USERPASS_SHA256, 1000, 15 },
};

static int
read_text(const char *hash, struct userpass_hash *out, const char **why)
{
    uint8_t *copy = unit_copy(hash, strlen(hash));
    const int result = userpass_hash_read((const char *)copy, strlen(hash), out, why);

    free(copy);
    return result;
}

static void
test_accepted(void **state)
{
    struct userpass_hash out;
    const char *why;

    (void)state;
    for (size_t i = 0; i < SP_COUNT(accepted); i++) {
        assert_int_equal(read_text(accepted[i].hash, &out, &why), 0);
        assert_int_equal(out.scheme, accepted[i].scheme);
        assert_true(out.cost == accepted[i].cost);
        assert_int_equal(out.params_len, accepted[i].params_len);
    }
}

/* Every beginning of a hash is refused, and so is one with a character more. */
static void
test_cut_or_longer(void **state)
{
    struct userpass_hash out;
    const char *why;
    char text[256];

    (void)state;
    for (size_t i = 0; i < SP_COUNT(accepted); i++) {
        const size_t len = strlen(accepted[i].hash);

        memcpy(text, accepted[i].hash, len + 1);
        text[len] = '.';
        assert_int_equal(userpass_hash_read(text, len + 1, &out, &why), -1);
        for (size_t n = 0; n < len; n++) {
            uint8_t *copy = unit_copy(text, n);

            why = NULL;
            assert_int_equal(userpass_hash_read((const char *)copy, n, &out, &why), -1);
            assert_non_null(why);
            free(copy);
        }
    }
}

/* A character that has no place anywhere in a hash is refused at each place. */
static void
test_damaged(void **state)
{
    static const char bad[] = { ':', ' ', '\n', '\0', '!', '*', '\x80', '\xff' };
    struct userpass_hash out;
    const char *why;
    char text[256];

    (void)state;
    for (size_t i = 0; i < SP_COUNT(accepted); i++) {
        const size_t len = strlen(accepted[i].hash);

        for (size_t at = 0; at < len; at++) {
            for (size_t b = 0; b < sizeof bad; b++) {
                memcpy(text, accepted[i].hash, len);
                text[at] = bad[b];
                assert_int_equal(userpass_hash_read(text, len, &out, &why), -1);
            }
        }
    }
}

static void
test_refused_kinds(void **state)
{
    static const struct {
        const char *hash;
        const char *part;
    } refused[] = {
        { SAMPLE_APR1, "$apr1$" },
        { SAMPLE_SHA1, "{SHA}" },
        { SAMPLE_DES, "DES" },
        { SAMPLE_MD5, "$1$" },
        { SAMPLE_BCRYPT_2A, "$2a$" },
        { SAMPLE_SCRYPT, "scrypt" },
        { "_J9..rasmBYk8r9AiWNc", "DES (extended)" },
        { "{SSHA}abc", "{SSHA}" },
        { "$9$abc", "not known" },
        { "secret", "plain text" },
        { "*", "plain text" },
        { "", "no password hash" },
    };
    struct userpass_hash out;
    const char *why;

    (void)state;
    for (size_t i = 0; i < SP_COUNT(refused); i++) {
        why = "";
        assert_int_equal(read_text(refused[i].hash, &out, &why), -1);
        assert_non_null(strstr(why, refused[i].part));
    }
}

/* Costs that would keep a login busy for minutes, and settings crypt(3) could never match. */
static void
test_bounds(void **state)
{
    static const char *const bad[] = {
        "$2y$03$3Xi2o/jQyWgcNTQAULkQAOp8C6i9iQSHElmsF1TQZEnEaufM4Qw52",
        "$2y$18$3Xi2o/jQyWgcNTQAULkQAOp8C6i9iQSHElmsF1TQZEnEaufM4Qw52",
        "$2y$5$3Xi2o/jQyWgcNTQAULkQAOp8C6i9iQSHElmsF1TQZEnEaufM4Qw52",
        /* the salt's last digit with unused bits set */
        "$2y$05$3Xi2o/jQyWgcNTQAULkQAPp8C6i9iQSHElmsF1TQZEnEaufM4Qw52",
        "$y$jGT$FjiwcWhXnvcPGv.urWgXd.$vqv99Y8wlaosopzVVxMxyMx4YrdiZkBUoJrRRn9nSNA",
        "$y$k9T$FjiwcWhXnvcPGv.urWgXd.$vqv99Y8wlaosopzVVxMxyMx4YrdiZkBUoJrRRn9nSNA",
        "$y$j9TT$FjiwcWhXnvcPGv.urWgXd.$vqv99Y8wlaosopzVVxMxyMx4YrdiZkBUoJrRRn9nSNA",
        "$y$j9T$FjiwcWhXnvcPGv.urWgXdz$vqv99Y8wlaosopzVVxMxyMx4YrdiZkBUoJrRRn9nSNA",
        "$y$j9T$$vqv99Y8wlaosopzVVxMxyMx4YrdiZkBUoJrRRn9nSNA",
        "$y$j9T$a$vqv99Y8wlaosopzVVxMxyMx4YrdiZkBUoJrRRn9nSNA",
        "$5$rounds=999$.ReRrMxSwg.08oyo$nG4MCtLNjhuPoiaQG7jWKakF.8Qr2DigtEvHsKM3hS/",
        "$5$rounds=01000$.ReRrMxSwg.08oyo$nG4MCtLNjhuPoiaQG7jWKakF.8Qr2DigtEvHsKM3hS/",
        "$5$rounds=10000001$.ReRrMxSwg.08oyo$nG4MCtLNjhuPoiaQG7jWKakF.8Qr2DigtEvHsKM3hS/",
        "$5$rounds=4294968296$.ReRrMxSwg.08oyo$nG4MCtLNjhuPoiaQG7jWKakF.8Qr2DigtEvHsKM3hS/",
        "$5$rounds=$.ReRrMxSwg.08oyo$nG4MCtLNjhuPoiaQG7jWKakF.8Qr2DigtEvHsKM3hS/",
        "$5$rounds=-1$.ReRrMxSwg.08oyo$nG4MCtLNjhuPoiaQG7jWKakF.8Qr2DigtEvHsKM3hS/",
        "$5$rounds=1000$nG4MCtLNjhuPoiaQG7jWKakF.8Qr2DigtEvHsKM3hS/",
        "$5$$nG4MCtLNjhuPoiaQG7jWKakF.8Qr2DigtEvHsKM3hS/",
        "$5$0123456789abcdefg$nG4MCtLNjhuPoiaQG7jWKakF.8Qr2DigtEvHsKM3hS/",
    };
    struct userpass_hash out;
    const char *why;

    (void)state;
    for (size_t i = 0; i < SP_COUNT(bad); i++) {
        why = NULL;
        if (read_text(bad[i], &out, &why) != -1)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(why);
    }
    assert_int_equal(read_text("$5$rounds=10000000$.ReRrMxSwg.08oyo$"
                               "nG4MCtLNjhuPoiaQG7jWKakF.8Qr2DigtEvHsKM3hS/", &out, &why), 0);
    assert_int_equal(read_text("$5$a$nG4MCtLNjhuPoiaQG7jWKakF.8Qr2DigtEvHsKM3hS/", &out, &why), 0);
}

static void
test_salts(void **state)
{
    (void)state;
    for (int s = 0; s < USERPASS_SCHEMES; s++) {
        const struct userpass_salt *salt = userpass_salt_of((enum userpass_scheme)s);

        assert_int_equal(strlen(salt->alphabet), 64);
        /* Even chances for each character. */
        assert_int_equal(64 % strlen(salt->last), 0);
        assert_true(salt->len >= 16 && salt->len <= 22);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_cut_or_longer),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_refused_kinds),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_salts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
