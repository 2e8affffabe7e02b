/* SPDX-License-Identifier: ISC */
/*
 * The client's side of a session before bytes are relayed: reading a little at a time, so that
 * payload sent ahead stays in the kernel, and sending answers without ever waiting.
 */
#include "src/session/session_private.h"

#include <errno.h>
#include <string.h>

/* 1: some came, 0: none now, -1: end of file or error, the reason stored. */
static int
client_read(struct session *s, enum session_reason *reason)
{
    struct session_host *host = s->host;
    ssize_t n;

    if (!s->client.readable)
        return 0;
    n = channel_read(&s->client, host->secret_scratch, SESSION_SETUP_READ);
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n <= 0) {
        *reason = n == 0 ? REASON_CLIENT_GONE : REASON_CLIENT_RESET;
        return -1;
    }
    s->slot->wire_up += (uint64_t)n;
    if (buffer_append(&s->setup->in, host->secret_scratch, (size_t)n, AUTH_TOKEN_MAX) < 0) {
        *reason = errno == ENOBUFS ? REASON_MALFORMED : REASON_INTERNAL;
        n = -1;
    }
    explicit_bzero(host->secret_scratch, n > 0 ? (size_t)n : SESSION_SETUP_READ);
    return n > 0 ? 1 : -1;
}

bool
client_more(struct session *s, struct session_step *step)
{
    enum session_reason reason;
    int got = client_read(s, &reason);

    if (got == 0)
        *step = step_wait();
    else if (got < 0)
        *step = step_fail(s, reason, NULL);
    return got > 0;
}

int
client_send(struct session *s, const void *data, size_t len)
{
    ssize_t n = 0;

    if (buffer_len(&s->setup->out) == 0) {
        n = channel_write(&s->client, data, len);
        if (n < 0 && errno != EAGAIN)
            return -1;
        if (n < 0)
            n = 0;
        s->slot->wire_down += (uint64_t)n;
    }
    if ((size_t)n == len)
        return 0;
    return buffer_append(&s->setup->out, (const uint8_t *)data + n, len - (size_t)n, SETUP_OUT_MAX);
}

int
client_flush(struct session *s)
{
    struct buffer *out = &s->setup->out;

    while (buffer_len(out) > 0 && s->client.writable) {
        ssize_t n = channel_write(&s->client, buffer_head(out), buffer_len(out));

        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0)
            return -1;
        s->slot->wire_down += (uint64_t)n;
        buffer_consume(out, (size_t)n);
    }
    return buffer_len(out) == 0;
}
