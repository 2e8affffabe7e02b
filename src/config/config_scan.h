/* SPDX-License-Identifier: ISC */
/*
 * The scan of our own that stands before libconfuse: it reads the main file and its includes,
 * refuses what libconfuse would accept silently (libconfuse 3.3: NUL bytes, unterminated
 * strings and comments, repeated scalars and titles, ${...}, deep nesting, dropped characters),
 * finds unknown sections and keys, and writes the text libconfuse gets (config_flat.h).
 * Linear in the size of the text.
 */
#ifndef SP_CONFIG_SCAN_H
#define SP_CONFIG_SCAN_H

#include "src/config/config.h"
#include "src/config/config_flat.h"
#include "src/config/config_options.h"

#define SCAN_DEPTH_MAX 8          /* sections in sections, and files in files */
#define SCAN_TOTAL_MAX (64U << 20) /* bytes of all files together */

/* The section of that name, or NULL with error filled ("..; allowed are .."). */
typedef const struct config_section *scan_lookup(const char *name, void *ctx, char *error,
    size_t size);

struct scan_request {
    const struct config_source *source;
    struct config_messages *messages;
    scan_lookup *lookup;
    void *ctx;
    const char *builtin; /* the text when source->path is NULL */
};

/* Fills flat (empty before). Complaints go to messages; flat is usable when there was none. */
void config_scan(const struct scan_request *request, struct config_flat *flat);

#endif
