/* SPDX-License-Identifier: ISC */
/*
 * A channel is a byte stream with few operations, stacked at most three deep: the descriptor, then
 * TLS or nothing, then message protection or nothing. The owner of the top layer sees one stream
 * and never asks what lies below; raw_fd answers only where the layers transform nothing and hold
 * no bytes, and there splice may run.
 *
 * Readiness is edge-triggered: `readable` and `writable` say that an operation may make progress;
 * the operation that meets EAGAIN clears them. Errors are those of recv and send.
 */
#ifndef SP_NET_CHANNEL_H
#define SP_NET_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/attr.h"
#include "src/core/loop.h"

/* What a socket is registered for. EPOLLPRI: a read stops short of an urgent byte. */
#define CHANNEL_EVENTS (EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET)

struct channel;

struct channel_ops {
    ssize_t (*read)(struct channel *channel, void *data, size_t size);
    ssize_t (*write)(struct channel *channel, const void *data, size_t len);
    int (*flush)(struct channel *channel);
    int (*shut_write)(struct channel *channel);
    int (*raw_fd)(const struct channel *channel);
    void (*close)(struct channel *channel);
};

/* Embedded in its owner; all zero (fd 0 is never used) with ops NULL: not open. */
struct channel {
    const struct channel_ops *ops;
    struct loop *loop;
    struct loop_io io;
    void (*ready)(struct channel *channel); /* something changed: look at the flags */
    int fd;                                 /* owned while ops is set */
    bool readable;
    bool writable;
    bool peer_shut; /* the peer has sent its end of file, maybe behind bytes still to be read */
    bool urgent;    /* an urgent byte lies in the stream: reads stop short of it, splice for good */
    bool failed;    /* the kernel reports an error or a full hang-up: channel_error() says which */
};

/* Takes the descriptor over and registers it. 0, or -1 with errno (the descriptor is closed). */
int channel_open(struct channel *channel, struct loop *loop, int fd,
    void (*ready)(struct channel *channel)) SP_MUST_USE;

/* The same for a descriptor registered already for CHANNEL_EVENTS: take must
   move the registration to &channel->io and return the descriptor (dial_take). events are the
   edges the former owner was told of. */
void channel_adopt(struct channel *channel, struct loop *loop, int fd, uint32_t events,
    void (*ready)(struct channel *channel));
/* What channel_adopt()'s registration must call. */
void channel_io_ready(struct loop_io *io, uint32_t events);

bool channel_is_open(const struct channel *channel);

/* Bytes read (> 0), 0 at end of file, -1 with errno; EAGAIN clears readable. */
ssize_t channel_read(struct channel *channel, void *data, size_t size) SP_MUST_USE;
/* Bytes taken (may be fewer than len), -1 with errno; EAGAIN clears writable. */
ssize_t channel_write(struct channel *channel, const void *data, size_t len) SP_MUST_USE;
/* Sends what a layer holds back. 0 when nothing is left, -1 with errno. */
int channel_flush(struct channel *channel) SP_MUST_USE;
/* End of file towards the peer. 0, or -1 with errno. */
int channel_shut_write(struct channel *channel) SP_MUST_USE;
/* The descriptor splice may use, or -1. */
int channel_raw_fd(const struct channel *channel);
/* The pending error of the socket, cleared by asking; 0 when there is none. */
int channel_error(struct channel *channel);

/* Removes it from the loop, then closes. Harmless when not open. */
void channel_close(struct channel *channel);
/* The same so that the peer sees a reset (SO_LINGER 0). */
void channel_reset(struct channel *channel);

#endif
