/* SPDX-License-Identifier: ISC */
/* The master's own audit records. They go into the master's ring, like everybody's. */
#include "src/master/master_private.h"

#include <string.h>
#include <unistd.h>

static const char *
config_name(const struct master *m)
{
    return m->options.config != NULL ? m->options.config : "built-in";
}

void
events_gateway_start(struct master *m)
{
    struct event e;

    event_begin(&e, EVENT_GATEWAY_START, 0, loop_wall(m->loop));
    event_text(&e, FIELD_VERSION, PACKAGE_VERSION);
    event_text(&e, FIELD_CONFIG, config_name(m));
    event_number(&e, FIELD_PID, (uint64_t)getpid());
    event_number(&e, FIELD_COUNT, m->capacity.workers);
    event_commit(m->ring, &e);
}

void
events_gateway_stop(struct master *m, const char *reason)
{
    struct event e;

    event_begin(&e, EVENT_GATEWAY_STOP, 0, loop_wall(m->loop));
    event_text(&e, FIELD_REASON, reason);
    event_commit(m->ring, &e);
}

void
events_reload(struct master *m, uint64_t generation, const char *detail)
{
    struct event e;

    if (generation > 0)
        metrics_count_reload(m, true);
    else
        metrics_count_file(m, true);
    event_begin(&e, EVENT_GATEWAY_RELOAD, 0, loop_wall(m->loop));
    event_text(&e, FIELD_CONFIG, config_name(m));
    if (generation > 0)
        event_number(&e, FIELD_GENERATION, generation);
    event_text(&e, FIELD_DETAIL, detail);
    event_commit(m->ring, &e);
}

void
events_reload_failed(struct master *m, const char *reason, const char *why)
{
    struct event e;

    if (strcmp(reason, "file-refused") == 0)
        metrics_count_file(m, false);
    else
        metrics_count_reload(m, false);
    event_begin(&e, EVENT_GATEWAY_RELOAD_FAILED, 0, loop_wall(m->loop));
    event_text(&e, FIELD_CONFIG, config_name(m));
    event_number(&e, FIELD_GENERATION, m->generation);
    event_text(&e, FIELD_REASON, reason);
    event_text(&e, FIELD_DETAIL, why);
    event_commit(m->ring, &e);
}

void
events_process_start(const struct process *p)
{
    struct event e;

    event_begin(&e, EVENT_WORKER_START, 0, loop_wall(p->m->loop));
    event_text(&e, FIELD_ROLE, role_name(p->place->role));
    event_text(&e, FIELD_NUMBER, p->label);
    event_number(&e, FIELD_PID, (uint64_t)p->pid);
    event_commit(p->m->ring, &e);
}

void
events_process_exit(const struct process *p, const char *status)
{
    struct event e;

    event_begin(&e, EVENT_WORKER_EXIT, 0, loop_wall(p->m->loop));
    event_text(&e, FIELD_ROLE, role_name(p->place->role));
    event_text(&e, FIELD_NUMBER, p->label);
    event_number(&e, FIELD_PID, (uint64_t)p->pid);
    event_text(&e, FIELD_STATUS, status);
    if (p->place->role == IPC_WORKER)
        event_number(&e, FIELD_SESSIONS, p->sessions.count);
    event_text(&e, FIELD_REASON, p->reason);
    event_commit(p->m->ring, &e);
}

void
events_limit(struct master *m, uint64_t session, uint16_t listener, const struct addr *client,
    enum limit limit, uint64_t count)
{
    struct event e;

    event_begin(&e, EVENT_LIMIT_REACHED, session, loop_wall(m->loop));
    event_text(&e, FIELD_LISTENER, master_listener_name(m, listener));
    event_addr(&e, FIELD_CLIENT, client);
    if (count > 0)
        event_number(&e, FIELD_COUNT, count);
    event_text(&e, FIELD_REASON, limit_name(limit));
    event_commit(m->ring, &e);
}

void
events_penalty(struct master *m, uint64_t session, uint16_t listener, const struct addr *client,
    const struct history *h)
{
    struct addr_prefix prefix = client_prefix(h->client);
    char text[ADDR_TEXT_MAX];
    struct event e;

    event_begin(&e, EVENT_LIMIT_PENALTY, session, loop_wall(m->loop));
    event_text(&e, FIELD_LISTENER, master_listener_name(m, listener));
    event_addr(&e, FIELD_CLIENT, client);
    if (h->user[0] != '\0')
        event_text(&e, FIELD_CLAIMED, h->user);
    event_number(&e, FIELD_COUNT, h->brought);
    event_number(&e, FIELD_SECONDS, h->seconds);
    if (prefix.family == ADDR_IPV6) {
        (void)addr_prefix_format(&prefix, text);
        event_text(&e, FIELD_DETAIL, text);
    }
    event_commit(m->ring, &e);
}

void
events_refused(struct master *m, enum event_id id, uint64_t session, uint16_t listener,
    const struct addr *client, const char *reason)
{
    struct event e;

    if (id == EVENT_LIMIT_REACHED)
        metrics_count_refused(m, reason);
    event_begin(&e, id, session, loop_wall(m->loop));
    event_text(&e, FIELD_LISTENER, master_listener_name(m, listener));
    event_addr(&e, FIELD_CLIENT, client);
    event_text(&e, FIELD_REASON, reason);
    event_commit(m->ring, &e);
}
