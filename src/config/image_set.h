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

struct image_set {
    struct image_text path; /* as configured, without the @ */
    uint32_t names;         /* entries of each kind */
    uint32_t suffixes;      /* "*.example.com": any depth below, not the name itself */
    uint32_t prefixes;
    uint32_t hash_mask;      /* slots - 1, a power of two; with no names at all there are no slots */
    struct image_list slots; /* uint32_t: offset of a name's text, 0 when free */
    struct image_list trie4; /* nodes; the layout is image_set.c's alone */
    struct image_list trie6;
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

#endif
