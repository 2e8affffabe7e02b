/* SPDX-License-Identifier: ISC */
/*
 * Process titles, through libbsd. Serves every process. A title that cannot be set is no reason to
 * stop.
 */
#include "src/core/title.h"

#include <bsd/unistd.h>
#include <stdarg.h>
#include <stdio.h>

void
title_init(int argc, char **argv, char **envp)
{
    setproctitle_init(argc, argv, envp);
}

void
title_set(const char *fmt, ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n >= 0)
        setproctitle("%s", text);
}
