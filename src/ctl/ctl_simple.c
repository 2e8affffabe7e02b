/* SPDX-License-Identifier: ISC */
/* Commands that are a request and a little text: drain, reload, workers, penalties, metrics. Serves
   ctl_main.c. */
#include "src/ctl/ctl_private.h"

#include <string.h>
#include <unistd.h>

static int
print_table(struct ctl_answer *a, const struct ctl_column *columns, size_t count, const char *none)
{
    struct ctl_table *table = ctl_table_new(columns, count, true);
    int result = -1;

    a->error = "no memory for the listing";
    while (table != NULL && (result = ctl_next(a)) > 0) {
        if (ctl_table_add(table, &a->line) < 0) {
            result = -1;
            break;
        }
    }
    if (table != NULL && result == 0 && ctl_table_rows(table) == 0)
        puts(none);
    else if (table != NULL && result == 0)
        ctl_table_print(table, stdout, ctl_columns());
    ctl_table_free(&table);
    return result;
}

/* text= of each line, on its own line. Only a terminal has to be spared something: a program gets the octets,
   whatever the locale, for in this text \x means nothing. */
static int
print_texts(struct ctl_answer *a)
{
    bool terminal = isatty(STDOUT_FILENO) != 0;
    int result;

    while ((result = ctl_next(a)) > 0) {
        if (terminal)
            ctl_print(stdout, ctl_field(&a->line, "text"));
        else
            fputs(ctl_field(&a->line, "text"), stdout);
        putchar('\n');
    }
    return result;
}

enum ctl_status
ctl_drain(struct ctl *ctl, int argc, char **argv)
{
    const struct ctl_request request = { .command = "drain" };
    enum ctl_status status = ctl_options_only(ctl, argc, argv, NULL, 0);

    if (status == CTL_OK)
        status = ctl_do(ctl, &request);
    if (status == CTL_OK)
        puts("the gateway accepts nothing more and stops when its sessions have ended");
    return ctl_flush(status);
}

/* Complaints and warnings to standard error, what came of it to standard output. */
static int
print_reload(struct ctl_answer *a)
{
    int result;

    while ((result = ctl_next(a)) > 0) {
        const char *summary = control_line_get(&a->line, "summary");

        ctl_print(summary == NULL ? stderr : stdout, summary == NULL ? ctl_field(&a->line, "text") : summary);
        fputc('\n', summary == NULL ? stderr : stdout);
    }
    return result;
}

enum ctl_status
ctl_reload(struct ctl *ctl, int argc, char **argv)
{
    const struct ctl_request request = { .command = "reload" };
    struct ctl_answer a;
    enum ctl_status status = ctl_options_only(ctl, argc, argv, NULL, 0);

    if (status == CTL_OK)
        status = ctl_ask(ctl, &request, &a);
    return status == CTL_OK ? ctl_end(&a, print_reload(&a)) : status;
}

enum ctl_status
ctl_metrics(struct ctl *ctl, int argc, char **argv)
{
    const struct ctl_request request = { .command = "metrics" };
    struct ctl_answer a;
    enum ctl_status status = ctl_options_only(ctl, argc, argv, NULL, 0);

    if (status == CTL_OK)
        status = ctl_ask(ctl, &request, &a);
    return status == CTL_OK ? ctl_end(&a, print_texts(&a)) : status;
}

/* ---- workers ---- */

static enum ctl_status
replace_worker(struct ctl *ctl, const char *number)
{
    struct ctl_request request = { .command = "replace" };
    enum ctl_status status;

    ctl_request_add(&request, "worker", number);
    status = ctl_do(ctl, &request);
    if (status == CTL_OK) {
        fputs("worker ", stdout);
        ctl_print(stdout, number);
        puts(" gets a successor; it finishes the sessions it has");
    }
    return ctl_flush(status);
}

enum ctl_status
ctl_workers(struct ctl *ctl, int argc, char **argv)
{
    static const struct ctl_column columns[] = {
        { "ROLE", "role", CTL_TEXT, 0, false }, { "NUMBER", "number", CTL_TEXT, 6, false },
        { "PID", "pid", CTL_NUMBER, 0, false }, { "STATE", "state", CTL_TEXT, 0, false },
        { "SESSIONS", "sessions", CTL_NUMBER, 0, false }, { "CAPACITY", "capacity", CTL_NUMBER, 0, false },
        { "MEMORY", "memory", CTL_BYTES, 0, false }, { "AGE", "age", CTL_AGE, 0, false },
        { "RESTARTS", "restarts", CTL_NUMBER, 0, false },
    };
    const struct ctl_request request = { .command = "workers" };
    bool json = false;
    const struct ctl_option options[] = { { "json", NULL, &json, 0, NULL } };
    struct ctl_answer a;
    int rest = 0;
    enum ctl_status status = ctl_options(ctl, argc, argv, options, SP_COUNT(options), &rest);

    if (status == CTL_OK && rest + 2 == argc && strcmp(argv[rest], "replace") == 0)
        return replace_worker(ctl, argv[rest + 1]);
    if (status == CTL_OK && rest < argc)
        return ctl_usage("workers: what may follow is \"replace N\", N the number of a worker");
    if (status == CTL_OK)
        status = ctl_ask(ctl, &request, &a);
    if (status != CTL_OK)
        return status;
    return ctl_end(&a, json ? ctl_json_lines(stdout, &a)
                            : print_table(&a, columns, SP_COUNT(columns), "no processes"));
}

/* ---- penalties ---- */

static enum ctl_status
clear_penalties(const struct ctl *ctl, const char *client, const char *user)
{
    struct ctl_request request = { .command = "penalties-clear" };
    struct ctl_answer a;
    int result;

    ctl_request_add(&request, "client", client);
    ctl_request_add(&request, "user", user);
    enum ctl_status status = ctl_ask(ctl, &request, &a);

    if (status != CTL_OK)
        return status;
    while ((result = ctl_next(&a)) > 0) {
        ctl_print(stdout, ctl_field(&a.line, "cleared"));
        puts(" cleared");
    }
    return ctl_end(&a, result);
}

enum ctl_status
ctl_penalties(struct ctl *ctl, int argc, char **argv)
{
    static const struct ctl_column columns[] = {
        { "CLIENT", "client", CTL_TEXT, 12, false }, { "USER", "user", CTL_TEXT, 8, false },
        { "LEFT", "left", CTL_AGE, 0, false }, { "FAILURES", "failures", CTL_NUMBER, 0, false },
        { "OF", "seconds", CTL_AGE, 0, false },
    };
    const struct ctl_request request = { .command = "penalties" };
    const char *client = NULL, *user = NULL;
    bool json = false;
    const struct ctl_option options[] = { { "json", NULL, &json, 0, NULL }, { "client", &client, NULL, 0, NULL },
        { "user", &user, NULL, 'u', NULL } };
    struct ctl_answer a;
    int rest = 0;
    enum ctl_status status = ctl_options(ctl, argc, argv, options, SP_COUNT(options), &rest);

    if (status == CTL_OK && rest + 1 == argc && strcmp(argv[rest], "clear") == 0)
        return clear_penalties(ctl, client, user);
    if (status == CTL_OK && (rest < argc || client != NULL || user != NULL))
        return ctl_usage("penalties: what may follow is \"clear [--client ADDR] [--user NAME]\"");
    if (status == CTL_OK)
        status = ctl_ask(ctl, &request, &a);
    if (status != CTL_OK)
        return status;
    return ctl_end(&a, json ? ctl_json_lines(stdout, &a)
                            : print_table(&a, columns, SP_COUNT(columns), "no penalties"));
}
