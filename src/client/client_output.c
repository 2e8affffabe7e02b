/* SPDX-License-Identifier: ISC */
/*
 * Standard output without waiting on it, and without changing how others who share it find it: the
 * flag O_NONBLOCK would be theirs too. Serves client_join.c.
 */
#include "src/client/client_output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

void
client_output_init(struct client_output *o, int fd)
{
    struct stat st;

    *o = (struct client_output){ .fd = fd, .kind = CLIENT_OUTPUT_OTHER };
    if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
        o->kind = CLIENT_OUTPUT_SOCKET;
    else if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
        o->kind = CLIENT_OUTPUT_PIPE;
}

/* Linux: a pipe that poll() says is writable takes PIPE_BUF bytes at once. */
static ssize_t
pipe_write(struct client_output *o, void *data, size_t len)
{
    const struct iovec iov = { .iov_base = data, .iov_len = len };
    const ssize_t n = o->small ? -1 : pwritev2(o->fd, &iov, 1, -1, RWF_NOWAIT);

    if (n >= 0 || (!o->small && errno != EOPNOTSUPP && errno != ENOSYS))
        return n;
    o->small = true;
    return write(o->fd, data, len < PIPE_BUF ? len : PIPE_BUF);
}

ssize_t
client_output_write(struct client_output *o, uint8_t *data, size_t len)
{
    struct pollfd p = { .fd = o->fd, .events = POLLOUT };

    if (o->kind == CLIENT_OUTPUT_SOCKET)
        return send(o->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (poll(&p, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return o->kind == CLIENT_OUTPUT_PIPE ? pipe_write(o, data, len) : write(o->fd, data, len);
}

/* A socket may be standard input as well: its reader waits for the shutdown. */
void
client_output_end(struct client_output *o)
{
    if (o->kind == CLIENT_OUTPUT_SOCKET)
        (void)shutdown(o->fd, SHUT_WR);
    (void)close(o->fd);
    o->fd = -1;
}
