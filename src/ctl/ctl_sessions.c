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
shorten(struct control_line *line, char client[CTL_SHAPE_SIZE])
{
    for (size_t i = 0; i < line->count; i++) {
        struct control_field *f = &line->fields[i];

        if (strcmp(f->name, "session") == 0) {
            f->value = ctl_short_id(f->value);
        } else if (strcmp(f->name, "client") == 0 && strlen(f->value) < CTL_SHAPE_SIZE) {
            memcpy(client, f->value, strlen(f->value) + 1);
            char *colon = strrchr(client, ':');

            if (colon != NULL)
                *colon = '\0';
            f->value = client;
        }
    }
}

enum ctl_status
ctl_sessions(struct ctl *ctl, const struct ctl_given *given)
{
    const bool wide = ctl_flag(given, "wide");
    const struct ctl_listing listing = { .columns = columns, .count = SP_COUNT(columns), .full = wide,
        .uncut = wide, .by_number = true, .none = "no sessions", .shape = wide ? NULL : shorten };
    struct ctl_request request = { .command = "sessions" };

    ctl_request_options(&request, given);
    return ctl_show(ctl, &request, ctl_flag(given, "json") ? ctl_write_json : ctl_write_table, &listing);
}

static int
write_killed(FILE *out, struct ctl_answer *a, const void *unused)
{
    int result;

    (void)unused;
    while ((result = ctl_next(a)) > 0) {
        const char *killed = ctl_field(&a->line, "killed");

        ctl_print(out, killed);
        fputs(strcmp(killed, "1") == 0 ? " session ended\n" : " sessions ended\n", out);
    }
    return result;
}

enum ctl_status
ctl_kill(struct ctl *ctl, const struct ctl_given *given)
{
    struct ctl_request request = { .command = "kill" };

    ctl_request_options(&request, given);
    if (request.count == 0)
        return ctl_usage("kill: which sessions? one of --session, --user, --client and --rule is needed");
    return ctl_show(ctl, &request, write_killed, NULL);
}
