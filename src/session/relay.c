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
    MOVE_SOURCE_BROKEN,
    MOVE_SINK_ERROR
};

static enum relay_move
source_result(struct relay_flow *flow, ssize_t n)
{
    if (n == 0) {
        flow->ended = true;
        return MOVE_ENDED;
    }
    if (errno == EBADMSG)
        return MOVE_SOURCE_BROKEN;
    return errno == EAGAIN ? MOVE_BLOCKED : MOVE_SOURCE_ERROR;
}

/* Before the next write, and before the end of file, the sink's layer must hold nothing. */
static enum relay_move
sink_settle(struct channel *sink)
{
    if (channel_flush(sink) == 0)
        return MOVE_DONE;
    return errno == EAGAIN ? MOVE_BLOCKED : MOVE_SINK_ERROR;
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

/* One read is at most one message for a sink that makes messages. A sealed source opens its messages
   in the whole room. */
static size_t
copy_size(const struct channel *source, const struct channel *sink, size_t left)
{
    size_t most = channel_write_max(sink);

    if (channel_protection(source) != NULL)
        return CHANNEL_ROOM_MIN;
    if (most > RELAY_READ_SIZE)
        most = RELAY_READ_SIZE;
    return most < left ? most : left;
}

static enum relay_move
copy_write(struct relay_flow *flow, struct channel *sink, uint8_t *data, size_t len)
{
    ssize_t written = len <= channel_write_max(sink) ? channel_write_in(sink, data, len)
                                                     : channel_write(sink, data, len);

    if (written < 0 && errno != EAGAIN)
        return MOVE_SINK_ERROR;
    if (written < 0)
        written = 0;
    flow->bytes += (uint64_t)written;
    if ((size_t)written == len)
        return sink_settle(sink);
    if (buffer_append(&flow->pending, data + written, len - (size_t)written, RELAY_SCRATCH_SIZE) < 0)
        return MOVE_SINK_ERROR;
    return MOVE_BLOCKED;
}

static enum relay_move
copy_once(struct relay_flow *flow, struct channel *source, struct channel *sink,
    const struct relay_shared *shared, size_t left, size_t *work)
{
    size_t size = copy_size(source, sink, left);
    uint64_t before = source->received;
    uint8_t *data;
    ssize_t n = channel_read_in(source, shared->scratch + CHANNEL_HEAD, size, &data);

    *work += (size_t)(source->received - before);
    /* Messages without a byte in them, and perhaps more of them: no edge will tell. */
    if (n < 0 && errno == EAGAIN && source->readable)
        return MOVE_DONE;
    if (n <= 0)
        return source_result(flow, n);
    if ((size_t)n < size)
        flow->full_reads = 0;
    else if (flow->full_reads < RELAY_FULL_READS)
        flow->full_reads++;
    return copy_write(flow, sink, data, (size_t)n);
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
    const struct relay_shared *shared, size_t left, size_t *work)
{
    size_t size = flow->pipe->size < left ? flow->pipe->size : left;
    ssize_t n = splice(channel_raw_fd(source), NULL, flow->pipe->write_fd, NULL, size,
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
    *work += (size_t)n;
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
    const struct relay_shared *shared, size_t left, size_t *work)
{
    if (may_splice(flow, source, sink, shared->pipes))
        return splice_once(flow, source, sink, shared, left, work);
    return copy_once(flow, source, sink, shared, left, work);
}

/* What an earlier turn left over goes first: what the sink's layer holds is the oldest. */
static enum relay_move
flush_held(struct relay_flow *flow, struct channel *sink, struct pipe_pool *pipes)
{
    enum relay_move move = sink_settle(sink);

    if (move != MOVE_DONE || relay_held(flow) == 0)
        return move;
    if (!sink->writable)
        return MOVE_BLOCKED;
    if (buffer_len(&flow->pending) == 0)
        return flush_pipe(flow, sink, pipes);
    move = flush_pending(flow, sink);
    return move == MOVE_DONE ? sink_settle(sink) : move;
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
    if (move == MOVE_SOURCE_BROKEN)
        return RELAY_SOURCE_BROKEN;
    return move == MOVE_SINK_ERROR ? RELAY_SINK_FAILED : RELAY_WAIT;
}

static size_t
turn_share(const struct channel *source, const struct channel *sink)
{
    bool sealed = channel_protection(source) != NULL || channel_protection(sink) != NULL;

    return sealed ? RELAY_SEALED_TURN_BYTES : RELAY_TURN_BYTES;
}

enum relay_result
relay_pump(struct relay_flow *flow, struct channel *source, struct channel *sink,
    const struct relay_shared *shared, size_t allowance, bool *moved)
{
    uint64_t delivered = flow->bytes, read = relay_read(flow), sent = sink->sent;
    size_t work = 0, share = turn_share(source, sink), spent = 0;
    enum relay_move move = flush_held(flow, sink, shared->pipes);

    while (move == MOVE_DONE && !flow->ended && source->readable && work < share && spent < allowance) {
        move = move_once(flow, source, sink, shared, allowance - spent, &work);
        spent = (size_t)(relay_read(flow) - read);
    }
    if (flow->bytes != delivered || spent > 0 || sink->sent != sent)
        *moved = true;
    if (flow->ended && relay_held(flow) == 0 && sink_settle(sink) == MOVE_DONE)
        return pass_end(flow, sink, moved);
    if (move == MOVE_DONE && source->readable)
        return spent >= allowance ? RELAY_SPENT : RELAY_MORE;
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

uint64_t
relay_read(const struct relay_flow *flow)
{
    return flow->bytes + relay_held(flow);
}
