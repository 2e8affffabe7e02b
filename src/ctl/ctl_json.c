/* SPDX-License-Identifier: ISC */
/* JSON for other programs: always valid, always UTF-8. Serves --json. */
#include "src/ctl/ctl_private.h"

#include <string.h>

/* Fields whose values are numbers; all else is text, however it looks. */
static const char *const numbers[] = { "age", "bytes_down", "bytes_up", "capacity", "cleared", "clients", "configured",
    "dead_undrained", "descriptors_lost", "duration", "failures", "generation", "killed", "left", "limit",
    "lost", "lost_told", "lost_untold", "memory", "now", "pending-per-client", "pending", "penalties", "pid", "refused",
    "restarts", "rules", "running", "seconds", "sessions", "sessions-per-client", "sessions-per-user", "uptime",
    "users", "waiting" };

static bool
is_number(const char *name, const char *value)
{
    size_t digits = strspn(value, "0123456789");

    if (digits == 0 || (digits > 1 && value[0] == '0'))
        return false;
    if (value[digits] == '.') {
        size_t more = strspn(value + digits + 1, "0123456789");

        digits = more == 0 ? 0 : digits + 1 + more;
    }
    if (digits == 0 || value[digits] != '\0')
        return false;
    for (size_t i = 0; i < SP_COUNT(numbers); i++) {
        if (strcmp(numbers[i], name) == 0)
            return true;
    }
    return false;
}

static size_t
tail_length(unsigned char c)
{
    return c >= 0xc2 && c <= 0xdf ? 1 : (c & 0xf0) == 0xe0 ? 2 : c >= 0xf0 && c <= 0xf4 ? 3 : 0;
}

/* The octets of the well-formed UTF-8 character text begins with; 0: there is none. */
static size_t
utf8_length(const char *text)
{
    const unsigned char *u = (const unsigned char *)text;
    size_t tail = tail_length(u[0]);

    if (u[0] < 0x80)
        return 1;
    for (size_t i = 1; i <= tail; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    }
    if (tail == 0 || (u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f)
        || (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
        return 0;
    return tail + 1;
}

void
ctl_json_text(FILE *out, const char *text)
{
    fputc('"', out);
    while (*text != '\0') {
        size_t len = utf8_length(text);
        unsigned char c = (unsigned char)*text;

        if (len == 0)
            fprintf(out, "\\\\x%02x", c); /* an octet that is no text: shown */
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)text[1] < 0xa0))
            fprintf(out, "\\u%04x", len == 1 ? c : (unsigned char)text[1]);
        else
            fwrite(text, 1, len, out);
        text += len == 0 ? 1 : len;
    }
    fputc('"', out);
}

void
ctl_json_line(FILE *out, const struct control_line *line, const char *without)
{
    const char *separator = "";

    fputc('{', out);
    for (size_t i = 0; i < line->count; i++) {
        const struct control_field *f = &line->fields[i];

        if (without != NULL && strcmp(f->name, without) == 0)
            continue;
        fprintf(out, "%s", separator);
        ctl_json_text(out, f->name);
        fputc(':', out);
        if (is_number(f->name, f->value))
            fputs(f->value, out);
        else
            ctl_json_text(out, f->value);
        separator = ",";
    }
    fputc('}', out);
}

int
ctl_write_json(FILE *out, struct ctl_answer *a, const void *unused)
{
    const char *separator = "[\n";
    int result;

    (void)unused;
    while ((result = ctl_next(a)) > 0) {
        fputs(separator, out);
        ctl_json_line(out, &a->line, NULL);
        separator = ",\n";
    }
    fputs(separator[0] == '[' ? "[]\n" : "\n]\n", out);
    return result;
}
