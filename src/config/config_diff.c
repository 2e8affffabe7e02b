/* SPDX-License-Identifier: ISC */
/*
 * What differs between two images, key by key, as the option table finds the values. Serves the master's
 * reload. Nothing fails.
 */
#include "src/config/config_diff.h"

#include <string.h>

struct diff {
    const struct image *before;
    const struct image *after;
    void (*differs)(void *ctx, const struct config_difference *d);
    void *ctx;
    uint32_t count;
};

static void
diff_tell(struct diff *d, const struct config_difference *difference)
{
    d->count++;
    d->differs(d->ctx, difference);
}

/* --- our sections ------------------------------------------------------------------------------ */

static bool
diff_texts(const struct diff *d, struct image_text a, struct image_text b)
{
    return strcmp(image_string(d->before, a), image_string(d->after, b)) != 0;
}

/* Elements of a list byte by byte: those that refer to nothing. */
static bool
diff_lists(const struct diff *d, struct image_list a, struct image_list b, size_t size)
{
    return a.count != b.count ||
           (a.count > 0 && memcmp(image_at(d->before, a, size, 0), image_at(d->after, b, size, 0),
                               size * a.count) != 0);
}

/* What the table knows how to find. */
static bool
diff_stored(const struct diff *d, const struct config_key *key)
{
    static const size_t sizes[] = {
        [STORE_U32] = sizeof(uint32_t),
        [STORE_U64] = sizeof(uint64_t),
        [STORE_WORD] = sizeof(uint32_t),
        [STORE_TEXT] = 0,
        [STORE_ADDR] = sizeof(struct addr),
    };
    const uint8_t *a = (const uint8_t *)image_settings(d->before) + key->at;
    const uint8_t *b = (const uint8_t *)image_settings(d->after) + key->at;
    struct image_text texts[2];
    if (key->store != STORE_TEXT) {
        return memcmp(a, b, sizes[key->store]) != 0;
    }
    memcpy(&texts[0], a, sizeof(texts[0]));
    memcpy(&texts[1], b, sizeof(texts[1]));
    return diff_texts(d, texts[0], texts[1]);
}

/* The methods in use, whatever the listeners that offer them. */
static bool
diff_modules(const struct diff *d)
{
    const struct image_list a = image_settings(d->before)->modules;
    const struct image_list b = image_settings(d->after)->modules;
    for (uint32_t i = 0; a.count == b.count && i < a.count; i++) {
        if (diff_texts(d, image_module(d->before, i)->name, image_module(d->after, i)->name)) {
            return true;
        }
    }
    return a.count != b.count;
}

static bool
diff_servers(const struct diff *d)
{
    return diff_lists(d, image_settings(d->before)->resolver.servers,
        image_settings(d->after)->resolver.servers, sizeof(struct addr));
}

static bool
diff_target(const struct diff *d)
{
    const struct image_settings *a = image_settings(d->before);
    const struct image_settings *b = image_settings(d->after);
    return a->log.target != b->log.target || diff_texts(d, a->log.path, b->log.path);
}

static bool
diff_facility(const struct diff *d)
{
    return image_settings(d->before)->log.facility != image_settings(d->after)->log.facility;
}

/* Keys whose value the table cannot find. */
static const struct {
    const char *section;
    const char *key;
    bool (*differs)(const struct diff *d);
} diff_special[] = {
    { "", "methods", diff_modules },
    { "resolver", "servers", diff_servers },
    { "log", "target", diff_target },
    { "log", "facility", diff_facility },
};

static bool
diff_key(const struct diff *d, const struct config_key *key)
{
    if (key->store != STORE_NONE) {
        return diff_stored(d, key);
    }
    for (size_t i = 0; i < SP_COUNT(diff_special); i++) {
        if (strcmp(diff_special[i].section, key->section) == 0 &&
            strcmp(diff_special[i].key, key->name) == 0) {
            return diff_special[i].differs(d);
        }
    }
    return false;
}

static void
diff_section(struct diff *d, const struct config_section *section)
{
    for (size_t i = 0; !section->titled && i < section->count; i++) {
        const struct config_key *key = &section->keys[i];
        if (diff_key(d, key)) {
            diff_tell(d, &(struct config_difference){ .section = section->name,
                             .title = "",
                             .key = key->name,
                             .change = key->change,
                             .pool = UINT32_MAX });
        }
    }
}

/* --- options ----------------------------------------------------------------------------------- */

/* The rows of one key: they stand together. */
struct rows {
    const struct image *image;
    struct image_list list;
    uint32_t first;
    uint32_t end;
};

static const struct image_option *
rows_at(const struct rows *r, uint32_t i)
{
    return IMAGE_AT(r->image, r->list, struct image_option, i);
}

static struct rows
rows_of(const struct image *image, struct image_list list, const char *key)
{
    struct rows r = { .image = image, .list = list };
    while (r.first < list.count &&
           strcmp(image_string(image, rows_at(&r, r.first)->key), key) != 0) {
        r.first++;
    }
    r.end = r.first;
    while (r.end < list.count && strcmp(image_string(image, rows_at(&r, r.end)->key), key) == 0) {
        r.end++;
    }
    return r;
}

static bool
rows_differ(const struct rows *a, const struct rows *b)
{
    if (a->end - a->first != b->end - b->first) {
        return true;
    }
    for (uint32_t i = 0; i < a->end - a->first; i++) {
        const struct image_option *x = rows_at(a, a->first + i);
        const struct image_option *y = rows_at(b, b->first + i);
        if (x->kind != y->kind ||
            strcmp(image_string(a->image, x->value), image_string(b->image, y->value)) != 0) {
            return true;
        }
    }
    return false;
}

/* --- listeners --------------------------------------------------------------------------------- */

static const struct image_listener *
diff_listener(const struct image *image, const char *title)
{
    for (uint32_t i = 0; i < image_settings(image)->listeners.count; i++) {
        const struct image_listener *l = image_listener(image, i);
        if (strcmp(image_string(image, l->name), title) == 0) {
            return l;
        }
    }
    return NULL;
}

/* By name: indices say nothing where the modules are others. */
static bool
diff_offers(const struct diff *d, const struct image_listener *a, const struct image_listener *b)
{
    bool differs = a->ident != b->ident || a->modules.count != b->modules.count;
    for (uint32_t i = 0; !differs && i < a->modules.count; i++) {
        const uint32_t x = *IMAGE_AT(d->before, a->modules, uint32_t, i);
        const uint32_t y = *IMAGE_AT(d->after, b->modules, uint32_t, i);
        differs = diff_texts(d, image_module(d->before, x)->name, image_module(d->after, y)->name);
    }
    return differs;
}

static bool
diff_overrides(const struct diff *d, const struct image_listener *a, const struct image_listener *b,
    const char *key)
{
    const struct rows x = rows_of(d->before, a->overrides, key);
    const struct rows y = rows_of(d->after, b->overrides, key);
    return rows_differ(&x, &y);
}

static void
diff_listeners(struct diff *d)
{
    const struct config_section *section = config_section_find("listen");
    for (uint32_t i = 0; i < image_settings(d->after)->listeners.count; i++) {
        const struct image_listener *b = image_listener(d->after, i);
        const char *title = image_string(d->after, b->name);
        const struct image_listener *a = diff_listener(d->before, title);
        for (size_t k = 0; a != NULL && k < section->count; k++) {
            const struct config_key *key = &section->keys[k];
            const bool differs = key->in_place ? diff_overrides(d, a, b, key->name)
                                               : strcmp(key->name, "methods") == 0 &&
                                                     diff_offers(d, a, b);
            if (differs) {
                diff_tell(d, &(struct config_difference){ .section = section->name,
                                 .title = title,
                                 .key = key->name,
                                 .change = key->change,
                                 .pool = UINT32_MAX });
            }
        }
    }
}

/* --- modules ----------------------------------------------------------------------------------- */

static const struct image_module *
diff_module(const struct image *image, const char *name)
{
    for (uint32_t i = 0; i < image_settings(image)->modules.count; i++) {
        const struct image_module *m = image_module(image, i);
        if (strcmp(image_string(image, m->name), name) == 0) {
            return m;
        }
    }
    return NULL;
}

/* Every key of a module has a row in both images: its own or its preset's. */
static void
diff_options(struct diff *d, const struct image_module *a, const struct image_module *b, uint32_t pool)
{
    for (uint32_t at = 0; at < b->options.count;) {
        const struct image_option *o = IMAGE_AT(d->after, b->options, struct image_option, at);
        const char *key = image_string(d->after, o->key);
        const struct rows x = rows_of(d->before, a->options, key);
        const struct rows y = rows_of(d->after, b->options, key);
        if (rows_differ(&x, &y)) {
            diff_tell(d, &(struct config_difference){ .section = image_string(d->after, b->name),
                             .title = "",
                             .key = key,
                             .change = (enum config_change)o->change,
                             .pool = pool });
        }
        at = y.end > at ? y.end : at + 1;
    }
}

uint32_t
config_diff(const struct image *before, const struct image *after,
    void (*differs)(void *ctx, const struct config_difference *d), void *ctx)
{
    struct diff d = { .before = before, .after = after, .differs = differs, .ctx = ctx };
    size_t count = 0;
    const struct config_section *sections = config_sections(&count);
    for (size_t i = 0; i < count; i++) {
        diff_section(&d, &sections[i]);
    }
    diff_listeners(&d);
    for (uint32_t i = 0; i < image_settings(after)->modules.count; i++) {
        const struct image_module *b = image_module(after, i);
        const struct image_module *a = diff_module(before, image_string(after, b->name));
        if (a != NULL) {
            diff_options(&d, a, b, i);
        }
    }
    return d.count;
}
