/* SPDX-License-Identifier: ISC */
/*
 * Whether the list files of an image can be walked: every offset inside, every walk with an end. Serves
 * image_check() alone; its time is linear in the size of the image. Unsound is an answer.
 */
#include <string.h>

#include "src/config/image_priv.h"
#include "src/config/image_set.h"

#define SET_ALIGN 8U

static bool
set_inside(const struct image *image, struct image_list list, size_t size)
{
    const size_t room = list.off < image->size ? image->size - list.off : 0;
    return (list.off == 0 && list.count == 0) ||
           (list.count > 0 && list.off >= sizeof(struct image_header) && list.off % SET_ALIGN == 0 &&
               list.count <= room / size);
}

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

/* Every way down leads to a later node inside the trie, with more bits: it has an end, soon. */
static const char *
set_check_trie(const struct image *image, struct image_list trie, uint8_t bits,
    struct set_node (*node)(const void *nodes, uint32_t i))
{
    const void *nodes = image->base + trie.off;
    for (uint32_t i = 0; i < trie.count; i++) {
        const struct set_node n = node(nodes, i);
        if (n.bits > bits || (n.flags & ~(IMAGE_NODE_ENTRY | IMAGE_NODE_LOWER)) != 0) {
            return "a prefix of a list has too many bits";
        }
        const bool lower = (n.flags & IMAGE_NODE_LOWER) != 0;
        if ((lower && (i + 1 >= trie.count || node(nodes, i + 1).bits <= n.bits)) ||
            (n.upper != 0 &&
                (n.upper <= i || n.upper >= trie.count || node(nodes, n.upper).bits <= n.bits))) {
            return "a prefix of a list leads nowhere";
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
    return why != NULL ? why : set_check_trie(image, s->trie6, 128, set_node6);
}

const char *
image_set_check(const struct image *image, const struct image_set *s)
{
    if (!set_inside(image, s->slots, sizeof(struct image_slot)) ||
        !set_inside(image, s->texts, sizeof(char)) ||
        !set_inside(image, s->trie4, sizeof(struct image_node4)) ||
        !set_inside(image, s->trie6, sizeof(struct image_node6))) {
        return "a part of a list lies outside";
    }
    const char *why = set_check_names(image, s);
    return why != NULL ? why : set_check_tries(image, s);
}
