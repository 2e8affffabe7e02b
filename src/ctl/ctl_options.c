/* SPDX-License-Identifier: ISC */
/* What may stand behind a command: read, and told by the usage, from its row in the table. Serves ctl_main.c
   and every command; what is wrong is said with the command's name. */
#include "src/ctl/ctl_private.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_FIRST 256
#define USAGE_COLUMNS 80
#define USAGE_INDENT 12

/* ---- reading ---- */

/* getopt's tables, made of ours. */
struct tables {
    struct option longs[CTL_OPTIONS_MAX + 3];
    char shorts[2 * CTL_OPTIONS_MAX + 8];
};

static size_t
count_options(const struct ctl_command *command)
{
    size_t count = 0;

    while (count < CTL_OPTIONS_MAX && command->options[count].name != NULL)
        count++;
    return count;
}

static void
make_tables(struct tables *t, const struct ctl_command *command)
{
    size_t count = count_options(command);
    size_t at = 4;

    memset(t, 0, sizeof *t);
    memcpy(t->shorts, ":s:h", at);
    for (size_t i = 0; i < count; i++) {
        const struct ctl_option *o = &command->options[i];

        t->longs[i] = (struct option) { o->name, o->takes != NULL ? required_argument : no_argument, NULL,
            OPTION_FIRST + (int)i };
        if (o->letter != 0)
            t->shorts[at++] = o->letter;
        if (o->letter != 0 && o->takes != NULL)
            t->shorts[at++] = ':';
    }
    t->longs[count] = (struct option) { "socket", required_argument, NULL, 's' };
    t->longs[count + 1] = (struct option) { "help", no_argument, NULL, 'h' };
}

/* The row of what getopt found. */
static size_t
row_of(const struct ctl_command *command, int code)
{
    size_t i = 0;

    if (code >= OPTION_FIRST)
        return (size_t)(code - OPTION_FIRST);
    while (command->options[i].letter != code)
        i++;
    return i;
}

static enum ctl_status
store(struct ctl_given *g, size_t row)
{
    const struct ctl_option *o = &g->command->options[row];

    /* A variable of a script that is not set: nobody means that, and some filters would. */
    if (o->takes != NULL && optarg[0] == '\0')
        return ctl_usage("%s: --%s is empty", g->command->name, o->name);
    if (o->many && g->list.count == CTL_LIST_MAX)
        return ctl_usage("%s: --%s is given more than %d times", g->command->name, o->name, CTL_LIST_MAX);
    if (o->many)
        g->list.values[g->list.count++] = optarg;
    else if (g->values[row] != NULL && o->takes != NULL)
        return ctl_usage("%s: --%s is given twice", g->command->name, o->name);
    g->values[row] = o->takes == NULL ? "" : optarg;
    return CTL_OK;
}

/* What getopt did not understand. */
static enum ctl_status
not_understood(const struct ctl_command *command, int code, const char *word)
{
    if (code == ':')
        return ctl_usage("%s: %s wants a value", command->name, word);
    if (optopt >= OPTION_FIRST)
        return ctl_usage("%s: --%s takes no value", command->name,
            command->options[row_of(command, optopt)].name);
    /* A letter among others: optind has not passed its word yet. */
    if (optopt > 0 && optopt <= UCHAR_MAX)
        return ctl_usage("%s knows no -%c", command->name, optopt);
    return ctl_usage("%s knows no %s", command->name, word);
}

/* All that is needed, and none of what excludes each other. */
static enum ctl_status
check(const struct ctl_given *g)
{
    const struct ctl_command *c = g->command;
    char needed[128] = "";
    unsigned count = 0;
    bool missing = false;

    for (size_t i = 0; i < count_options(c); i++) {
        const struct ctl_option *o = &c->options[i];
        size_t used = strlen(needed);

        if (o->other && g->values[i] != NULL && g->values[i - 1] != NULL)
            return ctl_usage("%s: --%s and --%s exclude each other", c->name, c->options[i - 1].name, o->name);
        if (!o->needed)
            continue;
        missing = missing || g->values[i] == NULL;
        (void)snprintf(needed + used, sizeof needed - used, "%s--%s", count++ > 0 ? " and " : "", o->name);
    }
    if (missing)
        return ctl_usage("%s: %s %s needed", c->name, needed, count == 1 ? "is" : "are");
    if (c->operand != NULL && g->operand == NULL)
        return ctl_usage("%s: %s is needed", c->name, c->operand);
    return CTL_OK;
}

enum ctl_status
ctl_options(struct ctl *ctl, const struct ctl_command *command, int argc, char **argv, struct ctl_given *out)
{
    enum ctl_status status = CTL_OK;
    struct tables t;
    int code;

    *out = (struct ctl_given) { .command = command };
    make_tables(&t, command);
    optind = 0;
    opterr = 0;
    while (status == CTL_OK && (code = getopt_long(argc, argv, t.shorts, t.longs, NULL)) != -1) {
        if (code == 's')
            ctl->socket = optarg;
        else if (code == 'h')
            out->help = true;
        else if (code == ':' || code == '?')
            status = not_understood(command, code, argv[optind - 1]);
        else
            status = store(out, row_of(command, code));
    }
    if (status != CTL_OK || out->help)
        return status;
    if (optind < argc && command->operand != NULL)
        out->operand = argv[optind++];
    if (optind < argc)
        return ctl_usage("%s: unexpected argument \"%s\"", command->name, argv[optind]);
    return check(out);
}

const char *
ctl_value(const struct ctl_given *given, const char *option)
{
    for (size_t i = 0; i < count_options(given->command); i++) {
        if (strcmp(given->command->options[i].name, option) == 0)
            return given->values[i];
    }
    abort(); /* it is not in the table */
}

bool
ctl_flag(const struct ctl_given *given, const char *option)
{
    return ctl_value(given, option) != NULL;
}

void
ctl_request_options(struct ctl_request *request, const struct ctl_given *given)
{
    for (size_t i = 0; i < count_options(given->command); i++) {
        if (given->command->options[i].takes != NULL)
            ctl_request_add(request, given->command->options[i].name, given->values[i]);
    }
}

/* ---- the usage ---- */

/* Option number i as the usage has it, with those that may come instead; how many they are. */
static size_t
write_option(const struct ctl_command *command, size_t i, char *out, size_t size)
{
    const struct ctl_option *first = &command->options[i], *o = first;
    const struct ctl_option *end = command->options + count_options(command);
    size_t used = 0;

    do {
        const char letter[2] = { o->letter, '\0' };
        int n = snprintf(out + used, size - used, "%s%s%s%s%s", o > first ? " | " : o->needed ? "" : "[",
            o->letter != 0 ? "-" : "--", o->letter != 0 ? letter : o->name, o->takes == NULL ? "" : " ",
            o->takes == NULL ? "" : o->takes);

        used += n > 0 && (size_t)n < size - used ? (size_t)n : 0;
        o++;
    } while (o < end && o->other);
    (void)snprintf(out + used, size - used, "%s%s", first->needed ? "" : "]", first->many ? "..." : "");
    return (size_t)(o - first);
}

void
ctl_print_usage(FILE *out, const char *before, const struct ctl_command *command)
{
    size_t column = (size_t)fprintf(out, "%s%s", before, command->name);
    const char *operand = command->operand;
    char piece[256];

    for (size_t i = 0; operand != NULL || i < count_options(command);) {
        if (operand == NULL)
            i += write_option(command, i, piece, sizeof piece);
        else if (snprintf(piece, sizeof piece, "%s", operand) >= 0)
            operand = NULL;
        if (column + 1 + strlen(piece) >= USAGE_COLUMNS)
            column = (size_t)fprintf(out, "\n%*s", USAGE_INDENT - 1, "") - 1;
        else if (column < USAGE_INDENT - 1)
            column += (size_t)fprintf(out, "%*s", (int)(USAGE_INDENT - 1 - column), "");
        column += (size_t)fprintf(out, " %s", piece);
    }
    fprintf(out, "\n%*s%s\n", USAGE_INDENT, "", command->sentence);
}
