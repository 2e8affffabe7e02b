/* SPDX-License-Identifier: ISC */
/*
 * associate: opens a UDP association, tells the client where to send, and keeps it until the connection
 * that asked for it ends, no datagram passes for timeouts.udp, or the identity ends. What the client
 * still sends on that connection means nothing (RFC 1928 says nothing of it): it is read and thrown
 * away, a bounded amount a turn; under message protection it is opened first, and a bad message ends the
 * session as it would a relay.
 */
#include "src/session/udp_association.h"

#include <errno.h>

#define ASSOCIATE_TURN_READS 16

static struct mono
associate_deadline(const struct session *s)
{
    struct mono quiet = mono_add_seconds(s->active, (int64_t)session_timeouts(s)->udp);

    return mono_before(s->expires, quiet) ? s->expires : quiet;
}

/* ---- the connection ---- */

static struct session_step
discarded(struct session *s, ssize_t n)
{
    if (n == 0)
        return step_fail(s, REASON_CLOSED, NULL);
    if (errno == EBADMSG)
        return step_fail(s, REASON_BAD_MESSAGE, channel_fault(&s->client));
    if (errno != EAGAIN)
        return step_fail(s, REASON_CLIENT_RESET, NULL);
    return step_wait();
}

static struct session_step
discard(struct session *s)
{
    for (int i = 0; i < ASSOCIATE_TURN_READS && s->client.readable; i++) {
        ssize_t n = channel_read(&s->client, s->host->scratch, SESSION_SCRATCH_SIZE);

        client_note_wire(s);
        if (n <= 0) {
            struct session_step step = discarded(s, n);

            if (step.kind != SESSION_WAIT)
                return step;
        }
    }
    if (s->client.readable)
        session_again(s);
    return step_wait();
}

/* Until all of the reply is out the setup keeps it. */
static struct session_step
serve(struct session *s)
{
    int done = s->setup != NULL ? client_flush(s) : 0;

    if (done < 0 || (s->client.failed && channel_error(&s->client) != 0))
        return step_fail(s, REASON_CLIENT_RESET, NULL);
    if (done > 0)
        setup_free(&s->setup);
    return discard(s);
}

/* ---- beginning ---- */

static struct session_step
begin_failed(struct session *s)
{
    struct reply_row row = reply_for_errno(errno);

    udp_association_free(&s->udp);
    return step_refuse(s, row.error == EADDRINUSE ? REASON_NO_SOURCE : row.reason,
        SOCKS5_GENERAL_FAILURE, NULL);
}

static struct session_step
begin(struct session *s)
{
    struct addr bound;

    /* Nothing of the client is read between here and the reply: its messages were in strict order until
       then. */
    if (udp_associate(s, &bound) < 0 || channel_use_datagrams(&s->client) < 0)
        return begin_failed(s);
    s->active = loop_now(s->host->loop);
    session_deadline(s, associate_deadline(s));
    session_note_reply(s, SOCKS5_SUCCEEDED);
    session_count_start(s);
    if (!s->started)
        record_start(s);
    if (session_reply(s, SOCKS5_SUCCEEDED, &bound) < 0)
        return step_fail(s, REASON_CLIENT_RESET, NULL);
    return serve(s);
}

static struct session_step
associate_enter(struct session *s)
{
    struct policy_verdict verdict;
    struct policy_query q;

    session_query(s, IMAGE_COMMAND_UDP, &q);
    if (policy_refuses_udp(s->host->image, &q, &verdict))
        return session_deny(s, &verdict);
    /* Before a socket is open that a client could guess the port of. */
    return audit_comes_first(s) ? audit_before(s, SESSION_ASSOCIATE) : begin(s);
}

static struct session_step
associate_timer(struct session *s)
{
    struct mono deadline = associate_deadline(s);

    if (mono_before(loop_now(s->host->loop), deadline)) {
        session_deadline(s, deadline);
        return step_wait();
    }
    if (!mono_before(loop_now(s->host->loop), s->expires))
        return step_fail(s, REASON_TICKET_EXPIRED, NULL);
    return step_fail(s, REASON_IDLE, NULL);
}

static struct session_step
associate_event(struct session *s, enum session_event event)
{
    return event == SESSION_TIMER ? associate_timer(s) : serve(s);
}

static struct session_step
associate_judge(struct session *s)
{
    struct policy_verdict verdict;
    struct policy_query q;

    session_query(s, IMAGE_COMMAND_UDP, &q);
    if (policy_refuses_udp(s->host->image, &q, &verdict))
        return session_revoke(s, &verdict);
    udp_rejudge(s->udp);
    return step_wait();
}

const struct phase_row phase_associate = { "associate", associate_enter, associate_event,
    associate_judge };
