/* SPDX-License-Identifier: ISC */
/*
 * In which keys two images differ, and what each needs to come into force. Serves the master's reload: a
 * difference that needs a restart refuses it, one that needs a respawn replaces processes. Nothing fails.
 */
#ifndef SP_CONFIG_CONFIG_DIFF_H
#define SP_CONFIG_CONFIG_DIFF_H

#include <stdint.h>

#include "src/config/config_options.h"
#include "src/config/image.h"

struct config_difference {
    const char *section; /* "" for the keys outside sections, "gssapi" for a module's */
    const char *title;   /* of a listener, else "" */
    const char *key;
    enum config_change change;
    uint32_t pool; /* a module's key: the module's index in the image after; else UINT32_MAX */
};

/*
 * Calls differs() for every key outside rules whose value is another: those of our sections, in the order
 * of the table, then those of listeners that are in both, matched by title, then those of modules that are
 * in both. Listeners that came or went are no difference of a key. The methods in use as a whole (their
 * names; image modules are in an order that depends on nothing else) are the key "methods",
 * CONFIG_RESTART; where they are the same, modules have the same index in both. Returns how many. What it
 * passes lives as long as the image after.
 */
uint32_t config_diff(const struct image *before, const struct image *after,
    void (*differs)(void *ctx, const struct config_difference *d), void *ctx);

/* The key's value in one of the two images as -T writes it, `"abc"`, `5`, `{ "a", "b" }`, or "absent" where
   a listener has none of its own; cut to size - 1 bytes; "" when memory ran out. */
void config_difference_value(const struct image *image, const struct config_difference *d, char *out,
    size_t size);

#endif
