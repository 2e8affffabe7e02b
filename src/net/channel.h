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

#include "auth/auth_module.h"
#include "lib/base/attr.h"
#include "src/core/loop.h"

/* What a socket is registered for. EPOLLPRI: a read stops short of an urgent byte. */
#define CHANNEL_EVENTS (EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET)

struct channel;

struct channel_sealed; /* the protecting layer (channel_sealed.c) */

/* Room before and behind the bytes given to channel_write_in(), and before the room given to
   channel_read_in() where the bytes are to go on to channel_write_in(). */
#define CHANNEL_HEAD 64U
#define CHANNEL_TAIL 1024U
/* The least room channel_read_in() needs: one whole message of any layer. */
#define CHANNEL_ROOM_MIN 65600U

struct channel_ops {
    ssize_t (*read)(struct channel *channel, void *data, size_t size);
    ssize_t (*read_in)(struct channel *channel, uint8_t *room, size_t size, uint8_t **data);
    ssize_t (*write)(struct channel *channel, const void *data, size_t len);
    ssize_t (*write_in)(struct channel *channel, uint8_t *data, size_t len);
    size_t (*write_max)(const struct channel *channel);
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
    uint64_t received;  /* bytes read from and written to the descriptor; splice is not counted */
    uint64_t sent;
    struct channel_sealed *sealed; /* owned; NULL: no protection */
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

/* Bytes read (> 0), 0 at end of file, -1 with errno; EAGAIN clears readable. With a protecting layer
   it is channel_read_in() with the bytes moved to the beginning of data, and so are its results;
   EMSGSIZE where size is less than CHANNEL_ROOM_MIN. */
ssize_t channel_read(struct channel *channel, void *data, size_t size) SP_MUST_USE;
/* Bytes taken (may be fewer than len), -1 with errno; EAGAIN clears writable. A protecting layer
   takes nothing (EAGAIN) while it still holds a part of an earlier message, and what it takes may
   be on its way in part: channel_flush() tells. */
ssize_t channel_write(struct channel *channel, const void *data, size_t len) SP_MUST_USE;

/*
 * Reading and writing without a copy, for the relay. read_in reads into room (at least
 * CHANNEL_ROOM_MIN) and leaves *data pointing at what came, somewhere inside it: many messages are
 * opened in one call, their plaintexts moved together. Results as channel_read(). A layer that found
 * no plaintext although there may be more at once answers EAGAIN and leaves readable set.
 * EBADMSG: the peer broke the layer's rules; channel_fault() says how. What came whole before it was
 * returned first.
 */
ssize_t channel_read_in(struct channel *channel, uint8_t *room, size_t size,
    uint8_t **data) SP_MUST_USE;
/* Writes at most channel_write_max() bytes, which it may change, as CHANNEL_HEAD bytes before and
   CHANNEL_TAIL behind them. A protecting layer takes all of them and holds what the descriptor did
   not take (then writable is false, and channel_flush() must succeed before the next write: EAGAIN
   until then, with nothing taken; EMSGSIZE: len is more; EIO: sealing failed). */
ssize_t channel_write_in(struct channel *channel, uint8_t *data, size_t len) SP_MUST_USE;
size_t channel_write_max(const struct channel *channel);
/* A word for the audit after EBADMSG, constant: that of the face, or "truncated-message" for an end of
   file inside a message, "oversized-message"; NULL before. Gone with the layer. */
const char *channel_fault(const struct channel *channel);

/*
 * Puts message protection on top of an open channel. *protect becomes the channel's, which frees it
 * through the face, also when it fails (NULL afterwards). ahead: bytes of the peer read already, the
 * beginning of its sealed stream; copied, at most AUTH_TOKEN_MAX; readable is set, for no edge will
 * tell of them. 0, or -1 with errno: EINVAL where the face's messages or what it adds to them do not
 * fit CHANNEL_ROOM_MIN, CHANNEL_HEAD, CHANNEL_TAIL; EBUSY: there is a layer.
 */
int channel_protect(struct channel *channel, const struct auth_protect_module *face,
    void **protect, const void *ahead, size_t len) SP_MUST_USE;
/*
 * The layer's messages as datagrams, one each, beside the stream and through the same state: from
 * channel_use_datagrams() on they may be lost, reordered and repeated (0, or -1 with ENOMEM; without a
 * layer nothing happens). seal: plain as channel_write_in()'s data; false: too long, or sealing failed.
 * open: in place; false: not one whole message that verifies, which changes nothing else.
 */
int channel_use_datagrams(struct channel *channel) SP_MUST_USE;
bool channel_seal_datagram(struct channel *channel, uint8_t *plain, size_t len, uint8_t **data,
    size_t *data_len) SP_MUST_USE;
bool channel_open_datagram(struct channel *channel, uint8_t *data, size_t len, uint8_t **plain,
    size_t *plain_len) SP_MUST_USE;
/* What the layer protects with; NULL where there is none. */
const void *channel_protection(const struct channel *channel);
/* Bytes the layer has memory for: a message that came in part, one the kernel took in part. */
size_t channel_held(const struct channel *channel);
/* Takes the protecting layer off again and frees it, with what it holds: raw bytes from now on, to
   discard them; readable is set. What was not flushed is lost. Harmless without a layer. */
void channel_unprotect(struct channel *channel);

/* Sends what a layer holds back. 0 when nothing is left, -1 with errno (EAGAIN: some is left). */
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
