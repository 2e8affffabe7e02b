/* SPDX-License-Identifier: ISC */
/*
 * The rules of the image, from a model that config_check.c found sound. Serves config_compile.c.
 */
#include <stdlib.h>
#include <string.h>

#include "src/config/config_compiler.h"

/* A rule being written: its settings, and one scratch array for whichever list is under way. */
struct rule {
    struct config_compiler *compiler;
    const struct config_block *block;
    void *scratch;
    size_t scratch_size;
};

static const struct config_setting *
rule_setting(const struct rule *r, const char *key)
{
    return config_model_setting(&r->compiler->model, r->block, key);
}

static const char *
rule_value(const struct rule *r, const struct config_setting *s, uint32_t i)
{
    return r->compiler->model.values[s->first + i].text;
}

/* Scratch for count elements, zeroed; NULL when memory ran out. */
static void *
rule_scratch(struct rule *r, uint32_t count, size_t size)
{
    const size_t need = (size_t)count * size;
    if (need > r->scratch_size) {
        free(r->scratch);
        r->scratch = malloc(need);
        r->scratch_size = r->scratch != NULL ? need : 0;
    }
    if (r->scratch == NULL) {
        r->compiler->builder.failed = true;
        return NULL;
    }
    return memset(r->scratch, 0, need);
}

static void
rule_clients(struct rule *r, struct image_rule *out)
{
    const struct config_setting *s = rule_setting(r, "client");
    struct image_prefix *list = s != NULL ? rule_scratch(r, s->count, sizeof(*list)) : NULL;
    struct config_error_text error;
    uint32_t n = 0;
    if (list == NULL) {
        return;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        n += config_value_prefix(rule_value(r, s, i), &list[n], &error);
    }
    out->has |= IMAGE_HAS_CLIENT;
    out->clients = config_builder_list(&r->compiler->builder, list, sizeof(*list), n);
}

static struct image_list
rule_texts(struct rule *r, const struct config_setting *s)
{
    struct image_text *list = rule_scratch(r, s->count, sizeof(*list));
    for (uint32_t i = 0; list != NULL && i < s->count; i++) {
        list[i] = config_builder_text(&r->compiler->builder, rule_value(r, s, i));
    }
    return config_builder_list(
        &r->compiler->builder, list, sizeof(*list), list != NULL ? s->count : 0);
}

static void
rule_users(struct rule *r, struct image_rule *out)
{
    const struct config_setting *s = rule_setting(r, "user");
    if (s != NULL) {
        out->has |= IMAGE_HAS_USER;
        out->users = rule_texts(r, s);
    }
}

static void
rule_methods(struct rule *r, struct image_rule *out)
{
    const struct config_setting *s = rule_setting(r, "method");
    uint8_t *list = s != NULL ? rule_scratch(r, s->count, sizeof(*list)) : NULL;
    char error[CONFIG_ERROR_MAX];
    if (list == NULL) {
        return;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        const struct config_module *m =
            config_module_find(r->compiler, rule_value(r, s, i), error, sizeof(error));
        list[i] = m != NULL ? m->wire->method : IMAGE_METHOD_IDENT;
    }
    out->has |= IMAGE_HAS_METHOD;
    out->methods = config_builder_list(&r->compiler->builder, list, sizeof(*list), s->count);
    out->method_names = rule_texts(r, s);
}

static void
rule_commands(const struct rule *r, struct image_rule *out)
{
    const struct config_setting *s = rule_setting(r, "command");
    out->commands = IMAGE_COMMAND_CONNECT | IMAGE_COMMAND_BIND | IMAGE_COMMAND_UDP;
    if (s == NULL) {
        return;
    }
    out->has |= IMAGE_HAS_COMMAND;
    out->commands = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        /* The words stand in the order of the bits. */
        out->commands |= 1U << config_value_word(s->key->words, rule_value(r, s, i));
    }
}

static uint32_t
rule_bind_any(const struct rule *r)
{
    const struct config_setting *s = rule_setting(r, "bind-any");
    return s != NULL && config_value_word(s->key->words, rule_value(r, s, 0)) == 1;
}

/* The words stand in the order of the levels. */
static void
rule_protection(const struct rule *r, struct image_rule *out)
{
    const struct config_setting *s = rule_setting(r, "protection");
    out->protection =
        s != NULL ? (uint32_t)config_value_word(s->key->words, rule_value(r, s, 0)) : 0;
}

/* Names first, prefixes behind: one list in the file, two in the image. */
static void
rule_names(struct rule *r, const struct config_setting *s, struct image_rule *out)
{
    struct image_text *list = rule_scratch(r, s->count, sizeof(*list));
    struct config_error_text error;
    struct config_destination d;
    uint32_t n = 0;
    for (uint32_t i = 0; list != NULL && i < s->count; i++) {
        if (config_value_destination(rule_value(r, s, i), &d, &error) && !d.is_prefix &&
            d.list == NULL) {
            list[n++] = config_builder_text(&r->compiler->builder, d.glob);
        }
    }
    out->names = config_builder_list(&r->compiler->builder, list, sizeof(*list), n);
}

static void
rule_prefixes(struct rule *r, const struct config_setting *s, struct image_rule *out)
{
    struct image_prefix *list = rule_scratch(r, s->count, sizeof(*list));
    struct config_error_text error;
    struct config_destination d;
    uint32_t n = 0;
    for (uint32_t i = 0; list != NULL && i < s->count; i++) {
        if (config_value_destination(rule_value(r, s, i), &d, &error) && d.is_prefix) {
            list[n++] = d.prefix;
        }
    }
    out->prefixes = config_builder_list(&r->compiler->builder, list, sizeof(*list), n);
}

/* Lists: by their number in the image. */
static void
rule_sets(struct rule *r, const struct config_setting *s, struct image_rule *out)
{
    uint32_t *list = rule_scratch(r, s->count, sizeof(*list));
    uint32_t n = 0;
    for (uint32_t i = 0; list != NULL && i < s->count; i++) {
        const char *value = rule_value(r, s, i);
        if (value[0] == '@') {
            list[n++] = config_sets_find(&r->compiler->sets, value + 1);
        }
    }
    out->sets = config_builder_list(&r->compiler->builder, list, sizeof(*list), n);
}

static void
rule_ports(struct rule *r, struct image_rule *out)
{
    const struct config_setting *s = rule_setting(r, "port");
    struct image_ports *list = s != NULL ? rule_scratch(r, s->count, sizeof(*list)) : NULL;
    struct config_error_text error;
    uint32_t n = 0;
    if (list == NULL) {
        return;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        n += config_value_ports(rule_value(r, s, i), &list[n], &error);
    }
    out->has |= IMAGE_HAS_PORT;
    out->ports = config_builder_list(&r->compiler->builder, list, sizeof(*list), n);
}

static void
rule_groups(struct rule *r, struct image_rule *out)
{
    const struct config_setting *s = rule_setting(r, "group");
    uint32_t *list = s != NULL ? rule_scratch(r, s->count, sizeof(*list)) : NULL;
    if (list == NULL) {
        return;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        list[i] = config_groups_index(r->compiler, rule_value(r, s, i));
    }
    out->has |= IMAGE_HAS_GROUP;
    out->groups = config_builder_list(&r->compiler->builder, list, sizeof(*list), s->count);
}

static void
rule_times(struct rule *r, struct image_rule *out)
{
    const struct config_setting *s = rule_setting(r, "time");
    struct image_window *list =
        s != NULL ? rule_scratch(r, s->count * VALUE_WINDOWS_MAX, sizeof(*list)) : NULL;
    struct config_error_text error;
    uint32_t n = 0;
    if (list == NULL) {
        return;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t more = 0;
        if (config_value_times(rule_value(r, s, i), &list[n], &more, &error)) {
            n += more;
        }
    }
    out->has |= IMAGE_HAS_TIME;
    out->times = config_builder_list(&r->compiler->builder, list, sizeof(*list), n);
}

static uint64_t
rule_size(const struct rule *r, const char *key)
{
    const struct config_setting *s = rule_setting(r, key);
    struct config_error_text error;
    uint64_t size = 0;
    return s != NULL && config_value_number(s->key, rule_value(r, s, 0), &size, &error) ? size : 0;
}

static struct image_rule
rule_write(struct rule *r)
{
    struct image_rule out = { .action = IMAGE_DENY };
    const struct config_setting *action = rule_setting(r, "action");
    const struct config_setting *destination = rule_setting(r, "destination");
    out.title = config_builder_text(&r->compiler->builder, r->block->title);
    if (action != NULL && strcmp(rule_value(r, action, 0), "allow") == 0) {
        out.action = IMAGE_ALLOW;
    }
    rule_clients(r, &out);
    rule_users(r, &out);
    rule_groups(r, &out);
    rule_methods(r, &out);
    rule_protection(r, &out);
    rule_commands(r, &out);
    out.bind_any = rule_bind_any(r);
    if (destination != NULL) {
        out.has |= IMAGE_HAS_DESTINATION;
        rule_names(r, destination, &out);
        rule_prefixes(r, destination, &out);
        rule_sets(r, destination, &out);
    }
    rule_ports(r, &out);
    rule_times(r, &out);
    out.bandwidth = rule_size(r, "bandwidth");
    out.user_bandwidth = rule_size(r, "user-bandwidth");
    return out;
}

struct image_list
config_rules_write(struct config_compiler *c)
{
    struct rule r = { .compiler = c };
    uint32_t count = 0;
    struct image_rule *rules = calloc(c->model.block_count, sizeof(*rules));
    for (uint32_t i = 1; rules != NULL && i < c->model.block_count; i++) {
        r.block = &c->model.blocks[i];
        if (strcmp(r.block->section->name, "rule") == 0) {
            rules[count++] = rule_write(&r);
        }
    }
    const struct image_list list =
        config_builder_list(&c->builder, rules, sizeof(*rules), count);
    c->builder.failed = c->builder.failed || rules == NULL;
    free(r.scratch);
    free(rules);
    return list;
}
