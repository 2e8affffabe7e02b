/* SPDX-License-Identifier: ISC */
/*
 * The list files of a configuration: which there are, each read once and written once. Serves
 * config_compile.c. A file that is not there, or is no list, is a complaint.
 */
#include "src/config/config_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fd.h"
#include "src/config/config_compiler.h"

void
config_sets_free(struct config_sets *sets)
{
    for (uint32_t i = 0; i < sets->count; i++) {
        config_set_free(&sets->list[i]);
    }
    free(sets->list);
    *sets = (struct config_sets){ .list = NULL };
}

uint32_t
config_sets_find(const struct config_sets *sets, const char *path)
{
    for (uint32_t i = 0; i < sets->count; i++) {
        if (strcmp(sets->list[i].path, path) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

/* A new list at the end, or NULL when memory ran out. */
static struct config_set *
sets_add(struct config_sets *sets, const char *path)
{
    if (sets->count == sets->size) {
        const uint32_t size = sets->size > 0 ? 2 * sets->size : 8;
        struct config_set *list = realloc(sets->list, size * sizeof(*list));
        if (list == NULL) {
            return NULL;
        }
        sets->list = list;
        sets->size = size;
    }
    sets->list[sets->count] = (struct config_set){ .path = path };
    return &sets->list[sets->count++];
}

static const char *
sets_open_error(int error)
{
    return error == ESTALE  ? "it changed, or was taken away, while it was read; write a new file and "
                              "rename it"
           : error == EINVAL ? "it is no regular file"
           : error == ELOOP  ? "it is a symbolic link; name the file itself"
           : error == EFBIG  ? "it is larger than the 64 MiB that a list may have"
                             : strerror(error);
}

static void
sets_read(struct config_compiler *c, const char *path, const struct config_where *where)
{
    const struct config_source *source = c->source;
    char quoted[CONFIG_QUOTE_MAX];
    int fd = (source->open_list != NULL ? source->open_list : source->open)(path, source->ctx);
    const int error = errno;
    struct config_set *set = sets_add(&c->sets, path);
    if (set == NULL) {
        config_error(c->messages, where, "out of memory");
    } else if (fd < 0) {
        config_error(c->messages, where, "cannot read the list %s: %s", config_quote(path, quoted),
            sets_open_error(error));
    } else if (config_set_read(set, fd, &c->sets.total, c->messages) && config_set_entries(set) == 0) {
        config_warn(c->messages, where, "the list %s has no entry: it matches nothing",
            config_quote(path, quoted));
    }
    fd_close(&fd);
}

static void
sets_value(struct config_compiler *c, const struct config_block *b, const struct config_setting *s,
    uint32_t i)
{
    const struct config_value *v = &c->model.values[s->first + i];
    const struct config_where where = config_model_where(&c->model, v->row, b, s->key);
    struct config_destination d;
    struct config_error_text error;
    if (v->text[0] != '@' || !config_value_destination(v->text, &d, &error) ||
        config_sets_find(&c->sets, d.list) != UINT32_MAX) {
        return;
    }
    if (c->sets.count < CONFIG_LISTS_MAX) {
        sets_read(c, d.list, &where);
    } else {
        config_error(c->messages, &where, "more than %u lists", CONFIG_LISTS_MAX);
    }
}

void
config_sets_load(struct config_compiler *c)
{
    for (uint32_t i = 1; i < c->model.block_count; i++) {
        const struct config_block *b = &c->model.blocks[i];
        const struct config_setting *s = config_model_setting(&c->model, b, "destination");
        for (uint32_t v = 0; s != NULL && v < s->count; v++) {
            sets_value(c, b, s, v);
        }
    }
}

struct image_list
config_sets_write(struct config_compiler *c)
{
    struct image_set *list = calloc(c->sets.count > 0 ? c->sets.count : 1, sizeof(*list));
    if (list == NULL) {
        c->builder.failed = true;
        return (struct image_list){ .off = 0 };
    }
    for (uint32_t i = 0; i < c->sets.count; i++) {
        struct config_set *s = &c->sets.list[i];
        list[i].path = config_builder_text(&c->builder, s->path);
        config_set_write_names(s, &c->builder, &list[i]);
        config_set_write_tries(s, &c->builder, &list[i]);
    }
    const struct image_list written =
        config_builder_list(&c->builder, list, sizeof(*list), c->sets.count);
    free(list);
    return written;
}
