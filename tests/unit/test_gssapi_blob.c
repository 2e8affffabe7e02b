/* SPDX-License-Identifier: ISC */
/* auth/gssapi/gssapi_blob.c: there and back, and what is malformed. */
#include "tests/unit/unit.h"

#include "auth/gssapi/gssapi_blob.h"

static const struct gssapi_context sample = {
    .role = KRB5MSG_ACCEPTOR,
    .acceptor_subkey = true,
    .enctype = 20,
    .flags = 0x1be,
    .send_seq = UINT64_C(0x123456789abcdef0),
    .recv_seq = 7,
    .key = { 1, 2, 3, [31] = 32 },
    .key_len = 32,
};

static void
test_there_and_back(void **state)
{
    uint8_t blob[GSSAPI_BLOB_MAX];
    struct gssapi_context in = sample;
    struct gssapi_context out;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        in.role = i % 2 != 0 ? KRB5MSG_ACCEPTOR : KRB5MSG_INITIATOR;
        in.acceptor_subkey = i / 2 != 0;
        const size_t len = gssapi_blob_encode(&in, blob, sizeof blob);

        assert_true(len > 0);
        assert_int_equal(gssapi_blob_decode(blob, len, &out), 0);
        assert_int_equal(out.role, in.role);
        assert_int_equal(out.acceptor_subkey, in.acceptor_subkey);
        assert_int_equal(out.enctype, 20);
        assert_int_equal(out.flags, 0x1be);
        assert_true(out.send_seq == in.send_seq && out.recv_seq == 7);
        assert_int_equal(out.key_len, 32);
        assert_memory_equal(out.key, in.key, 32);
    }
}

static void
test_malformed(void **state)
{
    uint8_t blob[GSSAPI_BLOB_MAX + 1] = { 0 };
    struct gssapi_context out;
    struct gssapi_context in = sample;
    static const uint8_t zeros[sizeof out.key];
    const size_t len = gssapi_blob_encode(&sample, blob, sizeof blob);

    (void)state;
    for (size_t short_len = 0; short_len < len; short_len++) {
        uint8_t *copy = unit_copy(blob, short_len);

        assert_int_equal(gssapi_blob_decode(copy, short_len, &out), -1);
        assert_memory_equal(out.key, zeros, sizeof zeros);
        assert_int_equal(gssapi_blob_encode(&sample, blob, short_len), 0);
        assert_int_equal(gssapi_blob_encode(&sample, blob, sizeof blob), len);
        free(copy);
    }
    assert_int_equal(gssapi_blob_decode(blob, len + 1, &out), -1);
    for (size_t at = 0; at < 3; at++) { /* version, role, subkey */
        const uint8_t good = blob[at];

        blob[at] = 2;
        assert_int_equal(gssapi_blob_decode(blob, len, &out), -1);
        blob[at] = good;
    }
    blob[len - 33] = 33; /* the key's length */
    assert_int_equal(gssapi_blob_decode(blob, len + 1, &out), -1);
    in.key_len = sizeof in.key + 1;
    assert_int_equal(gssapi_blob_encode(&in, blob, sizeof blob), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
