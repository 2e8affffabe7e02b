/* SPDX-License-Identifier: ISC */
/*
 * Listing sessions and ending them. Serves the control socket. Both walk over the tables a few slots at a
 * time; nothing is asked of a worker but to end what it has.
 */
#include "src/master/master_control_private.h"

#include "src/core/ipc_reload.h"
#include "src/core/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_AT_ONCE 32 /* between two looks at the clock */

struct walking {
    struct control_walk walk;
    struct control_filter filter;
    uint64_t killed;
    struct process *worker; /* ids below are this one's; never kept beyond a slice */
    struct ipc_kill kill;
};

static void
walking_free(struct control_client *c)
{
    struct walking *w = c->state;

    control_walk_end(&w->walk);
    free(w);
}

static struct walking *
walking_new(struct control_client *c)
{
    struct walking *w = calloc(1, sizeof *w);
    const char *why = NULL;

    if (w == NULL) {
        control_finish(c, strerror(errno));
        return NULL;
    }
    c->state = w;
    c->state_free = walking_free;
    if (control_filter_read(&w->filter, c, &why) == 0)
        return w;
    control_finish(c, why);
    return NULL;
}

/* ---- listing ---- */

static void
put_addr(struct control_writer *w, const char *name, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];

    if (a->family != ADDR_NONE && addr_format(a, text) > 0)
        control_put(w, name, text);
}

static void
put_text(struct control_writer *w, const char *name, const char *text)
{
    control_put(w, name, text[0] == '\0' ? NULL : text);
}

static void
put_destination(struct control_writer *w, const struct table_slot *s)
{
    char text[CONTROL_PLACE_SIZE];

    if (control_place_text(s, text))
        control_put(w, "destination", text);
}

/* Since it was accepted, as its worker has it: any number may stand there. */
static int64_t
age_of(const struct control_client *c, const struct table_slot *s)
{
    int64_t now = loop_wall(c->m->loop).us;

    return s->accepted.us > 0 && s->accepted.us < now ? now - s->accepted.us : 0;
}

static void
put_session(struct control_client *c, const struct process *p, const struct table_slot *s,
    const char *listener)
{
    struct control_writer *w = &c->w;
    char id[24];

    if (snprintf(id, sizeof id, "%016" PRIx64, s->id) > 0)
        control_put(w, "session", id);
    control_put(w, "worker", p->label);
    put_text(w, "listener", listener);
    put_addr(w, "client", &s->client);
    control_put(w, "protocol", table_protocol(s));
    put_text(w, "method", s->method);
    put_text(w, "mechanism", s->mechanism);
    put_text(w, "enctype", s->enctype);
    control_put(w, "protection", table_protection(s));
    control_put(w, "user", table_user(s));
    control_put(w, "claimed", table_claimed(s));
    control_put(w, "command", table_command(s));
    put_destination(w, s);
    put_addr(w, "address", &s->address);
    put_addr(w, "egress", &s->egress);
    put_text(w, "rule", s->rule);
    control_put_number(w, "bytes_up", s->bytes_up);
    control_put_number(w, "bytes_down", s->bytes_down);
    control_put_seconds(w, "age", age_of(c, s));
    control_put(w, "phase", control_phase_name(s->phase));
    control_put_end(w);
}

static void
list_slot(struct control_client *c, const struct process *p, uint32_t i)
{
    const struct walking *w = c->state;
    struct table_slot slot;
    int whole = table_read(w->walk.table, i, false, &slot);

    if (whole < 0 && control_filter_empty(&w->filter)) {
        control_put(&c->w, "session", "?");
        control_put(&c->w, "worker", p->label);
        control_put_end(&c->w);
    }
    if (whole != 1)
        return;
    const char *listener = master_listener_name(c->m, slot.listener);

    if (control_filter_match(&w->filter, &slot, listener))
        put_session(c, p, &slot, listener);
}

static bool
list_some(struct control_client *c)
{
    struct walking *w = c->state;
    uint32_t slot;

    for (int n = 0; n < SLOTS_AT_ONCE; n++) {
        struct process *p = control_walk_next(c->m, &w->walk, &slot);

        if (p == NULL) {
            control_finish(c, NULL);
            return false;
        }
        list_slot(c, p, slot);
    }
    return true;
}

void
control_sessions(struct control_client *c)
{
    if (walking_new(c) != NULL)
        c->more = list_some;
}

/* ---- ending ---- */

static void
kill_flush(struct walking *w)
{
    uint8_t body[IPC_BODY_MAX];

    if (w->kill.count > 0 && process_alive(w->worker)) {
        process_send(w->worker, IPC_KILL, body, ipc_kill_encode(&w->kill, body, sizeof body), NULL, 0);
        w->killed += w->kill.count;
    }
    w->kill.count = 0;
}

/* A slot that is just changing is taken as it stands: none may slip through. The id is checked against what
   the master itself gave to this worker, and so is the client's address. */
static void
kill_slot(struct control_client *c, struct process *p, uint32_t i)
{
    struct walking *w = c->state;
    struct table_slot slot;

    /* One whose closing record is written has ended, though its client may still read the last answer. */
    if (table_read(w->walk.table, i, true, &slot) != 1 || slot.close_seq != 0)
        return;
    const struct session *session = sessions_get(&c->m->sessions, slot.id);

    if (session == NULL || session->worker != p || session->fd >= 0)
        return;
    slot.client = session->client;
    if (!control_filter_match(&w->filter, &slot, master_listener_name(c->m, session->listener)))
        return;
    if (w->worker != p || w->kill.count == IPC_KILL_MAX)
        kill_flush(w);
    w->worker = p;
    w->kill.ids[w->kill.count++] = slot.id;
}

static bool
kill_some(struct control_client *c)
{
    struct walking *w = c->state;
    struct process *p = NULL;
    uint32_t slot;

    for (int n = 0; n < SLOTS_AT_ONCE; n++) {
        p = control_walk_next(c->m, &w->walk, &slot);
        if (p == NULL)
            break;
        kill_slot(c, p, slot);
    }
    kill_flush(w);
    if (p != NULL)
        return true;
    log_info("control socket: sessions ended: %" PRIu64, w->killed);
    control_put_number(&c->w, "killed", w->killed);
    control_put_end(&c->w);
    control_finish(c, NULL);
    return false;
}

void
control_kill(struct control_client *c)
{
    struct walking *w = walking_new(c);

    if (w == NULL)
        return;
    if (control_filter_empty(&w->filter)) {
        control_finish(c, "which sessions? one of session, user, client and rule is needed");
        return;
    }
    c->more = kill_some;
}
