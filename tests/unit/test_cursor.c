/* SPDX-License-Identifier: ISC */
/* lib/base/cursor.c */
#include "tests/unit/unit.h"

#include "lib/base/cursor.h"

static const uint8_t bytes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09 };

static void
test_reads_in_order(void **state)
{
    (void)state;
    struct cursor c = cursor_init(bytes, sizeof(bytes));
    assert_int_equal(cursor_left(&c), 9);
    assert_int_equal(cursor_u8(&c), 0x01);
    assert_int_equal(cursor_u16_be(&c), 0x0203);
    assert_int_equal(cursor_u32_be(&c), 0x04050607);
    assert_ptr_equal(cursor_bytes(&c, 1), bytes + 7);
    assert_int_equal(cursor_left(&c), 1);
    cursor_skip(&c, 1);
    assert_int_equal(cursor_used(&c, bytes), 9);
    assert_int_equal(cursor_left(&c), 0);
    assert_true(cursor_ok(&c));
}

static void
test_big_endian_top_bit(void **state)
{
    (void)state;
    const uint8_t high[] = { 0xff, 0xfe, 0xfd, 0xfc, 0x80, 0x01 };
    struct cursor c = cursor_init(high, sizeof(high));
    assert_true(cursor_u32_be(&c) == 0xfffefdfcU);
    assert_int_equal(cursor_u16_be(&c), 0x8001);
}

static void
test_short_at_every_field(void **state)
{
    (void)state;
    for (size_t len = 0; len < 7; len++) {
        uint8_t *data = unit_copy(bytes, len);
        struct cursor c = cursor_init(data, len);
        (void)cursor_u8(&c);
        (void)cursor_u16_be(&c);
        (void)cursor_u32_be(&c);
        assert_false(cursor_ok(&c));
        assert_int_equal(c.status, CURSOR_SHORT);
        assert_int_equal(cursor_left(&c), 0);
        free(data);
    }
}

static void
test_error_is_sticky(void **state)
{
    (void)state;
    struct cursor c = cursor_init(bytes, 3);
    assert_int_equal(cursor_u32_be(&c), 0);
    /* Three bytes are there, but after an error nothing is read. */
    assert_int_equal(cursor_u8(&c), 0);
    assert_null(cursor_bytes(&c, 1));
    assert_null(cursor_bytes(&c, 0));
    cursor_fail(&c);
    assert_int_equal(c.status, CURSOR_SHORT);
    assert_int_equal(cursor_used(&c, bytes), 0);
}

static void
test_fail_marks_bad(void **state)
{
    (void)state;
    struct cursor c = cursor_init(bytes, sizeof(bytes));
    (void)cursor_u8(&c);
    cursor_fail(&c);
    assert_int_equal(c.status, CURSOR_BAD);
    assert_int_equal(cursor_u8(&c), 0);
    assert_int_equal(c.status, CURSOR_BAD);
    assert_int_equal(cursor_used(&c, bytes), 1);
}

static void
test_empty_and_null(void **state)
{
    (void)state;
    struct cursor c = cursor_init(NULL, 0);
    assert_non_null(cursor_bytes(&c, 0));
    assert_int_equal(cursor_used(&c, NULL), 0);
    assert_true(cursor_ok(&c));
    assert_int_equal(cursor_u8(&c), 0);
    assert_int_equal(c.status, CURSOR_SHORT);
}

static void
test_huge_length_does_not_wrap(void **state)
{
    (void)state;
    struct cursor c = cursor_init(bytes, sizeof(bytes));
    (void)cursor_u8(&c);
    assert_null(cursor_bytes(&c, SIZE_MAX));
    assert_int_equal(c.status, CURSOR_SHORT);
}

static void
test_copy_zeroes_on_error(void **state)
{
    (void)state;
    uint8_t out[4] = { 9, 9, 9, 9 };
    struct cursor c = cursor_init(bytes, 3);
    cursor_copy(&c, out, sizeof(out));
    assert_memory_equal(out, "\0\0\0\0", 4);
    c = cursor_init(bytes, sizeof(bytes));
    cursor_copy(&c, out, sizeof(out));
    assert_memory_equal(out, bytes, 4);
    cursor_copy(&c, NULL, 0);
    assert_true(cursor_ok(&c));
}

static void
test_host_order_round_trip(void **state)
{
    (void)state;
    uint8_t out[32];
    struct writer w = writer_init(out, sizeof(out));
    writer_u16(&w, 0xfedc);
    writer_u32(&w, 0xdeadbeef);
    writer_u64(&w, UINT64_C(0x8123456789abcdef));
    assert_int_equal(writer_len(&w), 14);
    struct cursor c = cursor_init(out, writer_len(&w));
    assert_int_equal(cursor_u16(&c), 0xfedc);
    assert_true(cursor_u32(&c) == 0xdeadbeefU);
    assert_true(cursor_u64(&c) == UINT64_C(0x8123456789abcdef));
    assert_true(cursor_ok(&c));
}

static void
test_writer_bytes(void **state)
{
    (void)state;
    uint8_t out[16];
    struct writer w = writer_init(out, sizeof(out));
    writer_u8(&w, 5);
    uint8_t *later = writer_reserve(&w, 2);
    assert_ptr_equal(later, out + 1);
    writer_u16_be(&w, 0x1234);
    writer_u32_be(&w, 0x89abcdef);
    writer_text(&w, "hi");
    writer_text(&w, "");
    memcpy(later, "\x07\x08", 2);
    assert_true(writer_ok(&w));
    assert_int_equal(writer_len(&w), 11);
    assert_memory_equal(out, "\x05\x07\x08\x12\x34\x89\xab\xcd\xefhi", 11);
}

static void
test_writer_overflow(void **state)
{
    (void)state;
    for (size_t size = 0; size < 5; size++) {
        uint8_t *out = unit_copy("xxxxx", size);
        struct writer w = writer_init(out, size);
        writer_u8(&w, 1);
        writer_u32_be(&w, 2);
        assert_false(writer_ok(&w));
        assert_int_equal(writer_len(&w), 0);
        /* A small field that would fit is not written either. */
        writer_u8(&w, 0xee);
        assert_null(writer_reserve(&w, 0));
        for (size_t i = 1; i < size; i++) {
            assert_int_equal(out[i], 'x');
        }
        free(out);
    }
    uint8_t five[5];
    struct writer w = writer_init(five, sizeof(five));
    writer_u8(&w, 1);
    writer_u32_be(&w, 2);
    assert_true(writer_ok(&w));
    w = writer_init(five, sizeof(five));
    writer_bytes(&w, five, SIZE_MAX);
    assert_false(writer_ok(&w));
    w = writer_init(NULL, 0);
    writer_text(&w, "");
    assert_true(writer_ok(&w));
    writer_u8(&w, 1);
    assert_false(writer_ok(&w));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_in_order),
        cmocka_unit_test(test_big_endian_top_bit),
        cmocka_unit_test(test_short_at_every_field),
        cmocka_unit_test(test_error_is_sticky),
        cmocka_unit_test(test_fail_marks_bad),
        cmocka_unit_test(test_empty_and_null),
        cmocka_unit_test(test_huge_length_does_not_wrap),
        cmocka_unit_test(test_copy_zeroes_on_error),
        cmocka_unit_test(test_host_order_round_trip),
        cmocka_unit_test(test_writer_bytes),
        cmocka_unit_test(test_writer_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
