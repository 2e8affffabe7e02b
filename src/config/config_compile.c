/* SPDX-License-Identifier: ISC */
/*
 * The compiler from end to end: scan, libconfuse, checks, image. Serves the master's short-lived
 * child. Whatever is wrong with the configuration or with memory is a complaint and no image.
 */
#include <stdlib.h>
#include <string.h>

#include "src/config/config_compiler.h"
#include "src/config/config_parse.h"
#include "src/config/config_scan.h"

/* --try, and an ordinary user's sallyportd without a file. */
static const char compile_builtin[] = "methods = { \"none\" }\n"
                                      "listen \"127.0.0.1:1080\" { }\n"
                                      "listen \"[::1]:1080\" { }\n"
                                      "log { target = \"stderr\" }\n"
                                      "rule \"try\" {\n"
                                      "    action      = \"allow\"\n"
                                      "    client      = { \"127.0.0.0/8\", \"::1\" }\n"
                                      "    destination = { \"*\", \"0.0.0.0/0\", \"::/0\",\n"
                                      "        \"127.0.0.0/8\", \"::1\" }\n"
                                      "}\n";

/* The sections there are: ours, then those of modules. */
static const struct config_section *
compile_lookup(const char *name, void *ctx, char *error, size_t size)
{
    struct config_compiler *c = ctx;
    char why[CONFIG_ERROR_MAX / 2];
    const struct config_section *own = config_section_find(name);
    if (own != NULL) {
        return own;
    }
    struct config_error_text text;
    const struct config_module *m = config_module_find(c, name, why, sizeof(why));
    if (m != NULL) {
        return &m->section;
    }
    char quoted[CONFIG_QUOTE_MAX];
    config_value_error(&text,
        "unknown section %s; allowed are \"listen\", \"resolver\", \"egress\", \"timeouts\", "
        "\"limits\", \"socks4\", \"udp\", \"bind\", \"log\", \"control\", \"metrics\", "
        "\"rule\" and the names of methods (%s)",
        config_quote(name, quoted), why);
    const size_t len = strnlen(text.text, size - 1);
    memcpy(error, text.text, len);
    error[len] = '\0';
    return NULL;
}

static void
compile_parse(struct config_compiler *c)
{
    size_t count = 0;
    const struct config_section *own = config_sections(&count);
    const struct config_section **all = calloc(count + c->module_count, sizeof(*all));
    if (all == NULL) {
        c->model.failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        all[i] = &own[i];
    }
    for (uint32_t i = 0; i < c->module_count; i++) {
        all[count + i] = &c->modules[i].section;
    }
    const struct config_schema schema = { all, count + c->module_count };
    config_parse(&c->flat, &schema, &c->model, c->messages);
    free(all);
}

static void *
compile_write(struct config_compiler *c, size_t *image_size)
{
    struct image_settings settings;
    memset(&settings, 0, sizeof(settings));
    config_builder_init(&c->builder);
    config_settings_write(c, &settings);
    settings.sets = config_sets_write(c);
    const struct image_list rules = config_rules_write(c);
    c->builder.failed = c->builder.failed || c->model.failed;
    return config_builder_finish(&c->builder, &settings, rules, image_size);
}

/* The stages in order; each needs a sound result of the one before. */
static void *
compile_run(struct config_compiler *c, size_t *image_size)
{
    const struct scan_request request = {
        .source = c->source,
        .messages = c->messages,
        .lookup = compile_lookup,
        .ctx = c,
        .builtin = compile_builtin,
    };
    config_scan(&request, &c->flat);
    if (c->flat.failed || c->flat.file_count == 0) {
        return NULL;
    }
    compile_parse(c);
    if (!c->model.failed && c->model.block_count > 0) {
        config_check(c);
        config_modules_check(c);
        config_sets_load(c);
    }
    void *image = c->messages->errors == 0 && !c->model.failed ? compile_write(c, image_size) : NULL;
    if (image != NULL) {
        config_cover_check(c, image, *image_size);
    } else if (c->messages->errors == 0) {
        const struct config_where where = { .file = c->source->path };
        config_error(c->messages, &where, "out of memory");
    }
    return image;
}

void *
config_compile(
    const struct config_source *source, struct config_messages *messages, size_t *image_size)
{
    struct config_compiler *c = calloc(1, sizeof(*c));
    *image_size = 0;
    if (c == NULL) {
        const struct config_where where = { .file = source->path };
        config_error(messages, &where, "out of memory");
        return NULL;
    }
    c->source = source;
    c->messages = messages;
    void *image = compile_run(c, image_size);
    config_builder_free(&c->builder);
    config_sets_free(&c->sets);
    config_groups_free(c);
    config_modules_free(c);
    config_model_free(&c->model);
    config_flat_free(&c->flat);
    free(c);
    return image;
}
