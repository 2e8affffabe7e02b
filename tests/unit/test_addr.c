/* SPDX-License-Identifier: ISC */
/* lib/base/addr.c */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "lib/base/addr.h"

static struct addr
parsed_ip(const char *text)
{
    struct addr a;
    if (addr_parse_ip(text, &a) != 0) {
        fail_msg("%s is not an address", text);
    }
    return a;
}

static void
test_parse_ip(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int family; /* 0: refused */
        const char *again;
    } rows[] = {
        { "192.0.2.1", ADDR_IPV4, "192.0.2.1" },
        { "0.0.0.0", ADDR_IPV4, "0.0.0.0" },
        { "255.255.255.255", ADDR_IPV4, "255.255.255.255" },
        { "2001:DB8:0:0::1", ADDR_IPV6, "2001:db8::1" },
        { "::", ADDR_IPV6, "::" },
        { "::ffff:192.0.2.1", ADDR_IPV6, "::ffff:192.0.2.1" },
        { "", 0, NULL },
        { "127.1", 0, NULL },
        { "0x7f000001", 0, NULL },
        { "192.0.2.256", 0, NULL },
        { "192.0.2.01", 0, NULL },
        { " 192.0.2.1", 0, NULL },
        { "192.0.2.1 ", 0, NULL },
        { "[::1]", 0, NULL },
        { "fe80::1%lo", 0, NULL },
        { "::1::", 0, NULL },
        { "name", 0, NULL },
    };
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct addr a;
        const int result = addr_parse_ip(rows[i].text, &a);
        assert_int_equal(result, rows[i].family == 0 ? -1 : 0);
        if (result == 0) {
            char text[ADDR_TEXT_MAX];
            assert_int_equal(a.family, rows[i].family);
            assert_int_equal(a.port, 0);
            assert_int_equal(addr_format_ip(&a, text), strlen(rows[i].again));
            assert_string_equal(text, rows[i].again);
        }
    }
}

static void
test_parse_with_port(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int port; /* -1: refused */
    } rows[] = {
        { "192.0.2.1:80", 80 },
        { "192.0.2.1:0", 0 },
        { "192.0.2.1:65535", 65535 },
        { "[2001:db8::1]:1080", 1080 },
        { "[::]:1080", 1080 },
        { "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", 65535 },
        { "192.0.2.1:65536", -1 },
        { "192.0.2.1:000080", -1 },
        { "192.0.2.1:", -1 },
        { "192.0.2.1:-1", -1 },
        { "192.0.2.1:+1", -1 },
        { "192.0.2.1: 1", -1 },
        { "192.0.2.1:80x", -1 },
        { "192.0.2.1", -1 },
        { "::1:80", -1 },
        { "[::1]", -1 },
        { "[::1]80", -1 },
        { "[::1]:", -1 },
        { "[192.0.2.1]:80", -1 },
        { "[]:80", -1 },
        { "[:80", -1 },
        { ":80", -1 },
        { "", -1 },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1",
            -1 },
    };
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct addr a;
        const int result = addr_parse(rows[i].text, &a);
        assert_int_equal(result, rows[i].port < 0 ? -1 : 0);
        if (result == 0) {
            char text[ADDR_TEXT_MAX];
            assert_int_equal(a.port, rows[i].port);
            assert_int_equal(addr_format(&a, text), strlen(rows[i].text));
            assert_string_equal(text, rows[i].text);
        }
    }
}

static void
test_format_longest_and_none(void **state)
{
    (void)state;
    char text[ADDR_TEXT_MAX];
    uint8_t ip[16];
    memset(ip, 0xff, sizeof(ip));
    const struct addr a = addr_ipv6(ip, 65535);
    const size_t len = addr_format(&a, text);
    assert_int_equal(len, strlen(text));
    assert_string_equal(text, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
    const struct addr none = { .family = ADDR_NONE, .port = 5 };
    assert_int_equal(addr_format(&none, text), 0);
    assert_string_equal(text, "");
    assert_int_equal(addr_format_ip(&none, text), 0);
}

static void
test_sockaddr_round_trip(void **state)
{
    (void)state;
    static const char *const rows[] = { "192.0.2.7:1080", "[2001:db8::7]:443", "0.0.0.0:0" };
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct addr a;
        struct sockaddr_storage ss;
        assert_int_equal(addr_parse(rows[i], &a), 0);
        const socklen_t len = addr_to_sockaddr(&a, &ss);
        assert_int_equal(
            len, a.family == ADDR_IPV4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
        const struct addr b = addr_from_sockaddr((struct sockaddr *)&ss, len);
        assert_true(addr_equal(&a, &b));
    }
}

static void
test_sockaddr_is_network_order(void **state)
{
    (void)state;
    struct addr a;
    struct sockaddr_storage ss;
    assert_int_equal(addr_parse("192.0.2.7:1080", &a), 0);
    (void)addr_to_sockaddr(&a, &ss);
    const struct sockaddr_in *in = (const struct sockaddr_in *)&ss;
    assert_int_equal(in->sin_port, htons(1080));
    assert_int_equal(in->sin_addr.s_addr, inet_addr("192.0.2.7"));
}

static void
test_from_sockaddr_unmaps(void **state)
{
    (void)state;
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.9", &in6.sin6_addr), 1);
    const struct addr a = addr_from_sockaddr((struct sockaddr *)&in6, sizeof(in6));
    struct addr wanted;
    assert_int_equal(addr_parse("192.0.2.9:9", &wanted), 0);
    assert_true(addr_equal(&a, &wanted));
}

static void
test_scope_is_kept_for_link_local_only(void **state)
{
    (void)state;
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_scope_id = 3 };
    struct sockaddr_storage ss;
    assert_int_equal(inet_pton(AF_INET6, "fe80::1", &in6.sin6_addr), 1);
    struct addr a = addr_from_sockaddr((struct sockaddr *)&in6, sizeof(in6));
    assert_int_equal(a.scope, 3);
    assert_int_equal(addr_to_sockaddr(&a, &ss), sizeof(in6));
    assert_int_equal(((struct sockaddr_in6 *)&ss)->sin6_scope_id, 3);
    const struct addr other_link = { .family = a.family, .scope = 4 };
    assert_false(addr_equal_ip(&a, &other_link));
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr), 1);
    a = addr_from_sockaddr((struct sockaddr *)&in6, sizeof(in6));
    assert_int_equal(a.scope, 0);
}

static void
test_from_sockaddr_refuses(void **state)
{
    (void)state;
    const struct sockaddr_un un = { .sun_family = AF_UNIX };
    assert_int_equal(
        addr_from_sockaddr((const struct sockaddr *)&un, sizeof(un)).family, ADDR_NONE);
    const struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    assert_int_equal(
        addr_from_sockaddr((const struct sockaddr *)&in6, sizeof(in6) - 1).family, ADDR_NONE);
    const struct sockaddr_in in = { .sin_family = AF_INET };
    assert_int_equal(
        addr_from_sockaddr((const struct sockaddr *)&in, sizeof(in) - 1).family, ADDR_NONE);
    assert_int_equal(addr_from_sockaddr((const struct sockaddr *)&in, 0).family, ADDR_NONE);
    struct sockaddr_storage ss;
    const struct addr none = { .family = ADDR_NONE };
    assert_int_equal(addr_to_sockaddr(&none, &ss), 0);
}

static void
test_unmap(void **state)
{
    (void)state;
    struct addr a;
    assert_int_equal(addr_parse("[::ffff:10.1.2.3]:7", &a), 0);
    const struct addr b = addr_unmap(&a);
    char text[ADDR_TEXT_MAX];
    (void)addr_format(&b, text);
    assert_string_equal(text, "10.1.2.3:7");
    static const char *const kept[] = { "::1", "::10.1.2.3", "::fffe:10.1.2.3", "10.1.2.3", "::" };
    for (size_t i = 0; i < SP_COUNT(kept); i++) {
        const struct addr k = parsed_ip(kept[i]);
        const struct addr u = addr_unmap(&k);
        assert_true(addr_equal(&k, &u));
    }
}

static void
test_equal_zero_hash(void **state)
{
    (void)state;
    struct addr a;
    struct addr b;
    assert_int_equal(addr_parse("192.0.2.1:80", &a), 0);
    assert_int_equal(addr_parse("192.0.2.1:81", &b), 0);
    assert_false(addr_equal(&a, &b));
    assert_true(addr_equal_ip(&a, &b));
    assert_true(addr_hash_ip(&a) == addr_hash_ip(&b));
    b = parsed_ip("192.0.2.2");
    assert_false(addr_equal_ip(&a, &b));
    assert_true(addr_hash_ip(&a) != addr_hash_ip(&b));
    const struct addr zero4 = parsed_ip("0.0.0.0");
    const struct addr zero6 = parsed_ip("::");
    assert_true(addr_is_zero(&zero4));
    assert_true(addr_is_zero(&zero6));
    assert_false(addr_equal_ip(&zero4, &zero6));
    assert_true(addr_hash_ip(&zero4) != addr_hash_ip(&zero6));
    assert_false(addr_is_zero(&a));
    assert_false(addr_is_zero(&(struct addr){ .family = ADDR_NONE }));
}

/* A thousand neighbours fill a table of 4,096 about as evenly as chance would. */
static void
test_hash_spreads_neighbours(void **state)
{
    (void)state;
    static uint8_t hit[4096];
    unsigned filled = 0;
    for (unsigned i = 0; i < 1000; i++) {
        const uint8_t ip[4] = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i };
        const struct addr a = addr_ipv4(ip, 0);
        uint8_t *cell = &hit[addr_hash_ip(&a) % sizeof(hit)];
        filled += *cell == 0;
        *cell = 1;
    }
    assert_true(filled > 800);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_ip),
        cmocka_unit_test(test_parse_with_port),
        cmocka_unit_test(test_format_longest_and_none),
        cmocka_unit_test(test_sockaddr_round_trip),
        cmocka_unit_test(test_sockaddr_is_network_order),
        cmocka_unit_test(test_from_sockaddr_unmaps),
        cmocka_unit_test(test_scope_is_kept_for_link_local_only),
        cmocka_unit_test(test_from_sockaddr_refuses),
        cmocka_unit_test(test_unmap),
        cmocka_unit_test(test_equal_zero_hash),
        cmocka_unit_test(test_hash_spreads_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
