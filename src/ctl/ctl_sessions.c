/* SPDX-License-Identifier: ISC */
/* sessions and kill. Serves ctl_main.c. */
#include "src/ctl/ctl_private.h"

#include <string.h>

static const struct ctl_column columns[] = {
    { "SESSION", "session", CTL_TEXT, 0, false },
    { "WORKER", "worker", CTL_TEXT, 0, true },
    { "LISTENER", "listener", CTL_TEXT, 0, true },
    { "USER", "user|claimed", CTL_TEXT, 6, false },
    { "CLIENT", "client", CTL_TEXT, 12, false },
    { "PROTOCOL", "protocol", CTL_TEXT, 0, true },
    { "METHOD", "method", CTL_TEXT, 0, true },
    { "PROTECTION", "protection", CTL_TEXT, 0, true },
    { "COMMAND", "command", CTL_TEXT, 0, true },
    { "DESTINATION", "destination", CTL_PLACE, 14, false },
    { "ADDRESS", "address", CTL_TEXT, 0, true },
    { "EGRESS", "egress", CTL_TEXT, 0, true },
    { "UP", "bytes_up", CTL_BYTES, 0, false },
    { "DOWN", "bytes_down", CTL_BYTES, 0, false },
    { "AGE", "age", CTL_AGE, 0, false },
    { "PHASE", "phase", CTL_TEXT, 5, false },
    { "RULE", "rule", CTL_TEXT, 6, false },
};

/* The narrow form has the half of the id that differs, and the client without its port: a line of it is for
   looking at. */
static void
shorten(struct control_line *line, char client[80])
{
    for (size_t i = 0; i < line->count; i++) {
        struct control_field *f = &line->fields[i];

        if (strcmp(f->name, "session") == 0 && strlen(f->value) == 16) {
            f->value += 8;
            f->value += strspn(f->value, "0");
        } else if (strcmp(f->name, "client") == 0 && strlen(f->value) < 80) {
            memcpy(client, f->value, strlen(f->value) + 1);
            char *colon = strrchr(client, ':');

            if (colon != NULL)
                *colon = '\0';
            f->value = client;
        }
    }
}

static int
print_table(struct ctl_answer *a, bool wide)
{
    struct ctl_table *table = ctl_table_new(columns, SP_COUNT(columns), wide);
    char client[80];
    int result = -1;

    a->error = "no memory for the listing";
    while (table != NULL && (result = ctl_next(a)) > 0) {
        if (!wide)
            shorten(&a->line, client);
        if (ctl_table_add(table, &a->line) < 0) {
            a->error = "no memory for the listing";
            result = -1;
            break;
        }
    }
    if (table != NULL && result == 0)
        ctl_table_print(table, stdout, wide ? 0 : ctl_columns());
    ctl_table_free(&table);
    return result;
}

enum ctl_status
ctl_sessions(struct ctl *ctl, int argc, char **argv)
{
    const char *user = NULL, *client = NULL, *rule = NULL, *destination = NULL, *listener = NULL;
    const char *session = NULL;
    bool json = false, wide = false;
    const struct ctl_option options[] = { { "user", &user, NULL, 'u', NULL }, { "client", &client, NULL, 0, NULL },
        { "rule", &rule, NULL, 'r', NULL }, { "destination", &destination, NULL, 'd', NULL },
        { "listener", &listener, NULL, 'l', NULL }, { "session", &session, NULL, 0, NULL },
        { "json", NULL, &json, 0, NULL }, { "wide", NULL, &wide, 'w', NULL } };
    struct ctl_request request = { .command = "sessions" };
    struct ctl_answer a;
    enum ctl_status status = ctl_options_only(ctl, argc, argv, options, SP_COUNT(options));

    for (size_t i = 0; i < SP_COUNT(options); i++) {
        if (options[i].value != NULL)
            ctl_request_add(&request, options[i].name, *options[i].value);
    }
    if (status == CTL_OK)
        status = ctl_ask(ctl, &request, &a);
    if (status != CTL_OK)
        return status;
    return ctl_end(&a, json ? ctl_json_lines(stdout, &a) : print_table(&a, wide));
}

enum ctl_status
ctl_kill(struct ctl *ctl, int argc, char **argv)
{
    const char *user = NULL, *client = NULL, *rule = NULL, *session = NULL;
    const struct ctl_option options[] = { { "user", &user, NULL, 'u', NULL }, { "client", &client, NULL, 0, NULL },
        { "rule", &rule, NULL, 'r', NULL }, { "session", &session, NULL, 0, NULL } };
    struct ctl_request request = { .command = "kill" };
    struct ctl_answer a;
    enum ctl_status status = ctl_options_only(ctl, argc, argv, options, SP_COUNT(options));
    int result = -1;

    for (size_t i = 0; i < SP_COUNT(options); i++)
        ctl_request_add(&request, options[i].name, *options[i].value);
    if (status == CTL_OK && request.count == 0)
        return ctl_usage("kill: which sessions? one of --session, --user, --client and --rule is needed");
    if (status == CTL_OK)
        status = ctl_ask(ctl, &request, &a);
    if (status != CTL_OK)
        return status;
    while ((result = ctl_next(&a)) > 0) {
        const char *killed = ctl_field(&a.line, "killed");

        ctl_print(stdout, killed);
        puts(strcmp(killed, "1") == 0 ? " session ended" : " sessions ended");
    }
    return ctl_end(&a, result);
}
