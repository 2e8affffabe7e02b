/* SPDX-License-Identifier: ISC */
/*
 * Modules check their sections: as they stand, and once more as each listener sees them that says
 * something in place of them. Serves config_compile.c; all it finds wrong is a complaint, at the
 * section or at the listener.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/base/fd.h"
#include "src/config/config_compiler.h"

#define MODULE_FILE_MAX (64U << 20) /* bytes of a file a module checks */

/* What a module may read: its section, or what is in force on one listener. */
struct module_view {
    struct config_compiler *compiler;
    struct config_module *module;
    const struct config_block *block;  /* the section; NULL when there is none */
    const struct config_block *listen; /* NULL: the section as it stands */
};

static const char *
module_value(const void *ctx, const char *name, unsigned i)
{
    const struct module_view *v = ctx;
    struct config_model *model = &v->compiler->model;
    const struct config_key *key = config_key_find(&v->module->section, name);
    if (key == NULL) {
        return NULL;
    }
    const struct config_setting *own =
        v->listen != NULL ? config_listen_setting(v->compiler, v->listen, key) : NULL;
    if (own != NULL) {
        return i < own->count ? model->values[own->first + i].text : NULL;
    }
    return config_model_value(model, v->block, key, i);
}

/* The key that a module's complaint begins with, or NULL. */
static const struct config_key *
module_key(const struct module_view *v, const char *error)
{
    for (size_t i = 0; i < v->module->section.count; i++) {
        const size_t len = strlen(v->module->keys[i].name);
        if (strncmp(error, v->module->keys[i].name, len) == 0 && error[len] == ':') {
            return &v->module->keys[i];
        }
    }
    return NULL;
}

static struct config_where
module_where(const struct module_view *v, const struct config_key *key)
{
    const struct config_model *model = &v->compiler->model;
    if (v->listen != NULL) {
        /* Else of the first of its own keys; the module says itself which value it means. */
        const struct config_setting *own =
            key != NULL ? config_listen_setting(v->compiler, v->listen, key) : NULL;
        own = own != NULL ? own : config_listen_first(v->compiler, v->listen, v->module);
        return config_model_where(
            model, own != NULL ? own->row : v->listen->row, v->listen, NULL);
    }
    const struct config_setting *s =
        key != NULL ? config_model_setting(model, v->block, key->name) : NULL;
    const uint32_t row = s != NULL ? s->row : v->block != NULL ? v->block->row : 0;
    struct config_where where = config_model_where(model, row, v->block, key);
    where.section = v->module->name;
    return where;
}

/* The next view of a module: the next listener that offers it and says something of its own. */
static bool
module_next(struct module_view *v)
{
    const struct config_model *model = &v->compiler->model;
    const uint32_t from = v->listen != NULL ? (uint32_t)(v->listen - model->blocks) + 1 : 1;
    for (uint32_t i = from; i < model->block_count; i++) {
        v->listen = &model->blocks[i];
        if (!v->listen->wrong && config_listen_first(v->compiler, v->listen, v->module) != NULL) {
            return true;
        }
    }
    return false;
}

/* --- files ------------------------------------------------------------------------------------- */

/* A file of a module, mapped while it is checked. */
struct module_file {
    const struct config_key *key;
    const char *path;
    const void *data;
    size_t len;
};

/* Maps the file. False, with a complaint, when it cannot be read. */
static bool
module_map(const struct module_view *v, struct module_file *f)
{
    const struct config_source *source = v->compiler->source;
    const struct config_where where = module_where(v, f->key);
    char quoted[CONFIG_QUOTE_MAX];
    struct stat st = { .st_size = 0 };
    int fd = source->open(f->path, source->ctx);
    f->data = "";
    bool read = fd >= 0 && fstat(fd, &st) == 0;
    if (read && st.st_size > MODULE_FILE_MAX) {
        errno = EFBIG;
        read = false;
    }
    f->len = (size_t)st.st_size;
    if (read && f->len > 0) {
        f->data = mmap(NULL, f->len, PROT_READ, MAP_PRIVATE, fd, 0);
        read = f->data != MAP_FAILED;
    }
    if (!read) {
        config_error(v->compiler->messages, &where, "cannot read %s: %m",
            config_quote(f->path, quoted));
    }
    fd_close(&fd);
    return read;
}

/* The module looks at the content, with each view. What is wrong with the file itself is said once. */
static void
module_check_content(struct module_view v, const struct module_file *f)
{
    char error[CONFIG_ERROR_MAX] = "";
    char first[CONFIG_ERROR_MAX] = "";
    const struct auth_config config = { .ctx = &v, .value = module_value };
    const struct auth_config_face *face = &v.module->wire->config;
    if (face->check_file(
            &config, f->key->name, f->path, f->data, f->len, first, sizeof(first)) != 0) {
        config_error_line(v.compiler->messages, first);
    }
    while (module_next(&v)) {
        const struct config_where where = module_where(&v, NULL);
        if (face->check_file(
                &config, f->key->name, f->path, f->data, f->len, error, sizeof(error)) != 0 &&
            strcmp(error, first) != 0) {
            config_error(v.compiler->messages, &where, "%s", error);
        }
    }
}

static void
module_check_files(const struct module_view *v)
{
    if (!v->compiler->source->check_files || v->module->wire->config.check_file == NULL) {
        return;
    }
    for (size_t i = 0; i < v->module->section.count; i++) {
        struct module_file f = { .key = &v->module->keys[i] };
        f.path = f.key->type == CONFIG_FILE
                     ? config_model_value(&v->compiler->model, v->block, f.key, 0)
                     : NULL;
        if (f.path != NULL && f.path[0] == '/' && module_map(v, &f)) {
            module_check_content(*v, &f);
            if (f.len > 0) {
                munmap((void *)(uintptr_t)f.data, f.len);
            }
        }
    }
}

/* --- values ------------------------------------------------------------------------------------ */

/* False, with a complaint, when the module does not like what it reads. */
static bool
module_check_view(const struct module_view *v)
{
    const struct auth_config config = { .ctx = v, .value = module_value };
    const struct auth_config_face *face = &v->module->wire->config;
    char error[CONFIG_ERROR_MAX] = "";
    if (face->check == NULL || face->check(&config, error, sizeof(error)) == 0) {
        return true;
    }
    struct config_where where = module_where(v, module_key(v, error));
    where.key = NULL; /* it is in the text */
    config_error(v->compiler->messages, &where, "%s", error);
    return false;
}

/* The section, once each of its values is sound, and then as each listener sees it. */
static void
module_check(struct config_compiler *c, struct config_module *m)
{
    const struct module_view section = {
        .compiler = c, .module = m, .block = config_model_block(&c->model, m->name)
    };
    struct module_view view = section;
    bool sound = (section.block == NULL || !section.block->wrong) && module_check_view(&section);
    while (sound && module_next(&view)) {
        sound = module_check_view(&view);
    }
    if (sound) {
        module_check_files(&section);
    }
}

void
config_modules_check(struct config_compiler *c)
{
    for (uint32_t i = 0; i < c->module_count; i++) {
        struct config_module *m = &c->modules[i];
        /* A rule may name a method that nobody offers. */
        if (m->used || config_model_block(&c->model, m->name) != NULL) {
            module_check(c, m);
        }
    }
}
