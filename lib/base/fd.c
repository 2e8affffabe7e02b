/* SPDX-License-Identifier: ISC */
/*
 * Descriptors: ownership, flags, the limit. Serves everybody. Errors are the caller's to judge.
 */
#include "lib/base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

int
fd_take(int *fd)
{
    const int taken = *fd;
    *fd = -1;
    return taken;
}

void
fd_close(int *fd)
{
    if (*fd == -1) {
        return;
    }
    const int saved = errno;
    /* Not repeated after EINTR: on Linux the descriptor is gone then, and its number may be
       somebody else's already. */
    (void)close(fd_take(fd));
    errno = saved;
}

int
fd_set_nonblock(int fd)
{
    const int flags = fcntl(fd, F_GETFL);
    if (flags == -1) {
        return -1;
    }
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ? -1 : 0;
}

int
fd_set_cloexec(int fd, int on)
{
    const int flags = fcntl(fd, F_GETFD);
    if (flags == -1) {
        return -1;
    }
    const int wanted = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
    return fcntl(fd, F_SETFD, wanted) == -1 ? -1 : 0;
}

size_t
fd_raise_limit(void)
{
    struct rlimit lim;
    if (getrlimit(RLIMIT_NOFILE, &lim) != 0) {
        return 0;
    }
    if (lim.rlim_cur < lim.rlim_max) {
        const struct rlimit raised = { lim.rlim_max, lim.rlim_max };
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
            lim = raised;
        }
    }
    return (size_t)lim.rlim_cur;
}

int
fd_count_open(void)
{
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL) {
        return -1;
    }
    int count = 0;
    errno = 0;
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (e->d_name[0] != '.') {
            count++;
        }
    }
    const int error = errno;
    (void)closedir(dir);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return count - 1; /* less the one of the folder itself */
}

int
fd_write_all(int fd, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len > 0) {
        const ssize_t n = write(fd, at, len);
        if (n == -1 && errno == EINTR) {
            continue;
        }
        if (n == -1) {
            return -1;
        }
        at += n;
        len -= (size_t)n;
    }
    return 0;
}
