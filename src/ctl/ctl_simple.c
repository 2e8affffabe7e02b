/* SPDX-License-Identifier: ISC */
/* Commands that are a request and a little text: drain, reload, workers, penalties, metrics. Serves
   ctl_main.c. */
#include "src/ctl/ctl_private.h"

#include <string.h>
#include <unistd.h>

#define COMPLAINTS_MAX (64U * 1024U * 1024U)

enum ctl_status
ctl_drain(struct ctl *ctl, const struct ctl_given *given)
{
    const struct ctl_request request = { .command = "drain" };
    enum ctl_status status = ctl_do(ctl, &request);

    (void)given;
    if (status == CTL_OK)
        puts("the gateway accepts nothing more and stops when its sessions have ended");
    return ctl_flush(status);
}

#define REFUSED "not reloaded"

/* The texts in b, each with its NUL. */
static void
print_all(FILE *out, const struct buffer *b)
{
    const char *at = (const char *)buffer_head(b);
    const char *end = at + buffer_len(b);

    for (; buffer_len(b) > 0 && at < end; at += strlen(at) + 1) {
        ctl_print(out, at);
        fputc('\n', out);
    }
}

/* The reason of a refusal is one of the complaints as a rule: it is not said twice. */
static void
shorten_reason(struct ctl_answer *a, const struct buffer *complaints)
{
    const char *why = a->error + sizeof REFUSED + 1;

    if (strncmp(a->error, REFUSED ": ", sizeof REFUSED + 1) == 0 && buffer_len(complaints) > 0
        && memmem(buffer_head(complaints), buffer_len(complaints), why, strlen(why)) != NULL)
        a->error = REFUSED;
}

/* Complaints and warnings to standard error, what came of it to standard output; when all of it has come, for who
   reads may rest. */
static int
print_reload(struct ctl_answer *a)
{
    struct buffer complaints = BUFFER_INIT, summary = BUFFER_INIT;
    bool lost = false;
    int result;

    while ((result = ctl_next(a)) > 0) {
        const char *ends = control_line_get(&a->line, "summary");
        const char *text = ends == NULL ? ctl_field(&a->line, "text") : ends;

        lost = buffer_append(ends == NULL ? &complaints : &summary, text, strlen(text) + 1, COMPLAINTS_MAX) < 0
            || lost;
    }
    print_all(stderr, &complaints);
    if (lost)
        fputs("sallyportctl: there is more, which does not fit into memory\n", stderr);
    print_all(stdout, &summary);
    if (result < 0)
        shorten_reason(a, &complaints);
    buffer_clear(&complaints);
    buffer_clear(&summary);
    return result;
}

enum ctl_status
ctl_reload(struct ctl *ctl, const struct ctl_given *given)
{
    const struct ctl_request request = { .command = "reload" };
    struct ctl_answer a;
    enum ctl_status status = ctl_ask(ctl, &request, &a);

    (void)given;
    return status == CTL_OK ? ctl_end(&a, print_reload(&a)) : status;
}

/* text= of each line, on its own line. Only a terminal has to be spared something: a program gets the octets,
   whatever the locale, for in this text \x means nothing. */
static int
write_texts(FILE *out, struct ctl_answer *a, const void *ctx)
{
    const bool *terminal = ctx;
    int result;

    while ((result = ctl_next(a)) > 0) {
        if (*terminal)
            ctl_print(out, ctl_field(&a->line, "text"));
        else
            fputs(ctl_field(&a->line, "text"), out);
        fputc('\n', out);
    }
    return result;
}

enum ctl_status
ctl_metrics(struct ctl *ctl, const struct ctl_given *given)
{
    const struct ctl_request request = { .command = "metrics" };
    const bool terminal = isatty(STDOUT_FILENO) != 0;

    (void)given;
    return ctl_show(ctl, &request, write_texts, &terminal);
}

/* ---- workers ---- */

enum ctl_status
ctl_workers_replace(struct ctl *ctl, const struct ctl_given *given)
{
    struct ctl_request request = { .command = "replace" };
    enum ctl_status status;

    ctl_request_add(&request, "worker", given->operand);
    status = ctl_do(ctl, &request);
    if (status == CTL_OK) {
        fputs("worker ", stdout);
        ctl_print(stdout, given->operand);
        puts(" gets a successor; it finishes the sessions it has");
    }
    return ctl_flush(status);
}

enum ctl_status
ctl_workers(struct ctl *ctl, const struct ctl_given *given)
{
    static const struct ctl_column columns[] = {
        { "ROLE", "role", CTL_TEXT, 0, false }, { "NUMBER", "number", CTL_TEXT, 6, false },
        { "PID", "pid", CTL_NUMBER, 0, false }, { "STATE", "state", CTL_TEXT, 0, false },
        { "SESSIONS", "sessions", CTL_NUMBER, 0, false }, { "CAPACITY", "capacity", CTL_NUMBER, 0, false },
        { "MEMORY", "memory", CTL_BYTES, 0, false }, { "AGE", "age", CTL_AGE, 0, false },
        { "RESTARTS", "restarts", CTL_NUMBER, 0, false },
    };
    static const struct ctl_listing listing = { .columns = columns, .count = SP_COUNT(columns), .full = true,
        .none = "no processes" };
    const struct ctl_request request = { .command = "workers" };

    return ctl_show(ctl, &request, ctl_flag(given, "json") ? ctl_write_json : ctl_write_table, &listing);
}

/* ---- penalties ---- */

static int
write_cleared(FILE *out, struct ctl_answer *a, const void *unused)
{
    int result;

    (void)unused;
    while ((result = ctl_next(a)) > 0) {
        ctl_print(out, ctl_field(&a->line, "cleared"));
        fputs(" cleared\n", out);
    }
    return result;
}

enum ctl_status
ctl_penalties_clear(struct ctl *ctl, const struct ctl_given *given)
{
    struct ctl_request request = { .command = "penalties-clear" };

    ctl_request_options(&request, given);
    return ctl_show(ctl, &request, write_cleared, NULL);
}

enum ctl_status
ctl_penalties(struct ctl *ctl, const struct ctl_given *given)
{
    static const struct ctl_column columns[] = {
        { "CLIENT", "client", CTL_TEXT, 12, false }, { "USER", "user", CTL_TEXT, 8, false },
        { "LEFT", "left", CTL_AGE, 0, false }, { "OF", "seconds", CTL_AGE, 0, false },
        { "FAILURES", "failures", CTL_NUMBER, 0, false },
    };
    static const struct ctl_listing listing = { .columns = columns, .count = SP_COUNT(columns), .full = true,
        .none = "no penalties" };
    const struct ctl_request request = { .command = "penalties" };

    return ctl_show(ctl, &request, ctl_flag(given, "json") ? ctl_write_json : ctl_write_table, &listing);
}
