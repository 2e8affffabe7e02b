/* SPDX-License-Identifier: ISC */
/* lib/base/addr_prefix.c */
#include "tests/unit/unit.h"

#include "lib/base/addr.h"

static struct addr_prefix
parsed(const char *text)
{
    struct addr_prefix p;
    if (addr_prefix_parse(text, &p) != 0) {
        fail_msg("%s is not a prefix", text);
    }
    return p;
}

static void
test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *again; /* NULL: refused */
    } rows[] = {
        { "10.0.0.0/8", "10.0.0.0/8" },
        { "0.0.0.0/0", "0.0.0.0/0" },
        { "192.0.2.10", "192.0.2.10/32" },
        { "192.0.2.10/32", "192.0.2.10/32" },
        { "192.0.2.128/25", "192.0.2.128/25" },
        { "2001:db8::/32", "2001:db8::/32" },
        { "2001:DB8::1", "2001:db8::1/128" },
        { "::/0", "::/0" },
        { "fe80::/10", "fe80::/10" },
        { "::ffff:10.0.0.0/104", "10.0.0.0/8" },
        { "::ffff:192.0.2.10", "192.0.2.10/32" },
        { "::ffff:0:0/96", "0.0.0.0/0" },
        { "::/64", "::/64" },
        { "10.0.0.1/8", NULL },
        { "192.0.2.129/25", NULL },
        { "2001:db8::1/64", NULL },
        { "::ffff:0:0/95", NULL },
        { "::ffff:10.0.0.1/104", NULL },
        { "10.0.0.0/33", NULL },
        { "2001:db8::/129", NULL },
        { "10.0.0.0/", NULL },
        { "10.0.0.0/08", NULL },
        { "10.0.0.0/-1", NULL },
        { "10.0.0.0/8 ", NULL },
        { "10.0.0.0/8/8", NULL },
        { "10.0.0.0/255.0.0.0", NULL },
        { "10.0.0.0/4294967304", NULL },
        { "10/8", NULL },
        { "/8", NULL },
        { "", NULL },
        { "[::1]/128", NULL },
        { "example.com/8", NULL },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/8",
            NULL },
        /* ADDR_TEXT_MAX of them */
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/8", NULL },
    };
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct addr_prefix p;
        const int result = addr_prefix_parse(rows[i].text, &p);
        assert_int_equal(result, rows[i].again == NULL ? -1 : 0);
        if (result == 0) {
            char text[ADDR_TEXT_MAX];
            assert_int_equal(addr_prefix_format(&p, text), strlen(rows[i].again));
            assert_string_equal(text, rows[i].again);
        }
    }
}

static void
test_contains(void **state)
{
    (void)state;
    static const struct {
        const char *prefix;
        const char *addr;
        bool in;
    } rows[] = {
        { "10.0.0.0/8", "10.255.255.255", true },
        { "10.0.0.0/8", "11.0.0.0", false },
        { "10.0.0.0/8", "::ffff:10.1.2.3", true },
        { "10.0.0.0/8", "::10.1.2.3", false },
        { "0.0.0.0/0", "203.0.113.1", true },
        { "0.0.0.0/0", "2001:db8::1", false },
        { "::/0", "2001:db8::1", true },
        { "::/0", "10.0.0.1", false },
        { "::/0", "::ffff:10.0.0.1", false },
        { "192.0.2.10/32", "192.0.2.10", true },
        { "192.0.2.10/32", "192.0.2.11", false },
        { "192.0.2.128/25", "192.0.2.127", false },
        { "192.0.2.128/25", "192.0.2.128", true },
        { "fe80::/10", "febf::1", true },
        { "fe80::/10", "fec0::1", false },
        { "2001:db8::1/128", "2001:db8::1", true },
        { "2001:db8::1/128", "2001:db8::2", false },
        { "2001:db8::/127", "2001:db8::1", true },
    };
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        const struct addr_prefix p = parsed(rows[i].prefix);
        struct addr a;
        assert_int_equal(addr_parse_ip(rows[i].addr, &a), 0);
        if (addr_prefix_contains(&p, &a) != rows[i].in) {
            fail_msg("%s in %s", rows[i].addr, rows[i].prefix);
        }
    }
    const struct addr_prefix all = parsed("0.0.0.0/0");
    assert_false(addr_prefix_contains(&all, &(struct addr){ .family = ADDR_NONE }));
    const struct addr_prefix none = { .family = ADDR_NONE };
    assert_false(addr_prefix_contains(&none, &(struct addr){ .family = ADDR_NONE }));
}

static void
test_within(void **state)
{
    (void)state;
    static const struct {
        const char *inner;
        const char *outer;
        bool in;
    } rows[] = {
        { "127.0.0.0/8", "127.0.0.0/8", true },
        { "127.0.0.1/32", "127.0.0.0/8", true },
        { "0.0.0.0/0", "127.0.0.0/8", false },
        { "126.0.0.0/7", "127.0.0.0/8", false },
        { "128.0.0.0/8", "127.0.0.0/8", false },
        { "127.0.0.0/8", "::/0", false },
        { "::1/128", "::/0", true },
        { "::/0", "::1/128", false },
        { "::ffff:127.0.0.0/104", "127.0.0.0/8", true },
        { "10.0.0.0/8", "0.0.0.0/0", true },
    };
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        const struct addr_prefix inner = parsed(rows[i].inner);
        const struct addr_prefix outer = parsed(rows[i].outer);
        if (addr_prefix_within(&inner, &outer) != rows[i].in) {
            fail_msg("%s within %s", rows[i].inner, rows[i].outer);
        }
    }
}

/* A mapped prefix that somebody filled by hand means the same as its IPv4 form. */
static void
test_mapped_by_hand(void **state)
{
    (void)state;
    const struct addr_prefix mapped = {
        .family = ADDR_IPV6, .bits = 104, .ip = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127 }
    };
    const struct addr_prefix plain = parsed("127.0.0.0/8");
    struct addr a;
    assert_int_equal(addr_parse_ip("127.1.2.3", &a), 0);
    assert_true(addr_prefix_contains(&mapped, &a));
    assert_true(addr_prefix_within(&mapped, &plain));
    assert_true(addr_prefix_within(&plain, &mapped));
}

/* Every length: an address with bit n-1 turned is outside of its own /n, with bit n turned inside.
 */
static void
test_every_length(void **state)
{
    (void)state;
    struct unit_random r = UNIT_RANDOM_INIT;
    for (unsigned bits = 1; bits <= 128; bits++) {
        struct addr a = { .family = ADDR_IPV6 };
        unit_random_fill(&r, a.ip, sizeof(a.ip));
        struct addr_prefix p = { .family = ADDR_IPV6, .bits = (uint8_t)bits };
        for (unsigned i = 0; i < bits; i++) {
            p.ip[i / 8] |= (uint8_t)(a.ip[i / 8] & (0x80U >> (i % 8)));
        }
        assert_true(addr_prefix_contains(&p, &a));
        struct addr out = a;
        out.ip[(bits - 1) / 8] ^= (uint8_t)(0x80U >> ((bits - 1) % 8));
        assert_false(addr_prefix_contains(&p, &out));
        char text[ADDR_TEXT_MAX];
        (void)addr_prefix_format(&p, text);
        const struct addr_prefix again = parsed(text);
        assert_memory_equal(&again, &p, sizeof(p));
        if (bits < 128) {
            struct addr in = a;
            in.ip[bits / 8] ^= (uint8_t)(0x80U >> (bits % 8));
            assert_true(addr_prefix_contains(&p, &in));
        }
    }
}

static void
test_format_none(void **state)
{
    (void)state;
    char text[ADDR_TEXT_MAX] = "x";
    const struct addr_prefix none = { .family = ADDR_NONE };
    assert_int_equal(addr_prefix_format(&none, text), 0);
    assert_string_equal(text, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_contains),
        cmocka_unit_test(test_within),
        cmocka_unit_test(test_mapped_by_hand),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_format_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
