/* SPDX-License-Identifier: ISC */
/*
 * Reading through a channel's protecting layer: whole messages are opened where they were read, the rest of
 * one is held until more comes. Serves channel_sealed.c. A message that cannot be opened is the channel's
 * fault (channel_fault()): nothing more is read.
 */
#include "src/net/channel_sealed.h"

#include <string.h>

/* Plaintexts of one call, moved together. */
struct opening {
    uint8_t *data;
    size_t len;
    size_t used; /* bytes of the whole messages */
};

static void
sealed_break(struct channel_sealed *l, const char *fault)
{
    l->fault = fault != NULL ? fault : "bad-message";
    l->unopened = false;
    buffer_clear(&l->held);
}

static void
gather(struct opening *all, const struct auth_opened *one)
{
    if (one->plain_len == 0)
        return;
    if (all->len == 0)
        all->data = one->plain;
    else
        memmove(all->data + all->len, one->plain, one->plain_len);
    all->len += one->plain_len;
}

/* Opens what is whole at the beginning of len bytes. */
static void
open_whole(struct channel_sealed *l, uint8_t *bytes, size_t len, struct opening *all)
{
    enum auth_frame frame = AUTH_FRAME_READY;

    l->need = 0;
    while (frame == AUTH_FRAME_READY && all->used < len) {
        struct auth_opened one = { .used = 0 };

        frame = l->face->open(l->protect, bytes + all->used, len - all->used, &one);
        if (frame == AUTH_FRAME_BAD) {
            sealed_break(l, one.error);
        } else if (frame == AUTH_FRAME_MORE) {
            l->need = one.used;
        } else {
            gather(all, &one);
            all->used += one.used;
        }
    }
}

/* A message longer than the face says there are would fill any room. */
static int
hold(struct channel_sealed *l, const uint8_t *bytes, size_t len)
{
    if (buffer_append(&l->held, bytes, len, l->face->message_max - 1) == 0)
        return 0;
    if (errno == ENOBUFS)
        sealed_break(l, "oversized-message");
    return l->fault != NULL ? 0 : -1;
}

/* Messages that came before the layer, no bytes of the descriptor with them. */
static void
open_held(struct channel_sealed *l, uint8_t *room, size_t size, struct opening *all)
{
    size_t len = buffer_len(&l->held) < size ? buffer_len(&l->held) : size;

    memcpy(room, buffer_head(&l->held), len);
    open_whole(l, room, len, all);
    if (l->fault != NULL)
        return;
    l->unopened = len < buffer_len(&l->held);
    buffer_consume(&l->held, all->used);
    if (buffer_len(&l->held) >= l->face->message_max && (!l->unopened || all->used == 0))
        sealed_break(l, "oversized-message");
}

/* Of a long message no more is read than itself and the head of the next one: what is read beyond
   would be kept aside and copied back. Small ones come as many as there are. */
static size_t
receive_size(const struct channel_sealed *l, size_t held, size_t size)
{
    size_t most = size - held, exact = l->need - held + CHANNEL_HEAD;

    return l->need > size / 2 && l->need > held && exact < most ? exact : most;
}

static int
open_received(struct channel_sealed *l, uint8_t *room, size_t held, size_t got, struct opening *all)
{
    const uint8_t *rest;

    if (held + got < l->need)
        return hold(l, room + held, got);
    memcpy(room, buffer_head(&l->held), held);
    open_whole(l, room, held + got, all);
    if (l->fault != NULL)
        return 0;
    if (all->used == 0)
        return hold(l, room + held, got);
    buffer_clear(&l->held);
    rest = room + all->used;
    return hold(l, rest, held + got - all->used);
}

static int
receive(struct channel *channel, uint8_t *room, size_t size, struct opening *all)
{
    struct channel_sealed *l = channel->sealed;
    size_t held = buffer_len(&l->held);
    ssize_t got = l->below->read(channel, room + held, receive_size(l, held, size));

    if (got < 0)
        return -1;
    if (got == 0 && held > 0) {
        sealed_break(l, "truncated-message");
        return 0;
    }
    return got == 0 ? 1 : open_received(l, room, held, (size_t)got, all);
}

/* Whatever this call leaves behind in the layer raises no edge: readable says it. */
ssize_t
channel_sealed_read_in(struct channel *channel, uint8_t *room, size_t size, uint8_t **data)
{
    struct channel_sealed *l = channel->sealed;
    struct opening all = { room, 0, 0 };
    int result = 0;

    if (size < CHANNEL_ROOM_MIN)
        return channel_sealed_error(EMSGSIZE);
    if (l->unopened)
        open_held(l, room, size, &all);
    else if (l->fault == NULL)
        result = receive(channel, room, size, &all);
    if (l->fault != NULL || l->unopened)
        channel->readable = true;
    if (result != 0)
        return result < 0 ? -1 : 0;
    *data = all.data;
    if (all.len > 0)
        return (ssize_t)all.len;
    return channel_sealed_error(l->fault != NULL ? EBADMSG : EAGAIN);
}

ssize_t
channel_sealed_read(struct channel *channel, void *data, size_t size)
{
    uint8_t *plain;
    ssize_t n = channel_sealed_read_in(channel, data, size, &plain);

    if (n > 0)
        memmove(data, plain, (size_t)n);
    return n;
}
