/* SPDX-License-Identifier: ISC */
/*
 * libconfuse at work. Serves config_compile.c. Its options are made from the option table, all of
 * them texts: what a text means is checked behind, where the line is known. Each value passes
 * parse_value() as libconfuse reads it, with libconfuse's own line, which is the row of the flat
 * text. Rules and listeners are untitled sections to libconfuse (the title is a key of theirs):
 * with titles it compares each new one with all before, and ten thousand rules take half a second.
 */
#include "src/config/config_parse.h"

#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PSEUDO_KEYS 3 /* FLAT_ROW, FLAT_TITLE, FLAT_EMPTY */

struct parser {
    const struct config_flat *flat;
    const struct config_schema *schema;
    struct config_model *model;
    struct config_messages *messages;
    uint32_t values; /* seen, to compare with what the scan wrote */
};

/* libconfuse hands its callbacks no word of ours. */
static struct parser *parsing;

static const struct config_section *
parse_section_find(const char *name)
{
    for (size_t i = 0; i < parsing->schema->count; i++) {
        if (strcmp(parsing->schema->sections[i]->name, name) == 0) {
            return parsing->schema->sections[i];
        }
    }
    return NULL;
}

static void
parse_pseudo(cfg_t *cfg, const char *key, const char *value, uint32_t block)
{
    struct config_model *m = parsing->model;
    if (strcmp(key, FLAT_ROW) == 0) {
        config_model_begin(m, parse_section_find(cfg->name), (uint32_t)cfg->line);
    } else if (strcmp(key, FLAT_TITLE) == 0 && block < m->block_count) {
        struct config_block *b = &m->blocks[block];
        b->title = b->section->titled ? config_model_text(m, value) : NULL;
    } else if (strcmp(key, FLAT_EMPTY) == 0 && block < m->block_count) {
        const struct config_key *list = config_key_find(m->blocks[block].section, value);
        if (list != NULL) {
            config_model_add(m, block, list, NULL, (uint32_t)cfg->line);
        }
    }
}

/* libconfuse read a value. The model has it then; libconfuse's copy is not looked at again. */
static int
parse_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    struct config_model *m = parsing->model;
    const bool top = strcmp(cfg->name, "root") == 0;
    const uint32_t block = top || m->block_count == 0 ? 0 : m->block_count - 1;
    *(const char **)result = value;
    parsing->values++;
    if (opt->name[0] == '@') {
        parse_pseudo(cfg, opt->name, value, block);
        return 0;
    }
    const struct config_key *key =
        block < m->block_count ? config_key_find(m->blocks[block].section, opt->name) : NULL;
    if (key == NULL) {
        m->failed = true;
        return 0;
    }
    config_model_add(m, block, key, value, (uint32_t)cfg->line);
    return 0;
}

static void SP_PRINTF(2, 0)
parse_error(cfg_t *cfg, const char *fmt, va_list ap)
{
    char text[CONFIG_ERROR_MAX];
    struct config_where where = { .section = cfg->opts != NULL ? cfg->name : NULL };
    if (where.section != NULL && strcmp(where.section, "root") == 0) {
        where.section = NULL;
    }
    where.file = config_flat_where(parsing->flat, (uint32_t)cfg->line, &where.line);
    if (vsnprintf(text, sizeof(text), fmt, ap) > 0) {
        config_error(parsing->messages, &where, "%s", text);
    }
}

static cfg_opt_t
parse_text_option(const char *name, bool list)
{
    cfg_opt_t one = CFG_STR_CB(name, NULL, CFGF_NODEFAULT, parse_value);
    cfg_opt_t many = CFG_STR_LIST_CB(name, NULL, CFGF_NODEFAULT, parse_value);
    return list ? many : one;
}

/* libconfuse's options of one section; extra slots stay behind them. NULL: out of memory. */
static cfg_opt_t *
parse_options(const struct config_section *section, size_t extra)
{
    const cfg_opt_t end = CFG_END();
    cfg_opt_t *opts = calloc(PSEUDO_KEYS + section->count + extra + 1, sizeof(*opts));
    size_t n = 0;
    if (opts == NULL) {
        return NULL;
    }
    opts[n++] = parse_text_option(FLAT_ROW, false);
    opts[n++] = parse_text_option(FLAT_TITLE, false);
    opts[n++] = parse_text_option(FLAT_EMPTY, false);
    for (size_t i = 0; i < section->count; i++) {
        const struct config_key *key = &section->keys[i];
        if (key->type != CONFIG_BLOCK) {
            opts[n++] = parse_text_option(key->name, config_type_is_list(key->type));
        }
    }
    opts[n] = end;
    return opts;
}

/* All options: sections[0]'s keys, and the other sections behind them. */
static cfg_opt_t *
parse_schema(const struct config_schema *schema, cfg_opt_t **owned)
{
    cfg_opt_t *opts = parse_options(schema->sections[0], schema->count);
    owned[0] = opts;
    size_t at = 0;
    while (opts != NULL && opts[at].name != NULL) {
        at++;
    }
    for (size_t i = 1; opts != NULL && i < schema->count; i++) {
        const struct config_section *section = schema->sections[i];
        owned[i] = parse_options(section, 0);
        if (owned[i] == NULL) {
            return NULL;
        }
        cfg_opt_t block =
            CFG_SEC(section->name, owned[i], section->titled ? CFGF_MULTI : CFGF_NONE);
        const cfg_opt_t end = CFG_END();
        opts[at++] = block;
        opts[at] = end;
    }
    return opts;
}

static void
parse_run(struct parser *p, cfg_opt_t *opts)
{
    cfg_t *cfg = cfg_init(opts, CFGF_NONE);
    if (cfg == NULL) {
        p->model->failed = true;
        return;
    }
    cfg_set_error_function(cfg, parse_error);
    const unsigned before = p->messages->errors;
    const int result = p->flat->text != NULL ? cfg_parse_buf(cfg, p->flat->text) : CFG_SUCCESS;
    cfg_free(cfg);
    if (p->messages->errors == before && !p->model->failed &&
        (result != CFG_SUCCESS || p->values != p->flat->values)) {
        /* The scan and libconfuse must have read the same thing. */
        const struct config_where where = { .file = p->flat->files[0] };
        config_error(p->messages, &where, "the parser lost its way: %u values read, %u written",
            p->values, p->flat->values);
    }
}

void
config_parse(const struct config_flat *flat, const struct config_schema *schema,
    struct config_model *model, struct config_messages *messages)
{
    struct parser p = { .flat = flat, .schema = schema, .model = model, .messages = messages };
    cfg_opt_t **owned = calloc(schema->count, sizeof(*owned));
    parsing = &p;
    model->flat = flat;
    config_model_begin(model, schema->sections[0], 0);
    cfg_opt_t *opts = owned != NULL ? parse_schema(schema, owned) : NULL;
    if (opts == NULL) {
        model->failed = true;
    } else {
        parse_run(&p, opts);
    }
    for (size_t i = 0; owned != NULL && i < schema->count; i++) {
        free(owned[i]);
    }
    free(owned);
    parsing = NULL;
}
