/* SPDX-License-Identifier: ISC */
/*
 * bind: says where it listens (the first reply) and waits for the expected peer; the second reply is
 * that of phase reply, with who connected. The first one alone is no start of a session. A stranger is
 * turned away and counted, and the wait goes on; in SOCKS 4 it ends the BIND, as its memo says. What the
 * client sends meanwhile stays in the kernel; its end of file, or a reset, ends the wait.
 */
#include "src/session/session_private.h"

#include "lib/base/fd.h"
#include "src/net/listen.h"

#include <errno.h>
#include <sys/socket.h>

#define BIND_TURN_ACCEPTS 16 /* connections looked at in one turn: strangers may come in floods */
#define BIND_PAUSE_MS 250    /* out of descriptors */

/* ---- the wait ---- */

/* Until the peer comes, or the pause is over. */
static void
arm(struct session *s)
{
    const struct session_bind *b = s->setup->bind;
    struct mono at = b->deadline;

    if (b->paused) {
        struct mono resume =
            mono_add_us(loop_now(s->host->loop), BIND_PAUSE_MS * CLOCK_MSEC_US);

        at = mono_before(resume, at) ? resume : at;
    }
    session_deadline(s, at);
}

/* 0, or -1 with errno. */
static int
set_paused(struct session *s, bool paused)
{
    struct session_bind *b = s->setup->bind;

    b->paused = paused;
    arm(s);
    return loop_io_mod(s->host->loop, &b->io, b->fd, paused ? 0 : EPOLLIN);
}

static struct session_step
bind_broken(struct session *s)
{
    return step_refuse(s, REASON_INTERNAL, SOCKS5_GENERAL_FAILURE, NULL);
}

static struct session_step
bind_timer(struct session *s)
{
    struct mono now = loop_now(s->host->loop);

    if (!mono_before(now, s->expires))
        return step_refuse(s, REASON_TICKET_EXPIRED, SOCKS5_GENERAL_FAILURE, NULL);
    if (!mono_before(now, s->setup->bind->deadline))
        return step_refuse(s, REASON_BIND_TIMEOUT, SOCKS5_HOST_UNREACHABLE, NULL);
    return set_paused(s, false) < 0 ? bind_broken(s) : step_wait();
}

/* Nobody is left who could use the connection. */
static struct session_step
bind_client(struct session *s)
{
    if (client_vanished(s) || s->client.peer_shut)
        return step_fail(s, REASON_CLIENT_GONE, NULL);
    return step_wait();
}

/* ---- who connects ---- */

static void
note_peer(struct session *s, const struct addr *peer)
{
    table_change_begin(s->slot);
    s->slot->address = *peer;
    table_change_end(s->slot);
}

/* With a reset: nothing of it stays behind, and a flood leaves no connections in TIME_WAIT. */
static void
turn_away(int *fd)
{
    struct linger linger = { .l_onoff = 1, .l_linger = 0 };

    (void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    fd_close(fd);
}

/* verdict: NULL for one that was not expected. */
static struct session_step
stranger(struct session *s, int *fd, const struct addr *peer, const struct policy_verdict *verdict)
{
    turn_away(fd);
    s->strangers++;
    if (!session_speaks_socks4(s))
        return step_wait();
    note_peer(s, peer);
    if (verdict != NULL)
        return session_deny(s, verdict);
    return step_refuse(s, REASON_WRONG_PEER, SOCKS5_GENERAL_FAILURE, NULL);
}

static struct session_step
peer_connected(struct session *s, int *fd, const struct addr *peer)
{
    bind_close(s);
    s->setup->audited = false; /* who connected is another fact */
    note_peer(s, peer);
    dial_tune(*fd, s->host->dial.user_timeout_ms);
    if (channel_open(&s->target, s->host->loop, fd_take(fd), session_target_ready) < 0)
        return bind_broken(s);
    return step_go(SESSION_REPLY);
}

/* The request was judged with DST.PORT, and so is the peer: its own port is any. */
static struct session_step
look_at(struct session *s, int *fd, const struct addr *peer)
{
    struct policy_verdict verdict;

    if (!bind_expects(s->setup->bind, peer))
        return stranger(s, fd, peer, NULL);
    verdict = session_judge(s, s->host->own, peer);
    if (!verdict.allowed || session_met_itself(s, &s->setup->bind->at, peer, &verdict))
        return stranger(s, fd, peer, &verdict);
    session_set_verdict(s, &verdict);
    return peer_connected(s, fd, peer);
}

/* Nothing was accepted: true when there may be more. */
static bool
not_accepted(struct session *s, struct session_step *step)
{
    switch (errno) {
    case ECONNABORTED:
        return true;
    case EAGAIN:
        return false;
    case EMFILE:
        if (set_paused(s, true) == 0)
            return false;
        break;
    default:
        break;
    }
    *step = bind_broken(s);
    return false;
}

/* What is left over is told of again in the next turn. */
static struct session_step
bind_peers(struct session *s)
{
    struct session_step step = step_wait();

    for (int i = 0; i < BIND_TURN_ACCEPTS && step.kind == SESSION_WAIT; i++) {
        struct addr peer;
        int fd = listen_accept(s->setup->bind->fd, &peer);

        if (fd >= 0)
            step = look_at(s, &fd, &peer);
        else if (!not_accepted(s, &step))
            break;
    }
    return step;
}

/* ---- the phase ---- */

/* Before the first reply: nobody is accepted while that waits for its audit. */
static struct session_step
bind_audit(struct session *s)
{
    struct session_bind *b = s->setup->bind;

    if (loop_io_mod(s->host->loop, &b->io, b->fd, 0) < 0)
        return bind_broken(s);
    return audit_before(s, SESSION_BIND);
}

static struct session_step
bind_reply(struct session *s)
{
    struct mono limit =
        mono_add_seconds(loop_now(s->host->loop), (int64_t)session_timeouts(s)->bind);
    struct addr told;

    s->setup->bind->deadline = mono_before(s->expires, limit) ? s->expires : limit;
    arm(s);
    told = bind_told(s);
    if (session_reply(s, SOCKS5_SUCCEEDED, &told) < 0)
        return step_fail(s, REASON_CLIENT_GONE, NULL);
    return bind_client(s);
}

static struct session_step
bind_enter(struct session *s)
{
    struct session_bind *b = s->setup->bind;

    if (s->setup->audited)
        return loop_io_mod(s->host->loop, &b->io, b->fd, EPOLLIN) < 0 ? bind_broken(s) : bind_reply(s);
    resolver_cancel(&s->setup->query);
    if (bind_listen(s) < 0) {
        struct reply_row row = reply_for_errno(errno);

        return step_refuse(s, row.reason, row.reply, NULL);
    }
    return audit_comes_first(s) ? bind_audit(s) : bind_reply(s);
}

static struct session_step
bind_event(struct session *s, enum session_event event)
{
    if (event == SESSION_PEER)
        return bind_peers(s);
    if (event == SESSION_TIMER)
        return bind_timer(s);
    return event == SESSION_CLIENT ? bind_client(s) : step_wait();
}

/* Whoever connects is judged then; here it is whether anybody could. */
static struct session_step
bind_judge(struct session *s)
{
    struct policy_verdict verdict;

    if (!s->setup->bind_any)
        return bind_judge_expected(s);
    return session_refuses_early(s, &verdict) ? session_revoke(s, &verdict) : step_wait();
}

const struct phase_row phase_bind = { "bind", bind_enter, bind_event, bind_judge };
