/* SPDX-License-Identifier: ISC */
/*
 * Copies list files ("@FILE" in a rule) for the child that compiles the configuration: in steps, since
 * they may be large and the loop has other work. Serves master_config.c. A file that changes under the
 * copy is an error like one that is not there: half of a list must not come into force.
 */
#include "src/master/master_list.h"

#include "lib/base/fd.h"
#include "src/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#define LIST_CHUNK 65536U
#define LIST_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

static int
list_check(const struct stat *st)
{
    if (S_ISREG(st->st_mode) && st->st_size <= (off_t)CONFIG_LIST_MAX)
        return 0;
    errno = S_ISDIR(st->st_mode) ? EISDIR : S_ISREG(st->st_mode) ? EFBIG : EINVAL;
    return -1;
}

int
list_copy_begin(struct list_copy *c, const char *path)
{
    int error;

    *c = LIST_COPY_INIT;
    c->from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (c->from >= 0 && fstat(c->from, &c->before) == 0 && list_check(&c->before) == 0)
        c->to = memfd_create("sallyport-list", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (c->to >= 0)
        return 0;
    error = errno;
    list_copy_end(c);
    errno = error;
    return -1;
}

void
list_copy_end(struct list_copy *c)
{
    fd_close(&c->from);
    fd_close(&c->to);
}

static bool
same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* All was read. Whoever wrote to the file, or took it away, meanwhile has changed a time of it. */
static int
list_finish(struct list_copy *c)
{
    struct stat now;

    if (fstat(c->from, &now) < 0)
        return -1;
    if (now.st_nlink == 0 || now.st_size != c->before.st_size || c->done != c->before.st_size
        || !same_time(now.st_mtim, c->before.st_mtim) || !same_time(now.st_ctim, c->before.st_ctim)) {
        errno = ESTALE;
        return -1;
    }
    if (lseek(c->to, 0, SEEK_SET) < 0 || fcntl(c->to, F_ADD_SEALS, LIST_SEALS) < 0)
        return -1;
    return 0;
}

int
list_copy_step(struct list_copy *c, size_t bytes)
{
    char chunk[LIST_CHUNK];

    for (size_t done = 0; done < bytes; ) {
        ssize_t n = read(c->from, chunk, sizeof chunk);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -1 : list_finish(c);
        done += (size_t)n;
        c->done += n;
        if (c->done > c->before.st_size) {
            errno = ESTALE;
            return -1;
        }
        if (fd_write_all(c->to, chunk, (size_t)n) < 0)
            return -1;
    }
    return 1;
}
