/* SPDX-License-Identifier: ISC */
/* lib/krb5msg and memory: none is taken for a message, and none keeps a key. */
#include "tests/unit/unit.h"

#include <openssl/crypto.h>

#include "lib/krb5msg/krb5msg_local.h"

#define PLAIN 1000U
#define ROOM (KRB5MSG_HEADER_MAX + PLAIN + KRB5MSG_TRAILER_MAX)

static size_t allocations; /* of libcrypto, and of whatever is linked in here */

/* The linker puts these before those of the C library. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *
__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
    allocations++;
    return __real_realloc(p, size);
}

static void *
crypto_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(size);
}

static void *
crypto_realloc(void *p, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return realloc(p, size);
}

static void
crypto_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

static const uint8_t key[KRB5MSG_KEY_MAX] = "0123456789abcdefghijklmnopqrstuv";
static const int32_t enctypes[] = { KRB5MSG_AES128_SHA1, KRB5MSG_AES256_SHA1,
    KRB5MSG_AES128_SHA256, KRB5MSG_AES256_SHA384 };

static struct krb5msg *
end_make(int32_t enctype, enum krb5msg_role role)
{
    struct krb5msg *m = NULL;
    const struct krb5msg_import import = {
        .enctype = enctype,
        .role = role,
        .key = key,
        .key_len = krb5msg_key_len(enctype),
    };
    assert_int_equal(krb5msg_new(&import, &m), KRB5MSG_OK);
    return m;
}

static void
one_each_way(struct krb5msg *from, struct krb5msg *to, bool conf)
{
    static uint8_t token[ROOM];
    struct krb5msg_plain out;
    size_t len;
    assert_int_equal(krb5msg_wrap(from, conf, token, PLAIN, &len), KRB5MSG_OK);
    assert_int_equal(krb5msg_unwrap(to, token, len, &out), KRB5MSG_OK);
}

static void
many_at_once(struct krb5msg *from, struct krb5msg *to)
{
    static uint8_t tokens[KRB5MSG_MANY][ROOM];
    struct krb5msg_message messages[KRB5MSG_MANY];
    struct krb5msg_plain out;
    for (size_t i = 0; i < KRB5MSG_MANY; i++) {
        messages[i] = (struct krb5msg_message){ .token = tokens[i], .plain_len = PLAIN - i };
    }
    assert_int_equal(krb5msg_wrap_many(from, messages, KRB5MSG_MANY), KRB5MSG_OK);
    for (size_t i = 0; i < KRB5MSG_MANY; i++) {
        assert_int_equal(krb5msg_unwrap(to, tokens[i], messages[i].token_len, &out), KRB5MSG_OK);
    }
}

static void
test_nothing_allocated(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_COUNT(enctypes); i++) {
        struct krb5msg *initiator = end_make(enctypes[i], KRB5MSG_INITIATOR);
        struct krb5msg *acceptor = end_make(enctypes[i], KRB5MSG_ACCEPTOR);
        assert_true(krb5msg_use_window(initiator));
        size_t before = 0;
        for (int n = 0; n < 200; n++) {
            before = n == 2 ? allocations : before; /* of a context's first messages */
            one_each_way(initiator, acceptor, n % 2);
            one_each_way(acceptor, initiator, n % 2);
            many_at_once(acceptor, initiator);
        }
        assert_true(before > 0);
        assert_int_equal(allocations, before);
        krb5msg_free(&initiator);
        krb5msg_free(&acceptor);
    }
}

/* The block lies in memory of lib/base/secret.h, which keeps its regions: it may be looked at. */
static void
test_freed_is_zero(void **state)
{
    (void)state;
    static const uint8_t nothing[sizeof(struct krb5msg)];
    for (size_t i = 0; i < SP_COUNT(enctypes); i++) {
        struct krb5msg *m = end_make(enctypes[i], KRB5MSG_ACCEPTOR);
        uint8_t derived[KRB5MSG_KEY_MAX];
        const volatile uint8_t *block = (const volatile uint8_t *)m;
        size_t kept = 0;
        memcpy(derived, m->send.integrity, sizeof(derived));
        assert_memory_not_equal(derived, nothing, sizeof(derived));
        krb5msg_free(&m);
        assert_null(m);
        for (size_t at = sizeof(void *); at < sizeof(struct krb5msg); at++) { /* behind a link */
            kept += block[at] != 0;
        }
        assert_int_equal(kept, 0);
    }
}

/* The session key itself is not needed any more once others came from it. */
static void
test_nothing_kept_of_the_import(void **state)
{
    (void)state;
    struct krb5msg *m = end_make(KRB5MSG_AES256_SHA384, KRB5MSG_ACCEPTOR);
    const uint8_t *block = (const uint8_t *)m;
    for (size_t at = 0; at + sizeof(key) <= sizeof(*m); at++) {
        assert_memory_not_equal(block + at, key, sizeof(key));
    }
    krb5msg_free(&m);
}

static int
library_start(void **state)
{
    (void)state;
    return krb5msg_start() ? 0 : -1;
}

static int
library_end(void **state)
{
    (void)state;
    krb5msg_end();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_allocated),
        cmocka_unit_test(test_freed_is_zero),
        cmocka_unit_test(test_nothing_kept_of_the_import),
    };
    if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1) {
        return EXIT_FAILURE;
    }
    return cmocka_run_group_tests(tests, library_start, library_end);
}
