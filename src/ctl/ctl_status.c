/* SPDX-License-Identifier: ISC */
/* status: a page for people, an object for programs. Serves ctl_main.c. */
#include "src/ctl/ctl_private.h"

#include <string.h>

#define STATUS_COLUMNS 80
#define TITLE_COLUMNS 12

/* How a section's fields read. */
struct row {
    const char *section;
    void (*write)(FILE *out, const struct control_line *line);
};

/* The first words of a line. */
static void
write_title(FILE *out, const char *title)
{
    fprintf(out, "%-11s ", title);
}

/* before, the field, after. */
static void
write_field(FILE *out, const char *before, const struct control_line *l, const char *field, const char *after)
{
    fputs(before, out);
    ctl_print(out, ctl_field(l, field));
    fputs(after, out);
}

/* A moment, to the second. */
static void
write_time(FILE *out, const char *before, const struct control_line *l, const char *field)
{
    char text[64];
    size_t len;

    (void)ctl_clean(text, sizeof text, ctl_field(l, field), 0);
    len = strcspn(text, ".");
    fprintf(out, "%s%.*s%s", before, (int)len, text, text[len] == '.' ? "Z" : "");
}

static bool
is(const struct control_line *l, const char *field, const char *value)
{
    return strcmp(ctl_field(l, field), value) == 0;
}

static void
write_gateway(FILE *out, const struct control_line *l)
{
    char age[16];

    ctl_age(age, ctl_number(l, "uptime"));
    write_title(out, "gateway");
    write_field(out, "sallyport ", l, "version", ", ");
    write_field(out, "process ", l, "pid", ", ");
    write_field(out, "", l, "state", "\n");
    fprintf(out, "  up %s", age);
    write_time(out, " since ", l, "started");
    fputc('\n', out);
    write_title(out, "config");
    write_field(out, "", l, "config", "\n");
    write_title(out, "generation");
    write_field(out, "", l, "generation", ", ");
    write_field(out, "", l, "rules", is(l, "rules", "1") ? " rule\n" : " rules\n");
}

static void
write_listener(FILE *out, const struct control_line *l)
{
    write_title(out, "listener");
    write_field(out, "", l, "name", "");
    if (!is(l, "name", ctl_field(l, "address")))
        write_field(out, " (", l, "address", ")");
    fputc('\n', out);
}

static void
write_workers(FILE *out, const struct control_line *l)
{
    write_title(out, "workers");
    write_field(out, "", l, "running", " of ");
    write_field(out, "", l, "configured", " running, ");
    write_field(out, "", l, "restarts", " restarted");
    if (ctl_number(l, "descriptors_lost") > 0)
        write_field(out, ", ", l, "descriptors_lost", " descriptors lost");
    fputc('\n', out);
}

static void
write_sessions(FILE *out, const struct control_line *l)
{
    write_title(out, "sessions");
    write_field(out, "", l, "now", " of at most ");
    write_field(out, "", l, "limit", "");
    if (ctl_number(l, "waiting") > 0)
        write_field(out, ", ", l, "waiting", " wait for a worker");
    if (is(l, "accepting", "no"))
        fputs("; nothing is accepted now", out);
    fputc('\n', out);
}

static void
write_phase(FILE *out, const struct control_line *l)
{
    char name[64];

    (void)ctl_clean(name, sizeof name, ctl_field(l, "name"), 0);
    fprintf(out, "  %-12s ", name);
    write_field(out, "", l, "sessions", "\n");
}

static void
write_audit(FILE *out, const struct control_line *l)
{
    write_title(out, "audit");
    write_field(out, "", l, "target", "");
    if (!is(l, "path", ""))
        write_field(out, " ", l, "path", "");
    write_field(out, "\n  ", l, "state", "");
    if (!is(l, "stuck_since", ""))
        write_time(out, " since ", l, "stuck_since");
    if (is(l, "logger", "down"))
        fputs(", no logger runs", out);
    write_field(out, ", ", l, "waiting", " waiting, ");
    write_field(out, "", l, "lost", is(l, "required", "yes") ? " lost, required\n" : " lost\n");
}

static void
write_reload(FILE *out, const struct control_line *l)
{
    if (is(l, "result", ""))
        return;
    const char *text = ctl_field(l, "text");
    const char *colon = strstr(text, "reloaded: "); /* or "not reloaded: " */

    write_title(out, "last reload");
    fputs(is(l, "result", "ok") ? "" : "FAILED: ", out);
    ctl_print(out, colon == NULL ? text : colon + sizeof "reloaded: " - 1);
    fputc('\n', out);
}

/* The fields behind the section, NAME VALUE, as many on a line as fit; those that are 0 say nothing. */
static void
write_fields(FILE *out, const struct control_line *l)
{
    char title[64], value[256];
    size_t column = ctl_clean(title, sizeof title, ctl_field(l, "section"), 0);
    bool any = false;

    write_title(out, title);
    column = column < TITLE_COLUMNS ? TITLE_COLUMNS : column + 1;
    for (size_t i = 0; i < l->count; i++) {
        const struct control_field *f = &l->fields[i];
        size_t width = strlen(f->name) + 1 + ctl_clean(value, sizeof value, f->value, 0);

        if (strcmp(f->name, "section") == 0 || strcmp(f->value, "0") == 0)
            continue;
        if (any && column + 2 + width + 1 > STATUS_COLUMNS) { /* and a comma */
            fprintf(out, ",\n%*s", TITLE_COLUMNS, "");
            column = TITLE_COLUMNS;
        } else if (any) {
            column += (size_t)fprintf(out, ", ");
        }
        fprintf(out, "%s %s", f->name, value);
        column += width;
        any = true;
    }
    fputs(any ? "\n" : "none\n", out);
}

static const struct row rows[] = {
    { "gateway", write_gateway }, { "listener", write_listener }, { "workers", write_workers },
    { "sessions", write_sessions }, { "phase", write_phase }, { "audit", write_audit },
    { "reload", write_reload },
};

static void
write_line(FILE *out, const struct control_line *l)
{
    const char *section = ctl_field(l, "section");

    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        if (strcmp(rows[i].section, section) == 0) {
            rows[i].write(out, l);
            return;
        }
    }
    if (l->count > 0)
        write_fields(out, l);
}

static int
write_text(FILE *out, struct ctl_answer *a, const void *unused)
{
    int result;

    (void)unused;
    while ((result = ctl_next(a)) > 0)
        write_line(out, &a->line);
    return result;
}

/* Sections of which there may be any number are lists: their lines come together. */
static const char *const lists[] = { "listener", "phase" };

/* Which list the section is, or SP_COUNT(lists): none. */
static size_t
list_of(const char *section)
{
    size_t i = 0;

    while (i < SP_COUNT(lists) && strcmp(lists[i], section) != 0)
        i++;
    return i;
}

static int
write_json(FILE *out, struct ctl_answer *a, const void *unused)
{
    bool seen[SP_COUNT(lists)] = { false };
    size_t open = SP_COUNT(lists); /* the list that is open */
    const char *separator = "{\n";
    int result;

    (void)unused;
    while ((result = ctl_next(a)) > 0) {
        const char *section = ctl_field(&a->line, "section");
        size_t list = list_of(section);
        bool goes_on = open < SP_COUNT(lists) && list == open;

        fputs(open < SP_COUNT(lists) && !goes_on ? "]" : "", out);
        fputs(separator, out);
        if (!goes_on) {
            ctl_json_text(out, section);
            fputs(list < SP_COUNT(lists) ? ":[" : ":", out);
        }
        ctl_json_line(out, &a->line, "section");
        if (list < SP_COUNT(lists))
            seen[list] = true;
        open = list;
        separator = ",\n";
    }
    fputs(open < SP_COUNT(lists) ? "]" : "", out);
    for (size_t i = 0; i < SP_COUNT(lists); i++) {
        if (!seen[i]) /* a list all the same */
            fprintf(out, "%s\"%s\":[]", separator, lists[i]);
        separator = seen[i] ? separator : ",\n";
    }
    fputs("\n}\n", out);
    return result;
}

enum ctl_status
ctl_status_command(struct ctl *ctl, const struct ctl_given *given)
{
    const struct ctl_request request = { .command = "status" };

    return ctl_show(ctl, &request, ctl_flag(given, "json") ? write_json : write_text, NULL);
}
