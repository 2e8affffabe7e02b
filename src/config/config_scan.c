/* SPDX-License-Identifier: ISC */
/*
 * The statements of the configuration language: settings, lists, sections, include. Serves
 * config_compile.c. A wrong word inside a sound statement is a complaint and the scan goes on; a
 * statement that is not sound ends its file, because what follows would be guesswork.
 */
#include "src/config/config_scan_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SHOWN 64 /* no key or section is longer */

static struct flat_origin
scan_origin(const struct scan *s, unsigned line)
{
    return (struct flat_origin){ .file = s->file, .line = line };
}

static bool
scan_is(const struct config_lexer *lx, char punct)
{
    return lx->kind == LEX_PUNCT && lx->text[0] == punct;
}

static bool
scan_is_text(const struct config_lexer *lx)
{
    return lx->kind == LEX_WORD || lx->kind == LEX_STRING;
}

/* The current token is not what may stand here. Always false. */
static bool
scan_unexpected(struct scan *s, const struct scan_section *in, const char *key, const char *allowed)
{
    char quoted[CONFIG_QUOTE_MAX];
    const struct config_lexer *lx = s->lx;
    if (lx->kind == LEX_BAD) {
        scan_error(s, in, lx->token_line, key, "%s", lx->error);
    } else if (lx->kind == LEX_END) {
        scan_error(s, in, lx->token_line, key, "the file ends too early; allowed is %s", allowed);
    } else {
        scan_error(s, in, lx->token_line, key, "unexpected %s; allowed is %s",
            config_quote(lx->text, quoted), allowed);
    }
    return false;
}

/* Names of a section's keys, or of all sections, for a complaint. */
static void
scan_key_names(const struct config_section *section, char *out, size_t size)
{
    const char *names[CONFIG_KEYS_MAX + 1];
    size_t n = 0;
    for (; n < section->count && n < CONFIG_KEYS_MAX; n++) {
        names[n] = section->keys[n].name;
    }
    names[n] = NULL;
    config_words(names, out, size);
}

static void
scan_unknown_key(struct scan *s, const struct scan_section *in, unsigned line, const char *name)
{
    char quoted[CONFIG_QUOTE_MAX];
    char names[CONFIG_ERROR_MAX - CONFIG_QUOTE_MAX];
    char error[CONFIG_ERROR_MAX];
    config_quote(name, quoted);
    if (in->section->name[0] == '\0' && name[0] != '\0' &&
        s->request->lookup(name, s->request->ctx, error, sizeof(error)) != NULL) {
        scan_error(s, in, line, NULL, "%s is a section; allowed is %s { ... }", quoted, name);
        return;
    }
    scan_key_names(in->section, names, sizeof(names));
    scan_error(s, in, line, NULL, "unknown key %s; allowed are %s", quoted, names);
}

/* Notes that the key is set. False with a complaint when it is for the second time. */
static bool
scan_once(struct scan *s, struct scan_section *in, const struct config_key *key, unsigned line)
{
    struct flat_origin *seen = &in->seen[key - in->section->keys];
    if (seen->line != 0) {
        scan_error(s, in, line, key->name, "repeated; it is set at %s:%u already, allowed is once",
            s->flat->files[seen->file], seen->line);
        return false;
    }
    *seen = scan_origin(s, line);
    return true;
}

/* The elements behind "{"; the current token is the one behind the brace. keep: write them. */
static bool
scan_list_items(struct scan *s, const struct scan_section *in, const char *name, bool keep,
    unsigned *count)
{
    struct config_lexer *lx = s->lx;
    *count = 0;
    while (!scan_is(lx, '}')) {
        if (!scan_is_text(lx)) {
            return scan_unexpected(s, in, name, "a value or }");
        }
        if (keep) {
            config_flat_item(s->flat, scan_origin(s, lx->token_line), lx->text);
        }
        ++*count;
        config_lex_next(lx);
        if (scan_is(lx, ',')) {
            config_lex_next(lx);
        } else if (!scan_is(lx, '}')) {
            return scan_unexpected(s, in, name, "a comma or }");
        }
    }
    return true;
}

static bool
scan_list(struct scan *s, const struct scan_section *in, const char *name,
    const struct config_key *key, unsigned line)
{
    const bool keep = key != NULL && config_type_is_list(key->type);
    if (key != NULL && !keep) {
        scan_error(s, in, line, name, "a list in braces; allowed is one value, %s",
            config_type_name(key->type));
    }
    if (keep) {
        config_flat_list(s->flat, scan_origin(s, line), name);
    }
    unsigned count = 0;
    config_lex_next(s->lx);
    const bool sound = scan_list_items(s, in, name, keep, &count);
    if (keep) {
        config_flat_close(s->flat, scan_origin(s, line));
    }
    if (keep && sound && count == 0) {
        config_flat_set(s->flat, scan_origin(s, line), FLAT_EMPTY, name);
    }
    return sound;
}

/* name = value; the current token is "=". */
static bool
scan_setting(struct scan *s, struct scan_section *in, const char *name, unsigned line)
{
    struct config_lexer *lx = s->lx;
    const struct config_key *key = config_key_find(in->section, name);
    if (key == NULL) {
        scan_unknown_key(s, in, line, name);
    } else if (key->type == CONFIG_BLOCK) {
        scan_error(s, in, line, name, "not available yet; leave it out");
        key = NULL;
    } else if (!scan_once(s, in, key, line)) {
        key = NULL;
    }
    config_lex_next(lx);
    if (scan_is(lx, '{')) {
        return scan_list(s, in, name, key, lx->token_line);
    }
    if (!scan_is_text(lx)) {
        return scan_unexpected(s, in, name, "a value");
    }
    if (key != NULL) {
        config_flat_set(s->flat, scan_origin(s, lx->token_line), name, lx->text);
    }
    return true;
}

/* name(...); the current token is "(". */
static bool
scan_function(struct scan *s, const struct scan_section *in, const char *name, unsigned line)
{
    char quoted[CONFIG_QUOTE_MAX];
    struct config_lexer *lx = s->lx;
    if (strcmp(name, "include") != 0) {
        scan_error(s, in, line, NULL, "unknown function %s; allowed is include(\"FILE\")",
            config_quote(name, quoted));
        return false;
    }
    if (in != &s->top) {
        scan_error(s, in, line, NULL, "include inside a section; allowed is outside only");
        return false;
    }
    config_lex_next(lx);
    char *path = scan_is_text(lx) ? strdup(lx->text) : NULL;
    if (path == NULL) {
        return scan_unexpected(s, in, name, "the name of one file");
    }
    config_lex_next(lx);
    const bool sound = scan_is(lx, ')') || scan_unexpected(s, in, name, ")");
    if (sound) {
        scan_include(s, path, line);
    }
    free(path);
    return sound;
}

/* Reads up to the brace that closes the one just read. */
static bool
scan_skip(struct scan *s, const struct scan_section *in, unsigned line)
{
    unsigned depth = 1;
    while (depth > 0) {
        config_lex_next(s->lx);
        if (s->lx->kind == LEX_BAD || s->lx->kind == LEX_END) {
            return scan_unexpected(s, in, NULL, "}");
        }
        if (scan_is(s->lx, '{') && ++depth > SCAN_DEPTH_MAX) {
            scan_error(s, in, line, NULL, "sections more than %d deep", SCAN_DEPTH_MAX);
            return false;
        }
        depth -= scan_is(s->lx, '}');
    }
    return true;
}

static bool scan_statement(struct scan *s, struct scan_section *in);

/* What stands between the braces of a known section; the current token is "{". */
static bool
scan_section_body(struct scan *s, struct scan_section *in)
{
    struct config_lexer *lx = s->lx;
    bool sound = true;
    config_flat_section(s->flat, in->origin, in->section->name, in->title);
    for (config_lex_next(lx); sound && !scan_is(lx, '}'); config_lex_next(lx)) {
        if (lx->kind == LEX_END) {
            scan_error(s, in, in->origin.line, NULL, "the section is not closed; it needs }");
            sound = false;
        } else {
            sound = scan_statement(s, in);
        }
        if (!sound) {
            break;
        }
    }
    config_flat_close(s->flat, scan_origin(s, lx->token_line));
    return sound;
}

/* True when a section of that title may stand here; else complains. */
static bool
scan_section_sound(struct scan *s, const struct scan_section *in)
{
    const char *name = in->section->name;
    if (in->section->titled && in->title == NULL) {
        scan_error(s, in, in->origin.line, NULL, "no title; allowed is %s \"TITLE\" { ... }", name);
        return false;
    }
    if (!in->section->titled && in->title != NULL) {
        scan_error(s, in, in->origin.line, NULL, "a title; allowed is %s { ... }", name);
        return false;
    }
    const struct flat_origin *first = config_seen_put(
        &s->titles, name, in->title != NULL ? in->title : "", in->origin, &s->failed);
    if (first != NULL) {
        scan_error(s, in, in->origin.line, NULL, "repeated; the first is at %s:%u, allowed is one",
            s->flat->files[first->file], first->line);
        return false;
    }
    return !s->failed;
}

/* A section outside all others; the current token is "{". */
static bool
scan_block_top(struct scan *s, const char *name, const char *title, unsigned line)
{
    char error[CONFIG_ERROR_MAX];
    struct scan_section in = { .title = title, .origin = scan_origin(s, line) };
    in.section = s->request->lookup(name, s->request->ctx, error, sizeof(error));
    if (in.section == NULL) {
        scan_error(s, NULL, line, NULL, "%s", error);
        return scan_skip(s, NULL, line);
    }
    if (!scan_section_sound(s, &in)) {
        return scan_skip(s, &in, line);
    }
    return scan_section_body(s, &in);
}

/* A section inside one: the language has reserved ones only. */
static bool
scan_block_inner(struct scan *s, struct scan_section *in, const char *name, unsigned line)
{
    char quoted[CONFIG_QUOTE_MAX];
    const struct config_key *key = config_key_find(in->section, name);
    if (key != NULL && key->type == CONFIG_BLOCK) {
        scan_error(s, in, line, name, "not available yet; leave it out");
    } else if (key != NULL) {
        scan_error(s, in, line, name, "a section; allowed is %s = VALUE", name);
    } else {
        scan_error(s, in, line, NULL, "unknown section %s; a section has keys only",
            config_quote(name, quoted));
    }
    return scan_skip(s, in, line);
}

static bool
scan_block(struct scan *s, struct scan_section *in, const char *name, const char *title,
    unsigned line)
{
    if (in != &s->top) {
        return scan_block_inner(s, in, name, line);
    }
    const struct config_key *key = config_key_find(in->section, name);
    if (key != NULL) {
        scan_error(s, in, line, name, "a section; allowed is %s = VALUE", name);
        return scan_skip(s, in, line);
    }
    return scan_block_top(s, name, title, line);
}

/* name "title" {; the current token is the title. */
static bool
scan_block_titled(struct scan *s, struct scan_section *in, const char *name, unsigned line)
{
    char *title = strdup(s->lx->text);
    if (title == NULL) {
        s->failed = true;
        return false;
    }
    config_lex_next(s->lx);
    const bool sound = scan_is(s->lx, '{') ? scan_block(s, in, name, title, line)
                                           : scan_unexpected(s, in, name, "{ or =");
    free(title);
    return sound;
}

/* One statement; the current token is its first. False when the rest of the file is lost. */
static bool
scan_statement(struct scan *s, struct scan_section *in)
{
    struct config_lexer *lx = s->lx;
    char name[NAME_SHOWN];
    const unsigned line = lx->token_line;
    if (lx->kind != LEX_WORD) {
        return scan_unexpected(s, in, NULL, "a key or a section, without quotes");
    }
    if (snprintf(name, sizeof(name), "%s", lx->text) >= (int)sizeof(name)) {
        scan_error(s, in, line, NULL, "unknown key \"%s...\"", name);
        return false;
    }
    config_lex_next(lx);
    if (scan_is(lx, '=')) {
        return scan_setting(s, in, name, line);
    }
    if (scan_is(lx, '(')) {
        return scan_function(s, in, name, line);
    }
    if (scan_is(lx, '{')) {
        return scan_block(s, in, name, NULL, line);
    }
    if (scan_is_text(lx) && config_key_find(in->section, name) == NULL) {
        return scan_block_titled(s, in, name, line);
    }
    return scan_unexpected(s, in, name, "= and a value, or { and a section");
}

void
scan_statements(struct scan *s)
{
    while (config_lex_next(s->lx) != LEX_END) {
        if (!scan_statement(s, &s->top)) {
            s->flat->cut = true;
            return;
        }
    }
}
