/* SPDX-License-Identifier: ISC */
/*
 * The sections of authentication modules: keys from the modules' own option tables, the checks the
 * modules bring, their rows in the image. Serves config_compile.c; all it finds wrong is a
 * complaint.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/base/fd.h"
#include "src/config/config_compiler.h"

#define MODULE_FILE_MAX (64U << 20) /* bytes of a file a module checks */

/* Every method with a pool has it, also when the module does not name it. */
static const struct config_key processes_key = {
    .name = "processes",
    .type = CONFIG_NUMBER,
    .preset = "0",
    .max = 256,
    .change = CONFIG_RESTART,
    .sentence = "Processes of the pool; 0 means half as many as workers, at least 2.",
};

static struct config_key
module_key(const char *section, const struct auth_option *o)
{
    static const char *const booleans[] = { "false", "true", NULL };
    static const enum config_type types[] = {
        [AUTH_OPTION_TEXT] = CONFIG_TEXT,
        [AUTH_OPTION_NUMBER] = CONFIG_NUMBER,
        [AUTH_OPTION_BOOLEAN] = CONFIG_BOOLEAN,
        [AUTH_OPTION_LIST] = CONFIG_LIST,
        [AUTH_OPTION_FILE] = CONFIG_FILE,
    };
    struct config_key key = {
        .section = section,
        .name = o->name,
        .type = types[o->type],
        .preset = o->preset,
        .min = o->min > 0 ? (uint64_t)o->min : 0,
        .max = o->max > 0 ? (uint64_t)o->max : 0,
        .words = o->type == AUTH_OPTION_BOOLEAN ? booleans : o->words,
        .reserved = o->reserved,
        .change = (enum config_change)o->change,
        .sentence = o->sentence,
    };
    return key;
}

/* The module's keys; false when there are too many or memory ran out. */
static bool
module_keys(struct config_module *m)
{
    size_t count = 0;
    while (m->wire->config.options[count].name != NULL) {
        count++;
    }
    m->keys = count < CONFIG_KEYS_MAX ? calloc(count + 1, sizeof(*m->keys)) : NULL;
    if (m->keys == NULL) {
        return false;
    }
    m->section = (struct config_section){
        .name = m->name, .keys = m->keys, .count = count, .module = m->wire
    };
    for (size_t i = 0; i < count; i++) {
        m->keys[i] = module_key(m->name, &m->wire->config.options[i]);
    }
    if (m->wire->needs_pool && config_key_find(&m->section, processes_key.name) == NULL) {
        m->keys[count] = processes_key;
        m->keys[count].section = m->name;
        m->section.count++;
    }
    return true;
}

struct config_module *
config_module_find(struct config_compiler *c, const char *name, char *error, size_t size)
{
    for (uint32_t i = 0; i < c->module_count; i++) {
        if (strcmp(c->modules[i].name, name) == 0) {
            return &c->modules[i];
        }
    }
    if (c->module_count == CONFIG_MODULES_MAX || strlen(name) >= sizeof(c->modules[0].name)) {
        snprintf(error, size, "more than %d methods", CONFIG_MODULES_MAX);
        return NULL;
    }
    const char *dir = c->source->module_dir != NULL ? c->source->module_dir : auth_module_dir();
    struct config_module *m = &c->modules[c->module_count];
    /* Built-in ones need no folder. */
    const struct auth_wire_module *builtin = auth_wire_find(name, "/nonexistent", error, size);
    const struct auth_wire_module *wire =
        builtin != NULL ? builtin : auth_wire_find(name, dir, error, size);
    if (wire == NULL) {
        return NULL;
    }
    *m = (struct config_module){ .wire = wire, .shared = builtin == NULL };
    snprintf(m->name, sizeof(m->name), "%s", name);
    if (!module_keys(m)) {
        snprintf(error, size, "module %s: too many options, or out of memory", name);
        return NULL;
    }
    c->module_count++;
    return m;
}

void
config_modules_free(struct config_compiler *c)
{
    for (uint32_t i = 0; i < c->module_count; i++) {
        free(c->modules[i].keys);
    }
    c->module_count = 0;
}

/* What a module may read of its section. */
struct module_view {
    struct config_compiler *compiler;
    struct config_module *module;
    const struct config_block *block;
};

static const char *
module_value(const void *ctx, const char *name, unsigned i)
{
    const struct module_view *v = ctx;
    const struct config_key *key = config_key_find(&v->module->section, name);
    return key != NULL ? config_model_value(&v->compiler->model, v->block, key, i) : NULL;
}

static struct config_where
module_where(const struct module_view *v, const struct config_key *key)
{
    const struct config_model *model = &v->compiler->model;
    const struct config_setting *s =
        key != NULL ? config_model_setting(model, v->block, key->name) : NULL;
    const uint32_t row = s != NULL ? s->row : v->block != NULL ? v->block->row : 0;
    struct config_where where = config_model_where(model, row, v->block, key);
    where.section = v->module->name;
    return where;
}

/* The module looks at the content of one of its files. */
static void
module_check_file(const struct module_view *v, const struct auth_config *config,
    const struct config_key *key, const char *path)
{
    const struct config_source *source = v->compiler->source;
    const struct config_where where = module_where(v, key);
    char quoted[CONFIG_QUOTE_MAX];
    char error[CONFIG_ERROR_MAX] = "";
    struct stat st = { .st_size = 0 };
    int fd = source->open(path, source->ctx);
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size > MODULE_FILE_MAX) {
        config_error(v->compiler->messages, &where, "cannot read %s: %m",
            config_quote(path, quoted));
        fd_close(&fd);
        return;
    }
    const size_t len = (size_t)st.st_size;
    void *data = len > 0 ? mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    if (data == MAP_FAILED) {
        config_error(v->compiler->messages, &where, "cannot read %s: %m",
            config_quote(path, quoted));
    } else if (v->module->wire->config.check_file(config, key->name, path,
                   len > 0 ? data : (const void *)"", len, error, sizeof(error)) != 0) {
        config_error_line(v->compiler->messages, error);
    }
    if (data != MAP_FAILED && data != NULL) {
        munmap(data, len);
    }
    fd_close(&fd);
}

static void
module_check_files(const struct module_view *v, const struct auth_config *config)
{
    if (!v->compiler->source->check_files || v->module->wire->config.check_file == NULL) {
        return;
    }
    for (size_t i = 0; i < v->module->section.count; i++) {
        const struct config_key *key = &v->module->keys[i];
        const char *path = key->type == CONFIG_FILE
                               ? config_model_value(&v->compiler->model, v->block, key, 0)
                               : NULL;
        if (path != NULL && path[0] == '/') {
            module_check_file(v, config, key, path);
        }
    }
}

void
config_modules_check(struct config_compiler *c)
{
    for (uint32_t i = 0; i < c->module_count; i++) {
        struct config_module *m = &c->modules[i];
        const struct module_view view = { c, m, config_model_block(&c->model, m->name) };
        const struct auth_config config = { .ctx = &view, .value = module_value };
        char error[CONFIG_ERROR_MAX] = "";
        if (!m->used && view.block == NULL) {
            continue; /* a rule may name it without anybody offering it */
        }
        if (m->wire->config.check != NULL &&
            m->wire->config.check(&config, error, sizeof(error)) != 0) {
            const struct config_where where = module_where(&view, NULL);
            config_error(c->messages, &where, "%s", error);
            continue;
        }
        module_check_files(&view, &config);
    }
}

/* The rows of one key, one for each value. Returns how many. */
static uint32_t
module_rows(struct config_compiler *c, const struct config_block *block,
    const struct config_key *key, struct image_option **rows, uint32_t count)
{
    const char *value;
    for (uint32_t i = 0; (value = config_model_value(&c->model, block, key, i)) != NULL; i++) {
        struct image_option *more = realloc(*rows, (count + 1) * sizeof(**rows));
        if (more == NULL) {
            c->builder.failed = true;
            return count;
        }
        *rows = more;
        more[count] = (struct image_option){
            .key = config_builder_text(&c->builder, key->name),
            .value = config_builder_text(&c->builder, value),
            .kind = key->type == CONFIG_FILE ? IMAGE_OPTION_FILE : IMAGE_OPTION_VALUE,
        };
        count++;
    }
    return count;
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
    struct image_option *rows = NULL;
    uint32_t count = 0;
    struct image_module out = {
        .name = config_builder_text(&c->builder, m->name),
        .method = m->wire->method,
        .has_secret = m->wire->needs_pool,
        .shared = m->shared,
    };
    for (size_t i = 0; i < m->section.count; i++) {
        count = module_rows(c, block, &m->keys[i], &rows, count);
    }
    if (m->wire->needs_pool) {
        out.processes = module_processes(c, m, block);
        out.step_seconds = m->wire->config.pool->step_seconds;
        out.user = config_builder_text(
            &c->builder, m->wire->config.pool->user != NULL ? m->wire->config.pool->user : "");
    }
    out.options = config_builder_list(&c->builder, rows, sizeof(*rows), count);
    free(rows);
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
    /* By number, not as they were met: the same image whatever stood first in the file. */
    while (count < CONFIG_MODULES_MAX && (m = module_numbered(c, count)) != NULL) {
        modules[count++] = module_write(c, m);
    }
    out->modules = config_builder_list(&c->builder, modules, sizeof(modules[0]), count);
}
