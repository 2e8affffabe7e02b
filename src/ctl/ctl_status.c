/* SPDX-License-Identifier: ISC */
/* status: a page for people, an object for programs. Serves ctl_main.c. */
#include "src/ctl/ctl_private.h"

#include <string.h>

#define STATUS_COLUMNS 80

/* How a section's fields read. */
struct row {
    const char *section;
    void (*print)(const struct control_line *line);
};

static void
print_pair(const char *title, const char *text)
{
    printf("%-11s ", title);
    ctl_print(stdout, text);
    putchar('\n');
}

static void
print_gateway(const struct control_line *l)
{
    char age[16];

    ctl_age(age, ctl_number(l, "uptime"));
    printf("%-11s sallyport %s, process %s, ", "gateway", ctl_field(l, "version"), ctl_field(l, "pid"));
    ctl_print(stdout, ctl_field(l, "state"));
    printf("\n  up %s since %s\n", age, ctl_field(l, "started"));
    print_pair("config", ctl_field(l, "config"));
    printf("%-11s %s, %s rules\n", "generation", ctl_field(l, "generation"), ctl_field(l, "rules"));
}

static void
print_listener(const struct control_line *l)
{
    const char *name = ctl_field(l, "name");
    const char *address = ctl_field(l, "address");

    printf("%-11s ", "listener");
    ctl_print(stdout, name);
    if (strcmp(name, address) != 0)
        printf(" (%s)", address);
    putchar('\n');
}

static void
print_workers(const struct control_line *l)
{
    printf("%-11s %s of %s running, %s restarted", "workers", ctl_field(l, "running"),
        ctl_field(l, "configured"), ctl_field(l, "restarts"));
    if (ctl_number(l, "descriptors_lost") > 0)
        printf(", %s descriptors lost", ctl_field(l, "descriptors_lost"));
    putchar('\n');
}

static void
print_sessions(const struct control_line *l)
{
    printf("%-11s %s of at most %s", "sessions", ctl_field(l, "now"), ctl_field(l, "limit"));
    if (ctl_number(l, "waiting") > 0)
        printf(", %s wait for a worker", ctl_field(l, "waiting"));
    if (strcmp(ctl_field(l, "accepting"), "no") == 0)
        fputs("; nothing is accepted now", stdout);
    putchar('\n');
}

static void
print_phase(const struct control_line *l)
{
    printf("  %-12s %s\n", ctl_field(l, "name"), ctl_field(l, "sessions"));
}

static void
print_audit(const struct control_line *l)
{
    printf("%-11s %s", "audit", ctl_field(l, "target"));
    if (ctl_field(l, "path")[0] != '\0') {
        putchar(' ');
        ctl_print(stdout, ctl_field(l, "path"));
    }
    printf("\n  %s", ctl_field(l, "state"));
    if (ctl_field(l, "stuck_since")[0] != '\0')
        printf(" since %s", ctl_field(l, "stuck_since"));
    printf(", %s waiting, %s lost%s\n", ctl_field(l, "waiting"), ctl_field(l, "lost"),
        strcmp(ctl_field(l, "required"), "yes") == 0 ? ", required" : "");
}

static void
print_reload(const struct control_line *l)
{
    if (ctl_field(l, "result")[0] == '\0')
        return;
    printf("%-11s %s", "last reload", strcmp(ctl_field(l, "result"), "ok") == 0 ? "" : "FAILED: ");
    ctl_print(stdout, ctl_field(l, "text"));
    putchar('\n');
}

/* The fields behind the section, NAME VALUE, as many on a line as fit; those that are 0 say nothing. */
static void
print_fields(const struct control_line *l)
{
    size_t column = (size_t)printf("%-11s", ctl_field(l, "section"));
    bool any = false;

    for (size_t i = 0; i < l->count; i++) {
        const struct control_field *f = &l->fields[i];
        size_t width = strlen(f->name) + strlen(f->value) + 3;

        if (strcmp(f->name, "section") == 0 || strcmp(f->value, "0") == 0)
            continue;
        if (any && column + width >= STATUS_COLUMNS)
            column = (size_t)printf(",\n%-11s", "") - 2;
        else if (any)
            column += (size_t)printf(",");
        printf(" %s ", f->name);
        ctl_print(stdout, f->value);
        column += width - 1;
        any = true;
    }
    puts(any ? "" : " none");
}

static const struct row rows[] = {
    { "gateway", print_gateway }, { "listener", print_listener }, { "workers", print_workers },
    { "sessions", print_sessions }, { "phase", print_phase }, { "audit", print_audit },
    { "reload", print_reload },
};

static void
print_line(const struct control_line *l)
{
    const char *section = ctl_field(l, "section");

    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        if (strcmp(rows[i].section, section) == 0) {
            rows[i].print(l);
            return;
        }
    }
    if (l->count > 0)
        print_fields(l);
}

static int
print_text(struct ctl_answer *a)
{
    int result;

    while ((result = ctl_next(a)) > 0)
        print_line(&a->line);
    return result;
}

/* Sections of which there may be several are lists: their lines come together. */
static bool
is_list(const char *section)
{
    return strcmp(section, "listener") == 0 || strcmp(section, "phase") == 0;
}

static int
print_json(struct ctl_answer *a)
{
    char open[32] = ""; /* the list that is open */
    const char *separator = "{\n";
    int result;

    while ((result = ctl_next(a)) > 0) {
        const char *section = ctl_field(&a->line, "section");
        bool list = is_list(section);
        bool same = strcmp(open, section) == 0;

        if (open[0] != '\0' && !same)
            putchar(']');
        if (open[0] != '\0' && same)
            fputs(",\n", stdout);
        else {
            fputs(separator, stdout);
            ctl_json_text(stdout, section);
            fputs(list ? ":[" : ":", stdout);
        }
        (void)snprintf(open, sizeof open, "%s", list ? section : "");
        ctl_json_line(stdout, &a->line, "section");
        separator = ",\n";
    }
    fputs(open[0] != '\0' ? "]" : "", stdout);
    fputs(separator[0] == '{' ? "{}\n" : "\n}\n", stdout);
    return result;
}

enum ctl_status
ctl_status_command(struct ctl *ctl, int argc, char **argv)
{
    const struct ctl_request request = { .command = "status" };
    bool json = false;
    const struct ctl_option options[] = { { "json", NULL, &json, 0, NULL } };
    struct ctl_answer a;
    enum ctl_status status = ctl_options_only(ctl, argc, argv, options, SP_COUNT(options));

    if (status == CTL_OK)
        status = ctl_ask(ctl, &request, &a);
    return status == CTL_OK ? ctl_end(&a, json ? print_json(&a) : print_text(&a)) : status;
}
