/* SPDX-License-Identifier: ISC */
/*
 * Memory descriptors: shared maps of fixed size, and sealed copies of files. Serves the file
 * broker, the policy image, the rings and the statistics. Errors are the caller's to judge.
 */
#include "lib/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <string.h>
#include <unistd.h>

#define MEMFD_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)
#define MEMFD_CHUNK 16384

static int
memfd_new(const char *name)
{
    return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

int
memfd_fixed(const char *name, size_t size)
{
    int fd = memfd_new(name);
    if (fd == -1) {
        return -1;
    }
    /* F_SEAL_SEAL too: nobody who holds it may later forbid the others to write. */
    if (ftruncate(fd, (off_t)size) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
        fd_close(&fd);
    }
    return fd;
}

int
memfd_sealed(const char *name, const void *data, size_t len)
{
    int fd = memfd_new(name);
    if (fd == -1) {
        return -1;
    }
    if (fd_write_all(fd, data, len) != 0 || lseek(fd, 0, SEEK_SET) != 0 ||
        fcntl(fd, F_ADD_SEALS, MEMFD_SEALS) != 0) {
        fd_close(&fd);
    }
    return fd;
}

/* All of from into to, at most max bytes. 0, or -1 with errno. */
static int
memfd_fill(int to, int from, size_t max)
{
    char chunk[MEMFD_CHUNK];
    size_t total = 0;
    int result = -1;
    for (;;) {
        const ssize_t n = read(from, chunk, sizeof(chunk));
        if (n == -1 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            result = (int)n;
            break;
        }
        total += (size_t)n;
        if (total > max) {
            errno = EFBIG;
            break;
        }
        if (fd_write_all(to, chunk, (size_t)n) != 0) {
            break;
        }
    }
    /* It may have been a keytab or a password file. */
    const int saved = errno;
    explicit_bzero(chunk, sizeof(chunk));
    errno = saved;
    return result;
}

int
memfd_copy(const char *name, int from, size_t max)
{
    int fd = memfd_new(name);
    if (fd == -1) {
        return -1;
    }
    if (memfd_fill(fd, from, max) != 0 || lseek(fd, 0, SEEK_SET) != 0 ||
        fcntl(fd, F_ADD_SEALS, MEMFD_SEALS) != 0) {
        fd_close(&fd);
    }
    return fd;
}

int
memfd_reader(int memfd)
{
    char path[64];
    const int n = snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
    if (n < 0 || (size_t)n >= sizeof(path)) {
        errno = EINVAL;
        return -1;
    }
    /* A new memfd has mode 0777: whoever got the reader could reopen it for writing through /proc.
       The mode stops another user. */
    if (fchmod(memfd, S_IRUSR | S_IWUSR) != 0) {
        return -1;
    }
    return open(path, O_RDONLY | O_CLOEXEC);
}

off_t
memfd_check(int memfd, int seals)
{
    struct stat st;
    const int have = fcntl(memfd, F_GET_SEALS);
    if (have == -1 || fstat(memfd, &st) != 0) {
        return -1;
    }
    if ((have & seals) != seals) {
        errno = EPERM;
        return -1;
    }
    return st.st_size;
}
