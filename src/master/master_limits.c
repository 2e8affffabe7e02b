/* SPDX-License-Identifier: ISC */
/*
 * Limits per client and user: who is let in, what is counted for each session, and who is told. The one
 * place where the counts change: limits_enter() when a session begins, limits_login() and
 * limits_requested() when it is pending no longer, session_over() when it ends, however it ends. Serves
 * master_accept.c and master_receive.c.
 */
#include "src/master/master_limits.h"

#include "src/master/master_private.h"

#include "src/core/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TICK_SECONDS 1
#define NOTICE_ROOM 65536U /* of the ring; what is left to others */
#define RECENT_MASK (LIMITS_RECENT - 1U)

/* A session that ended before its login was judged; the pool's word may still be on its way. */
struct recent {
    uint64_t id;
    uint32_t incarnation;
    uint16_t listener;
    struct addr client;
};

static void tick(struct loop_timer *timer);

void
limits_init(struct master *m)
{
    struct limits *l = &m->limits;

    memset(l, 0, sizeof *l);
    tally_init(&l->tally);
    penalties_init(&l->penalties, PENALTY_HISTORIES_MAX);
    notices_init(&l->notices);
    l->timer.expired = tick;
    l->recent = calloc(LIMITS_RECENT, sizeof *l->recent);
    if (l->recent == NULL)
        log_fatal("no memory for the limits");
    bandwidth_init(m);
    limits_adopt(m);
}

void
limits_close(struct master *m)
{
    struct limits *l = &m->limits;

    loop_timer_cancel(m->loop, &l->timer);
    bandwidth_close(m);
    notices_free(&l->notices);
    penalties_free(&l->penalties);
    tally_free(&l->tally);
    free(l->recent);
    l->recent = NULL;
}

static bool
match_all(const void *ctx, struct client_key client, const char *user)
{
    (void)ctx;
    (void)client;
    (void)user;
    return true;
}

void
limits_adopt(struct master *m)
{
    struct limits *l = &m->limits;
    const struct image_settings *s = m->settings;

    if (s == NULL)
        return; /* a test's master */
    /* Workers tell who is pending no longer only while there is a limit. */
    if (s->limits.pending_per_client == 0)
        tally_pending_forget(&l->tally);
    l->sessions_per_client = s->limits.sessions_per_client;
    l->pending_per_client = s->limits.pending_per_client;
    l->sessions_per_user = s->limits.sessions_per_user;
    /* A login that began under another image may wait for a verdict. */
    l->verdicts = l->verdicts || l->sessions_per_user > 0;
    l->penalties.rules = (struct penalty_rules) { s->limits.failures, s->limits.failure_window,
        s->limits.penalty };
    if (s->limits.failures == 0)
        (void)histories_lift(&l->penalties, match_all, NULL, loop_now(m->loop));
    l->behind = true;
    bandwidth_adopt(m);
    m->door.due = true;
}

/* ---- now and then ---- */

static void
tick_arm(struct master *m)
{
    struct limits *l = &m->limits;

    if (loop_timer_armed(&l->timer) || (l->penalties.map.count == 0 && l->notices.head == NULL))
        return;
    l->timer.expired = tick;
    if (loop_timer_set(m->loop, &l->timer, mono_add_seconds(loop_now(m->loop), TICK_SECONDS)) < 0)
        log_error("no memory for a timer");
}

/* What was counted behind a notice. A flood of clients leaves room for the other records. */
static void
tell(void *ctx, const struct notice *notice)
{
    struct master *m = ctx;

    if (ring_room(m->ring) < NOTICE_ROOM)
        m->limits.notices.untold += notice->count;
    else
        events_limit(m, 0, notice->listener, &notice->from, notice->limit, notice->count);
}

static void
tell_untold(struct limits *l)
{
    if (l->notices.untold > 0)
        log_warn("%" PRIu64 " connections of ever more clients were refused without a record each",
            l->notices.untold);
    l->notices.untold = 0;
}

static void
tick(struct loop_timer *timer)
{
    struct master *m = CONTAINER(timer, struct master, limits.timer);
    struct limits *l = &m->limits;
    struct mono now = loop_now(m->loop);
    struct notice notice;

    penalties_sweep(&l->penalties, now);
    while (notices_due(&l->notices, now, l->penalties.rules.window, &notice))
        tell(m, &notice);
    tell_untold(l);
    tick_arm(m);
}

void
limits_last_words(struct master *m)
{
    notices_flush(&m->limits.notices, NOTICES_OF_ALL, tell, m);
    tell_untold(&m->limits);
}

/* Its number may soon be another's, its name is known now. */
void
limits_listener_goes(struct master *m, uint16_t listener)
{
    struct recent *recent = m->limits.recent;

    notices_flush(&m->limits.notices, listener, tell, m);
    for (size_t i = 0; recent != NULL && i < LIMITS_RECENT; i++) {
        if (recent[i].listener == listener)
            recent[i].listener = IPC_LISTENER_NUMBERS; /* nobody's */
    }
}

void
limits_turn_end(struct master *m)
{
    if (m->answering != NULL)
        answers_flush(m);
    if (m->limits.behind)
        penalties_send(m);
}

/* ---- a session begins ---- */

static enum limit
judge(const struct limits *l, const struct tally_client *c, struct mono now)
{
    if (penalties_client_barred(&l->penalties, c->key, now))
        return LIMIT_PENALTY;
    if (l->sessions_per_client > 0 && c->sessions >= l->sessions_per_client)
        return LIMIT_CLIENT_SESSIONS;
    if (l->pending_per_client > 0 && tally_pending(&l->tally, c) >= l->pending_per_client)
        return LIMIT_CLIENT_PENDING;
    return LIMIT_NONE;
}

void
limits_refuse(struct master *m, enum limit limit, const struct addr *client, uint16_t listener,
    struct tally_client *c)
{
    struct limits *l = &m->limits;

    tally_client_settle(&l->tally, c);
    l->refused[limit]++;
    if (notices_add(&l->notices, limit, client, listener, loop_now(m->loop)))
        events_limit(m, sessions_next_id(&m->sessions), listener, client, limit, 0);
    tick_arm(m);
}

struct tally_client *
limits_client(struct master *m, const struct addr *client)
{
    return tally_client_get(&m->limits.tally, client_key(client));
}

/* Without memory nothing is counted, and the connection is served. */
enum limit
limits_judge(const struct master *m, const struct tally_client *c)
{
    return c == NULL ? LIMIT_NONE : judge(&m->limits, c, loop_now(m->loop));
}

void
limits_cancel(struct master *m, struct tally_client *c)
{
    if (c != NULL)
        tally_client_settle(&m->limits.tally, c);
}

void
limits_enter(struct master *m, struct session *s, struct tally_client *c)
{
    struct limits *l = &m->limits;

    s->counted = c;
    if (c == NULL)
        return;
    c->sessions++;
    if (l->pending_per_client == 0)
        return;
    tally_pending_add(&l->tally, c);
    s->pending = true;
    s->pending_epoch = l->tally.epoch;
}

void
limits_requested(struct master *m, struct session *s)
{
    if (s->pending && s->pending_epoch == m->limits.tally.epoch)
        tally_pending_end(&m->limits.tally, s->counted);
    if (s->pending && s->counted->waiting > 0)
        m->door.due = true;
    s->pending = false;
}

/* ---- a login ---- */

static void
succeeded(struct master *m, struct session *s, const char *user)
{
    struct limits *l = &m->limits;
    enum ipc_verdict_what what = IPC_VERDICT_GO;

    if (s->authenticated)
        return;
    s->authenticated = true;
    limits_requested(m, s);
    penalties_succeed(&l->penalties, client_key(&s->client), user);
    s->user = tally_user_hold(&l->tally, user);
    if (s->user != NULL && l->sessions_per_user > 0 && s->user->sessions >= l->sessions_per_user) {
        what = IPC_VERDICT_SESSIONS;
        l->refused[LIMIT_USER_SESSIONS]++;
    } else if (s->user != NULL) {
        s->user->sessions++;
        s->user_counts = true;
    }
    if (l->verdicts && s->worker != NULL)
        answers_verdict(s->worker, s->id, what);
}

static void
failed_as(struct master *m, const struct recent *from, const char *user, bool named)
{
    struct limits *l = &m->limits;
    const struct history *h = penalties_fail(&l->penalties, client_key(&from->client), user, named,
        loop_now(m->loop));

    if (h == NULL)
        return;
    l->begun++;
    l->behind = l->behind || user[0] != '\0';
    events_penalty(m, from->id, from->listener, &from->client, h);
}

static void
failed(struct master *m, const struct recent *from, const char *user)
{
    m->limits.failures++;
    if (user[0] != '\0')
        failed_as(m, from, user, true);
    failed_as(m, from, "", user[0] != '\0');
    tick_arm(m);
}

void
limits_login(struct master *m, struct session *s, const struct ipc_auth_result *r)
{
    struct recent from = { s->id, r->incarnation, s->listener, s->client };

    if (r->success)
        succeeded(m, s, r->user);
    else if (!r->excused)
        failed(m, &from, r->user);
}

/* Its client may have gone so as not to be counted. */
void
limits_login_late(struct master *m, const struct ipc_auth_result *r)
{
    const struct recent *from = m->limits.recent == NULL
        ? NULL
        : &m->limits.recent[r->session & RECENT_MASK];

    if (from != NULL && from->id == r->session && from->incarnation == r->incarnation && !r->success
        && !r->excused)
        failed(m, from, r->user);
}

/* ---- its end ---- */

static void
leave(struct master *m, struct session *s)
{
    struct limits *l = &m->limits;

    if (!s->authenticated && s->worker != NULL && l->penalties.rules.failures > 0
        && l->recent != NULL)
        l->recent[s->id & RECENT_MASK] = (struct recent) { s->id, s->worker->incarnation,
            s->listener, s->client };
    limits_requested(m, s);
    if (s->counted != NULL) {
        s->counted->sessions--;
        tally_client_settle(&l->tally, s->counted);
        s->counted = NULL;
    }
    if (s->user != NULL) {
        s->user->sessions -= s->user_counts;
        tally_user_drop(&l->tally, s->user);
        s->user = NULL;
    }
}

void
session_over(struct master *m, struct session *s)
{
    leave(m, s);
    listener_drop(m, s->listener);
    sessions_end(&m->sessions, s);
}
