/* SPDX-License-Identifier: ISC */
/*
 * Target "stderr". The descriptor is shared with whoever started the gateway, so it cannot be made
 * non-blocking. Unless it is a file, each write is preceded by a poll() and is at most PIPE_BUF long,
 * which is what a pipe that polls writable takes at once; a terminal may stop this process, and the
 * master's heartbeat then replaces it.
 */
#include "src/logger/target.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

static void
take_stderr(struct target *t)
{
    struct stat st;

    t->fd = STDERR_FILENO;
    t->by_poll = fstat(t->fd, &st) < 0 || !S_ISREG(st.st_mode);
}

static bool
would_block(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };

    return poll(&p, 1, 0) == 0;
}

/* One write. TARGET_OK also when it took a part only: the caller comes again. */
static enum target_result
write_some(struct target *t, const struct target_line *lines, size_t count, size_t *sent)
{
    const char *piece;
    size_t len = target_piece(t, lines, count, &piece);

    if (t->by_poll && would_block(t->fd))
        return TARGET_FULL;
    ssize_t n = write(t->fd, piece, t->by_poll && len > PIPE_BUF ? PIPE_BUF : len);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return errno == EINTR ? TARGET_OK : TARGET_FULL;
    if (n < 0)
        return target_failed(t, TARGET_LATER);
    *sent += target_written(t, lines, count, (size_t)n);
    return TARGET_OK;
}

static enum target_result
stderr_send(struct target *t, const struct target_line *lines, size_t count, size_t *sent)
{
    enum target_result result = TARGET_OK;

    *sent = 0;
    if (t->fd < 0)
        take_stderr(t);
    while (*sent < count && result == TARGET_OK)
        result = write_some(t, lines + *sent, count - *sent, sent);
    if (result == TARGET_OK)
        target_works(t);
    return result;
}

const struct target_ops target_stderr = {
    .name = "stderr",
    .line_max = 8192,
    .end = "\n",
    .send = stderr_send,
};
