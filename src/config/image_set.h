/* SPDX-License-Identifier: ISC */
/*
 * A list file of destinations ("@FILE" in a rule) as it lies in the policy image: exact and suffix names
 * in a hash, prefixes in a trie for each family. Up to a million entries, one copy a machine, a look-up
 * well under a microsecond. Written by the compiler (config_set*.c), read by src/policy. Pure reading:
 * nothing here fails. image_open() has checked every offset.
 */
#ifndef SP_CONFIG_IMAGE_SET_H
#define SP_CONFIG_IMAGE_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "src/config/image.h"

#define IMAGE_SET_ENTRIES_MAX 1000000U

/* A place of the hash. The name is found by walking from hash & hash_mask to the first free place. */
struct image_slot {
    uint32_t name; /* where its text begins in texts, plus 1; 0: free */
    uint32_t tag;  /* upper half of the name's hash: what differs there need not be compared */
};

/* Nodes of the tries, each prefix before those inside it. A node stands for a prefix that is an entry, or
   for one in which two others part. The node of the lower half is the next one, that of the upper half
   stands behind all of those. */
#define IMAGE_NODE_ENTRY 1U
#define IMAGE_NODE_LOWER 2U

struct image_node4 {
    uint32_t ip;    /* host order */
    uint32_t upper; /* node of the upper half, or 0 */
    uint8_t bits;
    uint8_t flags; /* IMAGE_NODE_* */
    uint8_t pad[2];
};

struct image_node6 {
    uint64_t ip[2]; /* host order, the upper half first */
    uint32_t upper;
    uint8_t bits;
    uint8_t flags;
    uint8_t pad[2];
};

/* Where to begin in a large trie, by the bits of the address behind those that all its prefixes share: as
   many as the number of these is a power of two. */
struct image_jump {
    uint32_t node;    /* the first node with more bits than were looked at; 0: there is none */
    uint32_t widest;  /* the widest entry above it, plus 1; 0: there is none */
    uint32_t longest; /* the longest one, the same way */
};

struct image_set {
    struct image_text path; /* as configured, without the @ */
    uint32_t names;         /* entries of each kind, each once */
    uint32_t suffixes;      /* "*.example.com": any depth below, not the name itself */
    uint32_t prefixes;
    uint32_t hash_mask;      /* slots - 1, a power of two less one; without names there are no slots */
    uint64_t seed;           /* of the hash: taken from the whole list, so that nobody can write one whose
                                names all fall on one place */
    uint64_t depths[2];      /* bit n: there is a suffix of n labels */
    struct image_list slots; /* struct image_slot */
    struct image_list texts; /* char: the names, suffixes with their dot (".example.com"), each with its NUL */
    struct image_list trie4; /* struct image_node4 */
    struct image_list trie6; /* struct image_node6 */
    struct image_list jump4; /* struct image_jump; none for a small trie */
    struct image_list jump6;
};

const struct image_set *image_set(const struct image *image, uint32_t i);

/* Whether a canonical name is in it, by itself or below a suffix. NULL is not. */
bool image_set_has_name(const struct image *image, const struct image_set *set, const char *name);

/* The longest and the shortest of its prefixes that hold the address (unmapped). False: none does, and
   *out is unchanged. */
bool image_set_longest(const struct image *image, const struct image_set *set, const struct addr *a,
    struct addr_prefix *out);
bool image_set_shortest(const struct image *image, const struct image_set *set, const struct addr *a,
    struct addr_prefix *out);

/* The prefixes one after the other, wider ones before those inside them; *at is 0 at the beginning. It
   looks at 16 nodes at most: IMAGE_SET_MORE says that it found none there, IMAGE_SET_END that none is left. */
enum image_set_next { IMAGE_SET_PREFIX, IMAGE_SET_MORE, IMAGE_SET_END };
enum image_set_next image_set_next(const struct image *image, const struct image_set *set, uint32_t *at,
    struct addr_prefix *out);

/* What the hash makes of a name, or of a suffix with its dot. */
uint64_t image_set_hash(uint64_t seed, const char *text, size_t len);

#endif
