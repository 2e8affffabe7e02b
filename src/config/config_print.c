/* SPDX-License-Identifier: ISC */
/*
 * -T: an image in the configuration's own language. Serves sallyportd. What compiles from the output
 * is the same image again; keys that are not available yet stand at their defaults in every image
 * and are left out. Out of memory is an answer.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/config/config.h"
#include "src/config/config_options.h"
#include "src/config/image.h"
#include "src/config/image_set.h"

#define SYSLOG_SOCKET "/dev/log"

/* Text under construction. */
struct print {
    const struct image *image;
    FILE *out;
};

static void SP_PRINTF(2, 3)
print_text(struct print *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(p->out, fmt, ap); /* ferror() is looked at at the end */
    va_end(ap);
}

static void
print_quoted(struct print *p, const char *text)
{
    fputc('"', p->out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            fputc('\\', p->out);
        }
        fputc(*text, p->out);
    }
    fputc('"', p->out);
}

static const char *
print_indent(const char *section)
{
    return section[0] != '\0' ? "    " : "";
}

static void
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
        if (addr.family != ADDR_NONE) {
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
    if (key->later) {
        return;
    }
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

/* True when a section has a key that -T prints. */
static bool
print_has_keys(const struct config_section *section)
{
    for (size_t i = 0; i < section->count; i++) {
        if (!section->keys[i].later) {
            return !section->later && !section->titled;
        }
    }
    return false;
}

static void
print_section(struct print *p, const struct config_section *section)
{
    const bool top = section->name[0] == '\0';
    if (!print_has_keys(section)) {
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

/* --- rules -------------------------------------------------------------------------------------- */

/* One element of a rule's list; each kind of list has a function like these. */
typedef void print_element(struct print *p, struct image_list list, uint32_t i);

static void
print_prefix(struct print *p, struct image_list list, uint32_t i)
{
    char shown[ADDR_TEXT_MAX];
    addr_prefix_format(&IMAGE_AT(p->image, list, struct image_prefix, i)->prefix, shown);
    print_quoted(p, shown);
}

static void
print_glob(struct print *p, struct image_list list, uint32_t i)
{
    print_quoted(p, image_string(p->image, *IMAGE_AT(p->image, list, struct image_text, i)));
}

static void
print_port(struct print *p, struct image_list list, uint32_t i)
{
    const struct image_ports *r = IMAGE_AT(p->image, list, struct image_ports, i);
    print_text(p, r->low == r->high ? "\"%u\"" : "\"%u-%u\"", r->low, r->high);
}

static void
print_set(struct print *p, struct image_list list, uint32_t i)
{
    char path[PATH_MAX + 1];
    const uint32_t number = *IMAGE_AT(p->image, list, uint32_t, i);
    const int n = snprintf(path, sizeof(path), "@%s",
        image_string(p->image, image_set(p->image, number)->path));
    print_quoted(p, n > 0 ? path : "@");
}

/* Elements of one list behind each other; first says whether some came before. */
static bool
print_elements(struct print *p, struct image_list list, print_element *element, bool first)
{
    for (uint32_t i = 0; i < list.count; i++) {
        fputs(first ? " " : ", ", p->out);
        element(p, list, i);
        first = false;
    }
    return first;
}

static void
print_list(struct print *p, const char *key, struct image_list list, print_element *element)
{
    print_text(p, "    %s = {", key);
    print_elements(p, list, element, true);
    print_text(p, " }\n");
}

static void
print_rule_methods(struct print *p, const struct image_rule *r)
{
    print_text(p, "    method = {");
    for (uint32_t i = 0; i < r->methods.count; i++) {
        const struct image_text *name = IMAGE_AT(p->image, r->method_names, struct image_text, i);
        fputs(i > 0 ? ", " : " ", p->out);
        print_quoted(p, image_string(p->image, *name));
    }
    print_text(p, " }\n");
}

static void
print_rule_commands(struct print *p, const struct image_rule *r)
{
    const struct config_key *key = config_key_find(config_section_find("rule"), "command");
    const char *join = " ";
    print_text(p, "    command = {");
    for (uint32_t i = 0; key->words[i] != NULL; i++) {
        if ((r->commands & (1U << i)) != 0) {
            print_text(p, "%s\"%s\"", join, key->words[i]);
            join = ", ";
        }
    }
    print_text(p, " }\n");
}

static void
print_rule_destination(struct print *p, const struct image_rule *r)
{
    print_text(p, "    destination = {");
    const bool first = print_elements(p, r->names, print_glob, true);
    print_elements(p, r->sets, print_set, print_elements(p, r->prefixes, print_prefix, first));
    print_text(p, " }\n");
}

static void
print_rule(struct print *p, const struct image_rule *r)
{
    print_text(p, "\nrule ");
    print_quoted(p, image_string(p->image, r->title));
    print_text(p, " {\n    action = \"%s\"\n", r->action == IMAGE_ALLOW ? "allow" : "deny");
    if ((r->has & IMAGE_HAS_CLIENT) != 0) {
        print_list(p, "client", r->clients, print_prefix);
    }
    if ((r->has & IMAGE_HAS_USER) != 0) {
        print_list(p, "user", r->users, print_glob);
    }
    if ((r->has & IMAGE_HAS_METHOD) != 0) {
        print_rule_methods(p, r);
    }
    if (r->protection != IMAGE_PROTECTION_NONE) {
        const struct config_key *key = config_key_find(config_section_find("rule"), "protection");
        print_setting(p, "rule", key->name, key->words[r->protection]);
    }
    if ((r->has & IMAGE_HAS_COMMAND) != 0) {
        print_rule_commands(p, r);
    }
    if ((r->has & IMAGE_HAS_DESTINATION) != 0) {
        print_rule_destination(p, r);
    }
    if ((r->has & IMAGE_HAS_PORT) != 0) {
        print_list(p, "port", r->ports, print_port);
    }
    if (r->bind_any != 0) {
        print_text(p, "    bind-any = true\n");
    }
    print_text(p, "}\n");
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
    for (uint32_t i = 0; i < image_header(p->image)->rules.count; i++) {
        print_rule(p, image_rule(p->image, i));
    }
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
