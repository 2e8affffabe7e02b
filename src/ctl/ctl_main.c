/* SPDX-License-Identifier: ISC */
/* The table of commands. Serves src/sallyportctl.c. */
#include "src/ctl/ctl.h"
#include "src/ctl/ctl_private.h"

#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#define NONE { .name = NULL }

/* clang-format off */
static const struct ctl_command commands[] = {
    { "status", ctl_status_command, NULL, "How the gateway is.", { { .name = "json" } } },
    { "sessions", ctl_sessions, NULL, "The sessions there are.", {
        { .name = "user", .takes = "GLOB" },
        { .name = "client", .takes = "ADDR" },
        { .name = "rule", .takes = "GLOB" },
        { .name = "destination", .takes = "GLOB" },
        { .name = "listener", .takes = "GLOB" },
        { .name = "session", .takes = "ID" },
        { .name = "wide" },
        { .name = "json", .other = true } } },
    { "kill", ctl_kill, NULL, "End the sessions that match.", {
        { .name = "session", .takes = "ID" },
        { .name = "user", .takes = "GLOB" },
        { .name = "client", .takes = "ADDR" },
        { .name = "rule", .takes = "GLOB" } } },
    { "drain", ctl_drain, NULL, "Accept nothing more, stop when the sessions have ended.", { NONE } },
    { "reload", ctl_reload, NULL, "Read the configuration and the files it names again.", { NONE } },
    { "workers", ctl_workers, NULL, "The processes.", { { .name = "json" } } },
    { "workers replace", ctl_workers_replace, "NUMBER", "Start a worker's successor; it finishes what it has.",
        { NONE } },
    { "penalties", ctl_penalties, NULL, "Who is refused because of failed logins.", { { .name = "json" } } },
    { "penalties clear", ctl_penalties_clear, NULL, "Lift the penalties that match, all without a filter.", {
        { .name = "client", .takes = "ADDR" },
        { .name = "user", .takes = "NAME" } } },
    { "metrics", ctl_metrics, NULL, "Metrics, as OpenMetrics text.", { NONE } },
    { "top", ctl_top, NULL, "A screen that follows the sessions.", { NONE } },
    { "explain", ctl_explain, NULL, "Which rule would decide, and why no earlier one.", {
        { .name = "config", .takes = "FILE", .letter = 'c' },
        { .name = "client", .takes = "ADDR", .needed = true },
        { .name = "user", .takes = "NAME" },
        { .name = "group", .takes = "NAME", .many = true },
        { .name = "method", .takes = "METHOD" },
        { .name = "protection", .takes = "LEVEL" },
        { .name = "command", .takes = "COMMAND" },
        { .name = "when", .takes = "TIME" },
        { .name = "to", .takes = "HOST:PORT", .needed = true },
        { .name = "address", .takes = "ADDR" },
        { .name = "resolve", .other = true } } },
    { "test", ctl_test, "TABLE", "Whether a policy decides as a table expects.", {
        { .name = "config", .takes = "FILE", .letter = 'c' },
        { .name = "verbose" } } },
};
/* clang-format on */

static int
usage(FILE *out)
{
    fputs("usage: sallyportctl [-s SOCKET] COMMAND [OPTION]...\n", out);
    for (size_t i = 0; i < SP_COUNT(commands); i++)
        ctl_print_usage(out, "  ", &commands[i]);
    fputs("Exit status: 0 done or allowed; 1 refused, denied, or a failed expectation;\n"
          "2 usage; 3 no gateway answers, or explain and test could not judge.\n"
          "All of it is in sallyportctl(8).\n",
        out);
    return out == stdout ? (int)ctl_flush(CTL_OK) : CTL_USAGE;
}

/* Descriptors 0 to 2 are open, so that nothing of ours becomes one of them. */
static int
ensure_stdio(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    return fd < 0 ? -1 : close(fd);
}

/* ---- which command ---- */

/* How many of the words are the command's name; 0: it is another one. */
static int
words_of(const struct ctl_command *command, int argc, char **argv)
{
    size_t len = strcspn(command->name, " ");
    const char *second = command->name + len + (command->name[len] == ' ');

    if (strlen(argv[0]) != len || strncmp(command->name, argv[0], len) != 0)
        return 0;
    if (second[0] == '\0')
        return 1;
    return argc > 1 && strcmp(second, argv[1]) == 0 ? 2 : 0;
}

/* The one of the longest name. */
static const struct ctl_command *
find(int argc, char **argv, int *words)
{
    const struct ctl_command *found = NULL;

    *words = 0;
    for (size_t i = 0; i < SP_COUNT(commands); i++) {
        int n = words_of(&commands[i], argc, argv);

        if (n <= *words)
            continue;
        found = &commands[i];
        *words = n;
    }
    return found;
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
    int words = 0;
    const struct ctl_command *command = find(argc, argv, &words);
    struct ctl_given given;

    if (command == NULL)
        return (int)ctl_usage("there is no command \"%s\"", argv[0]);
    enum ctl_status status = ctl_options(ctl, command, argc - words + 1, argv + words - 1, &given);

    if (status != CTL_OK)
        return (int)status;
    if (!given.help)
        return (int)command->run(ctl, &given);
    ctl_print_usage(stdout, "usage: sallyportctl [-s SOCKET] ", command);
    return (int)ctl_flush(CTL_OK);
}

int
ctl_main(int argc, char **argv)
{
    static const struct option longs[] = {
        { "socket", required_argument, NULL, 's' },
        { "version", no_argument, NULL, 'V' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct ctl ctl = { NULL };
    int option;

    (void)setlocale(LC_CTYPE, "");
    if (ensure_stdio() < 0)
        return (int)ctl_fail(CTL_FAILED, "the standard descriptors cannot be opened");
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:s:Vh", longs, NULL)) != -1) {
        switch (option) {
        case 's':
            ctl.socket = optarg;
            break;
        case 'V':
            puts("sallyportctl " PACKAGE_VERSION);
            return (int)ctl_flush(CTL_OK);
        case 'h':
            return usage(stdout);
        case ':':
            return (int)ctl_usage("%s wants a value", argv[optind - 1]);
        default:
            return (int)ctl_usage("there is no option %s before a command", argv[optind - 1]);
        }
    }
    return optind == argc ? usage(stderr) : run(&ctl, argc - optind, argv + optind);
}
