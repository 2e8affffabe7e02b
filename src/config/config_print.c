/* SPDX-License-Identifier: ISC */
/*
 * -T: an image in the configuration's own language. Serves sallyportd. What compiles from the output
 * is the same image again. Rules are in config_print_rules.c. Out of memory is an answer.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "src/config/config.h"
#include "src/config/config_diff.h"
#include "src/config/config_options.h"
#include "src/config/config_print.h"

#define SYSLOG_SOCKET "/dev/log"

void
print_text(struct print *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(p->out, fmt, ap); /* ferror() is looked at at the end */
    va_end(ap);
}

void
print_escaped(struct print *p, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            fputc('\\', p->out);
        }
        fputc(*text, p->out);
    }
}

void
print_quoted(struct print *p, const char *text)
{
    fputc('"', p->out);
    print_escaped(p, text);
    fputc('"', p->out);
}

static const char *
print_indent(const char *section)
{
    return section[0] != '\0' ? "    " : "";
}

void
print_setting(struct print *p, const char *section, const char *key, const char *value)
{
    print_text(p, "%s%s = ", print_indent(section), key);
    print_quoted(p, value);
    print_text(p, "\n");
}

/* --- settings the table knows how to find ---------------------------------------------------- */

static void
print_stored(struct print *p, const struct config_key *key)
{
    const uint8_t *at = (const uint8_t *)image_settings(p->image) + key->at;
    const char *indent = print_indent(key->section);
    char shown[ADDR_TEXT_MAX] = "";
    struct image_text text;
    struct addr addr;
    uint32_t word;
    uint64_t wide;
    memcpy(&word, at, sizeof(word));
    if (key->store == STORE_TEXT) {
        memcpy(&text, at, sizeof(text));
        print_setting(p, key->section, key->name, image_string(p->image, text));
    } else if (key->store == STORE_ADDR) {
        memcpy(&addr, at, sizeof(addr));
        if (addr.family != ADDR_NONE && key->type == CONFIG_LISTEN) {
            addr_format(&addr, shown);
        } else if (addr.family != ADDR_NONE) {
            addr_format_ip(&addr, shown);
        }
        print_setting(p, key->section, key->name, shown);
    } else if (key->store == STORE_WORD && key->type == CONFIG_BOOLEAN) {
        print_text(p, "%s%s = %s\n", indent, key->name, key->words[word != 0]);
    } else if (key->store == STORE_WORD) {
        print_setting(p, key->section, key->name, key->words[word]);
    } else if (key->store == STORE_U64) {
        memcpy(&wide, at, sizeof(wide));
        print_text(p, "%s%s = %" PRIu64 "\n", indent, key->name, wide);
    } else {
        print_text(p, "%s%s = %" PRIu32 "\n", indent, key->name, word);
    }
}

/* --- settings with a rule of their own ------------------------------------------------------- */

/* ident stands last: it has no place in the order. */
static void
print_methods(struct print *p, const char *indent, const struct image_listener *l)
{
    print_text(p, "%smethods = { ", indent);
    for (uint32_t i = 0; i < l->modules.count; i++) {
        const uint32_t m = *IMAGE_AT(p->image, l->modules, uint32_t, i);
        fputs(i > 0 ? ", " : "", p->out);
        print_quoted(p, image_string(p->image, image_module(p->image, m)->name));
    }
    if (l->ident != 0) {
        fputs(l->modules.count > 0 ? ", \"ident\"" : "\"ident\"", p->out);
    }
    print_text(p, " }\n");
}

static void
print_target(struct print *p)
{
    const struct image_settings *s = image_settings(p->image);
    const char *path = image_string(p->image, s->log.path);
    char target[4096 + 16] = "stderr";
    if (s->log.target == IMAGE_LOG_FILE) {
        snprintf(target, sizeof(target), "file:%s", path);
    } else if (s->log.target == IMAGE_LOG_SYSLOG) {
        const bool usual = strcmp(path, SYSLOG_SOCKET) == 0;
        snprintf(target, sizeof(target), usual ? "syslog" : "syslog:%s", path);
    }
    print_setting(p, "log", "target", target);
}

static void
print_servers(struct print *p)
{
    const struct image_list servers = image_settings(p->image)->resolver.servers;
    char shown[ADDR_TEXT_MAX];
    print_text(p, "    servers = {");
    for (uint32_t i = 0; i < servers.count; i++) {
        addr_format(IMAGE_AT(p->image, servers, struct addr, i), shown);
        print_text(p, "%s\"%s\"", i > 0 ? ", " : " ", shown);
    }
    print_text(p, " }\n");
}

static void
print_key(struct print *p, const struct config_key *key)
{
    const struct image_settings *s = image_settings(p->image);
    if (key->store != STORE_NONE) {
        print_stored(p, key);
    } else if (strcmp(key->name, "methods") == 0 && s->listeners.count > 0) {
        print_methods(p, "", image_listener(p->image, 0));
    } else if (strcmp(key->name, "target") == 0) {
        print_target(p);
    } else if (strcmp(key->name, "facility") == 0) {
        const char *name = config_facility_name(s->log.facility);
        print_setting(p, "log", "facility", name != NULL ? name : "");
    } else if (strcmp(key->name, "servers") == 0) {
        print_servers(p);
    }
}

static void
print_section(struct print *p, const struct config_section *section)
{
    const bool top = section->name[0] == '\0';
    if (section->titled) {
        return;
    }
    if (!top) {
        print_text(p, "\n%s {\n", section->name);
    }
    for (size_t i = 0; i < section->count; i++) {
        print_key(p, &section->keys[i]);
    }
    if (!top) {
        print_text(p, "}\n");
    }
}

/* --- listeners ---------------------------------------------------------------------------------- */

/* Rows with the same key stand together: a list. */
static uint32_t
print_option(struct print *p, struct image_list rows, uint32_t at)
{
    const struct image_option *first = IMAGE_AT(p->image, rows, struct image_option, at);
    const char *key = image_string(p->image, first->key);
    uint32_t end = at + 1;
    if (first->kind == IMAGE_OPTION_EMPTY) {
        print_text(p, "    %s = { }\n", key);
        return end;
    }
    while (end < rows.count &&
           strcmp(key, image_string(p->image,
                           IMAGE_AT(p->image, rows, struct image_option, end)->key)) == 0) {
        end++;
    }
    print_text(p, "    %s = %s", key, end - at > 1 ? "{ " : "");
    for (uint32_t i = at; i < end; i++) {
        const struct image_option *o = IMAGE_AT(p->image, rows, struct image_option, i);
        fputs(i > at ? ", " : "", p->out);
        print_quoted(p, image_string(p->image, o->value));
    }
    print_text(p, end - at > 1 ? " }\n" : "\n");
    return end;
}

static void
print_options(struct print *p, struct image_list rows)
{
    for (uint32_t at = 0; at < rows.count;) {
        at = print_option(p, rows, at);
    }
}

static void
print_listeners(struct print *p)
{
    const uint32_t count = image_settings(p->image)->listeners.count;
    for (uint32_t i = 0; i < count; i++) {
        const struct image_listener *l = image_listener(p->image, i);
        print_text(p, "\nlisten ");
        print_quoted(p, image_string(p->image, l->name));
        print_text(p, " {\n");
        print_methods(p, "    ", l);
        print_options(p, l->overrides);
        print_text(p, "}\n");
    }
}

/* --- modules ------------------------------------------------------------------------------------ */

static void
print_modules(struct print *p)
{
    const uint32_t count = image_settings(p->image)->modules.count;
    for (uint32_t i = 0; i < count; i++) {
        const struct image_module *m = image_module(p->image, i);
        if (m->options.count == 0) {
            continue;
        }
        print_text(p, "\n%s {\n", image_string(p->image, m->name));
        print_options(p, m->options);
        print_text(p, "}\n");
    }
}

static void
print_all(struct print *p)
{
    size_t count = 0;
    const struct config_section *sections = config_sections(&count);
    for (size_t i = 0; i < count; i++) {
        print_section(p, &sections[i]);
    }
    print_listeners(p);
    print_modules(p);
    print_rules(p);
}

/* --- one value ---------------------------------------------------------------------------------- */

static void
print_option_of(struct print *p, struct image_list rows, const char *key)
{
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct image_option *o = IMAGE_AT(p->image, rows, struct image_option, i);
        if (strcmp(image_string(p->image, o->key), key) == 0) {
            print_option(p, rows, i);
            return;
        }
    }
}

/* Every method in use, in the order of their numbers. */
static void
print_modules_in_use(struct print *p)
{
    const uint32_t count = image_settings(p->image)->modules.count;
    print_text(p, "methods = {");
    for (uint32_t i = 0; i < count; i++) {
        fputs(i > 0 ? ", " : " ", p->out);
        print_quoted(p, image_string(p->image, image_module(p->image, i)->name));
    }
    print_text(p, " }\n");
}

static void
print_listener_value(struct print *p, const struct config_difference *d)
{
    for (uint32_t i = 0; i < image_settings(p->image)->listeners.count; i++) {
        const struct image_listener *l = image_listener(p->image, i);
        if (strcmp(image_string(p->image, l->name), d->title) != 0) {
            continue;
        }
        if (strcmp(d->key, "methods") == 0) {
            print_methods(p, "", l);
        } else {
            print_option_of(p, l->overrides, d->key);
        }
    }
}

static void
print_value(struct print *p, const struct config_difference *d)
{
    const struct config_section *section = config_section_find(d->section);
    const struct config_key *key = section != NULL ? config_key_find(section, d->key) : NULL;
    if (d->title[0] != '\0') {
        print_listener_value(p, d);
    } else if (d->section[0] == '\0' && strcmp(d->key, "methods") == 0) {
        print_modules_in_use(p);
    } else if (key != NULL) {
        print_key(p, key);
    }
    for (uint32_t i = 0; section == NULL && i < image_settings(p->image)->modules.count; i++) {
        const struct image_module *m = image_module(p->image, i);
        if (strcmp(image_string(p->image, m->name), d->section) == 0) {
            print_option_of(p, m->options, d->key);
        }
    }
}

void
config_difference_value(
    const struct image *image, const struct config_difference *d, char *out, size_t size)
{
    char *text = NULL;
    size_t len = 0;
    struct print p = { .image = image, .out = open_memstream(&text, &len) };
    out[0] = '\0';
    if (p.out == NULL) {
        return;
    }
    print_value(&p, d);
    if (fclose(p.out) == 0 && text != NULL) {
        const char *value = strstr(text, " = ");
        value = value != NULL ? value + 3 : "absent";
        const size_t shown = strcspn(value, "\n");
        const size_t n = shown < size ? shown : size - 1;
        memcpy(out, value, n);
        out[n] = '\0';
    }
    free(text);
}

char *
config_print(const struct image *image)
{
    char *text = NULL;
    size_t len = 0;
    struct print p = { .image = image, .out = open_memstream(&text, &len) };
    if (p.out == NULL) {
        return NULL;
    }
    print_all(&p);
    const bool failed = ferror(p.out) != 0;
    if (fclose(p.out) != 0 || failed) {
        free(text);
        errno = ENOMEM;
        return NULL;
    }
    return text;
}
