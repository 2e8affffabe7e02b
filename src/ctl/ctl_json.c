/* SPDX-License-Identifier: ISC */
/* JSON for other programs: always valid, always UTF-8. Serves --json. */
#include "src/ctl/ctl_private.h"

#include "lib/base/utf8.h"

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

void
ctl_json_text(FILE *out, const char *text)
{
    size_t left = strlen(text);

    fputc('"', out);
    while (left > 0) {
        uint32_t code = 0;
        size_t len = utf8_read(text, left, &code);
        unsigned char c = (unsigned char)*text;

        if (len == 0)
            fprintf(out, "\\\\x%02x", c); /* an octet that is no text: shown */
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (code < 0x20 || (code >= 0x7f && code < 0xa0))
            fprintf(out, "\\u%04x", (unsigned)code);
        else
            fwrite(text, 1, len, out);
        len = len == 0 ? 1 : len;
        text += len;
        left -= len;
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
