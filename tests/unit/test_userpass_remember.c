/* SPDX-License-Identifier: ISC */
/* auth/userpass/userpass_remember.c */
#include "tests/unit/unit.h"

#include "auth/userpass/userpass_remember.h"

static const struct mono start = { INT64_C(1000000000) };

static struct userpass_login
login_of(const char *user, const char *password, const char *hash)
{
    return (struct userpass_login) {
        .user = (const uint8_t *)user,
        .user_len = strlen(user),
        .password = (const uint8_t *)password,
        .password_len = strlen(password),
        .hash = hash,
        .hash_len = strlen(hash),
    };
}

/* A digest that stands for login number i. */
static void
digest_of(const struct userpass_remember *r, unsigned i, uint8_t *digest)
{
    const struct userpass_login login = { .user = (const uint8_t *)&i, .user_len = sizeof i,
        .password = (const uint8_t *)"", .hash = "" };

    userpass_remember_digest(r, &login, digest);
}

static void
test_expires(void **state)
{
    struct userpass_remember *r = userpass_remember_new(60);
    const struct userpass_login login = login_of("alice", "secret", "$6$...");
    uint8_t digest[USERPASS_DIGEST_SIZE];

    (void)state;
    userpass_remember_digest(r, &login, digest);
    assert_false(userpass_remember_has(r, digest, start));
    userpass_remember_add(r, digest, start);
    assert_true(userpass_remember_has(r, digest, start));
    assert_true(userpass_remember_has(r, digest, mono_add_us(start, 59999999)));
    assert_false(userpass_remember_has(r, digest, mono_add_seconds(start, 60)));
    /* Again, while the old entry still lies there. */
    userpass_remember_add(r, digest, mono_add_seconds(start, 61));
    assert_true(userpass_remember_has(r, digest, mono_add_seconds(start, 120)));
    assert_false(userpass_remember_has(r, digest, mono_add_seconds(start, 121)));
    userpass_remember_free(&r);
    assert_null(r);
    userpass_remember_free(&r);
}

static void
test_every_part_counts(void **state)
{
    struct userpass_remember *r = userpass_remember_new(60);
    const struct userpass_login base = login_of("alice", "secret", "$6$abc");
    const struct userpass_login others[] = {
        login_of("alicf", "secret", "$6$abc"),
        login_of("alice", "secres", "$6$abc"),
        login_of("alice", "secret", "$6$abd"),
        /* the same bytes, cut elsewhere */
        login_of("alices", "ecret", "$6$abc"),
        login_of("alic", "esecret", "$6$abc"),
        login_of("alice", "secret$", "6$abc"),
    };
    uint8_t digest[USERPASS_DIGEST_SIZE];
    uint8_t again[USERPASS_DIGEST_SIZE];

    (void)state;
    userpass_remember_digest(r, &base, digest);
    userpass_remember_digest(r, &base, again);
    assert_memory_equal(digest, again, sizeof digest);
    userpass_remember_add(r, digest, start);
    for (size_t i = 0; i < SP_COUNT(others); i++) {
        userpass_remember_digest(r, &others[i], again);
        assert_memory_not_equal(digest, again, sizeof digest);
        assert_false(userpass_remember_has(r, again, start));
    }
    userpass_remember_free(&r);
}

/* Two tables have two keys: what one remembered means nothing to the other. */
static void
test_keyed(void **state)
{
    struct userpass_remember *one = userpass_remember_new(60);
    struct userpass_remember *two = userpass_remember_new(60);
    const struct userpass_login login = login_of("alice", "secret", "$6$abc");
    uint8_t a[USERPASS_DIGEST_SIZE];
    uint8_t b[USERPASS_DIGEST_SIZE];

    (void)state;
    userpass_remember_digest(one, &login, a);
    userpass_remember_digest(two, &login, b);
    assert_memory_not_equal(a, b, sizeof a);
    userpass_remember_free(&one);
    userpass_remember_free(&two);
}

static void
test_oldest_goes(void **state)
{
    struct userpass_remember *r = userpass_remember_new(60);
    uint8_t digest[USERPASS_DIGEST_SIZE];
    const unsigned more = 3 * USERPASS_REMEMBER_MAX / 2;

    (void)state;
    for (unsigned i = 0; i < more; i++) {
        digest_of(r, i, digest);
        userpass_remember_add(r, digest, mono_add_us(start, i));
    }
    for (unsigned i = 0; i < more; i++) {
        digest_of(r, i, digest);
        assert_int_equal(userpass_remember_has(r, digest, mono_add_us(start, more)),
            i >= more - USERPASS_REMEMBER_MAX);
    }
    userpass_remember_free(&r);
}

static void
test_zero_is_never(void **state)
{
    struct userpass_remember *r = userpass_remember_new(0);
    uint8_t digest[USERPASS_DIGEST_SIZE];

    (void)state;
    digest_of(r, 1, digest);
    userpass_remember_add(r, digest, start);
    assert_false(userpass_remember_has(r, digest, start));
    userpass_remember_free(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expires),
        cmocka_unit_test(test_every_part_counts),
        cmocka_unit_test(test_keyed),
        cmocka_unit_test(test_oldest_goes),
        cmocka_unit_test(test_zero_is_never),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
