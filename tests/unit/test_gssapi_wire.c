/* SPDX-License-Identifier: ISC */
/* auth/gssapi/gssapi_wire.c: what goes over the wire until the context stands. */
#include "tests/unit/unit.h"

#include "auth/builtin.h"
#include "auth/gssapi/gssapi_frame.h"
#include "auth/gssapi/gssapi_options.h"

static struct auth_frame_result result;

static const struct auth_wire_module *
gssapi(void)
{
    char error[128];
    const struct auth_wire_module *m = auth_wire_find("gssapi", "/nowhere", error, sizeof error);

    assert_non_null(m);
    return m;
}

static enum auth_frame
frame(const void *data, size_t len)
{
    memset(&result, 0x5a, sizeof result);
    return gssapi()->frame(NULL, data, len, &result);
}

static void
test_faces(void **state)
{
    (void)state;
    assert_int_equal(gssapi()->version, AUTH_MODULE_VERSION);
    assert_int_equal(gssapi()->method, 1);
    assert_true(gssapi()->needs_pool);
    assert_true(gssapi()->protects);
    assert_int_equal(gssapi()->message_max, 65539);
    assert_ptr_equal(gssapi()->config.options, gssapi_options);
    assert_ptr_equal(gssapi()->config.pool, &gssapi_pool);
    assert_ptr_equal(gssapi()->config.check, gssapi_check);
    assert_ptr_equal(gssapi()->config.check_file, gssapi_check_file);
}

static void
test_every_split(void **state)
{
    static const uint8_t message[] = "\001\001\000\006TOKEN!\001\002";

    (void)state;
    for (size_t n = 0; n < sizeof message; n++) {
        uint8_t *copy = unit_copy(message, n);
        const enum auth_frame got = frame(copy, n);

        assert_int_equal(got, n < 10 ? AUTH_FRAME_MORE : AUTH_FRAME_READY);
        if (got == AUTH_FRAME_READY) {
            assert_int_equal(result.used, 10);
            /* The token alone; the level message behind it stays with the host. */
            assert_ptr_equal(result.payload, copy + 4);
            assert_int_equal(result.payload_len, 6);
        }
        /* A token names nobody before it was verified. */
        assert_int_equal(result.claimed_len, 0);
        assert_string_equal(result.claimed, "");
        assert_null(result.error);
        free(copy);
    }
}

static void
test_largest_token(void **state)
{
    static uint8_t message[GSSAPI_MESSAGE_MAX];

    (void)state;
    gssapi_frame_head(GSSAPI_CONTEXT, GSSAPI_TOKEN_MAX, message);
    assert_int_equal(frame(message, sizeof message - 1), AUTH_FRAME_MORE);
    assert_int_equal(frame(message, sizeof message), AUTH_FRAME_READY);
    assert_int_equal(result.payload_len, 65535);
    assert_int_equal(result.used, sizeof message);
}

static void
refuses(const void *data, size_t len, const char *word)
{
    assert_int_equal(frame(data, len), AUTH_FRAME_BAD);
    assert_string_equal(result.error, word);
    assert_true(result.used == 0 && result.payload == NULL);
}

static void
test_refused(void **state)
{
    (void)state;
    /* Judged before the rest is there. */
    refuses("\000", 1, "wrong-version");
    refuses("\005\001\000\001", 4, "wrong-version");
    refuses("\001\000", 2, "wrong-message-type");
    refuses("\001\002\000\001\002", 5, "wrong-message-type");
    refuses("\001\003", 2, "wrong-message-type");
    refuses("\001\377", 2, "refused-by-client");
    refuses("\001\377\000\000", 4, "refused-by-client");
    /* An empty token never reaches the pool: SPNEGO would answer it. */
    assert_int_equal(frame("\001\001\000", 3), AUTH_FRAME_MORE);
    refuses("\001\001\000\000", 4, "empty-token");
    refuses("\001\001\000\000\001\002", 6, "empty-token");
}

static void
answers(enum auth_outcome outcome, const void *token, size_t len, const void *bytes, size_t n)
{
    uint8_t room[64] = "xx";
    struct auth_out out = { room, sizeof room, 2 };

    assert_int_equal(gssapi()->answer(NULL, outcome, token, len, &out), 0);
    assert_int_equal(out.len, 2 + n);
    assert_memory_equal(room, "xx", 2);
    assert_memory_equal(room + 2, bytes, n);
}

static void
test_answers(void **state)
{
    (void)state;
    answers(AUTH_CONTINUE, "abc", 3, "\001\001\000\003abc", 7);
    answers(AUTH_SUCCESS, "abc", 3, "\001\001\000\003abc", 7);
    /* Section 3.6: without a token a zero-length one. */
    answers(AUTH_SUCCESS, NULL, 0, "\001\001\000\000", 4);
    answers(AUTH_FAILURE, NULL, 0, "\001\377", 2);
    answers(AUTH_FAILURE, "an error token", 14, "\001\377", 2);
}

static void
test_no_sense(void **state)
{
    static uint8_t big[GSSAPI_TOKEN_MAX + 1];
    static uint8_t room[GSSAPI_MESSAGE_MAX + 1];
    struct auth_out out = { room, sizeof room, 0 };

    (void)state;
    assert_int_equal(gssapi()->answer(NULL, AUTH_CONTINUE, NULL, 0, &out), -1);
    assert_int_equal(gssapi()->answer(NULL, AUTH_CONTINUE, big, sizeof big, &out), -1);
    assert_int_equal(gssapi()->answer(NULL, AUTH_SUCCESS, big, sizeof big, &out), -1);
    assert_int_equal(out.len, 0);
    assert_int_equal(gssapi()->answer(NULL, AUTH_SUCCESS, big, GSSAPI_TOKEN_MAX, &out), 0);
    assert_int_equal(out.len, GSSAPI_MESSAGE_MAX);
    assert_memory_equal(room, "\001\001\377\377", 4);
}

static void
test_room(void **state)
{
    uint8_t room[8] = { 0 };

    (void)state;
    for (size_t size = 0; size < sizeof room; size++) {
        struct auth_out out = { room, size, 0 };

        assert_int_equal(gssapi()->answer(NULL, AUTH_SUCCESS, "abc", 3, &out), size < 7 ? -1 : 0);
        assert_int_equal(out.len, size < 7 ? 0 : 7);
        out.len = 0;
        gssapi()->refuse(NULL, &out);
        assert_int_equal(out.len, size < 2 ? 0 : 2);
    }
    assert_memory_equal(room, "\001\377", 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faces),
        cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_largest_token),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_no_sense),
        cmocka_unit_test(test_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
