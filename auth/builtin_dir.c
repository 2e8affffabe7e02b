/* SPDX-License-Identifier: ISC */
/*
 * Where shared modules are. Serves every program that looks for methods. Not finding the own
 * program's path only means that it is an installed one.
 */
#include "auth/builtin.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef MODULEDIR
#define MODULEDIR "/usr/lib/sallyport/auth"
#endif

/* dir/file is there. */
static bool
beside(const char *dir, const char *file)
{
    char path[PATH_MAX];
    const int n = snprintf(path, sizeof path, "%s/%s", dir, file);

    return n > 0 && (size_t)n < sizeof path && access(path, F_OK) == 0;
}

/* The folder of this program. 0, or -1. */
static int
own_dir(char *dir, size_t size)
{
    const ssize_t n = readlink("/proc/self/exe", dir, size);

    if (n <= 0 || (size_t)n >= size)
        return -1;
    dir[n] = '\0';
    char *slash = strrchr(dir, '/');

    if (slash == NULL)
        return -1;
    *slash = '\0';
    return 0;
}

const char *
auth_module_dir(void)
{
    static char found[PATH_MAX]; /* written once, at the first call */
    char dir[PATH_MAX - sizeof "/modules"];

    if (found[0] != '\0')
        return found;
    const bool tree = own_dir(dir, sizeof dir) == 0 && beside(dir, "sallyportd") &&
        beside(dir, "sallyport-worker");

    if (!tree || snprintf(found, sizeof found, "%s/modules", dir) < 0)
        (void)snprintf(found, sizeof found, "%s", MODULEDIR);
    return found;
}
