/* SPDX-License-Identifier: ISC */
/* The control socket's place for an ordinary user. Serves the master and sallyportctl. */
#include "src/core/control_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
control_folder_safe(const struct stat *st, uid_t uid)
{
    if (!S_ISDIR(st->st_mode) || (st->st_uid != 0 && st->st_uid != uid))
        return 0;
    /* Where others may write, as in /tmp, they must not be able to take our names away. */
    return (st->st_mode & (S_IWGRP | S_IWOTH)) == 0 || (st->st_mode & S_ISVTX) != 0;
}

int
control_user_path(char *path, size_t size)
{
    const char *run = getenv("XDG_RUNTIME_DIR");
    struct stat st;
    int n;

    if (run != NULL && run[0] == '/' && lstat(run, &st) == 0 && st.st_uid == geteuid()
        && control_folder_safe(&st, geteuid()))
        n = snprintf(path, size, "%s/sallyport/control.sock", run);
    else
        n = snprintf(path, size, "/tmp/sallyport-%u/control.sock", (unsigned)geteuid());
    if (n < 0 || (size_t)n >= size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}
