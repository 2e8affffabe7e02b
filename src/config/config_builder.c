/* SPDX-License-Identifier: ISC */
/*
 * The image's writer. Serves config_settings.c, config_modules.c and config_rules.c. Out of memory
 * sets `failed`, looked at once by config_builder_finish().
 */
#include "src/config/config_builder.h"

#include <stdlib.h>
#include <string.h>

#define BUILDER_ALIGN 8U

/* Room for len bytes at an aligned offset; the offset, or 0 with `failed` set. */
static uint32_t
builder_room(struct config_builder *b, size_t len, size_t align)
{
    const size_t at = (b->len + align - 1) / align * align;
    if (b->failed || len > IMAGE_SIZE_MAX || at + len > IMAGE_SIZE_MAX) {
        b->failed = true;
        return 0;
    }
    if (at + len > b->size) {
        const size_t size = 2 * (at + len);
        uint8_t *data = realloc(b->data, size);
        if (data == NULL) {
            b->failed = true;
            return 0;
        }
        b->data = data;
        b->size = size;
    }
    memset(b->data + b->len, 0, at - b->len); /* the gap; what lies behind is not touched yet */
    b->len = at + len;
    return (uint32_t)at;
}

void
config_builder_init(struct config_builder *b)
{
    *b = (struct config_builder){ .data = NULL };
    builder_room(b, sizeof(struct image_header), BUILDER_ALIGN);
    if (!b->failed) {
        memset(b->data, 0, sizeof(struct image_header));
    }
}

void
config_builder_free(struct config_builder *b)
{
    free(b->data);
    *b = (struct config_builder){ .data = NULL };
}

struct image_text
config_builder_text(struct config_builder *b, const char *text)
{
    const size_t len = text != NULL ? strlen(text) : 0;
    const uint32_t at = len > 0 ? builder_room(b, len + 1, 1) : 0;
    if (at == 0) {
        return (struct image_text){ .off = 0 };
    }
    memcpy(b->data + at, text, len + 1);
    return (struct image_text){ .off = at, .len = (uint32_t)len };
}

struct image_list
config_builder_list(struct config_builder *b, const void *elements, size_t size, uint32_t count)
{
    const uint32_t at = count > 0 ? builder_room(b, size * count, BUILDER_ALIGN) : 0;
    if (at == 0) {
        return (struct image_list){ .off = 0 };
    }
    memcpy(b->data + at, elements, size * count);
    return (struct image_list){ .off = at, .count = count };
}

void *
config_builder_reserve(struct config_builder *b, size_t size, uint32_t count)
{
    const size_t len = b->len;
    const uint32_t at = builder_room(b, size * count, BUILDER_ALIGN);
    b->len = at != 0 ? at : len;
    return at != 0 ? b->data + at : NULL;
}

struct image_list
config_builder_commit(struct config_builder *b, size_t size, uint32_t count)
{
    const uint32_t at = count > 0 ? builder_room(b, size * count, BUILDER_ALIGN) : 0;
    return (struct image_list){ .off = at, .count = at != 0 ? count : 0 };
}

void *
config_builder_finish(struct config_builder *b, const struct image_settings *settings,
    struct image_list rules, size_t *size)
{
    if (b->failed) {
        return NULL;
    }
    struct image_header *header = (struct image_header *)(void *)b->data;
    header->magic = IMAGE_MAGIC;
    header->version = IMAGE_VERSION;
    header->size = b->len;
    header->settings = *settings;
    header->rules = rules;
    void *image = b->data;
    *size = b->len;
    b->data = NULL;
    config_builder_free(b);
    return image;
}
