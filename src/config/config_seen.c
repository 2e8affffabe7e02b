/* SPDX-License-Identifier: ISC */
/*
 * Repeated titles. Serves config_scan.c. The hash is not keyed: who writes the configuration may
 * slow down its own check.
 */
#include "src/config/config_seen.h"

#include <stdlib.h>
#include <string.h>

static uint64_t
seen_hash(uint64_t h, const char *text)
{
    for (;; text++) {
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
        if (*text == '\0') {
            return h ^ (h >> 29);
        }
    }
}

/* The slot that holds section and title, or the free one where they belong. */
static struct seen_entry *
seen_slot(struct config_seen *seen, uint64_t hash, const char *section, const char *title)
{
    const size_t len = strlen(section);
    for (size_t i = (size_t)hash;; i++) {
        struct seen_entry *e = &seen->slots[i & (seen->size - 1)];
        seen->steps++;
        if (e->text == NULL || (e->hash == hash && strcmp(e->text, section) == 0 &&
                                   strcmp(e->text + len + 1, title) == 0)) {
            return e;
        }
    }
}

static bool
seen_grow(struct config_seen *seen)
{
    struct config_seen bigger = { .size = seen->size > 0 ? 2 * seen->size : 256 };
    bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
    if (bigger.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < seen->size; i++) {
        struct seen_entry *e = &seen->slots[i];
        if (e->text != NULL) {
            *seen_slot(&bigger, e->hash, e->text, e->text + strlen(e->text) + 1) = *e;
        }
    }
    bigger.count = seen->count;
    bigger.steps += seen->steps;
    free(seen->slots);
    *seen = bigger;
    return true;
}

static char *
seen_text(const char *section, const char *title)
{
    const size_t len = strlen(section) + 1;
    const size_t title_len = strlen(title) + 1;
    char *text = malloc(len + title_len);
    if (text != NULL) {
        memcpy(text, section, len);
        memcpy(text + len, title, title_len);
    }
    return text;
}

const struct flat_origin *
config_seen_put(struct config_seen *seen, const char *section, const char *title,
    struct flat_origin origin, bool *failed)
{
    if (2 * (seen->count + 1) > seen->size && !seen_grow(seen)) {
        *failed = true;
        return NULL;
    }
    const uint64_t hash = seen_hash(seen_hash(UINT64_C(0xcbf29ce484222325), section), title);
    struct seen_entry *e = seen_slot(seen, hash, section, title);
    if (e->text != NULL) {
        return &e->origin;
    }
    char *text = seen_text(section, title);
    if (text == NULL) {
        *failed = true;
        return NULL;
    }
    *e = (struct seen_entry){ .text = text, .hash = hash, .origin = origin };
    seen->count++;
    return NULL;
}

void
config_seen_free(struct config_seen *seen)
{
    for (size_t i = 0; i < seen->size; i++) {
        free(seen->slots[i].text);
    }
    free(seen->slots);
    *seen = (struct config_seen){ .slots = NULL };
}
