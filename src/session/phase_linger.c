/* SPDX-License-Identifier: ISC */
/*
 * linger: the closing record is written, the failure answer is queued. Sends it, ends our stream,
 * throws away what the client still sends (a close with unread bytes would send a reset that
 * destroys the answer), and closes at the client's end of file or after SESSION_LINGER_SECONDS.
 */
#include "src/session/session_private.h"

#include "src/net/ident.h"

#include <errno.h>

#define LINGER_TURN_READS 16

static struct session_step
linger_done(void)
{
    return (struct session_step) { SESSION_STOP, SESSION_END };
}

/* 1: the client's end; 0: nothing more now; -1: there may be more next turn. */
static int
discard(struct session *s)
{
    for (int i = 0; i < LINGER_TURN_READS && s->client.readable; i++) {
        ssize_t n = channel_read(&s->client, s->host->scratch, SESSION_SCRATCH_SIZE);

        if (n == 0 || (n < 0 && errno != EAGAIN))
            return 1;
    }
    return s->client.readable ? -1 : 0;
}

static struct session_step
linger(struct session *s)
{
    int flushed = client_flush(s), ended;

    if (flushed < 0)
        return linger_done();
    /* What is thrown away need not be opened; but the layer may still hold our answer. */
    if (flushed == 0 && channel_protection(&s->client) != NULL)
        return step_wait();
    if (flushed > 0 && !s->up.shut) {
        channel_unprotect(&s->client);
        s->up.shut = true; /* our end of file is out */
        if (channel_shut_write(&s->client) < 0)
            return linger_done();
    }
    ended = discard(s);
    if (ended > 0 && flushed > 0)
        return linger_done();
    if (ended < 0)
        session_again(s);
    return step_wait();
}

static struct session_step
linger_enter(struct session *s)
{
    record_close(s);
    setup_end_conversation(s->setup);
    ident_free(&s->setup->ident);
    audit_wait_end(&s->setup->audit);
    resolver_cancel(&s->setup->query);
    dial_free(&s->setup->dial);
    bind_free(s, &s->setup->bind);
    buffer_clear(&s->setup->in);
    session_deadline(s, mono_add_seconds(loop_now(s->host->loop), SESSION_LINGER_SECONDS));
    return linger(s);
}

static struct session_step
linger_event(struct session *s, enum session_event event)
{
    return event == SESSION_TIMER ? linger_done() : linger(s);
}

const struct phase_row phase_linger = { "linger", linger_enter, linger_event, NULL };
