/* SPDX-License-Identifier: ISC */
/*
 * The relay engines: copying through the shared buffer, and splice through a pooled pipe. Serves the
 * relay phase. Errors are those of one of the two connections and end its session.
 */
#include "src/session/relay.h"

#include <errno.h>
#include <fcntl.h>

/* One thing an engine did. */
enum relay_move {
    MOVE_DONE,    /* progress; there may be more */
    MOVE_BLOCKED, /* source empty or sink full */
    MOVE_ENDED,   /* the source's end of file */
    MOVE_SOURCE_ERROR,
    MOVE_SINK_ERROR
};

static enum relay_move
source_result(struct relay_flow *flow, ssize_t n)
{
    if (n == 0) {
        flow->ended = true;
        return MOVE_ENDED;
    }
    return errno == EAGAIN ? MOVE_BLOCKED : MOVE_SOURCE_ERROR;
}

/* ---- copying ---- */

static enum relay_move
flush_pending(struct relay_flow *flow, struct channel *sink)
{
    while (buffer_len(&flow->pending) > 0) {
        ssize_t n = channel_write(sink, buffer_head(&flow->pending), buffer_len(&flow->pending));

        if (n < 0)
            return errno == EAGAIN ? MOVE_BLOCKED : MOVE_SINK_ERROR;
        buffer_consume(&flow->pending, (size_t)n);
        flow->bytes += (uint64_t)n;
        if (!sink->writable && buffer_len(&flow->pending) > 0)
            return MOVE_BLOCKED;
    }
    return MOVE_DONE;
}

static enum relay_move
copy_once(struct relay_flow *flow, struct channel *source, struct channel *sink,
    const struct relay_shared *shared, size_t *count)
{
    ssize_t n = channel_read(source, shared->scratch, shared->scratch_size);
    ssize_t written;

    if (n <= 0)
        return source_result(flow, n);
    *count += (size_t)n;
    if ((size_t)n < shared->scratch_size)
        flow->full_reads = 0;
    else if (flow->full_reads < RELAY_FULL_READS)
        flow->full_reads++;
    written = channel_write(sink, shared->scratch, (size_t)n);
    if (written < 0 && errno != EAGAIN)
        return MOVE_SINK_ERROR;
    if (written < 0)
        written = 0;
    flow->bytes += (uint64_t)written;
    if (written == n)
        return MOVE_DONE;
    if (buffer_append(&flow->pending, shared->scratch + written, (size_t)(n - written),
            shared->scratch_size) < 0)
        return MOVE_SINK_ERROR;
    return MOVE_BLOCKED;
}

/* ---- splice ---- */

static enum relay_move
flush_pipe(struct relay_flow *flow, struct channel *sink, struct pipe_pool *pipes)
{
    while (flow->in_pipe > 0) {
        ssize_t n = splice(flow->pipe->read_fd, NULL, channel_raw_fd(sink), NULL, flow->in_pipe,
            SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

        if (n < 0 && errno == EAGAIN)
            sink->writable = false;
        if (n < 0)
            return errno == EAGAIN ? MOVE_BLOCKED : MOVE_SINK_ERROR;
        flow->in_pipe -= (uint32_t)n;
        flow->bytes += (uint64_t)n;
    }
    pipes_give(pipes, &flow->pipe);
    return MOVE_DONE;
}

static enum relay_move
splice_once(struct relay_flow *flow, struct channel *source, struct channel *sink,
    const struct relay_shared *shared, size_t *count)
{
    ssize_t n = splice(channel_raw_fd(source), NULL, flow->pipe->write_fd, NULL, flow->pipe->size,
        SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

    if (n <= 0) {
        int error = errno;

        pipes_give(shared->pipes, &flow->pipe);
        errno = error;
        if (n < 0 && error == EAGAIN) {
            source->readable = false;
            source->peer_shut = false;
        }
        return source_result(flow, n);
    }
    *count += (size_t)n;
    flow->in_pipe = (uint32_t)n;
    if ((size_t)n < RELAY_SPLICE_MIN)
        flow->full_reads = 0; /* small again: the next read is a copy */
    return flush_pipe(flow, sink, shared->pipes);
}

/* ---- choosing ---- */

static bool
may_splice(struct relay_flow *flow, const struct channel *source, const struct channel *sink,
    struct pipe_pool *pipes)
{
    if (flow->full_reads < RELAY_FULL_READS || source->urgent || channel_raw_fd(source) < 0 ||
        channel_raw_fd(sink) < 0)
        return false;
    flow->pipe = pipes_take(pipes);
    return flow->pipe != NULL;
}

static enum relay_move
move_once(struct relay_flow *flow, struct channel *source, struct channel *sink,
    const struct relay_shared *shared, size_t *count)
{
    if (may_splice(flow, source, sink, shared->pipes))
        return splice_once(flow, source, sink, shared, count);
    return copy_once(flow, source, sink, shared, count);
}

/* What an earlier turn left over goes first. */
static enum relay_move
flush_held(struct relay_flow *flow, struct channel *sink, struct pipe_pool *pipes)
{
    if (relay_held(flow) == 0)
        return MOVE_DONE;
    if (!sink->writable)
        return MOVE_BLOCKED;
    if (buffer_len(&flow->pending) > 0)
        return flush_pending(flow, sink);
    return flush_pipe(flow, sink, pipes);
}

static enum relay_result
pass_end(struct relay_flow *flow, struct channel *sink, bool *moved)
{
    if (!flow->shut) {
        flow->shut = true;
        *moved = true;
        if (!flow->last && channel_shut_write(sink) < 0)
            return RELAY_SINK_FAILED;
    }
    return RELAY_COMPLETE;
}

static enum relay_result
move_result(enum relay_move move)
{
    if (move == MOVE_SOURCE_ERROR)
        return RELAY_SOURCE_FAILED;
    return move == MOVE_SINK_ERROR ? RELAY_SINK_FAILED : RELAY_WAIT;
}

enum relay_result
relay_pump(struct relay_flow *flow, struct channel *source, struct channel *sink,
    const struct relay_shared *shared, bool *moved)
{
    uint64_t before = flow->bytes;
    size_t count = 0;
    enum relay_move move = flush_held(flow, sink, shared->pipes);

    while (move == MOVE_DONE && !flow->ended && source->readable && count < RELAY_TURN_BYTES)
        move = move_once(flow, source, sink, shared, &count);
    if (flow->bytes != before || count > 0)
        *moved = true;
    if (flow->ended && relay_held(flow) == 0)
        return pass_end(flow, sink, moved);
    if (move == MOVE_DONE && source->readable)
        return RELAY_MORE;
    return move_result(move);
}

void
relay_flow_free(struct relay_flow *flow, struct pipe_pool *pipes)
{
    buffer_clear(&flow->pending);
    if (flow->pipe != NULL)
        pipes_drain(pipes, &flow->pipe, flow->in_pipe);
    flow->in_pipe = 0;
}

size_t
relay_held(const struct relay_flow *flow)
{
    return buffer_len(&flow->pending) + flow->in_pipe;
}
