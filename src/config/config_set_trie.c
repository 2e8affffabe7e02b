/* SPDX-License-Identifier: ISC */
/*
 * The prefixes of a list file as tries in the image: sorted, a prefix stands before those inside it,
 * which is the order of the nodes. Serves config_set.c. Out of memory is the builder's to tell.
 */
#include <stdlib.h>
#include <string.h>

#include "src/config/config_set.h"

#define TRIE_JUMP_MAX 17U   /* bits: a megabyte and a half */
#define TRIE_JUMP_SHARE 7U  /* prefixes for each row, on average */

/* A prefix of either family, its address in the upper bits. */
struct trie_key {
    uint64_t ip[2];
    unsigned bits;
};

struct trie_node {
    struct trie_key key;
    uint32_t upper;
    uint8_t flags;
};

/* A trie being written. */
struct trie {
    const struct config_set *set;
    struct trie_key (*key)(const struct config_set *set, uint32_t i);
    void (*put)(void *nodes, uint32_t i, const struct trie_node *node);
    struct trie_node (*get)(const void *nodes, uint32_t i);
    unsigned bits; /* of an address */
    size_t size;   /* of a node */
    void *nodes;
    uint32_t count;
};

static struct trie_key
trie_key4(const struct config_set *s, uint32_t i)
{
    return (struct trie_key){ { s->four[i] >> 8 << 32, 0 }, (unsigned)(s->four[i] & 0xff) };
}

static struct trie_key
trie_key6(const struct config_set *s, uint32_t i)
{
    return (struct trie_key){ { s->six[i].ip[0], s->six[i].ip[1] }, s->six[i].bits };
}

static void
trie_put4(void *nodes, uint32_t i, const struct trie_node *n)
{
    ((struct image_node4 *)nodes)[i] = (struct image_node4){ .ip = (uint32_t)(n->key.ip[0] >> 32),
        .upper = n->upper,
        .bits = (uint8_t)n->key.bits,
        .flags = n->flags };
}

static void
trie_put6(void *nodes, uint32_t i, const struct trie_node *n)
{
    ((struct image_node6 *)nodes)[i] = (struct image_node6){ .ip = { n->key.ip[0], n->key.ip[1] },
        .upper = n->upper,
        .bits = (uint8_t)n->key.bits,
        .flags = n->flags };
}

static struct trie_node
trie_get4(const void *nodes, uint32_t i)
{
    const struct image_node4 *n = (const struct image_node4 *)nodes + i;
    return (struct trie_node){ { { (uint64_t)n->ip << 32, 0 }, n->bits }, n->upper, n->flags };
}

static struct trie_node
trie_get6(const void *nodes, uint32_t i)
{
    const struct image_node6 *n = (const struct image_node6 *)nodes + i;
    return (struct trie_node){ { { n->ip[0], n->ip[1] }, n->bits }, n->upper, n->flags };
}

static bool
trie_bit(const struct trie_key *k, unsigned bit)
{
    return (k->ip[bit / 64] >> (63 - bit % 64) & 1) != 0;
}

/* Bits at the front that two addresses share, 128 when all. */
static unsigned
trie_common(const struct trie_key *a, const struct trie_key *b)
{
    const uint64_t high = a->ip[0] ^ b->ip[0];
    const uint64_t low = a->ip[1] ^ b->ip[1];
    return high != 0 ? (unsigned)__builtin_clzll(high)
           : low != 0 ? 64 + (unsigned)__builtin_clzll(low)
                      : 128;
}

static void
trie_cut(struct trie_key *k, unsigned bits)
{
    k->bits = bits;
    k->ip[0] &= bits == 0 ? 0 : bits < 64 ? UINT64_MAX << (64 - bits) : UINT64_MAX;
    k->ip[1] &= bits <= 64 ? 0 : bits < 128 ? UINT64_MAX << (128 - bits) : UINT64_MAX;
}

/* The first of the sorted from..to whose address has the bit. */
static uint32_t
trie_split(const struct trie *t, uint32_t from, uint32_t to, unsigned bit)
{
    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;
        const struct trie_key k = t->key(t->set, middle);
        if (trie_bit(&k, bit)) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    return from;
}

/* Writes the node above the sorted from..to (there is one at least), and all below it. Each step down
   has one bit more: the depth is 129 at most. */
static uint32_t
trie_build(struct trie *t, uint32_t from, uint32_t to)
{
    struct trie_key k = t->key(t->set, from);
    const struct trie_key last = t->key(t->set, to - 1);
    const unsigned common = trie_common(&k, &last);
    const bool entry = k.bits <= common;
    const uint32_t node = t->count++;
    const uint32_t rest = from + entry;
    uint32_t upper = 0;
    trie_cut(&k, entry ? k.bits : common);
    const uint32_t split = rest < to ? trie_split(t, rest, to, k.bits) : to;
    if (split > rest) {
        trie_build(t, rest, split);
    }
    if (split < to) {
        upper = trie_build(t, split, to);
    }
    const struct trie_node n = { k, upper,
        (uint8_t)((entry ? IMAGE_NODE_ENTRY : 0) | (split > rest ? IMAGE_NODE_LOWER : 0)) };
    t->put(t->nodes, node, &n);
    return node;
}

static int
trie_compare4(const void *x, const void *y)
{
    const uint64_t a = *(const uint64_t *)x;
    const uint64_t b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

static int
trie_compare6(const void *x, const void *y)
{
    const struct config_set_prefix6 *a = x;
    const struct config_set_prefix6 *b = y;
    for (unsigned i = 0; i < 2; i++) {
        if (a->ip[i] != b->ip[i]) {
            return a->ip[i] < b->ip[i] ? -1 : 1;
        }
    }
    return (int)a->bits - (int)b->bits;
}

/* Sorts and drops what comes again. The number that stays. */
static uint32_t
trie_sort(void *list, uint32_t count, size_t size, int (*compare)(const void *, const void *))
{
    uint8_t *all = list;
    uint32_t kept = 0;
    if (count > 0) {
        qsort(list, count, size, compare);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || compare(all + (kept - 1) * size, all + i * size) != 0) {
            memmove(all + kept++ * size, all + i * size, size);
        }
    }
    return kept;
}

/* Bits of the table: a few prefixes for each of its rows; 0 for a trie that is small anyway. */
static unsigned
trie_jump_bits(uint32_t prefixes, unsigned left)
{
    unsigned bits = 0;
    while (bits < TRIE_JUMP_MAX && bits < left && prefixes >> bits > TRIE_JUMP_SHARE) {
        bits++;
    }
    return bits;
}

/* From the upper end as far down as the bits of the key tell the way. */
static struct image_jump
trie_jump(const struct trie *t, const struct trie_key *k)
{
    struct image_jump j = { 0, 0, 0 };
    uint32_t i = 0;
    do {
        const struct trie_node n = t->get(t->nodes, i);
        if (n.key.bits > k->bits) {
            j.node = i;
            break;
        }
        if (trie_common(&n.key, k) < n.key.bits) {
            break;
        }
        if ((n.flags & IMAGE_NODE_ENTRY) != 0) {
            j.longest = i + 1;
            j.widest = j.widest != 0 ? j.widest : i + 1;
        }
        if (n.key.bits == k->bits) {
            /* What lies below may go on with either bit: it begins here, and nothing above is lost. */
            j.node = n.upper != 0 || (n.flags & IMAGE_NODE_LOWER) != 0 ? i : 0;
            break;
        }
        i = trie_bit(k, n.key.bits) ? n.upper : (n.flags & IMAGE_NODE_LOWER) != 0 ? i + 1 : 0;
    } while (i != 0);
    return j;
}

static void
trie_set_bits(struct trie_key *k, unsigned from, unsigned count, uint32_t value)
{
    for (unsigned i = 0; i < count; i++) {
        const unsigned at = from + i;
        if ((value >> (count - 1 - i) & 1) != 0) {
            k->ip[at / 64] |= UINT64_C(1) << (63 - at % 64);
        }
    }
}

static struct image_list
trie_write_jumps(struct trie *t, struct config_builder *b, struct image_list trie, uint32_t prefixes)
{
    const struct trie_node top = t->get(b->data + trie.off, 0);
    const unsigned bits = trie_jump_bits(prefixes, t->bits - top.key.bits);
    struct image_jump *jumps =
        bits > 0 ? config_builder_reserve(b, sizeof(*jumps), UINT32_C(1) << bits) : NULL;
    if (jumps == NULL) {
        return (struct image_list){ .off = 0 };
    }
    t->nodes = b->data + trie.off; /* it may have moved */
    for (uint32_t i = 0; i < UINT32_C(1) << bits; i++) {
        struct trie_key k = top.key;
        trie_set_bits(&k, top.key.bits, bits, i);
        k.bits += bits;
        jumps[i] = trie_jump(t, &k);
    }
    return config_builder_commit(b, sizeof(*jumps), UINT32_C(1) << bits);
}

/* A trie over n prefixes has less than 2 n nodes. */
static struct image_list
trie_write(struct trie *t, struct config_builder *b, uint32_t prefixes, struct image_list *jumps)
{
    t->nodes = prefixes > 0 ? config_builder_reserve(b, t->size, 2 * prefixes) : NULL;
    if (t->nodes == NULL) {
        return (struct image_list){ .off = 0 };
    }
    trie_build(t, 0, prefixes);
    const struct image_list trie = config_builder_commit(b, t->size, t->count);
    if (trie.count > 0) {
        *jumps = trie_write_jumps(t, b, trie, prefixes);
    }
    return trie;
}

void
config_set_write_tries(struct config_set *s, struct config_builder *b, struct image_set *out)
{
    struct trie four = { s, trie_key4, trie_put4, trie_get4, 32, sizeof(struct image_node4), NULL, 0 };
    struct trie six = { s, trie_key6, trie_put6, trie_get6, 128, sizeof(struct image_node6), NULL, 0 };
    s->four_count = trie_sort(s->four, s->four_count, sizeof(*s->four), trie_compare4);
    s->six_count = trie_sort(s->six, s->six_count, sizeof(*s->six), trie_compare6);
    out->prefixes = s->four_count + s->six_count;
    out->trie4 = trie_write(&four, b, s->four_count, &out->jump4);
    free(s->four);
    s->four = NULL;
    s->four_count = s->four_size = 0;
    out->trie6 = trie_write(&six, b, s->six_count, &out->jump6);
    free(s->six);
    s->six = NULL;
    s->six_count = s->six_size = 0;
}
