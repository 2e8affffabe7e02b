/* SPDX-License-Identifier: ISC */
/*
 * Destinations that a gateway must not reach by accident: itself, the link, groups. Serves the
 * rules, which close them unless a prefix inside the range opens them. Nothing here is fatal.
 */
#include "lib/base/addr.h"

#include <string.h>

struct special {
    const char *name;
    struct addr_prefix range;
};

/* clang-format off */
#define SPECIAL(name, family, bits, ...) { name, { family, bits, { 0, 0 }, { __VA_ARGS__ } } }
/* clang-format on */

/* 0.0.0.0 apart from the rest of 0.0.0.0/8: Linux connects it to the host itself, so that opening
   it takes a prefix that names nothing else. */
static const struct special special_ranges[] = {
    SPECIAL("unspecified", ADDR_IPV4, 32, 0, 0, 0, 0),
    SPECIAL("this-network", ADDR_IPV4, 8, 0),
    SPECIAL("loopback", ADDR_IPV4, 8, 127),
    SPECIAL("link-local", ADDR_IPV4, 16, 169, 254),
    SPECIAL("multicast", ADDR_IPV4, 4, 224),
    SPECIAL("broadcast", ADDR_IPV4, 32, 255, 255, 255, 255),
    SPECIAL("unspecified", ADDR_IPV6, 128, 0),
    SPECIAL("loopback", ADDR_IPV6, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    SPECIAL("link-local", ADDR_IPV6, 10, 0xfe, 0x80),
    SPECIAL("multicast", ADDR_IPV6, 8, 0xff),
};

/* Where an IPv6 prefix carries an IPv4 address: in the 4 octets from offset on. The mapped form is
   not among them, addr_unmap() takes care of it. RFC 8215's local-use /48 is read in the layout of
   a /96; the octets between belong to whoever runs the translator. */
static const struct embedding {
    struct addr_prefix prefix;
    uint8_t offset;
} special_embeddings[] = {
    { { ADDR_IPV6, 96, { 0, 0 }, { 0 } }, 12 },                            /* ::a.b.c.d */
    { { ADDR_IPV6, 96, { 0, 0 }, { 0x00, 0x64, 0xff, 0x9b } }, 12 },       /* 64:ff9b::/96 */
    { { ADDR_IPV6, 48, { 0, 0 }, { 0x00, 0x64, 0xff, 0x9b, 0, 1 } }, 12 }, /* 64:ff9b:1::/48 */
    { { ADDR_IPV6, 16, { 0, 0 }, { 0x20, 0x02 } }, 2 },                    /* 2002::/16 */
};

static const struct special *
special_find(const struct addr *a)
{
    for (size_t i = 0; i < SP_COUNT(special_ranges); i++) {
        if (addr_prefix_contains(&special_ranges[i].range, a)) {
            return &special_ranges[i];
        }
    }
    return NULL;
}

/* The prefix of all addresses that carry an address of inner the way a does, offset octets in. */
static struct addr_prefix
special_embed(const struct addr *a, uint8_t offset, const struct addr_prefix *inner)
{
    struct addr_prefix range = { .family = ADDR_IPV6, .bits = (uint8_t)(offset * 8 + inner->bits) };
    memcpy(range.ip, a->ip, offset);
    memcpy(range.ip + offset, inner->ip, 4);
    return range;
}

bool
addr_embedded(const struct addr *a, struct addr *inner, struct addr_prefix *range)
{
    for (size_t i = 0; a->family == ADDR_IPV6 && i < SP_COUNT(special_embeddings); i++) {
        const struct embedding *e = &special_embeddings[i];
        if (addr_prefix_contains(&e->prefix, a)) {
            struct addr_prefix whole = { .family = ADDR_IPV4, .bits = 32 };
            *inner = addr_ipv4(a->ip + e->offset, 0);
            memcpy(whole.ip, inner->ip, sizeof(whole.ip));
            *range = special_embed(a, e->offset, &whole);
            return true;
        }
    }
    return false;
}

static const char *
special_find_embedded(const struct addr *a, struct addr_prefix *range)
{
    struct addr inner;
    if (!addr_embedded(a, &inner, range)) {
        return NULL;
    }
    const struct special *s = special_find(&inner);
    if (s != NULL) {
        const uint8_t offset = (uint8_t)(range->bits / 8 - 4);
        *range = special_embed(a, offset, &s->range);
    }
    return s != NULL ? s->name : NULL;
}

const char *
addr_special(const struct addr *a, struct addr_prefix *range)
{
    const struct addr plain = addr_unmap(a);
    const struct special *s = special_find(&plain);
    struct addr_prefix unwanted;
    if (range == NULL) {
        range = &unwanted;
    }
    if (s != NULL) {
        *range = s->range;
        return s->name;
    }
    return plain.family == ADDR_IPV6 ? special_find_embedded(&plain, range) : NULL;
}
