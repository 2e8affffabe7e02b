/* SPDX-License-Identifier: ISC */
/*
 * Moving bytes between two channels, each direction a flow of its own with half-close and
 * back-pressure. A flow chooses its engine by the moment: one read buffer shared by all sessions for
 * small traffic; after two full reads splice through a pipe of the worker's pool, given back
 * whenever it is empty. Where a channel is protected it always copies, and messages are opened and
 * sealed in the shared buffer. An idle flow holds no buffer and no pipe. Each pump does bounded work.
 */
#ifndef SP_SESSION_RELAY_H
#define SP_SESSION_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "src/net/channel.h"
#include "src/session/pipes.h"

#define RELAY_TURN_BYTES (1024U * 1024U) /* a flow moves at most about this much in one turn */
/* The same where messages are opened or sealed, counted on the source's wire: there the smallest
   ones cost most, and empty ones count too. */
#define RELAY_SEALED_TURN_BYTES (256U * 1024U)
#define RELAY_READ_SIZE 65536U /* bytes read at a time from a channel without protection */
/* The shared read buffer: a whole message, and what the sink's layer adds to it. */
#define RELAY_SCRATCH_SIZE (CHANNEL_HEAD + CHANNEL_ROOM_MIN + CHANNEL_TAIL)
#define RELAY_FULL_READS 2               /* full reads in a row before splice is tried */
#define RELAY_SPLICE_MIN 8192U           /* a splice that finds less goes back to copying */

struct relay_flow {
    struct buffer pending;  /* read and not written yet; memory only while there are some */
    struct pipe_pair *pipe; /* held only while in_pipe > 0, or during a pump */
    uint32_t in_pipe;       /* bytes inside it */
    uint8_t full_reads;
    bool ended;             /* the source's end of file was read */
    bool shut;              /* ... and passed on: the flow is complete */
    bool last;              /* the other direction is complete: the close will pass the end on */
    uint64_t bytes;         /* delivered to the sink, what its layer still holds included */
};

enum relay_result {
    RELAY_WAIT,          /* a channel's readiness must change first */
    RELAY_MORE,          /* the turn's share is used up: pump again next turn */
    RELAY_SPENT,         /* there is more, and the allowance is used up */
    RELAY_COMPLETE,      /* end of file was passed on */
    RELAY_SOURCE_FAILED, /* errno of reading */
    RELAY_SOURCE_BROKEN, /* the source broke its protection: channel_fault() */
    RELAY_SINK_FAILED    /* errno of writing */
};

/* What all flows of a worker share. */
struct relay_shared {
    uint8_t *scratch; /* the shared read buffer, RELAY_SCRATCH_SIZE bytes */
    struct pipe_pool *pipes;
};

#define RELAY_UNLIMITED SIZE_MAX

/* Moves what can be moved now, of the source's payload at most allowance bytes; only where the source is
   protected the last message may go beyond it. *moved is set when at least one byte or an end of file went on; an
   empty message is none. Complete only when the sink's layer holds nothing any more. */
enum relay_result relay_pump(struct relay_flow *flow, struct channel *source, struct channel *sink,
    const struct relay_shared *shared, size_t allowance, bool *moved);

/* Gives back buffer and pipe; bytes not delivered are thrown away. */
void relay_flow_free(struct relay_flow *flow, struct pipe_pool *pipes);

/* Bytes of payload read from the source. */
uint64_t relay_read(const struct relay_flow *flow);

/* Bytes read from the source and not delivered (what the sink's layer holds is not among them). */
size_t relay_held(const struct relay_flow *flow);

#endif
