/* SPDX-License-Identifier: ISC */
/*
 * Target "file": an O_APPEND descriptor that the master opened; a new one takes the old one's place,
 * which is how a rotated file is let go. Writing to a disk may block this process and nobody else.
 * A full disk is tried again with pauses; a line cut by it is completed, in another file written whole.
 */
#include "src/logger/target.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum target_result
file_send(struct target *t, const struct target_line *lines, size_t count, size_t *sent)
{
    const char *piece;
    size_t len = target_piece(t, lines, count, &piece);

    *sent = 0;
    if (t->fd < 0)
        return TARGET_LATER;
    ssize_t n = write(t->fd, piece, len);

    if (n < 0)
        return errno == EINTR ? TARGET_OK : target_failed(t, TARGET_LATER);
    *sent = target_written(t, lines, count, (size_t)n);
    if ((size_t)n == len)
        target_works(t);
    return TARGET_OK;
}

static const char *
file_judge(int fd)
{
    struct stat st;
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fstat(fd, &st) < 0)
        return "the descriptor cannot be examined";
    if ((flags & O_ACCMODE) == O_RDONLY || (flags & O_APPEND) == 0)
        return "not opened for appending";
    if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
        return "neither a regular file nor a character device";
    return NULL;
}

static bool
is_same_file(int a, int b)
{
    struct stat x, y;

    return a >= 0 && fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
        x.st_ino == y.st_ino;
}

static const char *
file_give(struct target *t, int *fd)
{
    const char *why = file_judge(*fd);

    if (why != NULL)
        return why;
    if (!is_same_file(t->fd, *fd))
        t->partial = 0;
    target_drop_fd(t);
    t->fd = fd_take(fd);
    return NULL;
}

const struct target_ops target_file = {
    .name = "file",
    .line_max = 8192,
    .end = "\n",
    .send = file_send,
    .give = file_give,
};
