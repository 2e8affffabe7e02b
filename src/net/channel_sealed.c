/* SPDX-License-Identifier: ISC */
/*
 * The protecting layer of a channel: messages of an authentication module's protect face on the
 * wire, a plain byte stream above (read in channel_sealed_read.c). Serves the session and the relay; no
 * error is fatal here. Messages are opened and sealed in the owner's room. The layer has memory of its own
 * only while a message has come in part, or the kernel has taken one in part.
 */
#include "src/net/channel_sealed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DATAGRAM_HEAD 4U /* octets that tell how long a message is */
#define SEALED_PIECE 16384U /* bytes sealed at a time by write(), which may not change its data */

/* ---- writing ---- */

static int
sealed_flush(struct channel *channel)
{
    struct channel_sealed *l = channel->sealed;

    while (buffer_len(&l->out) > 0) {
        ssize_t n = -1;

        errno = EAGAIN;
        if (channel->writable)
            n = l->below->write(channel, buffer_head(&l->out), buffer_len(&l->out));
        if (n < 0)
            return -1;
        buffer_consume(&l->out, (size_t)n);
    }
    return 0;
}

/* The sealed bytes are the peer's next ones whatever happens: what is not sent now is kept. */
static int
send_sealed(struct channel *channel, const struct auth_sealed *message)
{
    struct channel_sealed *l = channel->sealed;
    ssize_t n = l->below->write(channel, message->data, message->len);

    if (n < 0 && errno != EAGAIN)
        return -1;
    if (n < 0)
        n = 0;
    return buffer_append(&l->out, message->data + n, message->len - (size_t)n, message->len);
}

static ssize_t
sealed_write_in(struct channel *channel, uint8_t *data, size_t len)
{
    struct channel_sealed *l = channel->sealed;
    struct auth_sealed message;

    if (sealed_flush(channel) < 0)
        return -1;
    if (len == 0)
        return 0;
    if (len > l->face->plain_max(l->protect))
        return channel_sealed_error(EMSGSIZE);
    if ((l->stream ? l->face->seal_stream : l->face->seal)(l->protect, data, len, &message) < 0)
        return channel_sealed_error(EIO);
    return send_sealed(channel, &message) < 0 ? -1 : (ssize_t)len;
}

static size_t
sealed_write_max(const struct channel *channel)
{
    return channel->sealed->face->plain_max(channel->sealed->protect);
}

static ssize_t
sealed_write(struct channel *channel, const void *data, size_t len)
{
    uint8_t room[CHANNEL_HEAD + SEALED_PIECE + CHANNEL_TAIL];
    size_t most = sealed_write_max(channel), taken = 0;

    if (most > SEALED_PIECE)
        most = SEALED_PIECE;
    do {
        size_t piece = len - taken < most ? len - taken : most;

        memcpy(room + CHANNEL_HEAD, (const uint8_t *)data + taken, piece);
        if (sealed_write_in(channel, room + CHANNEL_HEAD, piece) < 0)
            return taken > 0 && errno == EAGAIN ? (ssize_t)taken : -1;
        taken += piece;
    } while (taken < len);
    return (ssize_t)taken;
}

/* ---- the rest ---- */

static int
sealed_shut_write(struct channel *channel)
{
    return channel->sealed->below->shut_write(channel);
}

static int
sealed_raw_fd(const struct channel *channel)
{
    (void)channel;
    return -1;
}

void
channel_unprotect(struct channel *channel)
{
    struct channel_sealed *l = channel->sealed;

    if (l == NULL)
        return;
    channel->ops = l->below;
    channel->sealed = NULL;
    channel->readable = true;
    l->face->free(l->protect);
    buffer_clear(&l->held);
    buffer_clear(&l->out);
    free(l);
}

static void
sealed_close(struct channel *channel)
{
    channel_unprotect(channel);
    channel->ops->close(channel);
}

static const struct channel_ops sealed_ops = {
    .read = channel_sealed_read,
    .read_in = channel_sealed_read_in,
    .write = sealed_write,
    .write_in = sealed_write_in,
    .write_max = sealed_write_max,
    .flush = sealed_flush,
    .shut_write = sealed_shut_write,
    .raw_fd = sealed_raw_fd,
    .close = sealed_close,
};

static struct channel_sealed *
sealed_new(const struct auth_protect_module *face, const void *ahead, size_t len)
{
    struct channel_sealed *l;

    if (face->head > CHANNEL_HEAD || face->tail > CHANNEL_TAIL ||
        face->message_max > CHANNEL_ROOM_MIN) {
        errno = EINVAL;
        return NULL;
    }
    l = calloc(1, sizeof *l);
    if (l != NULL && buffer_append(&l->held, ahead, len, AUTH_TOKEN_MAX) < 0) {
        free(l);
        return NULL;
    }
    return l;
}

int
channel_protect(struct channel *channel, const struct auth_protect_module *face, void **protect,
    const void *ahead, size_t len)
{
    struct channel_sealed *l = NULL;

    if (channel->sealed == NULL)
        l = sealed_new(face, ahead, len);
    else
        errno = EBUSY;
    if (l == NULL) {
        face->free(*protect);
        *protect = NULL;
        return -1;
    }
    l->face = face;
    l->stream = face->seal_stream != NULL && face->stream_tail <= CHANNEL_TAIL;
    l->protect = *protect;
    *protect = NULL;
    l->below = channel->ops;
    l->unopened = len > 0;
    channel->sealed = l;
    channel->ops = &sealed_ops;
    if (len > 0) /* no edge will tell of what is here already */
        channel->readable = true;
    return 0;
}

int
channel_use_datagrams(struct channel *channel)
{
    struct channel_sealed *l = channel->sealed;

    if (l == NULL || l->face->use_datagrams(l->protect) == 0)
        return 0;
    errno = ENOMEM;
    return -1;
}

bool
channel_seal_datagram(struct channel *channel, uint8_t *plain, size_t len, uint8_t **data,
    size_t *data_len)
{
    struct channel_sealed *l = channel->sealed;
    struct auth_sealed message;

    if (len > l->face->plain_max(l->protect) || l->face->seal(l->protect, plain, len, &message) < 0)
        return false;
    *data = message.data;
    *data_len = message.len;
    return true;
}

bool
channel_open_datagram(struct channel *channel, uint8_t *data, size_t len, uint8_t **plain,
    size_t *plain_len)
{
    struct channel_sealed *l = channel->sealed;
    struct auth_opened one = { .used = 0 };

    /* Asked by its first octets alone: opening a message with something behind it would use up its
       sequence number, and the one it was made from would come too late. */
    if (len > DATAGRAM_HEAD && l->face->open(l->protect, data, DATAGRAM_HEAD, &one) == AUTH_FRAME_MORE &&
        one.used != 0 && one.used != len)
        return false;
    if (l->face->open(l->protect, data, len, &one) != AUTH_FRAME_READY || one.used != len)
        return false;
    *plain = one.plain;
    *plain_len = one.plain_len;
    return true;
}

const void *
channel_protection(const struct channel *channel)
{
    return channel->sealed != NULL ? channel->sealed->protect : NULL;
}

const char *
channel_fault(const struct channel *channel)
{
    return channel->sealed != NULL ? channel->sealed->fault : NULL;
}

size_t
channel_held(const struct channel *channel)
{
    const struct channel_sealed *l = channel->sealed;

    return l != NULL ? buffer_len(&l->held) + buffer_len(&l->out) : 0;
}
