/* SPDX-License-Identifier: ISC */
/*
 * The sections of authentication modules: keys from the modules' own option tables. Serves
 * config_compile.c and the checks; a module that cannot be found is an answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/config/config_compiler.h"

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
        [AUTH_OPTION_FOLDER] = CONFIG_FOLDER,
    };
    struct config_key key = {
        .section = section,
        .name = o->name,
        .type = o->type == AUTH_OPTION_LIST && o->words != NULL ? CONFIG_WORDS : types[o->type],
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
    if (config_is_ident(name)) {
        snprintf(error, size, "\"ident\" has no section of its own; see \"socks4\"");
        return NULL;
    }
    if (c->module_count == CONFIG_MODULES_MAX) {
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
    /* What the modules' finder takes as a name fits. */
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
