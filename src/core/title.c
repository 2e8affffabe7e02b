/* SPDX-License-Identifier: ISC */
/*
 * Process titles, through libbsd. Serves every process. A title that cannot be set is no reason to
 * stop.
 */
#include "src/core/title.h"

#include <bsd/unistd.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TITLE_MAX 1024

/* Bytes a title needs behind "program: " to cover the command line it replaces. Of a shorter one
   libbsd leaves the rest and a dot for ps to show. */
static size_t title_least;
static bool title_ready;

void
title_init(int argc, char **argv, char **envp)
{
    size_t line = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) - argv[0]);
    size_t prefix = strlen(program_invocation_short_name) + strlen(": ");

    title_least = line > prefix ? line - prefix + 1 : 0;
    setproctitle_init(argc, argv, envp);
    title_ready = true;
}

void
title_set(const char *fmt, ...)
{
    char text[TITLE_MAX];
    va_list args;

    if (!title_ready)
        return; /* a test that is no program of ours */
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n >= 0)
        setproctitle("%-*s", (int)(title_least < TITLE_MAX ? title_least : TITLE_MAX), text);
}
