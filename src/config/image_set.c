/* SPDX-License-Identifier: ISC */
/*
 * Looks things up in the list files of an image. Serves the verdict. What it reads was checked when the
 * image was opened (image_set_check.c); nothing here can fail.
 */
#include "src/config/image_set.h"

#include <endian.h>
#include <string.h>

#include "src/config/image_priv.h"

#define SET_NEXT_NODES 16U

static const void *
set_first(const struct image *image, struct image_list list)
{
    return image->base + list.off;
}

const struct image_set *
image_set(const struct image *image, uint32_t i)
{
    return IMAGE_AT(image, image_settings(image)->sets, struct image_set, i);
}

/* --- names ---------------------------------------------------------------------------------------- */

static uint64_t
hash_mix(uint64_t a, uint64_t b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Eight octets at a time, folded by a multiplication; what is over fills one more word. */
uint64_t
image_set_hash(uint64_t seed, const char *text, size_t len)
{
    const uint64_t factor = UINT64_C(0xa0761d6478bd642f);
    uint64_t h = seed ^ UINT64_C(0xe7037ed1a0b428db);
    uint64_t word;
    size_t left = len;
    for (; left >= sizeof(word); left -= sizeof(word), text += sizeof(word)) {
        memcpy(&word, text, sizeof(word));
        h = hash_mix(h ^ le64toh(word), factor ^ seed);
    }
    word = 0;
    memcpy(&word, text, left);
    h = hash_mix(h ^ le64toh(word), factor ^ seed);
    return hash_mix(h ^ len, UINT64_C(0x8ebc6af09c88c6e3));
}

static bool
set_has_text(const struct image *image, const struct image_set *set, const char *text, size_t len)
{
    const struct image_slot *slots = set_first(image, set->slots);
    const char *texts = set_first(image, set->texts);
    const uint64_t hash = image_set_hash(set->seed, text, len);
    for (uint32_t at = (uint32_t)hash & set->hash_mask; slots[at].name != 0;
         at = (at + 1) & set->hash_mask) {
        if (slots[at].tag == (uint32_t)(hash >> 32) && strcmp(texts + slots[at].name - 1, text) == 0) {
            return true;
        }
    }
    return false;
}

static bool
set_has_depth(const struct image_set *set, unsigned labels)
{
    return labels < 128 && (set->depths[labels / 64] >> (labels % 64) & 1) != 0;
}

bool
image_set_has_name(const struct image *image, const struct image_set *set, const char *name)
{
    if (name == NULL || set->slots.count == 0) {
        return false;
    }
    const size_t len = strlen(name);
    if (set->names > 0 && set_has_text(image, set, name, len)) {
        return true;
    }
    unsigned labels = 0;
    for (size_t at = len; set->suffixes > 0 && at-- > 1;) {
        if (name[at] == '.' && set_has_depth(set, ++labels) &&
            set_has_text(image, set, name + at, len - at)) {
            return true;
        }
    }
    return false;
}

/* --- prefixes ------------------------------------------------------------------------------------- */

static uint32_t
set_ip4(const struct addr *a)
{
    uint32_t ip;
    memcpy(&ip, a->ip, sizeof(ip));
    return be32toh(ip);
}

static void
set_out4(const struct image_node4 *n, struct addr_prefix *out)
{
    const uint32_t ip = htobe32(n->ip);
    *out = (struct addr_prefix){ .family = ADDR_IPV4, .bits = n->bits };
    memcpy(out->ip, &ip, sizeof(ip));
}

static void
set_out6(const struct image_node6 *n, struct addr_prefix *out)
{
    const uint64_t ip[2] = { htobe64(n->ip[0]), htobe64(n->ip[1]) };
    *out = (struct addr_prefix){ .family = ADDR_IPV6, .bits = n->bits };
    memcpy(out->ip, ip, sizeof(ip));
}

/* Where to go on below node i, by a bit of the address; 0: nowhere. */
static uint32_t
set_below(uint32_t i, uint8_t flags, uint32_t upper, bool bit)
{
    return bit ? upper : (flags & IMAGE_NODE_LOWER) != 0 ? i + 1 : 0;
}

/* The K bits of an address (at its upper end) behind so many, K: the power of two that count is. */
static uint32_t
set_jump(unsigned __int128 ip, unsigned behind, uint32_t count)
{
    return (uint32_t)(ip << behind >> (128 - (unsigned)__builtin_ctz(count)));
}

/* Where a look-up goes on, and what it has found by then (a node plus 1, or 0). */
struct set_walk {
    uint32_t node; /* 0: it is at its end */
    uint32_t found;
};

/* From the node of the upper end, which holds the address, by the table; it has one. */
static struct set_walk
set_begin(const struct image *image, struct image_list jumps, unsigned __int128 ip, unsigned behind,
    bool widest)
{
    const struct image_jump *all = set_first(image, jumps);
    const struct image_jump *j = &all[set_jump(ip, behind, jumps.count)];
    return widest && j->widest != 0 ? (struct set_walk){ 0, j->widest }
                                    : (struct set_walk){ j->node, j->longest };
}

/* The node of the first (widest) entry on the way to ip, or of the last one; NULL when there is none. */
static const struct image_node4 *
set_find4(const struct image *image, struct image_list trie, struct image_list jumps, uint32_t ip,
    bool widest)
{
    const struct image_node4 *nodes = set_first(image, trie);
    struct set_walk w = { 0, 0 };
    if (nodes[0].bits != 0 && (nodes[0].ip ^ ip) >> (32 - nodes[0].bits) != 0) {
        return NULL;
    }
    if (jumps.count > 0) {
        w = set_begin(image, jumps, (unsigned __int128)ip << 96, nodes[0].bits, widest);
        if (w.node == 0) {
            return w.found != 0 ? &nodes[w.found - 1] : NULL;
        }
    }
    do {
        const struct image_node4 *n = &nodes[w.node];
        if (n->bits != 0 && (n->ip ^ ip) >> (32 - n->bits) != 0) {
            break;
        }
        if ((n->flags & IMAGE_NODE_ENTRY) != 0) {
            w.found = w.node + 1;
            if (widest) {
                break;
            }
        }
        w.node = n->bits == 32
                     ? 0
                     : set_below(w.node, n->flags, n->upper, (ip >> (31 - n->bits) & 1) != 0);
    } while (w.node != 0);
    return w.found != 0 ? &nodes[w.found - 1] : NULL;
}

static bool
set_inside6(const struct image_node6 *n, const uint64_t ip[2])
{
    if (n->bits <= 64) {
        return n->bits == 0 || (n->ip[0] ^ ip[0]) >> (64 - n->bits) == 0;
    }
    return n->ip[0] == ip[0] && (n->ip[1] ^ ip[1]) >> (128 - n->bits) == 0;
}

static const struct image_node6 *
set_find6(const struct image *image, struct image_list trie, struct image_list jumps,
    const uint64_t ip[2], bool widest)
{
    const struct image_node6 *nodes = set_first(image, trie);
    struct set_walk w = { 0, 0 };
    if (!set_inside6(&nodes[0], ip)) {
        return NULL;
    }
    if (jumps.count > 0) {
        w = set_begin(image, jumps, (unsigned __int128)ip[0] << 64 | ip[1], nodes[0].bits, widest);
        if (w.node == 0) {
            return w.found != 0 ? &nodes[w.found - 1] : NULL;
        }
    }
    do {
        const struct image_node6 *n = &nodes[w.node];
        if (!set_inside6(n, ip)) {
            break;
        }
        if ((n->flags & IMAGE_NODE_ENTRY) != 0) {
            w.found = w.node + 1;
            if (widest) {
                break;
            }
        }
        const bool bit = n->bits < 128 && (ip[n->bits / 64] >> (63 - n->bits % 64) & 1) != 0;
        w.node = n->bits == 128 ? 0 : set_below(w.node, n->flags, n->upper, bit);
    } while (w.node != 0);
    return w.found != 0 ? &nodes[w.found - 1] : NULL;
}

static bool
set_find(const struct image *image, const struct image_set *set, const struct addr *a, bool widest,
    struct addr_prefix *out)
{
    if (a->family == ADDR_IPV4 && set->trie4.count > 0) {
        const struct image_node4 *n = set_find4(image, set->trie4, set->jump4, set_ip4(a), widest);
        if (n != NULL) {
            set_out4(n, out);
        }
        return n != NULL;
    }
    if (a->family == ADDR_IPV6 && set->trie6.count > 0) {
        uint64_t ip[2];
        memcpy(ip, a->ip, sizeof(ip));
        ip[0] = be64toh(ip[0]);
        ip[1] = be64toh(ip[1]);
        const struct image_node6 *n = set_find6(image, set->trie6, set->jump6, ip, widest);
        if (n != NULL) {
            set_out6(n, out);
        }
        return n != NULL;
    }
    return false;
}

bool
image_set_longest(const struct image *image, const struct image_set *set, const struct addr *a,
    struct addr_prefix *out)
{
    return set_find(image, set, a, false, out);
}

bool
image_set_shortest(const struct image *image, const struct image_set *set, const struct addr *a,
    struct addr_prefix *out)
{
    return set_find(image, set, a, true, out);
}

/* Node i of both tries, one behind the other; true when it is an entry. */
static bool
set_node(const struct image *image, const struct image_set *set, uint32_t i, struct addr_prefix *out)
{
    if (i < set->trie4.count) {
        const struct image_node4 *n = (const struct image_node4 *)set_first(image, set->trie4) + i;
        set_out4(n, out);
        return (n->flags & IMAGE_NODE_ENTRY) != 0;
    }
    const struct image_node6 *n =
        (const struct image_node6 *)set_first(image, set->trie6) + (i - set->trie4.count);
    set_out6(n, out);
    return (n->flags & IMAGE_NODE_ENTRY) != 0;
}

enum image_set_next
image_set_next(const struct image *image, const struct image_set *set, uint32_t *at,
    struct addr_prefix *out)
{
    const uint32_t count = set->trie4.count + set->trie6.count;
    for (unsigned n = 0; n < SET_NEXT_NODES && *at < count; n++) {
        struct addr_prefix found;
        if (set_node(image, set, (*at)++, &found)) {
            *out = found;
            return IMAGE_SET_PREFIX;
        }
    }
    return *at < count ? IMAGE_SET_MORE : IMAGE_SET_END;
}
