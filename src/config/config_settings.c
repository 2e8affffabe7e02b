/* SPDX-License-Identifier: ISC */
/*
 * The settings and listeners of the image, from a model that config_check.c found sound. Serves
 * config_compile.c.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "src/config/config_compiler.h"

static void
settings_put(struct image_settings *out, size_t at, const void *value, size_t size)
{
    memcpy((uint8_t *)out + at, value, size);
}

/* Stores one key as the table says. */
static void
settings_store(struct config_compiler *c, struct image_settings *out, const struct config_key *key,
    const char *text)
{
    struct config_error_text error;
    uint64_t number = 0;
    struct addr addr;
    if (key->store == STORE_TEXT) {
        const struct image_text t = config_builder_text(&c->builder, text);
        settings_put(out, key->at, &t, sizeof(t));
    } else if (key->store == STORE_WORD) {
        const uint32_t word = (uint32_t)config_value_word(key->words, text);
        settings_put(out, key->at, &word, sizeof(word));
    } else if (key->store == STORE_ADDR) {
        const bool sound = key->type == CONFIG_LISTEN
                               ? config_value_listen_or_none(text, &addr, &error)
                               : config_value_address(config_value_family(key), text, &addr, &error);
        if (sound) {
            settings_put(out, key->at, &addr, sizeof(addr));
        }
    } else if (config_value_number(key, text, &number, &error)) {
        const uint32_t half = (uint32_t)number;
        const bool wide = key->store == STORE_U64;
        settings_put(out, key->at, wide ? (const void *)&number : &half,
            wide ? sizeof(number) : sizeof(half));
    }
}

static void
settings_store_section(struct config_compiler *c, struct image_settings *out,
    const struct config_section *section)
{
    const struct config_block *block = config_model_block(&c->model, section->name);
    for (size_t i = 0; i < section->count; i++) {
        const struct config_key *key = &section->keys[i];
        const char *text =
            key->store != STORE_NONE ? config_model_value(&c->model, block, key, 0) : NULL;
        if (text != NULL) {
            settings_store(c, out, key, text);
        }
    }
}

/* The text of a scalar, its preset when it is not set. */
static const char *
settings_text(struct config_compiler *c, const char *section, const char *name)
{
    const struct config_section *sec = config_section_find(section);
    const char *text = config_model_value(
        &c->model, config_model_block(&c->model, section), config_key_find(sec, name), 0);
    return text != NULL ? text : "";
}

static void
settings_store_log(struct config_compiler *c, struct image_settings *out)
{
    struct config_error_text error;
    enum image_log_target target = IMAGE_LOG_SYSLOG;
    const char *path = "";
    if (config_value_target(settings_text(c, "log", "target"), &target, &path, &error)) {
        out->log.target = target;
        out->log.path = config_builder_text(&c->builder, path);
    }
    out->log.facility = (uint32_t)config_facility(settings_text(c, "log", "facility"));
}

static void
settings_store_servers(struct config_compiler *c, struct image_settings *out)
{
    const struct config_setting *s = config_model_setting(
        &c->model, config_model_block(&c->model, "resolver"), "servers");
    const uint32_t count = s != NULL ? s->count : 0;
    struct config_error_text error;
    struct addr *servers = calloc(count + 1, sizeof(*servers));
    if (servers == NULL) {
        c->builder.failed = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!config_value_server(c->model.values[s->first + i].text, &servers[i], &error)) {
            c->builder.failed = true;
        }
    }
    out->resolver.servers = config_builder_list(&c->builder, servers, sizeof(*servers), count);
    free(servers);
}

/* The modules of one listener. */
static struct image_list
settings_methods(struct config_compiler *c, const struct config_block *listen)
{
    uint32_t numbers[CONFIG_MODULES_MAX];
    uint32_t count = 0;
    char error[CONFIG_ERROR_MAX];
    const char *name;
    for (uint32_t i = 0;
         count < CONFIG_MODULES_MAX && (name = config_listen_method(c, listen, i)) != NULL; i++) {
        struct config_module *m =
            config_is_ident(name) ? NULL : config_module_find(c, name, error, sizeof(error));
        if (m != NULL) {
            numbers[count++] = m->number;
        }
    }
    return config_builder_list(&c->builder, numbers, sizeof(numbers[0]), count);
}

/* Modules are numbered by name: a listener more, or another order in the file, and every pool that
   stays keeps its number. */
static void
settings_number_modules(struct config_compiler *c)
{
    for (uint32_t i = 0; i < c->module_count; i++) {
        uint32_t number = 0;
        for (uint32_t j = 0; j < c->module_count; j++) {
            number += c->modules[j].used && strcmp(c->modules[j].name, c->modules[i].name) < 0;
        }
        c->modules[i].number = c->modules[i].used ? number : MODEL_NONE;
    }
}

static void
settings_store_listeners(struct config_compiler *c, struct image_settings *out)
{
    struct config_error_text error;
    uint32_t count = 0;
    struct image_listener *listeners = calloc(c->model.block_count, sizeof(*listeners));
    if (listeners == NULL) {
        c->builder.failed = true;
        return;
    }
    settings_number_modules(c);
    for (uint32_t i = 1; i < c->model.block_count; i++) {
        const struct config_block *b = &c->model.blocks[i];
        struct image_listener *l = &listeners[count];
        if (strcmp(b->section->name, "listen") == 0 &&
            config_value_listen(b->title, &l->addr, &error)) {
            l->name = config_builder_text(&c->builder, b->title);
            l->modules = settings_methods(c, b);
            l->ident = config_listen_offers(c, b, CONFIG_IDENT);
            l->overrides = config_listen_write(c, b);
            count++;
        }
    }
    out->listeners = config_builder_list(&c->builder, listeners, sizeof(*listeners), count);
    free(listeners);
}

void
config_settings_write(struct config_compiler *c, struct image_settings *out)
{
    size_t count = 0;
    const struct config_section *sections = config_sections(&count);
    for (size_t i = 0; i < count; i++) {
        if (!sections[i].titled) {
            settings_store_section(c, out, &sections[i]);
        }
    }
    if (out->workers == 0) {
        out->workers = c->source->cpus > 0 ? c->source->cpus : 1;
    }
    c->workers = out->workers;
    out->config_file = config_builder_text(&c->builder, c->source->path);
    settings_store_log(c, out);
    settings_store_servers(c, out);
    settings_store_listeners(c, out);
    config_modules_write(c, out);
    out->groups = config_groups_write(c);
    out->zone = config_zone_write(&c->builder, wall_read().us / CLOCK_SECOND_US);
}
