/* SPDX-License-Identifier: ISC */
/* auth/gssapi/gssapi_frame.c: the four octets before a token, judged one by one. */
#include "tests/unit/unit.h"

#include "auth/gssapi/gssapi_frame.h"

static struct gssapi_frame f;

/* In a block of exactly its size. */
static enum auth_frame
frame(uint8_t mtyp, const void *data, size_t len)
{
    uint8_t *copy = unit_copy(data, len);

    memset(&f, 0x5a, sizeof f);
    const enum auth_frame result = gssapi_frame(mtyp, copy, len, &f);

    free(copy);
    return result;
}

static void
test_every_split(void **state)
{
    static const uint8_t message[] = "\001\002\000\005tokenMORE";

    (void)state;
    for (size_t n = 0; n < sizeof message; n++) {
        const enum auth_frame result = frame(GSSAPI_LEVEL, message, n);

        assert_int_equal(result, n < 9 ? AUTH_FRAME_MORE : AUTH_FRAME_READY);
        /* How long it will be is known with LEN. */
        assert_int_equal(f.used, n < 4 ? 0 : 9);
        assert_int_equal(f.token_len, n < 9 ? 0 : 5);
        assert_null(f.error);
    }
    assert_int_equal(f.token_at, 4);
    assert_int_equal(gssapi_frame(GSSAPI_LEVEL, NULL, 0, &f), AUTH_FRAME_MORE);
}

/* Whatever may follow: no octet can make it right again. */
static void
test_every_version(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 256; v++) {
        const uint8_t message[] = { (uint8_t)v, GSSAPI_DATA, 0, 0 };

        for (size_t n = 1; n <= sizeof message; n++) {
            const enum auth_frame result = frame(GSSAPI_DATA, message, n);

            if (v == 1) {
                assert_int_equal(result, n < 4 ? AUTH_FRAME_MORE : AUTH_FRAME_READY);
                continue;
            }
            assert_int_equal(result, AUTH_FRAME_BAD);
            assert_string_equal(f.error, "wrong-version");
            assert_false(f.refused);
        }
    }
}

static void
test_every_type(void **state)
{
    (void)state;
    for (uint8_t mtyp = GSSAPI_CONTEXT; mtyp <= GSSAPI_DATA; mtyp++)
        for (unsigned v = 0; v < 256; v++) {
            const uint8_t message[] = { GSSAPI_VERSION, (uint8_t)v };
            const enum auth_frame result = frame(mtyp, message, sizeof message);

            assert_int_equal(result, v == mtyp ? AUTH_FRAME_MORE : AUTH_FRAME_BAD);
            if (v == mtyp)
                continue;
            assert_string_equal(f.error, v == 0xFF ? "refused" : "wrong-message-type");
            assert_int_equal(f.refused, v == 0xFF);
        }
}

static void
test_every_length(void **state)
{
    static uint8_t message[GSSAPI_MESSAGE_MAX + 1];

    (void)state;
    for (size_t len = 0; len <= GSSAPI_TOKEN_MAX; len += len < 600 ? 1 : 977) {
        gssapi_frame_head(GSSAPI_DATA, len, message);
        assert_int_equal(gssapi_frame(GSSAPI_DATA, message, GSSAPI_HEAD + len, &f), AUTH_FRAME_READY);
        assert_true(f.used == GSSAPI_HEAD + len && f.token_len == len);
        assert_int_equal(gssapi_frame(GSSAPI_DATA, message, GSSAPI_HEAD + len + 1, &f), AUTH_FRAME_READY);
        assert_int_equal(f.used, GSSAPI_HEAD + len);
        assert_int_equal(gssapi_frame(GSSAPI_DATA, message, GSSAPI_HEAD + len - 1, &f), AUTH_FRAME_MORE);
        assert_int_equal(f.used, len == 0 ? 0 : GSSAPI_HEAD + len);
    }
    gssapi_frame_head(GSSAPI_DATA, 65535, message);
    assert_memory_equal(message, "\001\003\377\377", 4);
    assert_int_equal(gssapi_frame(GSSAPI_DATA, message, 65538, &f), AUTH_FRAME_MORE);
    assert_int_equal(gssapi_frame(GSSAPI_DATA, message, 65539, &f), AUTH_FRAME_READY);
    assert_int_equal(f.used, GSSAPI_MESSAGE_MAX);
    gssapi_frame_head(GSSAPI_CONTEXT, 258, message);
    assert_memory_equal(message, "\001\001\001\002", 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_every_version),
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_every_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
