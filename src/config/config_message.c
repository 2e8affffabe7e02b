/* SPDX-License-Identifier: ISC */
/*
 * Collects complaints about a configuration. Serves every file of src/config. Out of memory loses
 * the text of a complaint, never its count.
 */
#include "src/config/config_message.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_LINE_MAX 1024U
#define MESSAGE_TEXT_MAX (4U * 1024U * 1024U)
#define MESSAGE_WARNINGS_MAX 50U
#define QUOTE_SHOWN 80U

/* A line under construction: always NUL-terminated, silently cut at its end. */
struct line {
    char text[MESSAGE_LINE_MAX];
    size_t len;
};

static void SP_PRINTF(2, 0)
line_vadd(struct line *l, const char *fmt, va_list ap)
{
    const size_t room = sizeof(l->text) - l->len;
    const int n = vsnprintf(l->text + l->len, room, fmt, ap);
    if (n > 0) {
        l->len += (size_t)n < room ? (size_t)n : room - 1;
    }
}

static void SP_PRINTF(2, 3)
line_add(struct line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    line_vadd(l, fmt, ap);
    va_end(ap);
}

static void
line_add_where(struct line *l, const struct config_where *where)
{
    char quoted[CONFIG_QUOTE_MAX];
    line_add(l, "%s:", where->file != NULL ? where->file : "configuration");
    line_add(l, where->line > 0 ? "%u: " : " ", where->line);
    if (where->section != NULL && where->section[0] != '\0') {
        if (where->title != NULL) {
            line_add(l, "%s %s: ", where->section, config_quote(where->title, quoted));
        } else {
            line_add(l, "section \"%s\": ", where->section);
        }
    }
    if (where->key != NULL) {
        line_add(l, "%s: ", where->key);
    }
}

/* Ends the line and keeps it; what cannot be kept is lost, the counters know of it. */
static void
line_keep(struct line *l, struct config_messages *m)
{
    for (size_t i = 0; i < l->len; i++) {
        if ((unsigned char)l->text[i] < 0x20 || l->text[i] == 0x7f) {
            l->text[i] = '?';
        }
    }
    if (l->len == sizeof(l->text) - 1) {
        l->len--;
    }
    l->text[l->len++] = '\n';
    const int lost = buffer_append(&m->text, l->text, l->len, MESSAGE_TEXT_MAX);
    (void)lost;
}

/* Counts an error. True when its text is wanted too. */
static bool
message_count(struct config_messages *m)
{
    m->errors++;
    if (m->errors == CONFIG_ERRORS_MAX + 1) {
        struct line l = { .len = 0 };
        line_add(&l, "more than %u errors; the rest is not shown", CONFIG_ERRORS_MAX);
        line_keep(&l, m);
    }
    return m->errors <= CONFIG_ERRORS_MAX;
}

void
config_error(struct config_messages *m, const struct config_where *where, const char *fmt, ...)
{
    if (!message_count(m)) {
        return;
    }
    struct line l = { .len = 0 };
    line_add_where(&l, where);
    va_list ap;
    va_start(ap, fmt);
    line_vadd(&l, fmt, ap);
    va_end(ap);
    line_keep(&l, m);
}

void
config_warn(struct config_messages *m, const struct config_where *where, const char *fmt, ...)
{
    if (++m->warnings > MESSAGE_WARNINGS_MAX) {
        return;
    }
    struct line l = { .len = 0 };
    line_add_where(&l, where);
    line_add(&l, "warning: ");
    va_list ap;
    va_start(ap, fmt);
    line_vadd(&l, fmt, ap);
    va_end(ap);
    line_keep(&l, m);
}

void
config_error_line(struct config_messages *m, const char *line)
{
    if (!message_count(m)) {
        return;
    }
    struct line l = { .len = 0 };
    line_add(&l, "%s", line);
    line_keep(&l, m);
}

const char *
config_quote(const char *text, char out[CONFIG_QUOTE_MAX])
{
    size_t n = 0;
    out[n++] = '"';
    for (; *text != '\0' && n <= QUOTE_SHOWN; text++) {
        const unsigned char c = (unsigned char)*text;
        out[n++] = c < 0x20 || c == 0x7f ? '?' : *text;
    }
    if (*text != '\0') {
        memcpy(out + n, "...", 3);
        n += 3;
    }
    out[n++] = '"';
    out[n] = '\0';
    return out;
}

const char *
config_words(const char *const *words, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; words[i] != NULL; i++) {
        const char *join = i == 0 ? "" : words[i + 1] == NULL ? " and " : ", ";
        const int n = snprintf(out + len, size - len, "%s\"%s\"", join, words[i]);
        if (n < 0 || (size_t)n >= size - len) {
            out[len] = '\0';
            break;
        }
        len += (size_t)n;
    }
    return out;
}
