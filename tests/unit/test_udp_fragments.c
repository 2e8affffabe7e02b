/* SPDX-License-Identifier: ISC */
/* src/session/udp_fragments.c: RFC 1928 section 7. */
#include "tests/unit/unit.h"

#include "lib/socks/socks5.h"
#include "src/session/udp_fragments.h"

static struct udp_fragments queue;
static uint64_t lost;

static struct socks_udp_header
header(uint8_t fragment, uint16_t port)
{
    static const uint8_t ip[4] = { 192, 0, 2, 1 };
    struct socks_udp_header h = { .fragment = fragment, .atyp = SOCKS5_IPV4,
        .addr = addr_ipv4(ip, port) };

    return h;
}

static enum udp_fragment_result
add(uint8_t fragment, const char *text)
{
    struct socks_udp_header h = header(fragment, 53);

    return udp_fragments_add(&queue, &h, text, strlen(text), &lost);
}

static int
setup(void **state)
{
    (void)state;
    memset(&queue, 0, sizeof queue);
    lost = 0;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    (void)udp_fragments_clear(&queue);
    return 0;
}

static void
expect_whole(const char *text)
{
    struct socks_udp_header h = udp_fragments_header(&queue);

    assert_int_equal(buffer_len(&queue.data), strlen(text));
    assert_memory_equal(buffer_head(&queue.data), text, strlen(text));
    const struct socks_udp_header want = header(0, 53);

    assert_true(addr_equal(&h.addr, &want.addr));
    assert_int_equal(h.atyp, SOCKS5_IPV4);
    assert_int_equal(h.fragment, 0);
}

static void
test_in_order(void **state)
{
    (void)state;
    assert_int_equal(add(1, "one "), UDP_FRAGMENT_HELD);
    assert_int_equal(add(2, ""), UDP_FRAGMENT_HELD);
    assert_int_equal(add(0x83, "three"), UDP_FRAGMENT_WHOLE);
    expect_whole("one three");
    assert_int_equal(udp_fragments_clear(&queue), 3);
    assert_int_equal(add(0x81, "alone"), UDP_FRAGMENT_WHOLE);
    expect_whole("alone");
    assert_int_equal(lost, 0);
}

static void
test_all_positions(void **state)
{
    char want[128] = "";

    (void)state;
    for (uint8_t i = 1; i < 127; i++) {
        assert_int_equal(add(i, "x"), UDP_FRAGMENT_HELD);
        want[i - 1] = 'x';
    }
    want[126] = 'y';
    assert_int_equal(add(0xFF, "y"), UDP_FRAGMENT_WHOLE);
    expect_whole(want);
    /* After 127 there is nothing. */
    (void)udp_fragments_clear(&queue);
    for (uint8_t i = 1; i <= 127; i++)
        assert_int_equal(add(i, "x"), UDP_FRAGMENT_HELD);
    assert_int_equal(add(0x80, "z"), UDP_FRAGMENT_DROPPED);
    assert_int_equal(lost, 128);
}

static void
test_lower_begins_anew(void **state)
{
    (void)state;
    (void)add(1, "a");
    (void)add(2, "b");
    assert_int_equal(add(1, "new "), UDP_FRAGMENT_HELD);
    assert_int_equal(lost, 2);
    assert_int_equal(add(0x82, "one"), UDP_FRAGMENT_WHOLE);
    expect_whole("new one");
}

static void
test_broken_sequences(void **state)
{
    (void)state;
    assert_int_equal(add(2, "b"), UDP_FRAGMENT_DROPPED);
    assert_int_equal(add(0x82, "b"), UDP_FRAGMENT_DROPPED);
    assert_int_equal(add(0x80, "b"), UDP_FRAGMENT_DROPPED);
    assert_int_equal(lost, 3);
    (void)add(1, "a");
    assert_int_equal(add(3, "c"), UDP_FRAGMENT_DROPPED); /* a gap takes the queue along */
    assert_int_equal(lost, 5);
    assert_int_equal(add(2, "b"), UDP_FRAGMENT_DROPPED);
    (void)add(1, "a");
    (void)add(2, "b");
    assert_int_equal(add(2, "b"), UDP_FRAGMENT_DROPPED); /* and so does a repeat */
    assert_int_equal(lost, 9);
    assert_int_equal(queue.highest, 0);
}

static void
test_other_destination(void **state)
{
    struct socks_udp_header other = header(0x82, 54), named = header(2, 53);

    (void)state;
    (void)add(1, "a");
    assert_int_equal(udp_fragments_add(&queue, &other, "b", 1, &lost), UDP_FRAGMENT_DROPPED);
    assert_int_equal(lost, 2);
    (void)add(1, "a");
    named.addr.family = ADDR_NONE;
    named.name = (const uint8_t *)"x";
    named.name_len = 1;
    assert_int_equal(udp_fragments_add(&queue, &named, "b", 1, &lost), UDP_FRAGMENT_DROPPED);
    assert_int_equal(lost, 4);
}

static void
test_names(void **state)
{
    struct socks_udp_header h = { .fragment = 1, .atyp = SOCKS5_NAME, .addr = { .port = 7 },
        .name = (const uint8_t *)"example.com", .name_len = 11 };

    (void)state;
    assert_int_equal(udp_fragments_add(&queue, &h, "a", 1, &lost), UDP_FRAGMENT_HELD);
    h.fragment = 0x82;
    assert_int_equal(udp_fragments_add(&queue, &h, "b", 1, &lost), UDP_FRAGMENT_WHOLE);
    h = udp_fragments_header(&queue);
    assert_int_equal(h.atyp, SOCKS5_NAME);
    assert_int_equal(h.name_len, 11);
    assert_memory_equal(h.name, "example.com", 11);
    assert_int_equal(h.addr.port, 7);
    /* Another name of the same length is another destination. */
    h.fragment = 3;
    h.name = (const uint8_t *)"example.net";
    assert_int_equal(udp_fragments_add(&queue, &h, "c", 1, &lost), UDP_FRAGMENT_DROPPED);
    assert_int_equal(lost, 3);
}

static void
test_ipv6(void **state)
{
    static const uint8_t ip[16] = { 0x20, 0x01, 0x0d, 0xb8 };
    struct socks_udp_header h = { .fragment = 0x81, .atyp = SOCKS5_IPV6, .addr = addr_ipv6(ip, 53) };

    (void)state;
    assert_int_equal(udp_fragments_add(&queue, &h, "six", 3, &lost), UDP_FRAGMENT_WHOLE);
    h = udp_fragments_header(&queue);
    assert_int_equal(h.atyp, SOCKS5_IPV6);
    assert_int_equal(h.name_len, 0);
}

static void
test_too_long(void **state)
{
    static char big[40000];
    struct socks_udp_header h = header(1, 53);

    (void)state;
    assert_int_equal(udp_fragments_add(&queue, &h, big, sizeof big, &lost), UDP_FRAGMENT_HELD);
    h.fragment = 2;
    assert_int_equal(udp_fragments_add(&queue, &h, big, sizeof big, &lost), UDP_FRAGMENT_DROPPED);
    assert_int_equal(lost, 2);
    assert_int_equal(buffer_len(&queue.data), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_in_order),
        TEST(test_all_positions),
        TEST(test_lower_begins_anew),
        TEST(test_broken_sequences),
        TEST(test_other_destination),
        TEST(test_names),
        TEST(test_ipv6),
        TEST(test_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
