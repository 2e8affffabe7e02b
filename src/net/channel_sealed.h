/* SPDX-License-Identifier: ISC */
/* The inside of a channel's protecting layer; what others call is in channel.h. */
#ifndef SP_NET_CHANNEL_SEALED_H
#define SP_NET_CHANNEL_SEALED_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/buffer.h"
#include "src/net/channel.h"

struct channel_sealed {
    const struct auth_protect_module *face;
    void *protect; /* owned */
    const struct channel_ops *below;
    const char *fault; /* constant; nothing more is opened */
    struct buffer held; /* read and not opened; no whole message but while unopened is set */
    struct buffer out;  /* the rest of one sealed message */
    size_t need;        /* bytes held's first message will have, where the face can tell, or 0 */
    bool unopened;      /* held may begin with whole messages */
    bool stream;        /* the face cuts a stream into messages as it likes */
};

/* -1 with errno set. */
static inline ssize_t
channel_sealed_error(int error)
{
    errno = error;
    return -1;
}

/* The operations of channel_ops. */
ssize_t channel_sealed_read_in(struct channel *channel, uint8_t *room, size_t size, uint8_t **data);
ssize_t channel_sealed_read(struct channel *channel, void *data, size_t size);

#endif
