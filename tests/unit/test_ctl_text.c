/* SPDX-License-Identifier: ISC */
/* src/ctl/ctl_text.c: nothing a client made reaches a terminal as more than text. */
#include "tests/unit/unit.h"

#include <locale.h>

#include "src/ctl/ctl_private.h"

static void
expect(const char *text, size_t columns, const char *wanted, size_t width)
{
    char out[256];

    assert_int_equal(ctl_clean(out, sizeof out, text, columns), width);
    assert_string_equal(out, wanted);
}

static void
test_clean(void **state)
{
    (void)state;
    expect("alice", 0, "alice", 5);
    expect("a\x1b[2Jb\r\n\t", 0, "a\\x1b[2Jb\\x0d\\x0a\\x09", 21);
    expect("\x9b" "31m", 0, "\\x9b31m", 7); /* CSI in one octet */
    expect("abcdef", 6, "abcdef", 6);
    expect("abcdefg", 6, "abcde~", 6);
    expect("ab\x01", 5, "ab~", 3); /* an escape is not cut in two */
    expect("", 0, "", 0);
}

static void
test_clean_utf8(void **state)
{
    (void)state;
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) {
        print_message("this system has no C.UTF-8: not tested\n");
        skip();
    }
    expect("m\xc3\xbcller", 0, "m\xc3\xbcller", 6);
    expect("\xe6\x97\xa5\xe6\x9c\xac", 0, "\xe6\x97\xa5\xe6\x9c\xac", 4); /* wide ones */
    expect("\xe6\x97\xa5\xe6\x9c\xac", 3, "\xe6\x97\xa5~", 3);
    expect("\xc2\x9b" "2J", 0, "\\xc2\\x9b2J", 10);             /* CSI as a character */
    expect("a\xe2\x80\xae" "b", 0, "a\\xe2\\x80\\xaeb", 14); /* right to left */
    expect("\xc3", 0, "\\xc3", 4);
    assert_non_null(setlocale(LC_CTYPE, "C"));
}

static void
test_place(void **state)
{
    static const struct {
        const char *text;
        size_t columns;
        const char *wanted;
    } rows[] = {
        { "www.example.com:443", 19, "www.example.com:443" },
        { "www.example.com:443", 14, "www.examp~:443" },
        { "[2001:db8::1]:65535", 10, "[20~:65535" },
        { "www.example.com:443", 6, "www.e~" },
        { "www.example.com", 6, "www.e~" },
        { "a:b:c:not-a-port", 8, "a:b:c:n~" },
        { "x\x1b[2J:80", 7, "x~:80" },
    };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        char out[64];

        assert_int_equal(ctl_clean_place(out, sizeof out, rows[i].text, rows[i].columns), strlen(rows[i].wanted));
        assert_string_equal(out, rows[i].wanted);
    }
}

static void
test_any_octets(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        char text[64];
        char out[300];
        size_t columns = unit_random(&random) % 40;

        unit_random_fill(&random, text, sizeof text);
        text[unit_random(&random) % sizeof text] = '\0';
        size_t width = ctl_clean(out, sizeof out, text, columns);

        assert_true(columns == 0 || width <= columns);
        for (const char *at = out; *at != '\0'; at++)
            assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
    }
}

static void
test_small_room(void **state)
{
    char out[8];

    (void)state;
    for (size_t size = 2; size <= sizeof out; size++) {
        memset(out, 'x', sizeof out);
        (void)ctl_clean(out, size, "a\x01" "bcdefghij", 0);
        assert_true(strlen(out) < size);
    }
}

static void
test_numbers(void **state)
{
    static const struct {
        double value;
        const char *bytes, *age;
    } rows[] = {
        { -1, "0", "0s" }, { 0, "0", "0s" }, { 99, "99", "99s" }, { 100, "100", "1m" },
        { 999, "999", "16m" }, { 1000, "1.0k", "16m" }, { 6000, "5.9k", "1h40" },
        { 36000, "35k", "10h" }, { 360000, "352k", "4d" }, { 5e9, "4.7G", "0s" },
        { 1.8e19, "16E", "0s" },
    };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        char text[16];

        ctl_bytes(text, rows[i].value);
        assert_string_equal(text, rows[i].bytes);
        ctl_age(text, rows[i].value);
        assert_string_equal(text, rows[i].age);
    }
}

static void
test_short_ids(void **state)
{
    static const char *const rows[][2] = { { "00000001000000ff", "ff" }, { "6a00000010000000", "10000000" },
        { "6a00000100000000", "0" }, { "?", "?" }, { "ff", "ff" }, { "", "" } };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++)
        assert_string_equal(ctl_short_id(rows[i][0]), rows[i][1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_clean_utf8),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_any_octets),
        cmocka_unit_test(test_small_room),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_short_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
