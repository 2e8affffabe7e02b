/* SPDX-License-Identifier: ISC */
/*
 * The modules of the image, and options as rows, from a model that was found sound. Serves
 * config_settings.c.
 */
#include <stdlib.h>

#include "src/config/config_compiler.h"

static enum image_option_kind
option_kind(const struct config_key *key)
{
    return key->type == CONFIG_FILE     ? IMAGE_OPTION_FILE
           : key->type == CONFIG_FOLDER ? IMAGE_OPTION_FOLDER
                                        : IMAGE_OPTION_VALUE;
}

static void
option_add(struct config_compiler *c, struct config_rows *rows, const struct config_key *key,
    const char *value, enum image_option_kind kind)
{
    struct image_option *more = realloc(rows->list, (rows->count + 1) * sizeof(*more));
    if (more == NULL) {
        c->builder.failed = true;
        return;
    }
    rows->list = more;
    more[rows->count++] = (struct image_option){
        .key = config_builder_text(&c->builder, key->name),
        .value = config_builder_text(&c->builder, value),
        .kind = kind,
        .change = key->change,
    };
}

void
config_rows_add(struct config_compiler *c, struct config_rows *rows,
    const struct config_block *block, const struct config_key *key)
{
    const uint32_t before = rows->count;
    const char *value;
    for (uint32_t i = 0; (value = config_model_value(&c->model, block, key, i)) != NULL; i++) {
        option_add(c, rows, key, value, option_kind(key));
        if (c->builder.failed) {
            return;
        }
    }
    if (rows->count == before && config_type_is_list(key->type)) {
        option_add(c, rows, key, "", IMAGE_OPTION_EMPTY);
    }
}

struct image_list
config_rows_write(struct config_compiler *c, struct config_rows *rows)
{
    const struct image_list list =
        config_builder_list(&c->builder, rows->list, sizeof(*rows->list), rows->count);
    free(rows->list);
    *rows = (struct config_rows){ .list = NULL };
    return list;
}

static uint32_t
module_processes(struct config_compiler *c, const struct config_module *m,
    const struct config_block *block)
{
    const struct config_key *key = config_key_find(&m->section, "processes");
    const char *text = key != NULL ? config_model_value(&c->model, block, key, 0) : NULL;
    struct config_error_text error;
    uint64_t n = 0;
    if (text != NULL && !config_value_number(key, text, &n, &error)) {
        n = 0;
    }
    const struct auth_pool *pool = m->wire->config.pool;
    const uint32_t least = pool->blocks ? 8 : 2;
    const uint32_t preset = pool->processes > 0 ? pool->processes : c->workers / 2;
    if (n > 0) {
        return (uint32_t)n;
    }
    return pool->processes > 0 || preset > least ? preset : least;
}

static struct image_module
module_write(struct config_compiler *c, struct config_module *m)
{
    const struct config_block *block = config_model_block(&c->model, m->name);
    struct config_rows rows = { .list = NULL };
    struct image_module out = {
        .name = config_builder_text(&c->builder, m->name),
        .method = m->wire->method,
        .has_secret = m->wire->needs_pool,
        .shared = m->shared,
    };
    for (size_t i = 0; i < m->section.count; i++) {
        config_rows_add(c, &rows, block, &m->keys[i]);
    }
    if (m->wire->needs_pool) {
        out.processes = module_processes(c, m, block);
        out.step_seconds = m->wire->config.pool->step_seconds;
        out.user = config_builder_text(
            &c->builder, m->wire->config.pool->user != NULL ? m->wire->config.pool->user : "");
    }
    out.options = config_rows_write(c, &rows);
    return out;
}

/* The module with that number, or NULL behind the last. */
static struct config_module *
module_numbered(struct config_compiler *c, uint32_t number)
{
    for (uint32_t i = 0; i < c->module_count; i++) {
        if (c->modules[i].used && c->modules[i].number == number) {
            return &c->modules[i];
        }
    }
    return NULL;
}

void
config_modules_write(struct config_compiler *c, struct image_settings *out)
{
    struct image_module modules[CONFIG_MODULES_MAX];
    struct config_module *m;
    uint32_t count = 0;
    while (count < CONFIG_MODULES_MAX && (m = module_numbered(c, count)) != NULL) {
        modules[count++] = module_write(c, m);
    }
    out->modules = config_builder_list(&c->builder, modules, sizeof(modules[0]), count);
}
