/* SPDX-License-Identifier: ISC */
/*
 * What a configuration says, in structs of our own: sections, their settings, the values, each with
 * the row of the flat text it stands on. libconfuse fills it (config_parse.c); everything behind
 * reads it and knows nothing of libconfuse.
 */
#ifndef SP_CONFIG_MODEL_H
#define SP_CONFIG_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "src/config/config_flat.h"
#include "src/config/config_message.h"
#include "src/config/config_options.h"

#define MODEL_NONE UINT32_MAX

struct config_value {
    const char *text;
    uint32_t row;
};

struct config_setting {
    const struct config_key *key;
    uint32_t row;
    uint32_t first; /* of values; they stand in one run */
    uint32_t count; /* 0: a list given empty */
    uint32_t next;  /* setting of the same section, or MODEL_NONE */
};

struct config_block {
    const struct config_section *section;
    const char *title; /* NULL when it has none */
    uint32_t row;
    uint32_t head; /* settings */
    uint32_t tail;
    bool wrong; /* a value of it has a complaint: a module need not look at it, too */
};

struct config_chunk; /* memory of the texts */

struct config_model {
    const struct config_flat *flat; /* a borrow */
    struct config_block *blocks;    /* blocks[0]: the keys outside sections */
    uint32_t block_count, block_size;
    struct config_setting *settings;
    uint32_t setting_count, setting_size;
    struct config_value *values;
    uint32_t value_count, value_size;
    struct config_chunk *chunks;
    bool failed; /* out of memory */
};

void config_model_free(struct config_model *m);

/* A copy of text that lives as long as the model; "" when memory ran out. */
const char *config_model_text(struct config_model *m, const char *text);

/* Begins a section. */
void config_model_begin(struct config_model *m, const struct config_section *section, uint32_t row);
/* Adds a value to a block's key; values of one list follow each other. text NULL: an empty list. */
void config_model_add(struct config_model *m, uint32_t block, const struct config_key *key,
    const char *text, uint32_t row);

/* The one section of that name without a title, or NULL when the file has none. */
const struct config_block *config_model_block(const struct config_model *m, const char *section);

/* The setting of a key, or NULL when block is NULL or does not set it. */
const struct config_setting *config_model_setting(const struct config_model *m,
    const struct config_block *block, const char *key);

/* Value i of a key, the preset's when the block (which may be NULL) does not set it. NULL when there
   are not so many. Lives as long as the model. */
const char *config_model_value(struct config_model *m, const struct config_block *block,
    const struct config_key *key, uint32_t i);

/* Where a complaint about a row of the block belongs. block or key may be NULL. */
struct config_where config_model_where(const struct config_model *m, uint32_t row,
    const struct config_block *block, const struct config_key *key);

#endif
