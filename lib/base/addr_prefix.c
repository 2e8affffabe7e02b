/* SPDX-License-Identifier: ISC */
/*
 * Address prefixes. Serves the rules and the configuration. Text that is no prefix is an answer;
 * nothing here is fatal.
 */
#include "lib/base/addr.h"

#include <stdio.h>
#include <string.h>

#define PREFIX_MAPPED_BITS 96

static unsigned
prefix_family_bits(uint8_t family)
{
    return family == ADDR_IPV4 ? 32 : family == ADDR_IPV6 ? 128 : 0;
}

/* True when the first bits of x and y are the same. */
static bool
prefix_same(const uint8_t x[16], const uint8_t y[16], unsigned bits)
{
    const unsigned whole = bits / 8;
    const unsigned rest = bits % 8;
    if (memcmp(x, y, whole) != 0) {
        return false;
    }
    return rest == 0 || ((x[whole] ^ y[whole]) >> (8 - rest)) == 0;
}

/* True when nothing is set behind the first bits. */
static bool
prefix_host_is_zero(const uint8_t ip[16], unsigned bits)
{
    for (unsigned i = bits; i < 128; i++) {
        if (ip[i / 8] & (0x80U >> (i % 8))) {
            return false;
        }
    }
    return true;
}

/* The one form that rules see: a prefix inside ::ffff:0:0/96 is an IPv4 prefix. */
static struct addr_prefix
prefix_unmap(const struct addr_prefix *p)
{
    if (p->family != ADDR_IPV6 || p->bits < PREFIX_MAPPED_BITS) {
        return *p;
    }
    const struct addr whole = addr_ipv6(p->ip, 0);
    const struct addr a = addr_unmap(&whole);
    if (a.family != ADDR_IPV4) {
        return *p;
    }
    struct addr_prefix q = { .family = ADDR_IPV4, .bits = (uint8_t)(p->bits - PREFIX_MAPPED_BITS) };
    memcpy(q.ip, a.ip, sizeof(q.ip));
    return q;
}

/* "0".."128" without leading zeros. -1 for anything else. */
static int
prefix_parse_bits(const char *text)
{
    int value = 0;
    size_t n = 0;
    for (; text[n] >= '0' && text[n] <= '9' && n < 3; n++) {
        value = value * 10 + (text[n] - '0');
    }
    if (n == 0 || text[n] != '\0' || (n > 1 && text[0] == '0')) {
        return -1;
    }
    return value;
}

int
addr_prefix_parse(const char *text, struct addr_prefix *out)
{
    char copy[ADDR_TEXT_MAX];
    const char *slash = strchr(text, '/');
    const size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    if (len >= sizeof(copy)) {
        return -1;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    struct addr a;
    if (addr_parse_ip(copy, &a) != 0) {
        return -1;
    }
    const int most = (int)prefix_family_bits(a.family);
    const int bits = slash != NULL ? prefix_parse_bits(slash + 1) : most;
    if (bits < 0 || bits > most || !prefix_host_is_zero(a.ip, (unsigned)bits)) {
        return -1;
    }
    struct addr_prefix p = { .family = a.family, .bits = (uint8_t)bits };
    memcpy(p.ip, a.ip, sizeof(p.ip));
    *out = prefix_unmap(&p);
    return 0;
}

size_t
addr_prefix_format(const struct addr_prefix *p, char text[ADDR_TEXT_MAX])
{
    const struct addr a = p->family == ADDR_IPV4 ? addr_ipv4(p->ip, 0) : addr_ipv6(p->ip, 0);
    const size_t len = p->family == ADDR_NONE ? 0 : addr_format_ip(&a, text);
    if (len == 0) {
        text[0] = '\0';
        return 0;
    }
    const int n = snprintf(text + len, ADDR_TEXT_MAX - len, "/%u", (unsigned)p->bits);
    return n > 0 ? len + (size_t)n : len;
}

bool
addr_prefix_contains(const struct addr_prefix *p, const struct addr *a)
{
    const struct addr_prefix q = prefix_unmap(p);
    const struct addr b = addr_unmap(a);
    return q.family != ADDR_NONE && q.family == b.family && prefix_same(q.ip, b.ip, q.bits);
}

bool
addr_prefix_within(const struct addr_prefix *inner, const struct addr_prefix *outer)
{
    const struct addr_prefix i = prefix_unmap(inner);
    const struct addr_prefix o = prefix_unmap(outer);
    return o.family != ADDR_NONE && i.family == o.family && i.bits >= o.bits &&
           prefix_same(i.ip, o.ip, o.bits);
}
