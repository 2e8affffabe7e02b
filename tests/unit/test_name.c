/* SPDX-License-Identifier: ISC */
/* lib/base/name.c */
#include "tests/unit/unit.h"

#include <time.h>

#include "lib/base/name.h"

#define TEXT(literal) literal, sizeof(literal) - 1
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X45 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X63 X50 "xxxxxxxxxxxxx"
#define X253 X63 "." X63 "." X63 "." X50 "xxxxxxxxxxx"

static const struct {
    const char *text;
    size_t len;
    enum name_status status;
    const char *out; /* the name, the address, or the reason */
} rows[] = {
    { TEXT("example.com"), NAME_OK, "example.com" },
    { TEXT("EXAMPLE.Com"), NAME_OK, "example.com" },
    { TEXT("example.com."), NAME_OK, "example.com" },
    { TEXT("localhost"), NAME_OK, "localhost" },
    { TEXT("a"), NAME_OK, "a" },
    { TEXT("a."), NAME_OK, "a" },
    { TEXT("_srv._tcp.example.com"), NAME_OK, "_srv._tcp.example.com" },
    { TEXT("x-1.example.com"), NAME_OK, "x-1.example.com" },
    { TEXT("1.example"), NAME_OK, "1.example" },
    { TEXT("127.0.0.1.example"), NAME_OK, "127.0.0.1.example" },
    { TEXT("1a"), NAME_OK, "1a" },
    { TEXT("0x7g"), NAME_OK, "0x7g" },
    { TEXT("x0"), NAME_OK, "x0" },
    { TEXT("b\xc3\xbc.example"), NAME_OK, "b\xc3\xbc.example" },
    { TEXT(X63 ".com"), NAME_OK, X63 ".com" },
    /* One octet less than the longest text of an address with its NUL, and as many. */
    { TEXT(X45), NAME_OK, X45 },
    { TEXT(X45 "x"), NAME_OK, X45 "x" },
    { TEXT(X253), NAME_OK, X253 },
    { TEXT(X253 "."), NAME_OK, X253 },

    { TEXT("192.0.2.1"), NAME_ADDRESS, "192.0.2.1" },
    { TEXT("0.0.0.0"), NAME_ADDRESS, "0.0.0.0" },
    { TEXT("::1"), NAME_ADDRESS, "::1" },
    { TEXT("::"), NAME_ADDRESS, "::" },
    { TEXT("2001:DB8::1"), NAME_ADDRESS, "2001:db8::1" },
    { TEXT("::ffff:127.0.0.1"), NAME_ADDRESS, "127.0.0.1" },
    { TEXT("::ffff:7f00:1"), NAME_ADDRESS, "127.0.0.1" },
    { TEXT("0000:0000:0000:0000:0000:ffff:255.255.255.254"), NAME_ADDRESS, "255.255.255.254" },

    { TEXT(""), NAME_BAD, "empty name" },
    { TEXT("."), NAME_BAD, "empty label" },
    { TEXT(".."), NAME_BAD, "empty label" },
    { TEXT(".example.com"), NAME_BAD, "empty label" },
    { TEXT("a..b"), NAME_BAD, "empty label" },
    { TEXT("example.com.."), NAME_BAD, "empty label" },
    { TEXT(X63 "x.com"), NAME_BAD, "label longer than 63 octets" },
    { TEXT(X253 "x"), NAME_BAD, "name longer than 253 octets" },
    { TEXT(X253 ".."), NAME_BAD, "name longer than 253 octets" },
    { TEXT("a\0b.example"), NAME_BAD, "control character in the name" },
    { TEXT("example.com\0"), NAME_BAD, "control character in the name" },
    { TEXT("192.0.2.1\0"), NAME_BAD, "control character in the name" },
    { TEXT("a\nb"), NAME_BAD, "control character in the name" },
    { TEXT("a\x1f"), NAME_BAD, "control character in the name" },
    { TEXT("a\x7f"), NAME_BAD, "control character in the name" },
    { TEXT("a b"), NAME_BAD, "space in the name" },
    { TEXT("a\\046b"), NAME_BAD, "backslash in the name" },
    { TEXT("[::1]"), NAME_BAD, "colon or bracket in the name, and it is not an address" },
    { TEXT("fe80::1%lo"), NAME_BAD, "colon or bracket in the name, and it is not an address" },
    { TEXT("192.0.2.1:80"), NAME_BAD, "colon or bracket in the name, and it is not an address" },
    { TEXT("127.1"), NAME_BAD, "last label is a number" },
    { TEXT("0x7f000001"), NAME_BAD, "last label is a number" },
    { TEXT("0X7F000001"), NAME_BAD, "last label is a number" },
    { TEXT("127.0.0.0x1"), NAME_BAD, "last label is a number" },
    { TEXT("0x"), NAME_BAD, "last label is a number" },
    { TEXT("example.9"), NAME_BAD, "last label is a number" },
    { TEXT("example.0x09afAF"), NAME_BAD, "last label is a number" },
    { TEXT("example.0xG"), NAME_OK, "example.0xg" },
    { TEXT("2130706433"), NAME_BAD, "last label is a number" },
    { TEXT("017700000001"), NAME_BAD, "last label is a number" },
    { TEXT("127.0.0.1."), NAME_BAD, "last label is a number" },
    { TEXT("192.0.2.256"), NAME_BAD, "last label is a number" },
    { TEXT("192.0.2.01"), NAME_BAD, "last label is a number" },
    { TEXT("example.1"), NAME_BAD, "last label is a number" },
};

static void
test_canonical_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        char out[NAME_SIZE];
        char text[ADDR_TEXT_MAX];
        struct addr addr = { .port = 77 };
        const char *why = "unset";
        uint8_t *copy = unit_copy(rows[i].text, rows[i].len);
        const enum name_status status = name_canonical(copy, rows[i].len, out, &addr, &why);
        free(copy);
        if (status != rows[i].status) {
            fail_msg("row %zu, %s: status %d", i, rows[i].text, (int)status);
        }
        if (status == NAME_OK) {
            assert_string_equal(out, rows[i].out);
            assert_null(why);
        } else if (status == NAME_ADDRESS) {
            (void)addr_format_ip(&addr, text);
            assert_string_equal(text, rows[i].out);
            assert_int_equal(addr.port, 0);
            assert_null(why);
        } else {
            assert_string_equal(why, rows[i].out);
            assert_string_equal(out, "");
            assert_int_equal(addr.port, 77);
        }
    }
}

static bool
may_stand_in_a_name(int c)
{
    return c > 0x20 && c != 0x7f && strchr("\\:[].", c) == NULL;
}

static void
test_every_octet(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        const char text[] = { 'a', (char)c, 'b' };
        char out[NAME_SIZE];
        struct addr addr;
        const char *why;
        const enum name_status status = name_canonical(text, sizeof(text), out, &addr, &why);
        assert_int_equal(status, c == '.' || may_stand_in_a_name(c) ? NAME_OK : NAME_BAD);
    }
}

/* Whatever comes in: a good answer is in its own canonical form, at most 253 long, all lower case.
 */
static void
test_canonical_is_stable(void **state)
{
    (void)state;
    static const char alphabet[] = "abzAZ019xX..-_:\\ \x80";
    struct unit_random r = UNIT_RANDOM_INIT;
    unsigned good = 0;
    for (int i = 0; i < 200000; i++) {
        char text[300];
        const size_t len = unit_random(&r) % (i % 2 == 0 ? 12 : sizeof(text));
        for (size_t j = 0; j < len; j++) {
            text[j] = alphabet[unit_random(&r) % (sizeof(alphabet) - 1)];
        }
        char out[NAME_SIZE];
        char again[NAME_SIZE];
        struct addr addr;
        const char *why;
        uint8_t *copy = unit_copy(text, len);
        const enum name_status status = name_canonical(copy, len, out, &addr, &why);
        free(copy);
        if (status == NAME_OK) {
            good++;
            assert_true(strlen(out) <= NAME_MAX_LEN);
            assert_int_equal(strcspn(out, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), strlen(out));
            assert_int_equal(name_canonical(out, strlen(out), again, &addr, &why), NAME_OK);
            assert_string_equal(again, out);
        }
    }
    assert_true(good > 1000);
}

static void
test_glob_table(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *text;
        bool match;
    } globs[] = {
        { "", "", true },
        { "", "a", false },
        { "*", "", true },
        { "*", "anything.at.all", true },
        { "**", "x", true },
        { "?", "", false },
        { "?", "a", true },
        { "?", "ab", false },
        { "a", "a", true },
        { "a", "A", false },
        { "*.example.com", "www.example.com", true },
        { "*.example.com", "a.b.example.com", true },
        { "*.example.com", "example.com", false },
        { "*.example.com", "wwwexample.com", false },
        { "*.example.com", "www.example.com.org", false },
        { "*.example.com", "www.example.comexample.com", false },
        { "*example.com", "example.com", true },
        { "*@EXAMPLE.COM", "alice@EXAMPLE.COM", true },
        { "*@EXAMPLE.COM", "alice@example.com", false },
        { "*@EXAMPLE.COM", "@EXAMPLE.COM", true },
        { "a*b*c", "abc", true },
        { "a*b*c", "aXbYbZc", true },
        { "a*b*c", "acb", false },
        { "a?c*", "abc", true },
        { "a?c*", "ac", false },
        { "*a", "aaaa", true },
        { "*ab", "aab", true },
        { "*ab*ab", "abab", true },
        { "*ab*ab", "aba", false },
        { "?*?", "a", false },
        { "?*?", "ab", true },
        { "*?*", "", false },
        { "host-??.lan", "host-07.lan", true },
        { "host-??.lan", "host-7.lan", false },
        { "[a]", "a", false },
        { "[a]", "[a]", true },
        { "*\\", "x\\", true },
    };
    for (size_t i = 0; i < SP_COUNT(globs); i++) {
        if (glob_match(globs[i].pattern, globs[i].text) != globs[i].match) {
            fail_msg("%s against %s", globs[i].pattern, globs[i].text);
        }
    }
}

/* The plain definition, exponential but beyond doubt. */
static bool
glob_by_definition(const char *p, const char *t)
{
    if (*p == '\0') {
        return *t == '\0';
    }
    if (*p == '*') {
        return glob_by_definition(p + 1, t) || (*t != '\0' && glob_by_definition(p, t + 1));
    }
    return *t != '\0' && (*p == '?' || *p == *t) && glob_by_definition(p + 1, t + 1);
}

static void
test_glob_agrees_with_definition(void **state)
{
    (void)state;
    struct unit_random r = UNIT_RANDOM_INIT;
    unsigned matched = 0;
    for (int i = 0; i < 200000; i++) {
        char pattern[8];
        char text[9];
        const size_t p = unit_random(&r) % sizeof(pattern);
        const size_t t = unit_random(&r) % sizeof(text);
        for (size_t j = 0; j < p; j++) {
            pattern[j] = "ab?**."[unit_random(&r) % 6];
        }
        for (size_t j = 0; j < t; j++) {
            text[j] = "ab."[unit_random(&r) % 3];
        }
        pattern[p] = '\0';
        text[t] = '\0';
        const bool match = glob_match(pattern, text);
        matched += match;
        assert_int_equal(match, glob_by_definition(pattern, text));
    }
    assert_true(matched > 10000);
}

/* Sixty stars against a text that fails at its end: with backtracking into every star this would
   not come back; a thousand matches take milliseconds of CPU. */
static void
test_glob_pathological(void **state)
{
    (void)state;
    char pattern[3 * 60 + 2];
    char text[1025];
    for (size_t i = 0; i < 60; i++) {
        memcpy(pattern + 3 * i, "*aa", 3);
    }
    memcpy(pattern + 180, "b", 2);
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    const clock_t start = clock();
    for (int i = 0; i < 1000; i++) {
        assert_false(glob_match(pattern, text));
    }
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
    text[sizeof(text) - 2] = 'b';
    assert_true(glob_match(pattern, text));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical_table),
        cmocka_unit_test(test_every_octet),
        cmocka_unit_test(test_canonical_is_stable),
        cmocka_unit_test(test_glob_table),
        cmocka_unit_test(test_glob_agrees_with_definition),
        cmocka_unit_test(test_glob_pathological),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
