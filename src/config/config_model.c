/* SPDX-License-Identifier: ISC */
/*
 * The configuration as read. Serves the checks and the image's writer. Out of memory sets `failed`,
 * which config_compile.c looks at.
 */
#include "src/config/config_model.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE 65536U

struct config_chunk {
    struct config_chunk *next;
    size_t len;
    size_t size;
    char text[];
};

void
config_model_free(struct config_model *m)
{
    while (m->chunks != NULL) {
        struct config_chunk *next = m->chunks->next;
        free(m->chunks);
        m->chunks = next;
    }
    free(m->blocks);
    free(m->settings);
    free(m->values);
    *m = (struct config_model){ .flat = NULL };
}

const char *
config_model_text(struct config_model *m, const char *text)
{
    const size_t len = strlen(text) + 1;
    struct config_chunk *c = m->chunks;
    if (c == NULL || c->size - c->len < len) {
        const size_t size = len > CHUNK_SIZE ? len : CHUNK_SIZE;
        c = malloc(sizeof(*c) + size);
        if (c == NULL) {
            m->failed = true;
            return "";
        }
        *c = (struct config_chunk){ .next = m->chunks, .size = size };
        m->chunks = c;
    }
    char *copy = c->text + c->len;
    memcpy(copy, text, len);
    c->len += len;
    return copy;
}

/* Room for one element more. The array, or NULL with `failed` set; then the old one still stands. */
static void *
model_room(struct config_model *m, void *array, uint32_t count, uint32_t *size, size_t element)
{
    if (count < *size) {
        return array;
    }
    const uint32_t more = 2 * *size + 64;
    void *bigger = m->failed ? NULL : realloc(array, more * element);
    if (bigger == NULL) {
        m->failed = true;
        return NULL;
    }
    *size = more;
    return bigger;
}

void
config_model_begin(struct config_model *m, const struct config_section *section, uint32_t row)
{
    struct config_block *blocks =
        model_room(m, m->blocks, m->block_count, &m->block_size, sizeof(*blocks));
    if (blocks != NULL) {
        m->blocks = blocks;
        blocks[m->block_count++] = (struct config_block){
            .section = section, .row = row, .head = MODEL_NONE, .tail = MODEL_NONE
        };
    }
}

/* A new setting at the end of the block's, or NULL. */
static struct config_setting *
model_setting(
    struct config_model *m, struct config_block *b, const struct config_key *key, uint32_t row)
{
    struct config_setting *settings =
        model_room(m, m->settings, m->setting_count, &m->setting_size, sizeof(*settings));
    if (settings == NULL) {
        return NULL;
    }
    m->settings = settings;
    const uint32_t at = m->setting_count++;
    settings[at] = (struct config_setting){
        .key = key, .row = row, .first = m->value_count, .next = MODEL_NONE
    };
    if (b->tail == MODEL_NONE) {
        b->head = at;
    } else {
        settings[b->tail].next = at;
    }
    b->tail = at;
    return &settings[at];
}

void
config_model_add(struct config_model *m, uint32_t block, const struct config_key *key,
    const char *text, uint32_t row)
{
    if (block >= m->block_count) {
        m->failed = true; /* its beginning was lost */
        return;
    }
    struct config_block *b = &m->blocks[block];
    struct config_setting *s = b->tail != MODEL_NONE ? &m->settings[b->tail] : NULL;
    if (s == NULL || s->key != key || s->first + s->count != m->value_count) {
        s = model_setting(m, b, key, row);
    }
    if (s == NULL || text == NULL) {
        return;
    }
    struct config_value *values =
        model_room(m, m->values, m->value_count, &m->value_size, sizeof(*values));
    if (values != NULL) {
        m->values = values;
        values[m->value_count++] =
            (struct config_value){ .text = config_model_text(m, text), .row = row };
        s->count++;
    }
}

const struct config_block *
config_model_block(const struct config_model *m, const char *section)
{
    for (uint32_t i = 0; i < m->block_count; i++) {
        if (strcmp(m->blocks[i].section->name, section) == 0) {
            return &m->blocks[i];
        }
    }
    return NULL;
}

const struct config_setting *
config_model_setting(
    const struct config_model *m, const struct config_block *block, const char *key)
{
    for (uint32_t i = block != NULL ? block->head : MODEL_NONE; i != MODEL_NONE;
         i = m->settings[i].next) {
        if (strcmp(m->settings[i].key->name, key) == 0) {
            return &m->settings[i];
        }
    }
    return NULL;
}

const char *
config_model_value(struct config_model *m, const struct config_block *block,
    const struct config_key *key, uint32_t i)
{
    char preset[512];
    const struct config_setting *s = config_model_setting(m, block, key->name);
    if (s != NULL) {
        return i < s->count ? m->values[s->first + i].text : NULL;
    }
    return config_preset(key, i, preset, sizeof(preset)) ? config_model_text(m, preset) : NULL;
}

struct config_where
config_model_where(const struct config_model *m, uint32_t row, const struct config_block *block,
    const struct config_key *key)
{
    struct config_where w = { .key = key != NULL ? key->name : NULL };
    w.file = config_flat_where(m->flat, row, &w.line);
    if (block != NULL) {
        w.section = block->section->name;
        w.title = block->title;
    }
    return w;
}
