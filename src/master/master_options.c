/* SPDX-License-Identifier: ISC */
/*
 * The command line. Serves master_main.c. A wrong one is answered with the usage; a missing default
 * configuration is fatal for root and under a service manager, where nobody would see that the
 * gateway runs on its built-in one.
 */
#include "src/master/master_parts.h"

#include "src/core/log.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CONFIG SYSCONFDIR "/sallyport/sallyport.conf"

enum { OPTION_TRY = 256 };

static const char usage_text[] = "usage: sallyportd [-dvtT] [-c FILE] [--try]\n"
                                 "  -c, --config FILE  configuration (" DEFAULT_CONFIG ")\n"
                                 "  -t, --check        check the configuration and exit 0 or 1\n"
                                 "  -T, --print        print the effective configuration\n"
                                 "      --try          run the built-in configuration on loopback\n"
                                 "  -d, --detach       go to the background once everything runs\n"
                                 "  -v, --debug        trace on standard error\n"
                                 "  -V, --version      print the version\n"
                                 "  -h, --help         print this\n";

static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' },
    { "check", no_argument, NULL, 't' },
    { "print", no_argument, NULL, 'T' },
    { "try", no_argument, NULL, OPTION_TRY },
    { "detach", no_argument, NULL, 'd' },
    { "debug", no_argument, NULL, 'v' },
    { "version", no_argument, NULL, 'V' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static enum options_result
usage(void)
{
    fputs(usage_text, stderr);
    return OPTIONS_USAGE;
}

static enum options_result
answer(int option)
{
    if (option == 'V')
        puts("sallyportd " PACKAGE_VERSION);
    else
        fputs(usage_text, stdout);
    return fflush(stdout) == 0 ? OPTIONS_DONE : OPTIONS_USAGE;
}

static bool *
flag_of(struct master_options *o, int option)
{
    switch (option) {
    case 't':
        return &o->check;
    case 'T':
        return &o->print;
    case 'd':
        return &o->detach;
    case 'v':
        return &o->debug;
    case OPTION_TRY:
        return &o->try_it;
    default:
        return NULL;
    }
}

enum options_result
options_read(struct master_options *o, int argc, char **argv)
{
    int option;

    memset(o, 0, sizeof *o);
    optind = 0;
    while ((option = getopt_long(argc, argv, "c:tTdvVh", long_options, NULL)) != -1) {
        bool *flag = flag_of(o, option);

        if (flag != NULL)
            *flag = true;
        else if (option == 'c')
            o->config = optarg;
        else if (option == 'V' || option == 'h')
            return answer(option);
        else
            return usage();
    }
    if (optind != argc) {
        fprintf(stderr, "sallyportd: unexpected argument \"%s\"\n", argv[optind]);
        return usage();
    }
    if (o->try_it && o->config != NULL) {
        fputs("sallyportd: --try runs the built-in configuration; it goes without -c\n", stderr);
        return usage();
    }
    return OPTIONS_RUN;
}

void
options_default_config(struct master_options *o)
{
    if (o->config != NULL || o->try_it)
        return;
    if (access(DEFAULT_CONFIG, F_OK) == 0) {
        o->config = DEFAULT_CONFIG;
        return;
    }
    const char *why = strerror(errno);

    if (geteuid() == 0 || getenv("NOTIFY_SOCKET") != NULL || getenv("INVOCATION_ID") != NULL)
        log_fatal("%s: %s (name another with -c, or try the gateway with --try)", DEFAULT_CONFIG,
            why);
    log_info("%s: %s; running the built-in configuration on loopback, as with --try",
        DEFAULT_CONFIG, why);
    o->try_it = true;
}
