/* SPDX-License-Identifier: ISC */
/*
 * Writes an image: memory that grows, offsets instead of pointers, every gap zero, so that the same
 * configuration gives the same bytes.
 */
#ifndef SP_CONFIG_BUILDER_H
#define SP_CONFIG_BUILDER_H

#include "src/config/image.h"

struct config_builder {
    uint8_t *data; /* owned; begins with the header */
    size_t len;
    size_t size;
    bool failed; /* out of memory, or larger than IMAGE_SIZE_MAX */
};

/* Room for the header. */
void config_builder_init(struct config_builder *b);
void config_builder_free(struct config_builder *b);

/* NULL and "" give the empty text. */
struct image_text config_builder_text(struct config_builder *b, const char *text);

/* count elements of size bytes, copied. */
struct image_list config_builder_list(struct config_builder *b, const void *elements, size_t size,
    uint32_t count);

/* Room for count elements to be written in place, every octet of those that stay, before anything else is
   added; NULL when memory ran out. Then commit says how many they became. */
void *config_builder_reserve(struct config_builder *b, size_t size, uint32_t count);
struct image_list config_builder_commit(struct config_builder *b, size_t size, uint32_t count);

/* Finishes the header with settings and rules; gives the image away (free() it), or NULL. */
void *config_builder_finish(struct config_builder *b, const struct image_settings *settings,
    struct image_list rules, size_t *size);

#endif
