/* SPDX-License-Identifier: ISC */
/*
 * The bottom layer of every stack: a connected socket. Serves the session; no error is fatal here.
 */
#include "src/net/channel.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <sys/socket.h>

static ssize_t
socket_read(struct channel *channel, void *data, size_t size)
{
    ssize_t n = recv(channel->fd, data, size, MSG_DONTWAIT);

    /* A short read has emptied the socket, and whatever comes later raises a new edge; only an end
       of file that is already there would not, nor what lies behind an urgent byte. */
    if (n > 0 && (size_t)n < size && !channel->peer_shut && !channel->urgent)
        channel->readable = false;
    if (n < 0 && errno == EAGAIN) {
        channel->readable = false;
        channel->peer_shut = false;
        channel->urgent = false;
    }
    if (n > 0)
        channel->received += (uint64_t)n;
    return n;
}

static ssize_t
socket_write(struct channel *channel, const void *data, size_t len)
{
    ssize_t n = send(channel->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if ((n < 0 && errno == EAGAIN) || (n >= 0 && (size_t)n < len))
        channel->writable = false;
    if (n > 0)
        channel->sent += (uint64_t)n;
    return n;
}

static ssize_t
socket_read_in(struct channel *channel, uint8_t *room, size_t size, uint8_t **data)
{
    *data = room;
    return socket_read(channel, room, size);
}

static ssize_t
socket_write_in(struct channel *channel, uint8_t *data, size_t len)
{
    return socket_write(channel, data, len);
}

static size_t
socket_write_max(const struct channel *channel)
{
    (void)channel;
    return SIZE_MAX;
}

static int
socket_flush(struct channel *channel)
{
    (void)channel;
    return 0;
}

static int
socket_shut_write(struct channel *channel)
{
    return shutdown(channel->fd, SHUT_WR);
}

static int
socket_raw_fd(const struct channel *channel)
{
    return channel->fd;
}

static void
socket_close(struct channel *channel)
{
    loop_io_del(channel->loop, &channel->io, channel->fd);
    fd_close(&channel->fd);
}

static const struct channel_ops socket_ops = {
    .read = socket_read,
    .read_in = socket_read_in,
    .write = socket_write,
    .write_in = socket_write_in,
    .write_max = socket_write_max,
    .flush = socket_flush,
    .shut_write = socket_shut_write,
    .raw_fd = socket_raw_fd,
    .close = socket_close,
};

static void
note_events(struct channel *channel, uint32_t events)
{
    if (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        channel->readable = true;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        channel->writable = true;
    if (events & (EPOLLRDHUP | EPOLLHUP))
        channel->peer_shut = true;
    if (events & EPOLLPRI)
        channel->urgent = true;
    if (events & EPOLLERR)
        channel->failed = true;
}

void
channel_io_ready(struct loop_io *io, uint32_t events)
{
    struct channel *channel = (struct channel *)((char *)io - offsetof(struct channel, io));

    note_events(channel, events);
    channel->ready(channel);
}

static void
channel_set(struct channel *channel, struct loop *loop, int fd, void (*ready)(struct channel *))
{
    channel->ops = &socket_ops;
    channel->loop = loop;
    channel->io.ready = channel_io_ready;
    channel->ready = ready;
    channel->fd = fd;
    channel->readable = true;
    channel->writable = true;
    channel->peer_shut = false;
    channel->urgent = false;
    channel->failed = false;
    channel->received = 0;
    channel->sent = 0;
    channel->sealed = NULL;
}

int
channel_open(struct channel *channel, struct loop *loop, int fd, void (*ready)(struct channel *))
{
    channel->io = (struct loop_io) { .ready = channel_io_ready };
    if (loop_io_add(loop, &channel->io, fd, CHANNEL_EVENTS) < 0) {
        fd_close(&fd);
        return -1;
    }
    channel_set(channel, loop, fd, ready);
    return 0;
}

void
channel_adopt(struct channel *channel, struct loop *loop, int fd, uint32_t events,
    void (*ready)(struct channel *))
{
    channel_set(channel, loop, fd, ready);
    channel->readable = false;
    note_events(channel, events);
}

bool
channel_is_open(const struct channel *channel)
{
    return channel->ops != NULL;
}

ssize_t
channel_read(struct channel *channel, void *data, size_t size)
{
    return channel->ops->read(channel, data, size);
}

ssize_t
channel_write(struct channel *channel, const void *data, size_t len)
{
    return channel->ops->write(channel, data, len);
}

ssize_t
channel_read_in(struct channel *channel, uint8_t *room, size_t size, uint8_t **data)
{
    return channel->ops->read_in(channel, room, size, data);
}

ssize_t
channel_write_in(struct channel *channel, uint8_t *data, size_t len)
{
    return channel->ops->write_in(channel, data, len);
}

size_t
channel_write_max(const struct channel *channel)
{
    return channel->ops->write_max(channel);
}

int
channel_flush(struct channel *channel)
{
    return channel->ops->flush(channel);
}

int
channel_shut_write(struct channel *channel)
{
    return channel->ops->shut_write(channel);
}

int
channel_raw_fd(const struct channel *channel)
{
    return channel->ops->raw_fd(channel);
}

int
channel_error(struct channel *channel)
{
    int error = 0;
    socklen_t len = sizeof error;

    channel->failed = false;
    if (getsockopt(channel->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return errno;
    return error;
}

void
channel_close(struct channel *channel)
{
    if (channel->ops == NULL)
        return;
    channel->ops->close(channel);
    channel->ops = NULL;
}

void
channel_reset(struct channel *channel)
{
    struct linger linger = { .l_onoff = 1, .l_linger = 0 };

    if (channel->ops == NULL)
        return;
    (void)setsockopt(channel->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    channel_close(channel);
}
