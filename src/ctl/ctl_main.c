/* SPDX-License-Identifier: ISC */
/* The table of commands. Serves src/sallyportctl.c. */
#include "src/ctl/ctl.h"
#include "src/ctl/ctl_private.h"

#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#define FILTERS "[--user U] [--client ADDR] [--rule R]"
#define QUESTION "--client ADDR [--user NAME] [--group G]... [--method M]\n" \
    "            [--protection P] [--command C] [--when TIME] --to HOST:PORT\n" \
    "            [--address ADDR | --resolve]"

static const struct ctl_command commands[] = {
    { "status", ctl_status_command, "[--json]", "How the gateway is." },
    { "sessions", ctl_sessions, FILTERS "\n            [--destination D] [--listener L] [--session ID] [--wide] [--json]",
      "The sessions there are." },
    { "kill", ctl_kill, "[--session ID] " FILTERS, "End the sessions that match." },
    { "drain", ctl_drain, "", "Accept nothing more, stop when the sessions have ended." },
    { "reload", ctl_reload, "", "Read the configuration and the privileged files again." },
    { "workers", ctl_workers, "[replace N] [--json]", "The processes; replace one worker." },
    { "penalties", ctl_penalties, "[clear [--client ADDR] [--user U]] [--json]",
      "Who is refused because of failed logins." },
    { "metrics", ctl_metrics, "", "Metrics, as OpenMetrics text." },
    { "top", ctl_top, "", "A screen that follows the sessions." },
    { "explain", ctl_explain, "[-c FILE] " QUESTION, "Which rule would decide, and why no earlier one." },
    { "test", ctl_test, "[-c FILE] [--verbose] TABLE", "Whether a policy decides as a table expects." },
};

static int
usage(FILE *out)
{
    fputs("usage: sallyportctl [-s SOCKET] COMMAND [OPTION]...\n", out);
    for (size_t i = 0; i < SP_COUNT(commands); i++)
        fprintf(out, "  %-9s %s\n            %s\n", commands[i].name, commands[i].arguments,
            commands[i].sentence);
    fputs("Exit status: 0 done or allowed, 1 refused, denied or a failed expectation, 2 usage,\n"
          "3 no gateway answers. All of it is in sallyportctl(8).\n",
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

static int
run(struct ctl *ctl, int argc, char **argv)
{
    for (size_t i = 0; i < SP_COUNT(commands); i++) {
        if (strcmp(commands[i].name, argv[0]) == 0)
            return (int)commands[i].run(ctl, argc, argv);
    }
    return (int)ctl_usage("there is no command \"%s\"", argv[0]);
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
    while ((option = getopt_long(argc, argv, "+s:Vh", longs, NULL)) != -1) {
        switch (option) {
        case 's':
            ctl.socket = optarg;
            break;
        case 'V':
            puts("sallyportctl " PACKAGE_VERSION);
            return (int)ctl_flush(CTL_OK);
        case 'h':
            return usage(stdout);
        default:
            return usage(stderr);
        }
    }
    return optind == argc ? usage(stderr) : run(&ctl, argc - optind, argv + optind);
}
