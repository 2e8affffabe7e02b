/* SPDX-License-Identifier: ISC */
/* lib/socks/userpass.c */
#include "tests/unit/unit.h"

#include "lib/socks/userpass.h"

/* VER ULEN UNAME PLEN PASSWD of random octets. The length. */
static size_t
message_make(struct unit_random *r, uint8_t *out, size_t user_len, size_t password_len)
{
    out[0] = USERPASS_VERSION;
    out[1] = (uint8_t)user_len;
    unit_random_fill(r, out + 2, user_len);
    out[2 + user_len] = (uint8_t)password_len;
    unit_random_fill(r, out + 3 + user_len, password_len);
    return 3 + user_len + password_len;
}

static void
message_check(const uint8_t *data, size_t len, size_t user_len, size_t password_len)
{
    struct userpass_message m;
    assert_int_equal(userpass_decode(data, len, &m), SOCKS_DONE);
    assert_int_equal(m.used, 3 + user_len + password_len);
    assert_int_equal(m.user_len, user_len);
    assert_int_equal(m.password_len, password_len);
    /* Borrows into the caller's bytes, not copies; pointers even when nothing is there. */
    assert_ptr_equal(m.user, data + 2);
    assert_ptr_equal(m.password, data + 3 + user_len);
    assert_null(m.error);
}

static void
message_splits(const uint8_t *message, size_t len, size_t user_len, size_t password_len)
{
    for (size_t n = 0; n < len; n++) {
        struct userpass_message m;
        struct userpass_message untouched;
        memset(&m, 0x5a, sizeof(m));
        memset(&untouched, 0x5a, sizeof(untouched));
        uint8_t *copy = unit_copy(message, n);
        assert_int_equal(userpass_decode(copy, n, &m), SOCKS_MORE);
        assert_memory_equal(&m, &untouched, sizeof(m));
        free(copy);
    }
    uint8_t *copy = unit_copy(message, len);
    message_check(copy, len, user_len, password_len);
    free(copy);
    for (size_t more = 1; more < 40; more++) {
        uint8_t long_message[USERPASS_MESSAGE_MAX + 40];
        memset(long_message, 0xff, sizeof(long_message));
        memcpy(long_message, message, len);
        message_check(long_message, len + more, user_len, password_len);
    }
}

static void
test_every_length(void **state)
{
    (void)state;
    struct unit_random r = UNIT_RANDOM_INIT;
    static const size_t some[] = { 0, 1, 2, 127, 128, 254, 255 };
    for (size_t a = 0; a <= 255; a++) {
        for (size_t i = 0; i < SP_COUNT(some); i++) {
            uint8_t message[USERPASS_MESSAGE_MAX];
            size_t len = message_make(&r, message, a, some[i]);
            message_splits(message, len, a, some[i]);
            len = message_make(&r, message, some[i], a);
            message_splits(message, len, some[i], a);
        }
    }
}

static void
test_nul_inside(void **state)
{
    (void)state;
    static const uint8_t message[] = { 1, 3, 'a', 0, 'b', 2, 0, 'x' };
    message_splits(message, sizeof(message), 3, 2);
}

static void
test_version(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 256; version++) {
        const uint8_t message[] = { (uint8_t)version, 1, 'u', 1, 'p' };
        struct userpass_message m = { .error = NULL };
        if (version == USERPASS_VERSION) {
            continue;
        }
        assert_int_equal(userpass_decode(message, 1, &m), SOCKS_BAD);
        assert_string_equal(m.error, "version");
        assert_int_equal(userpass_decode(message, sizeof(message), &m), SOCKS_BAD);
    }
}

static void
test_garbage(void **state)
{
    (void)state;
    struct unit_random r = UNIT_RANDOM_INIT;
    unsigned done = 0;
    for (int i = 0; i < 200000; i++) {
        uint8_t bytes[600];
        const size_t len = unit_random(&r) % (i % 2 == 0 ? sizeof(bytes) : 12);
        unit_random_fill(&r, bytes, len);
        if (len > 0 && i % 8 != 0) {
            bytes[0] = USERPASS_VERSION;
        }
        uint8_t *copy = unit_copy(bytes, len);
        struct userpass_message m;
        const enum socks_result result = userpass_decode(copy, len, &m);
        if (result == SOCKS_DONE) {
            done++;
            assert_true(m.used <= len && m.used <= USERPASS_MESSAGE_MAX);
            assert_int_equal(m.used, 3U + m.user_len + m.password_len);
            assert_memory_equal(m.user, bytes + 2, m.user_len);
            assert_memory_equal(m.password, bytes + 3 + m.user_len, m.password_len);
            assert_int_equal(userpass_decode(copy, m.used - 1, &m), SOCKS_MORE);
        } else {
            assert_int_equal(result == SOCKS_BAD, len > 0 && bytes[0] != USERPASS_VERSION);
        }
        free(copy);
    }
    assert_true(done > 10000);
}

static void
test_status(void **state)
{
    (void)state;
    uint8_t out[USERPASS_STATUS_SIZE];
    userpass_status_encode(USERPASS_SUCCESS, out);
    assert_memory_equal(out, "\x01\x00", 2);
    userpass_status_encode(USERPASS_FAILURE, out);
    assert_memory_equal(out, "\x01\x01", 2);
}

/* What the client writes is what the gateway reads. */
static void
test_encode(void **state)
{
    (void)state;
    static const size_t lengths[] = { 1, 2, 128, 255 };
    char text[256];
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < SP_COUNT(lengths); i++) {
        for (size_t j = 0; j < SP_COUNT(lengths); j++) {
            uint8_t out[USERPASS_MESSAGE_MAX];
            const size_t len = userpass_encode(text, lengths[i], text, lengths[j], out);
            assert_int_equal(len, 3 + lengths[i] + lengths[j]);
            message_check(out, len, lengths[i], lengths[j]);
        }
    }
    uint8_t out[USERPASS_MESSAGE_MAX];
    assert_int_equal(userpass_encode("bob", 3, "pw", 2, out), 8);
    assert_memory_equal(out, "\x01\x03"
                             "bob\x02pw", 8);
    assert_int_equal(userpass_encode(text, 0, text, 1, out), 0);
    assert_int_equal(userpass_encode(text, 1, text, 0, out), 0);
    assert_int_equal(userpass_encode(text, 256, text, 1, out), 0);
    assert_int_equal(userpass_encode(text, 1, text, 256, out), 0);
}

static void
test_status_decode(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 65536; value++) {
        const uint8_t bytes[] = { (uint8_t)(value >> 8), (uint8_t)value };
        struct userpass_status status = { .used = 99 };
        if (bytes[0] != USERPASS_VERSION) {
            assert_int_equal(userpass_status_decode(bytes, 1, &status), SOCKS_BAD);
            assert_int_equal(userpass_status_decode(bytes, 2, &status), SOCKS_BAD);
            assert_string_equal(status.error, "version");
            continue;
        }
        assert_int_equal(userpass_status_decode(bytes, 0, &status), SOCKS_MORE);
        assert_int_equal(userpass_status_decode(bytes, 1, &status), SOCKS_MORE);
        assert_int_equal(status.used, 99);
        assert_int_equal(userpass_status_decode(bytes, 2, &status), SOCKS_DONE);
        assert_int_equal(status.status, bytes[1]);
        assert_int_equal(status.used, 2);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_nul_inside),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_status_decode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
