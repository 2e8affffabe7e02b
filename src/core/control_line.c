/* SPDX-License-Identifier: ISC */
/* Taking lines of the control protocol apart, and writing them. Serves the master and sallyportctl. */
#include "src/core/control_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- reading ---- */

static bool
is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

static int
hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int)(at - digits);
}

/* The octet an escape stands for and how long it is; 0: it is none. */
static size_t
escape_read(const char *at, char *out)
{
    int high, low;

    switch (at[1]) {
    case '\\':
        *out = '\\';
        return 2;
    case 't':
        *out = '\t';
        return 2;
    case 'n':
        *out = '\n';
        return 2;
    case 'x':
        high = hex_digit(at[2]);
        low = high < 0 ? -1 : hex_digit(at[3]);
        *out = (char)(high * 16 + low);
        return low < 0 || *out == '\0' ? 0 : 4;
    default:
        return 0;
    }
}

int
control_unescape(char *text)
{
    char *to = text;

    while (*text != '\0') {
        size_t len = 1;
        char c = *text;

        if (c == '\\') {
            len = escape_read(text, &c);
            if (len == 0)
                return -1;
        }
        *to++ = c;
        text += len;
    }
    *to = '\0';
    return 0;
}

static bool
is_name(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");

    return len > 0 && text[len] == '\0';
}

static int
bad(const char **why, const char *what)
{
    *why = what;
    return -1;
}

/* One NAME=VALUE, NUL-terminated. */
static int
parse_field(char *word, struct control_line *out, const char **why)
{
    char *value = strchr(word, '=');

    if (value == NULL)
        return bad(why, "a word that is not NAME=VALUE");
    *value++ = '\0';
    if (!is_name(word))
        return bad(why, "a name with other characters than a-z, 0-9, - and _");
    if (control_line_get(out, word) != NULL)
        return bad(why, "a name that comes twice");
    if (control_unescape(value) < 0)
        return bad(why, "an escape other than \\\\, \\t, \\n and \\xHH");
    if (out->count == CONTROL_FIELDS_MAX)
        return bad(why, "too many fields");
    out->fields[out->count++] = (struct control_field) { word, value };
    return 0;
}

int
control_line_parse(char *line, size_t len, struct control_line *out, const char **why)
{
    out->word = "";
    out->count = 0;
    for (size_t i = 0; i < len; i++) {
        if (is_control((unsigned char)line[i]) && line[i] != '\t')
            return bad(why, "a control character");
    }
    line[len] = '\0';
    for (char *word = line; word != NULL;) {
        char *next = strchr(word, '\t');

        if (next != NULL)
            *next++ = '\0';
        if (word[0] == '\0')
            return bad(why, "an empty word");
        if (word == line && strchr(word, '=') == NULL)
            out->word = word;
        else if (parse_field(word, out, why) < 0)
            return -1;
        word = next;
    }
    return 0;
}

const char *
control_line_get(const struct control_line *line, const char *name)
{
    for (size_t i = 0; i < line->count; i++) {
        if (strcmp(line->fields[i].name, name) == 0)
            return line->fields[i].value;
    }
    return NULL;
}

/* ---- writing ---- */

static void
put(struct control_writer *w, const char *data, size_t len)
{
    if (!w->failed && buffer_append(w->to, data, len, w->limit) < 0)
        w->failed = true;
}

static void
put_escaped(struct control_writer *w, const char *text)
{
    while (*text != '\0') {
        size_t plain = 0;
        char escape[8];
        unsigned char c;

        while ((c = (unsigned char)text[plain]) != '\0' && c != '\\' && !is_control(c))
            plain++;
        put(w, text, plain);
        text += plain;
        if (c == '\0')
            return;
        int n = c == '\\' ? snprintf(escape, sizeof escape, "\\\\")
            : c == '\t'   ? snprintf(escape, sizeof escape, "\\t")
            : c == '\n'   ? snprintf(escape, sizeof escape, "\\n")
                          : snprintf(escape, sizeof escape, "\\x%02x", c);

        put(w, escape, n > 0 ? (size_t)n : 0);
        text++;
    }
}

static void
put_separator(struct control_writer *w)
{
    if (w->begun)
        put(w, "\t", 1);
    w->begun = true;
}

void
control_put_word(struct control_writer *w, const char *word)
{
    put_separator(w);
    put(w, word, strlen(word));
}

void
control_put(struct control_writer *w, const char *name, const char *value)
{
    if (value == NULL)
        return;
    control_put_word(w, name);
    put(w, "=", 1);
    put_escaped(w, value);
}

void
control_put_number(struct control_writer *w, const char *name, uint64_t value)
{
    char text[24];

    if (snprintf(text, sizeof text, "%" PRIu64, value) > 0)
        control_put(w, name, text);
}

void
control_put_seconds(struct control_writer *w, const char *name, int64_t us)
{
    uint64_t ms = us > 0 ? (uint64_t)us / 1000 : 0;
    char text[32];

    if (snprintf(text, sizeof text, "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000)) > 0)
        control_put(w, name, text);
}

void
control_put_end(struct control_writer *w)
{
    put(w, "\n", 1);
    w->begun = false;
}

void
control_put_last(struct control_writer *w, const char *error)
{
    control_put_word(w, error == NULL ? CONTROL_OK : CONTROL_ERROR);
    if (error != NULL) {
        put(w, "\t", 1);
        put_escaped(w, error);
    }
    control_put_end(w);
}
