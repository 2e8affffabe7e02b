/* SPDX-License-Identifier: ISC */
/*
 * What a listener says in place of the sections of the methods it offers: `protection`, `service`.
 * Serves the checks and the writer of the image; all it finds wrong is a complaint.
 */
#include <string.h>

#include "src/config/config_compiler.h"

const char *
config_listen_method(struct config_compiler *c, const struct config_block *listen, uint32_t i)
{
    const struct config_block *from =
        config_model_setting(&c->model, listen, "methods") != NULL ? listen : &c->model.blocks[0];
    return config_model_value(&c->model, from, config_key_find(from->section, "methods"), i);
}

static bool
listen_is(const struct config_block *b)
{
    return strcmp(b->section->name, "listen") == 0;
}

bool
config_listen_offers(struct config_compiler *c, const struct config_block *listen, const char *method)
{
    const char *name;
    for (uint32_t i = 0; (name = config_listen_method(c, listen, i)) != NULL; i++) {
        if (strcmp(name, method) == 0) {
            return true;
        }
    }
    return false;
}

/* A key of that name that can stand in place of a module's: a list, as the module's must be. */
static bool
listen_replaces(const struct config_key *own, const struct config_key *key)
{
    return own->in_place && config_type_is_list(key->type) && strcmp(own->name, key->name) == 0;
}

const struct config_setting *
config_listen_setting(
    struct config_compiler *c, const struct config_block *listen, const struct config_key *key)
{
    const struct config_setting *s = config_model_setting(&c->model, listen, key->name);
    return s != NULL && listen_replaces(s->key, key) ? s : NULL;
}

const struct config_setting *
config_listen_first(
    struct config_compiler *c, const struct config_block *listen, const struct config_module *m)
{
    if (!listen_is(listen) || !config_listen_offers(c, listen, m->name)) {
        return NULL;
    }
    for (size_t i = 0; i < m->section.count; i++) {
        const struct config_setting *s = config_listen_setting(c, listen, &m->keys[i]);
        if (s != NULL) {
            return s;
        }
    }
    return NULL;
}

/* The values by the module's own key. False when one is wrong, with a complaint. */
static bool
listen_check_values(struct config_compiler *c, const struct config_block *b,
    const struct config_setting *s, const struct config_key *key)
{
    struct config_error_text error;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct config_value *v = &c->model.values[s->first + i];
        /* What the listener's own key refuses has its complaint. */
        if (config_value_check(s->key, v->text, &error) &&
            !config_value_check(key, v->text, &error)) {
            const struct config_where where = config_model_where(&c->model, v->row, b, s->key);
            config_error(c->messages, &where, "%s", error.text);
            return false;
        }
    }
    return true;
}

/* Some method offered here must have what the listener speaks of. */
static void
listen_check_setting(
    struct config_compiler *c, const struct config_block *b, const struct config_setting *s)
{
    char error[CONFIG_ERROR_MAX];
    bool found = false;
    const char *name;
    for (uint32_t i = 0; (name = config_listen_method(c, b, i)) != NULL; i++) {
        if (config_is_ident(name)) {
            continue;
        }
        const struct config_module *m = config_module_find(c, name, error, sizeof(error));
        const struct config_key *key =
            m != NULL ? config_key_find(&m->section, s->key->name) : NULL;
        if (m == NULL || (key != NULL && listen_replaces(s->key, key))) {
            found = true; /* or unknown, which has a complaint of its own */
        }
        if (key != NULL && listen_replaces(s->key, key) && !listen_check_values(c, b, s, key)) {
            return;
        }
    }
    if (!found) {
        const struct config_where where = config_model_where(&c->model, s->row, b, s->key);
        config_error(c->messages, &where,
            "no method offered here has \"%s\"; offer one that has it, or leave it out",
            s->key->name);
    }
}

void
config_listen_check(struct config_compiler *c, struct config_block *listen)
{
    const unsigned errors = c->messages->errors;
    for (uint32_t i = listen->head; i != MODEL_NONE; i = c->model.settings[i].next) {
        const struct config_setting *s = &c->model.settings[i];
        if (s->key->in_place) {
            listen_check_setting(c, listen, s);
        }
    }
    listen->wrong = listen->wrong || c->messages->errors > errors;
}

struct image_list
config_listen_write(struct config_compiler *c, const struct config_block *listen)
{
    struct config_rows rows = { .list = NULL };
    for (size_t i = 0; i < listen->section->count; i++) {
        const struct config_key *key = &listen->section->keys[i];
        if (key->in_place && config_model_setting(&c->model, listen, key->name) != NULL) {
            config_rows_add(c, &rows, listen, key);
        }
    }
    return config_rows_write(c, &rows);
}
