/* SPDX-License-Identifier: ISC */
/* lib/base/addr_special.c */
#include "tests/unit/unit.h"

#include "lib/base/addr.h"

static const struct {
    const char *addr;
    const char *name; /* NULL: an ordinary address */
    const char *range;
} rows[] = {
    { "127.0.0.1", "loopback", "127.0.0.0/8" },
    { "127.255.255.255", "loopback", "127.0.0.0/8" },
    { "169.254.169.254", "link-local", "169.254.0.0/16" },
    { "224.0.0.1", "multicast", "224.0.0.0/4" },
    { "239.255.255.255", "multicast", "224.0.0.0/4" },
    { "255.255.255.255", "broadcast", "255.255.255.255/32" },
    { "0.0.0.0", "unspecified", "0.0.0.0/32" },
    { "0.1.2.3", "this-network", "0.0.0.0/8" },
    { "::", "unspecified", "::/128" },
    { "::1", "loopback", "::1/128" },
    { "fe80::1", "link-local", "fe80::/10" },
    { "febf::1", "link-local", "fe80::/10" },
    { "ff02::1", "multicast", "ff00::/8" },
    /* mapped: the one form that rules see */
    { "::ffff:127.0.0.1", "loopback", "127.0.0.0/8" },
    { "::ffff:169.254.1.1", "link-local", "169.254.0.0/16" },
    { "::ffff:0.0.0.0", "unspecified", "0.0.0.0/32" },
    { "::ffff:255.255.255.255", "broadcast", "255.255.255.255/32" },
    /* IPv4-compatible */
    { "::127.0.0.1", "loopback", "::127.0.0.0/104" },
    { "::169.254.0.9", "link-local", "::169.254.0.0/112" },
    { "::2", "this-network", "::/104" },
    { "::224.0.0.1", "multicast", "::224.0.0.0/100" },
    /* NAT64 */
    { "64:ff9b::7f00:1", "loopback", "64:ff9b::7f00:0/104" },
    { "64:ff9b::a9fe:a9fe", "link-local", "64:ff9b::a9fe:0/112" },
    { "64:ff9b::", "unspecified", "64:ff9b::/128" },
    { "64:ff9b::e000:1", "multicast", "64:ff9b::e000:0/100" },
    { "64:ff9b::ffff:ffff", "broadcast", "64:ff9b::ffff:ffff/128" },
    /* NAT64 of local use */
    { "64:ff9b:1::7f00:1", "loopback", "64:ff9b:1::7f00:0/104" },
    { "64:ff9b:1:abcd:1:2:7f00:1", "loopback", "64:ff9b:1:abcd:1:2:7f00:0/104" },
    { "64:ff9b:1:ffff::a9fe:1", "link-local", "64:ff9b:1:ffff::a9fe:0/112" },
    /* 6to4 */
    { "2002:7f00:1::", "loopback", "2002:7f00::/24" },
    { "2002:7f00:1:5::9", "loopback", "2002:7f00::/24" },
    { "2002:a9fe:a9fe::1", "link-local", "2002:a9fe::/32" },
    { "2002:0:1::", "this-network", "2002::/24" },
    { "2002::1", "unspecified", "2002::/48" },
    { "2002:e000::1", "multicast", "2002:e000::/20" },
    { "2002:ffff:ffff::1", "broadcast", "2002:ffff:ffff::/48" },
    /* neighbours that are ordinary */
    { "126.255.255.255", NULL, NULL },
    { "128.0.0.0", NULL, NULL },
    { "1.0.0.0", NULL, NULL },
    { "169.253.255.255", NULL, NULL },
    { "169.255.0.0", NULL, NULL },
    { "223.255.255.255", NULL, NULL },
    { "240.0.0.0", NULL, NULL },
    { "255.255.255.254", NULL, NULL },
    { "10.0.0.1", NULL, NULL },
    { "192.0.2.1", NULL, NULL },
    { "2001:db8::1", NULL, NULL },
    { "fe7f::1", NULL, NULL },
    { "fec0::1", NULL, NULL },
    { "fd00::1", NULL, NULL },
    { "::192.0.2.1", NULL, NULL },
    { "::ffff:192.0.2.1", NULL, NULL },
    { "64:ff9b::c000:201", NULL, NULL },
    { "64:ff9b:0:1::7f00:1", NULL, NULL },
    { "64:ff9b:2::7f00:1", NULL, NULL },
    { "64:ff9b:1::c000:201", NULL, NULL },
    { "2002:c000:201::1", NULL, NULL },
    { "2003:7f00:1::", NULL, NULL },
};

static void
test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct addr a;
        struct addr_prefix range = { .family = ADDR_NONE };
        assert_int_equal(addr_parse_ip(rows[i].addr, &a), 0);
        const char *name = addr_special(&a, &range);
        if ((name == NULL) != (rows[i].name == NULL)) {
            fail_msg("%s: %s", rows[i].addr, name != NULL ? name : "ordinary");
        }
        if (name != NULL) {
            char text[ADDR_TEXT_MAX];
            struct addr_prefix wanted;
            assert_string_equal(name, rows[i].name);
            assert_int_equal(addr_prefix_parse(rows[i].range, &wanted), 0);
            (void)addr_prefix_format(&range, text);
            if (memcmp(&range, &wanted, sizeof(range)) != 0) {
                fail_msg("%s: %s, not %s", rows[i].addr, text, rows[i].range);
            }
        }
    }
}

/* The range covers the address, and every address in it is special: its first and its last. */
static void
test_range_is_special_throughout(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct addr a;
        struct addr_prefix range;
        struct addr_prefix other;
        assert_int_equal(addr_parse_ip(rows[i].addr, &a), 0);
        if (addr_special(&a, &range) == NULL) {
            continue;
        }
        assert_true(addr_prefix_contains(&range, &a));
        const unsigned size = range.family == ADDR_IPV4 ? 32 : 128;
        struct addr edge = { .family = range.family };
        memcpy(edge.ip, range.ip, sizeof(edge.ip));
        assert_non_null(addr_special(&edge, &other));
        for (unsigned bit = range.bits; bit < size; bit++) {
            edge.ip[bit / 8] |= (uint8_t)(0x80U >> (bit % 8));
        }
        assert_non_null(addr_special(&edge, &other));
    }
}

static void
test_port_does_not_matter_and_none_is_ordinary(void **state)
{
    (void)state;
    struct addr a;
    struct addr_prefix range;
    assert_int_equal(addr_parse("127.0.0.1:80", &a), 0);
    assert_non_null(addr_special(&a, &range));
    assert_null(addr_special(&(struct addr){ .family = ADDR_NONE }, &range));
}

/* What opens a special destination: a prefix inside, and no wider one. */
static void
test_opening(void **state)
{
    (void)state;
    struct addr a;
    struct addr_prefix range;
    struct addr_prefix p;
    assert_int_equal(addr_parse_ip("::ffff:127.0.0.1", &a), 0);
    assert_non_null(addr_special(&a, &range));
    assert_int_equal(addr_prefix_parse("127.0.0.0/8", &p), 0);
    assert_true(addr_prefix_within(&p, &range));
    assert_int_equal(addr_prefix_parse("::ffff:127.0.0.1", &p), 0);
    assert_true(addr_prefix_within(&p, &range));
    assert_int_equal(addr_prefix_parse("0.0.0.0/0", &p), 0);
    assert_false(addr_prefix_within(&p, &range));
}

/* Only an IPv6 address can carry another, and few do. */
static void
test_embedded(void **state)
{
    static const char *const none[] = { "192.0.2.1", "127.0.0.1", "2001:db8::1", "fe80::1", "64:ff9c::1", "2003::" };
    struct addr a;
    struct addr inner;
    struct addr want;
    struct addr_prefix range;
    (void)state;
    for (size_t i = 0; i < SP_COUNT(none); i++) {
        assert_int_equal(addr_parse_ip(none[i], &a), 0);
        assert_false(addr_embedded(&a, &inner, &range));
    }
    assert_int_equal(addr_parse_ip("64:ff9b::c000:201", &a), 0);
    assert_int_equal(addr_parse_ip("192.0.2.1", &want), 0);
    assert_true(addr_embedded(&a, &inner, &range));
    assert_true(addr_equal(&inner, &want));
    assert_int_equal(range.bits, 128);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_range_is_special_throughout),
        cmocka_unit_test(test_port_does_not_matter_and_none_is_ordinary),
        cmocka_unit_test(test_opening),
        cmocka_unit_test(test_embedded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
