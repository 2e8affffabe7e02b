/* SPDX-License-Identifier: ISC */
/*
 * Where the gateway answers: as told by -s, else where a gateway is that the same ordinary user started, else
 * as the default configuration says where it can be read, else the default place. Serves ctl_ask.c.
 */
#include "src/ctl/ctl_private.h"

#include "src/config/config_peek.h"
#include "src/core/control_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_CONFIG SYSCONFDIR "/sallyport/sallyport.conf"

static int
put(char *path, size_t size, const char *text)
{
    int n = snprintf(path, size, "%s", text);

    if (n >= 0 && (size_t)n < size)
        return 0;
    (void)ctl_fail(CTL_UNREACHABLE, "%s: the name of a socket has at most %d octets", text,
        CONTROL_PATH_MAX - 1);
    return -1;
}

/* Relative names are taken from the folder of the main file, as the gateway takes them. */
static int
open_config(const char *path, void *ctx)
{
    char whole[4096];
    const char *folder = SYSCONFDIR "/sallyport/";
    int n = snprintf(whole, sizeof whole, "%s%s", path[0] == '/' ? "" : folder, path);

    (void)ctx;
    if (n < 0 || (size_t)n >= sizeof whole) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

/* 1: the configuration names it. */
static int
configured(char *path, size_t size)
{
    const struct config_source source = { .open = open_config, .path = DEFAULT_CONFIG };
    char text[CONTROL_PATH_MAX];

    if (access(DEFAULT_CONFIG, R_OK) < 0
        || config_peek(&source, "control", "socket", text, sizeof text) <= 0 || text[0] == '\0')
        return 0;
    int n = snprintf(path, size, "%s%s", text[0] == '/' ? "" : SYSCONFDIR "/sallyport/", text);

    return n >= 0 && (size_t)n < size;
}

/* The socket of a gateway that this user started: never one that somebody else put there. */
static int
own(char *path, size_t size)
{
    char folder[CONTROL_PATH_MAX];
    struct stat st;

    if (control_user_path(path, size) < 0)
        return 0;
    memcpy(folder, path, strlen(path) + 1);
    *strrchr(folder, '/') = '\0';
    return lstat(folder, &st) == 0 && control_folder_safe(&st, geteuid()) && access(path, F_OK) == 0;
}

int
ctl_socket_find(const char *given, char *path, size_t size)
{
    char mine[CONTROL_PATH_MAX];

    if (given != NULL)
        return put(path, size, given);
    if (geteuid() != 0 && own(mine, sizeof mine))
        return put(path, size, mine);
    if (configured(path, size))
        return 0;
    return put(path, size, CONTROL_DEFAULT_PATH);
}
