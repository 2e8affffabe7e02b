/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include "src/logger/line.h"

static void
expect(const struct line *l, const char *text)
{
    assert_int_equal(line_len(l), strlen(text));
    assert_memory_equal(l->start, text, strlen(text));
}

static void
numbers(void **state)
{
    char out[256];
    struct line l = line_init(out, sizeof out);

    (void)state;
    line_number(&l, 0);
    line_char(&l, ' ');
    line_number(&l, UINT64_MAX);
    line_char(&l, ' ');
    line_padded(&l, 42, 6);
    line_char(&l, ' ');
    line_padded(&l, 1234567, 6);
    line_char(&l, ' ');
    line_padded(&l, 7, 20);
    line_char(&l, ' ');
    line_hex(&l, 0x1af, 16);
    line_char(&l, ' ');
    line_hex(&l, UINT64_MAX, 16);
    expect(&l, "0 18446744073709551615 000042 1234567 00000000000000000007 00000000000001af "
               "ffffffffffffffff");
    assert_false(l.cut);
}

static void
addresses(void **state)
{
    char out[256];
    struct line l = line_init(out, sizeof out);
    struct addr a;

    (void)state;
    assert_int_equal(addr_parse("10.0.255.1:4444", &a), 0);
    line_addr(&l, &a);
    line_char(&l, ' ');
    assert_int_equal(addr_parse("[2001:db8::1]:65535", &a), 0);
    line_addr(&l, &a);
    expect(&l, "10.0.255.1:4444 [2001:db8::1]:65535");
}

/* Whatever is written, nothing lands behind the end, and cut tells. */
static void
bounds(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 24; size++) {
        char *out = (char *)unit_copy("........................", size);
        struct line l = line_init(out, size);

        line_text(&l, "abc");
        line_number(&l, 1234567);
        line_hex(&l, 0xbeef, 4);
        line_char(&l, '!');
        assert_int_equal(line_len(&l), size < 15 ? size : 15);
        assert_int_equal(l.cut, size < 15);
        assert_memory_equal(out, "abc1234567beef!", line_len(&l));
        free(out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(addresses),
        cmocka_unit_test(bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
