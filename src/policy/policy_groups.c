/* SPDX-License-Identifier: ISC */
/*
 * A user's groups as bits. Serves the worker, once for each set of groups and image. Pure; nothing
 * fails: a group that no rule names is no bit.
 */
#include <string.h>

#include "src/policy/policy.h"

/* The group's number, or UINT32_MAX. The image has them in strcmp order. */
static uint32_t
groups_find(const struct image *image, const char *name)
{
    const struct image_list groups = image_settings(image)->groups;
    uint32_t low = 0;
    uint32_t high = groups.count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order =
            strcmp(name, image_string(image, *IMAGE_AT(image, groups, struct image_text, middle)));
        if (order == 0) {
            return middle;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return UINT32_MAX;
}

void
policy_groups_of(const struct image *image, const char *names, size_t len, uint64_t *bits)
{
    const uint32_t words = POLICY_GROUP_WORDS(image);
    if (words == 0) {
        return;
    }
    memset(bits, 0, words * sizeof(*bits));
    while (len > 0) {
        const char *end = memchr(names, '\0', len);
        if (end == NULL) {
            return; /* without an end it is no name */
        }
        const uint32_t group = groups_find(image, names);
        if (group != UINT32_MAX) {
            bits[group / 64] |= UINT64_C(1) << (group % 64);
        }
        len -= (size_t)(end + 1 - names);
        names = end + 1;
    }
}
