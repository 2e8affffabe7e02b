/* SPDX-License-Identifier: ISC */
/*
 * Closing records for the sessions of a dead worker: exactly one for each, whether the worker wrote
 * its own before it died or not. Serves master_corpse.c. The worker's table is another process's
 * word: it informs the record and decides no more than which kind it is.
 */
#include "src/master/master_parts.h"

#include "src/core/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reaper {
    struct table *table; /* NULL: nothing is known beyond what the master knows itself */
    struct idmap slots;  /* id -> slot index + 1 */
    uint64_t next_seq;   /* records before it were committed */
};

static void
map_slots(struct reaper *r)
{
    uint32_t capacity = table_capacity(r->table);
    struct table_slot slot;

    idmap_init(&r->slots, capacity < IDMAP_MAX ? capacity : IDMAP_MAX);
    for (uint32_t i = 0; i < capacity; i++) {
        if (table_read(r->table, i, true, &slot) == 1 && slot.id != 0
            && idmap_put(&r->slots, slot.id, (void *)((uintptr_t)i + 1)) < 0)
            return; /* the records of the rest know less */
    }
}

struct reaper *
reaper_new(int table_fd, int ring_data)
{
    struct reaper *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    idmap_init(&r->slots, 1);
    r->next_seq = ring_data < 0 ? 0 : ring_next_seq_of(ring_data);
    r->table = table_fd < 0 ? NULL : table_open_reader(table_fd);
    if (r->table != NULL)
        map_slots(r);
    return r;
}

void
reaper_free(struct reaper **reaper)
{
    struct reaper *r = *reaper;

    if (r == NULL)
        return;
    *reaper = NULL;
    idmap_free(&r->slots);
    table_close(&r->table);
    free(r);
}

static bool
find_slot(const struct reaper *r, uint64_t id, struct table_slot *slot)
{
    uintptr_t i = r == NULL ? 0 : (uintptr_t)idmap_get(&r->slots, id);

    return i != 0 && table_read(r->table, (uint32_t)(i - 1), true, slot) == 1 && slot->id == id;
}

static bool
committed(const struct reaper *r, uint64_t seq)
{
    return seq != 0 && seq < r->next_seq;
}

static void
put_destination(struct event *e, const struct table_slot *s)
{
    char text[sizeof s->destination + 16];
    bool v6 = strchr(s->destination, ':') != NULL;

    if (s->destination[0] == '\0')
        return;
    int n = snprintf(text, sizeof text, v6 ? "[%s]:%u" : "%s:%u", s->destination,
        (unsigned)s->dest_port);

    if (n > 0 && (size_t)n < sizeof text)
        event_text(e, FIELD_DESTINATION, text);
}

static void
put_slot(struct event *e, const struct table_slot *s, bool started)
{
    event_text(e, FIELD_PROTOCOL, table_protocol(s));
    event_text(e, FIELD_METHOD, s->method);
    event_text(e, FIELD_MECHANISM, s->mechanism);
    event_text(e, FIELD_ENCTYPE, s->enctype);
    event_text(e, FIELD_PROTECTION, table_protection(s));
    event_text(e, FIELD_USER, table_user(s));
    event_text(e, FIELD_CLAIMED, table_claimed(s));
    event_text(e, FIELD_COMMAND, table_command(s));
    put_destination(e, s);
    event_addr(e, FIELD_ADDRESS, &s->address);
    event_addr(e, FIELD_EGRESS, &s->egress);
    event_text(e, FIELD_RULE, s->rule);
    if (!started)
        return;
    event_number(e, FIELD_BYTES_UP, s->bytes_up);
    event_number(e, FIELD_BYTES_DOWN, s->bytes_down);
    if (!table_sealed(s))
        return;
    event_number(e, FIELD_WIRE_UP, s->wire_up);
    event_number(e, FIELD_WIRE_DOWN, s->wire_down);
}

bool
reaper_close(struct reaper *reaper, const struct session *session, const char *listener,
    struct wall now, struct ring_writer *ring)
{
    struct table_slot slot;
    bool known = find_slot(reaper, session->id, &slot);
    bool started = known && committed(reaper, slot.start_seq);
    struct event e;

    if (known && committed(reaper, slot.close_seq))
        return false;
    event_begin(&e, started ? EVENT_SESSION_END : EVENT_REQUEST_FAILED, session->id, now);
    /* What the master knows itself stands before what the worker says of it. */
    event_text(&e, FIELD_LISTENER, listener);
    event_addr(&e, FIELD_CLIENT, &session->client);
    if (known)
        put_slot(&e, &slot, started);
    event_seconds(&e, FIELD_DURATION, now.us - session->accepted.us);
    event_text(&e, FIELD_REASON, "worker-lost");
    event_commit(ring, &e);
    return true;
}
