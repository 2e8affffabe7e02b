/* SPDX-License-Identifier: ISC */
/* lib/socks/udp.c */
#include "tests/unit/unit.h"

#include "lib/socks/socks5.h"
#include "lib/socks/udp.h"

#define MESSAGE(...) ((const uint8_t[]) { __VA_ARGS__ }), sizeof((const uint8_t[]) { __VA_ARGS__ })

/* Every prefix is too short, the whole and anything behind it is the same header. */
static void
header_splits(const uint8_t *message, size_t len, struct socks_udp_header *out)
{
    for (size_t n = 0; n < len; n++) {
        uint8_t *copy = unit_copy(message, n);

        assert_false(socks_udp_decode(copy, n, out));
        assert_string_equal(out->error, "length");
        assert_int_equal(out->used, 0);
        free(copy);
    }
    assert_true(socks_udp_decode(message, len, out));
    assert_int_equal(out->used, len);
    assert_null(out->error);
    uint8_t *more = calloc(1, len + 9);
    struct socks_udp_header again;

    memcpy(more, message, len);
    assert_true(socks_udp_decode(more, len + 9, &again));
    assert_int_equal(again.used, len);
    free(more);
}

static void
expect_fault(const uint8_t *message, size_t len, const char *field)
{
    struct socks_udp_header h;

    assert_false(socks_udp_decode(message, len, &h));
    assert_string_equal(h.error, field);
}

static void
test_addresses(void **state)
{
    (void)state;
    struct socks_udp_header h;
    uint8_t out[SOCKS_UDP_HEADER_MAX];
    const uint8_t four[] = { 0, 0, 0x83, 1, 192, 0, 2, 1, 0x12, 0x34 };
    const uint8_t six[] = { 0, 0, 0, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 53 };

    header_splits(four, sizeof four, &h);
    assert_int_equal(h.fragment, 0x83);
    assert_int_equal(h.addr.family, ADDR_IPV4);
    assert_int_equal(h.addr.port, 0x1234);
    assert_int_equal(socks_udp_encode(0x83, &h.addr, out), SOCKS_UDP_HEADER_IPV4);
    assert_memory_equal(out, four, sizeof four);
    header_splits(six, sizeof six, &h);
    assert_int_equal(h.addr.family, ADDR_IPV6);
    assert_int_equal(h.addr.port, 53);
    assert_int_equal(socks_udp_encode(0, &h.addr, out), SOCKS_UDP_HEADER_IPV6);
    assert_memory_equal(out, six, sizeof six);
}

static void
test_names(void **state)
{
    (void)state;
    for (unsigned len = 1; len <= 255; len++) {
        uint8_t message[SOCKS_UDP_HEADER_MAX] = { 0, 0, 0, SOCKS5_NAME, (uint8_t)len };
        struct socks_udp_header h;

        memset(message + 5, 'a', len);
        message[5 + len] = 1;
        message[6 + len] = 187;
        header_splits(message, 7 + len, &h);
        assert_int_equal(h.name_len, len);
        assert_memory_equal(h.name, message + 5, len);
        assert_int_equal(h.addr.family, ADDR_NONE);
        assert_int_equal(h.addr.port, 443);
    }
}

static void
test_faults(void **state)
{
    (void)state;
    expect_fault(MESSAGE(0, 1, 0, 1, 192, 0, 2, 1, 0, 53), "reserved");
    expect_fault(MESSAGE(128, 0, 0, 1, 192, 0, 2, 1, 0, 53), "reserved");
    expect_fault(MESSAGE(0, 0, 0, 3, 0, 0, 53, 1), "name");
    for (unsigned atyp = 0; atyp < 256; atyp++) {
        const uint8_t message[] = { 0, 0, 0, (uint8_t)atyp, 1, 2, 3, 4, 5, 6 };

        if (atyp != SOCKS5_IPV4 && atyp != SOCKS5_NAME && atyp != SOCKS5_IPV6)
            expect_fault(message, sizeof message, "address-type");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
