/* SPDX-License-Identifier: ISC */
/*
 * Whether the list files of an image can be walked: every offset inside, every walk with an end. Serves
 * image_check() alone; its time is linear in the size of the image. Unsound is an answer.
 */

#include "src/config/image_priv.h"
#include "src/config/image_set.h"

#define SET_BITS_MAX 128U

/* Names end inside the texts, and a walk for one that is not there meets a free place. */
static const char *
set_check_names(const struct image *image, const struct image_set *s)
{
    const uint32_t count = s->slots.count;
    uint32_t used = 0;
    if (count == 0) {
        return s->names == 0 && s->suffixes == 0 && s->texts.count == 0 ? NULL
                                                                        : "a list has names, but no hash";
    }
    if ((count & (count - 1)) != 0 || s->hash_mask != count - 1 || s->texts.count == 0) {
        return "the hash of a list has a wrong size";
    }
    const char *texts = (const char *)image->base + s->texts.off;
    const struct image_slot *slots = IMAGE_AT(image, s->slots, struct image_slot, 0);
    if (texts[s->texts.count - 1] != '\0') {
        return "the names of a list have no end";
    }
    for (uint32_t i = 0; i < count; i++) {
        if (slots[i].name > s->texts.count) {
            return "a name of a list lies outside";
        }
        used += slots[i].name != 0;
    }
    return used < count ? NULL : "the hash of a list has no free place";
}

/* A node of either trie, and what lies below it. */
struct set_node {
    uint32_t upper;
    uint8_t bits;
    uint8_t flags;
};

static struct set_node
set_node4(const void *nodes, uint32_t i)
{
    const struct image_node4 *n = (const struct image_node4 *)nodes + i;
    return (struct set_node){ n->upper, n->bits, n->flags };
}

static struct set_node
set_node6(const void *nodes, uint32_t i)
{
    const struct image_node6 *n = (const struct image_node6 *)nodes + i;
    return (struct set_node){ n->upper, n->bits, n->flags };
}

/* Upper halves that are still to come: of nodes above this one, each with more bits than the last. */
struct set_path {
    struct {
        uint32_t node;
        int bits; /* of the node whose half it is */
    } open[SET_BITS_MAX + 1];
    unsigned count;
};

/*
 * The nodes are one tree, each before what is below it: the lower half directly behind it, the upper one
 * behind all of that, both with more bits. So every way down has an end, soon. One pass from front to
 * end, which a million nodes on the loop of a process want.
 */
static inline __attribute__((always_inline)) const char *
set_check_trie(const struct image *image, struct image_list trie, unsigned bits,
    struct set_node (*node)(const void *nodes, uint32_t i))
{
    const void *nodes = image->base + trie.off;
    struct set_path path = { .count = 0 };
    int above = -1;
    for (uint32_t i = 0; i < trie.count; i++) {
        const struct set_node n = node(nodes, i);
        if (n.bits > bits || n.bits <= above ||
            (n.flags & ~(IMAGE_NODE_ENTRY | IMAGE_NODE_LOWER)) != 0) {
            return "a prefix of a list has a wrong length";
        }
        if (n.upper != 0) {
            path.open[path.count].node = n.upper;
            path.open[path.count++].bits = n.bits;
        }
        above = n.bits;
        if ((n.flags & IMAGE_NODE_LOWER) == 0) {
            const bool last = i + 1 == trie.count;
            if (path.count == 0 || path.open[path.count - 1].node != i + 1) {
                return last && path.count == 0 ? NULL : "a prefix of a list leads nowhere";
            }
            above = path.open[--path.count].bits;
        }
    }
    return trie.count == 0 ? NULL : "a prefix of a list leads nowhere";
}

/* A table fits its trie, and leads nowhere else. */
static const char *
set_check_jumps(const struct image *image, struct image_list jumps, struct image_list trie,
    unsigned bits, unsigned shared)
{
    const struct image_jump *j = (const void *)(image->base + jumps.off);
    const uint32_t count = jumps.count;
    if (count == 0) {
        return NULL;
    }
    if (count < 2 || (count & (count - 1)) != 0 || trie.count == 0 ||
        shared + (unsigned)__builtin_ctz(count) > bits) {
        return "a table of a list has a wrong size";
    }
    for (uint32_t i = 0; i < count; i++) {
        if (j[i].node >= trie.count || j[i].widest > trie.count || j[i].longest > trie.count) {
            return "a table of a list leads nowhere";
        }
    }
    return NULL;
}

static const char *
set_check_tries(const struct image *image, const struct image_set *s)
{
    const char *why = set_check_trie(image, s->trie4, 32, set_node4);
    if (s->trie4.count > UINT32_MAX - s->trie6.count) {
        return "a list has too many prefixes";
    }
    if (why == NULL) {
        why = set_check_trie(image, s->trie6, 128, set_node6);
    }
    const unsigned shared4 = s->trie4.count > 0 ? set_node4(image->base + s->trie4.off, 0).bits : 0;
    const unsigned shared6 = s->trie6.count > 0 ? set_node6(image->base + s->trie6.off, 0).bits : 0;
    if (why == NULL) {
        why = set_check_jumps(image, s->jump4, s->trie4, 32, shared4);
    }
    return why != NULL ? why : set_check_jumps(image, s->jump6, s->trie6, 128, shared6);
}

const char *
image_set_check(const struct image *image, const struct image_set *s)
{
    if (!image_list_inside(image, s->slots, sizeof(struct image_slot)) ||
        !image_list_inside(image, s->texts, sizeof(char)) ||
        !image_list_inside(image, s->trie4, sizeof(struct image_node4)) ||
        !image_list_inside(image, s->trie6, sizeof(struct image_node6)) ||
        !image_list_inside(image, s->jump4, sizeof(struct image_jump)) ||
        !image_list_inside(image, s->jump6, sizeof(struct image_jump))) {
        return "a part of a list lies outside";
    }
    const char *why = set_check_names(image, s);
    return why != NULL ? why : set_check_tries(image, s);
}
