/* SPDX-License-Identifier: ISC */
/*
 * The titles seen so far: a hash set, so that ten thousand rules are checked in linear time.
 */
#ifndef SP_CONFIG_SEEN_H
#define SP_CONFIG_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/config/config_flat.h"

struct seen_entry {
    char *text; /* owned; NULL: free */
    uint64_t hash;
    struct flat_origin origin;
};

struct config_seen {
    struct seen_entry *slots; /* owned */
    size_t size;              /* a power of two, or 0 */
    size_t count;
    size_t steps; /* slots looked at in all: the tests bound it */
};

/* Puts section and title. NULL when they are new; else where they were seen first. Out of memory
   sets *failed. */
const struct flat_origin *config_seen_put(struct config_seen *seen, const char *section,
    const char *title, struct flat_origin origin, bool *failed);

void config_seen_free(struct config_seen *seen);

#endif
