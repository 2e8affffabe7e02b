/* SPDX-License-Identifier: ISC */
/*
 * Over the session tables of all workers, a slot at a time, and which sessions a request means. Serves the
 * commands. A worker that ends on the way is passed over; nothing a table holds is trusted beyond its bounds.
 */
#include "src/master/master_control_private.h"

#include "lib/base/name.h"
#include "src/session/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const phase_names[] = {
    [SESSION_NEGOTIATE] = "negotiate",
    [SESSION_AUTHENTICATE] = "authenticate",
    [SESSION_PROTECT] = "protect",
    [SESSION_REQUEST] = "request",
    [SESSION_SOCKS4] = "socks4",
    [SESSION_IDENT] = "ident",
    [SESSION_DECIDE] = "decide",
    [SESSION_RESOLVE] = "resolve",
    [SESSION_CONNECT] = "connect",
    [SESSION_ASSOCIATE] = "associate",
    [SESSION_BIND] = "bind",
    [SESSION_AUDIT] = "audit",
    [SESSION_REPLY] = "reply",
    [SESSION_RELAY] = "relay",
    [SESSION_LINGER] = "linger",
    [SESSION_END] = "end",
};
_Static_assert(SESSION_PHASE_COUNT <= CONTROL_PHASES, "every phase is counted");

const char *
control_phase_name(unsigned phase)
{
    return phase < SP_COUNT(phase_names) && phase_names[phase] != NULL ? phase_names[phase] : "?";
}

/* ---- walking ---- */

void
control_walk_end(struct control_walk *walk)
{
    table_close(&walk->table);
}

/* The newest worker older than the last one, its table open. The list has the newest first, and those that
   came meanwhile have nothing that was there when we began. */
static struct process *
next_process(const struct master *m, struct control_walk *walk)
{
    control_walk_end(walk);
    walk->at = 0;
    for (struct process *p = m->processes; p != NULL; p = p->next) {
        if (p->place->role != IPC_WORKER || !process_alive(p) || p->table_fd < 0
            || (walk->begun && p->incarnation >= walk->incarnation))
            continue;
        walk->begun = true;
        walk->incarnation = p->incarnation;
        walk->table = table_open_reader(p->table_fd);
        if (walk->table != NULL)
            return p;
    }
    return NULL;
}

/* The process whose table is open, if it still lives. */
static struct process *
present(const struct master *m, const struct control_walk *walk)
{
    struct process *p = walk->table == NULL ? NULL : m->processes;

    while (p != NULL && p->incarnation != walk->incarnation)
        p = p->next;
    return p != NULL && process_alive(p) ? p : NULL;
}

struct process *
control_walk_next(struct master *m, struct control_walk *walk, uint32_t *slot)
{
    struct process *p = present(m, walk);

    while (p == NULL || walk->at >= table_used(walk->table)) {
        p = next_process(m, walk);
        if (p == NULL)
            return NULL;
    }
    *slot = walk->at++;
    return p;
}

/* ---- which sessions ---- */

bool
control_place_text(const struct table_slot *slot, char text[CONTROL_PLACE_SIZE])
{
    bool v6 = strchr(slot->destination, ':') != NULL;

    return slot->destination[0] != '\0'
        && snprintf(text, CONTROL_PLACE_SIZE, v6 ? "[%s]:%u" : "%s:%u", slot->destination,
               (unsigned)slot->dest_port) > 0;
}

/* Up to eight digits are the half of an id that listings show. */
static int
read_id(struct control_filter *f, const char *text)
{
    size_t len = strlen(text);
    char *end = NULL;

    if ((len != 16 && len > 8) || text[strspn(text, "0123456789abcdef")] != '\0')
        return -1;
    f->short_id = len <= 8;
    errno = 0;
    f->session = strtoull(text, &end, 16);
    return errno != 0 || *end != '\0' || f->session == 0 ? -1 : 0;
}

static int
read_client(struct control_filter *f, const char *text)
{
    f->has_client = true;
    return addr_prefix_parse(text, &f->client);
}

int
control_filter_read(struct control_filter *f, const struct control_client *c, const char **why)
{
    const char *client = control_value(c, "client");
    const char *session = control_value(c, "session");

    *f = (struct control_filter) { .user = control_value(c, "user"), .rule = control_value(c, "rule"),
        .destination = control_value(c, "destination"), .listener = control_value(c, "listener") };
    if (client != NULL && read_client(f, client) < 0) {
        *why = "client: an address or a prefix is wanted, such as 192.0.2.7 or 2001:db8::/32";
        return -1;
    }
    if (session != NULL && read_id(f, session) < 0) {
        *why = "session: the id is wanted, sixteen hexadecimal digits, or as the listing shows it";
        return -1;
    }
    return 0;
}

bool
control_filter_empty(const struct control_filter *f)
{
    return f->user == NULL && f->rule == NULL && f->destination == NULL && f->listener == NULL
        && !f->has_client && f->session == 0;
}

static bool
fits_user(const char *glob, const struct table_slot *slot)
{
    const char *user = table_user(slot);

    return glob == NULL || (user != NULL && glob_match(glob, user));
}

/* True when no glob is given, or it matches. */
static bool
fits(const char *glob, const char *text)
{
    return glob == NULL || glob_match(glob, text);
}

/* As the listing shows it, with the port. */
static bool
fits_place(const char *glob, const struct table_slot *slot)
{
    char text[CONTROL_PLACE_SIZE];

    return control_place_text(slot, text) && glob_match(glob, text);
}

static bool
fits_destination(const char *glob, const struct table_slot *slot)
{
    char text[ADDR_TEXT_MAX];

    if (glob == NULL || glob_match(glob, slot->destination) || fits_place(glob, slot))
        return true;
    if (slot->address.family == ADDR_NONE)
        return false;
    return (addr_format_ip(&slot->address, text) > 0 && glob_match(glob, text))
        || (addr_format(&slot->address, text) > 0 && glob_match(glob, text));
}

static bool
fits_id(const struct control_filter *f, uint64_t id)
{
    return f->session == 0 || f->session == (f->short_id ? (uint32_t)id : id);
}

bool
control_filter_match(const struct control_filter *f, const struct table_slot *slot, const char *listener)
{
    return fits_id(f, slot->id)
        && (!f->has_client || addr_prefix_contains(&f->client, &slot->client)) && fits_user(f->user, slot)
        && fits(f->rule, slot->rule) && fits(f->listener, listener)
        && fits_destination(f->destination, slot);
}
