/* SPDX-License-Identifier: ISC */
/*
 * The client's side of a session before bytes are relayed: reading a little at a time, so that
 * payload sent ahead stays in the kernel, and sending answers without ever waiting. Once messages are
 * sealed they are read as the relay does.
 */
#include "src/session/udp_association.h"

#include <errno.h>
#include <string.h>

void
client_note_wire(struct session *s)
{
    s->slot->wire_up = s->client.received;
    s->slot->wire_down = s->client.sent;
    if (s->udp != NULL) {
        s->slot->wire_up += s->udp->wire_up;
        s->slot->wire_down += s->udp->wire_down;
    }
}

/* Into setup->in, what it was read into given back empty. True, or false with *step. */
static bool
keep(struct session *s, const uint8_t *data, size_t len, struct session_step *step)
{
    int kept = buffer_append(&s->setup->in, data, len, AUTH_TOKEN_MAX);

    if (kept < 0)
        *step = step_fail(s, errno == ENOBUFS ? REASON_MALFORMED : REASON_INTERNAL, NULL);
    return kept == 0;
}

/* Nothing came. */
static struct session_step
read_nothing(struct session *s, ssize_t n)
{
    if (n == 0)
        return step_fail(s, REASON_CLIENT_GONE, NULL);
    if (errno == EBADMSG)
        return step_fail(s, REASON_BAD_MESSAGE, channel_fault(&s->client));
    if (errno != EAGAIN)
        return step_fail(s, REASON_CLIENT_RESET, NULL);
    if (s->client.readable)
        session_again(s); /* empty messages: a layer stops at some number of them */
    return step_wait();
}

/* A little, into secret memory: it may hold a password. */
static bool
more_plain(struct session *s, struct session_step *step)
{
    uint8_t *scratch = s->host->secret_scratch;
    ssize_t n = channel_read(&s->client, scratch, SESSION_SETUP_READ);

    if (n <= 0) {
        *step = read_nothing(s, n);
        return false;
    }
    bool kept = keep(s, scratch, (size_t)n, step);

    explicit_bzero(scratch, (size_t)n);
    return kept;
}

/* As many messages as fit. */
static bool
more_sealed(struct session *s, struct session_step *step)
{
    uint8_t *data;
    ssize_t n = channel_read_in(&s->client, s->host->scratch, SESSION_SCRATCH_SIZE, &data);

    if (n <= 0) {
        *step = read_nothing(s, n);
        return false;
    }
    session_note_level(s, session_protect_face(s)->level(channel_protection(&s->client)));
    return keep(s, data, (size_t)n, step);
}

bool
client_more(struct session *s, struct session_step *step)
{
    bool more;

    *step = step_wait();
    if (!s->client.readable)
        return false;
    more = channel_protection(&s->client) != NULL ? more_sealed(s, step) : more_plain(s, step);
    client_note_wire(s);
    return more;
}

/* What the layer still holds goes first. 1: it holds nothing, 0: some is left, -1: gone. */
static int
flush_layer(struct session *s)
{
    if (channel_flush(&s->client) == 0)
        return 1;
    return errno == EAGAIN ? 0 : -1;
}

int
client_send(struct session *s, const void *data, size_t len)
{
    int ready = buffer_len(&s->setup->out) > 0 ? 0 : flush_layer(s);
    ssize_t n = 0;

    if (ready < 0)
        return -1;
    if (ready > 0) {
        n = channel_write(&s->client, data, len);
        if (n < 0 && errno != EAGAIN)
            return -1;
        if (n < 0)
            n = 0;
        client_note_wire(s);
    }
    if ((size_t)n == len)
        return 0;
    return buffer_append(&s->setup->out, (const uint8_t *)data + n, len - (size_t)n, SETUP_OUT_MAX);
}

int
client_flush(struct session *s)
{
    struct buffer *out = &s->setup->out;
    int ready = flush_layer(s);

    while (ready > 0 && buffer_len(out) > 0 && s->client.writable) {
        ssize_t n = channel_write(&s->client, buffer_head(out), buffer_len(out));

        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0)
            return -1;
        buffer_consume(out, (size_t)n);
        ready = flush_layer(s);
    }
    client_note_wire(s);
    return ready > 0 && buffer_len(out) > 0 ? 0 : ready;
}
