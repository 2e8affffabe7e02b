/* SPDX-License-Identifier: ISC */
/* lib/base/utf8.c: every character there is, and every other sequence of up to three octets. */
#include "lib/base/utf8.h"

#include "tests/unit/unit.h"

#include <stdbool.h>

/* The well-formed sequence of a code, as RFC 3629 writes it. */
static size_t
encode(uint32_t code, uint8_t out[4])
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xc0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code & 0x3f));
    return 4;
}

static bool
is_surrogate(uint32_t code)
{
    return code >= 0xd800 && code <= 0xdfff;
}

static void
test_every_character(void **state)
{
    uint8_t text[4];

    (void)state;
    for (uint32_t code = 0; code < 0x110000; code++) {
        size_t len = encode(code, text);
        uint32_t read = UINT32_MAX;

        assert_int_equal(utf8_read(text, len, &read), is_surrogate(code) ? 0 : len);
        assert_true(read == (is_surrogate(code) ? UINT32_MAX : code));
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(utf8_read(text, cut, &read), 0);
    }
    for (uint32_t code = 0x110000; code < 0x200000; code += 0x101)
        assert_int_equal(utf8_read(text, encode(code, text), &code), 0);
}

/* Whatever is taken is what would have been written. */
static void
test_every_sequence(void **state)
{
    uint8_t text[3], again[4];

    (void)state;
    for (uint32_t bits = 0; bits < 0x1000000; bits++) {
        uint32_t code = 0;

        text[0] = (uint8_t)(bits >> 16);
        text[1] = (uint8_t)(bits >> 8);
        text[2] = (uint8_t)bits;
        size_t len = utf8_read(text, sizeof text, &code);

        if (len > 0 && (encode(code, again) != len || memcmp(text, again, len) != 0))
            fail_msg("%06x is taken for U+%04X", (unsigned)bits, (unsigned)code);
    }
}

static void
test_four_octets(void **state)
{
    static const char *const bad[] = { "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80", "\xff\xbf\xbf\xbf", "\xf0\x90\x80\x7f", "\xf0\x90\xc0\x80" };
    uint32_t code;

    (void)state;
    for (size_t i = 0; i < SP_COUNT(bad); i++)
        assert_int_equal(utf8_read(bad[i], 4, &code), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_character),
        cmocka_unit_test(test_every_sequence),
        cmocka_unit_test(test_four_octets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
