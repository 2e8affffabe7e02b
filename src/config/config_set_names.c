/* SPDX-License-Identifier: ISC */
/*
 * The names of a list file as a hash in the image. Serves config_set.c. Out of memory is the builder's
 * to tell.
 */
#include <stdlib.h>
#include <string.h>

#include "src/config/config_set.h"

/* Less than half of the places are taken: a walk is short, and it ends. */
static uint32_t
names_slots(uint32_t names)
{
    uint32_t slots = 2;
    while (slots <= 2 * names) {
        slots *= 2;
    }
    return slots;
}

/* The place of a text, or the free one where it belongs. */
static struct image_slot *
names_place(struct image_slot *slots, uint32_t mask, const char *texts, const char *text, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & mask;
    while (slots[at].name != 0 && (slots[at].tag != (uint32_t)(hash >> 32) ||
                                      strcmp(texts + slots[at].name - 1, text) != 0)) {
        at = (at + 1) & mask;
    }
    return &slots[at];
}

static void
names_count(struct image_set *out, const char *text)
{
    unsigned labels = 0;
    if (text[0] != '.') {
        out->names++;
        return;
    }
    for (; *text != '\0'; text++) {
        labels += *text == '.';
    }
    out->suffixes++;
    out->depths[labels / 64] |= UINT64_C(1) << (labels % 64);
}

/* Every text in its place; those that come again are dropped, and the others move together. */
static void
names_fill(struct config_set *s, struct image_slot *slots, struct image_set *out)
{
    size_t kept = 0;
    for (size_t at = 0; at < s->text_len;) {
        const char *text = s->texts + at;
        const size_t len = strlen(text);
        const uint64_t hash = image_set_hash(out->seed, text, len);
        struct image_slot *slot = names_place(slots, out->hash_mask, s->texts, text, hash);
        at += len + 1;
        if (slot->name == 0) {
            names_count(out, text);
            memmove(s->texts + kept, text, len + 1);
            *slot = (struct image_slot){ .name = (uint32_t)kept + 1, .tag = (uint32_t)(hash >> 32) };
            kept += len + 1;
        }
    }
    s->text_len = kept;
}

void
config_set_write_names(struct config_set *s, struct config_builder *b, struct image_set *out)
{
    if (s->names == 0) {
        return;
    }
    const uint32_t count = names_slots(s->names);
    struct image_slot *slots = config_builder_reserve(b, sizeof(*slots), count);
    if (slots == NULL) {
        return;
    }
    memset(slots, 0, sizeof(*slots) * count);
    out->seed = image_set_hash(0, s->texts, s->text_len);
    out->hash_mask = count - 1;
    names_fill(s, slots, out);
    out->slots = config_builder_commit(b, sizeof(*slots), count);
    out->texts = config_builder_list(b, s->texts, sizeof(char), (uint32_t)s->text_len);
    free(s->texts);
    s->texts = NULL;
    s->text_len = s->text_size = s->names = 0;
}
