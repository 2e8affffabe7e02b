/* SPDX-License-Identifier: ISC */
/*
 * List files ("@FILE" among a rule's destinations): read, checked and written into the image. Serves
 * config_compile.c and config_rules.c. Whatever is wrong with a file is a complaint with its line.
 */
#ifndef SP_CONFIG_CONFIG_SET_H
#define SP_CONFIG_CONFIG_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/config/config_builder.h"
#include "src/config/config_value.h"
#include "src/config/image_set.h"

#define CONFIG_SETS_TOTAL (256U << 20)    /* octets of all of them together */
#define CONFIG_SET_LINE_MAX 65535U        /* octets of a line */

struct config_set_prefix6 {
    uint64_t ip[2]; /* host order, the upper half first */
    uint8_t bits;
};

/* One file: what its lines say, until it is written. */
struct config_set {
    const char *path; /* as in the rule; a borrow */
    char *texts;      /* owned: names, and suffixes from their dot on, each with a NUL */
    size_t text_len, text_size;
    uint64_t *four; /* owned: address << 8 | bits, host order */
    uint32_t four_count, four_size;
    struct config_set_prefix6 *six; /* owned */
    uint32_t six_count, six_size;
    uint32_t names;   /* texts; with the prefixes: lines that say something */
    bool failed;      /* out of memory */
};

struct config_sets {
    struct config_set *list; /* owned */
    uint32_t count, size;
    size_t total; /* octets read */
};

struct config_compiler;

/* --- config_set.c */

/* Reads every list that some rule names. The model's values have been checked. */
void config_sets_load(struct config_compiler *c);
void config_sets_free(struct config_sets *sets);
/* Writes them into the image, and lets go of each. */
struct image_list config_sets_write(struct config_compiler *c);
/* The list's place in the image, or UINT32_MAX when the path is none of a list that was read. */
uint32_t config_sets_find(const struct config_sets *sets, const char *path);

/* --- config_set_read.c: all lines of a descriptor. *total counts octets. False after a complaint. */
bool config_set_read(struct config_set *s, int fd, size_t *total, struct config_messages *messages);

/* --- config_set_line.c: one line, without its newline. False with error filled. */
bool config_set_line(struct config_set *s, const char *line, size_t len, struct config_error_text *e);
uint32_t config_set_entries(const struct config_set *s);
void config_set_free(struct config_set *s);

/* --- config_set_names.c, config_set_trie.c: the parts of the image; each forgets what it wrote. */
void config_set_write_names(struct config_set *s, struct config_builder *b, struct image_set *out);
void config_set_write_tries(struct config_set *s, struct config_builder *b, struct image_set *out);

#endif
