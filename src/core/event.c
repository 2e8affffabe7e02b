/* SPDX-License-Identifier: ISC */
/*
 * Stating audit facts. A record's body is a row of {field u16, length u16, bytes} in host order;
 * addresses are {family u8, 0 u8, port u16, scope u32, 4 or 16 bytes}. Serves every process. A field
 * that does not belong to the event is our own bug, thus a panic.
 */
#include "src/core/event.h"

#include "lib/base/cursor.h"
#include "src/core/log.h"
#include "src/core/ring.h"

#include <string.h>

#define FIELD_HEAD 4U
/* Text leaves this much for numbers and addresses that may still come: all an event can have. */
#define FIXED_RESERVE 512U

_Static_assert(sizeof(((struct event *)0)->body) + sizeof(struct ring_record) <= RING_RECORD_MAX,
    "a record fits the ring");
_Static_assert(EVENT_RECORD_MAX == RING_RECORD_MAX, "readers hold the longest record");

void
event_begin(struct event *e, enum event_id id, uint64_t session, struct wall time)
{
    e->id = id;
    e->session = session;
    e->time = time;
    e->fields = 0;
    e->len = 0;
    e->truncated = false;
}

static void
check_field(struct event *e, enum event_field field, enum field_kind kind)
{
    const struct event_row *row = &event_table[e->id];
    uint64_t bit = UINT64_C(1) << field;

    if (field_table[field].kind != kind || (row->fields & bit) == 0 || (e->fields & bit) != 0)
        log_panic("event %s cannot take field %s", row->name, field_table[field].name);
    e->fields |= bit;
}

/* A writer over the field's bytes, its head written; the caller has checked that they fit. */
static struct writer
field_begin(struct event *e, enum event_field field, size_t len)
{
    struct writer w = writer_init(e->body + e->len, FIELD_HEAD + len);

    writer_u16(&w, (uint16_t)field);
    writer_u16(&w, (uint16_t)len);
    e->len += FIELD_HEAD + len;
    return w;
}

void
event_text(struct event *e, enum event_field field, const char *text)
{
    if (text != NULL)
        event_bytes(e, field, text, strlen(text));
}

void
event_bytes(struct event *e, enum event_field field, const void *data, size_t len)
{
    size_t limit = sizeof e->body - FIXED_RESERVE;

    if (data == NULL || len == 0)
        return;
    check_field(e, field, FIELD_KIND_TEXT);
    size_t room = e->len + FIELD_HEAD < limit ? limit - e->len - FIELD_HEAD : 0;

    if (len > room) {
        e->truncated = true;
        len = room;
    }
    if (len == 0)
        return;
    struct writer w = field_begin(e, field, len);

    writer_bytes(&w, data, len);
}

static bool
fixed_fits(struct event *e, size_t len)
{
    bool fits = e->len + FIELD_HEAD + len <= sizeof e->body;

    e->truncated = e->truncated || !fits;
    return fits;
}

void
event_addr(struct event *e, enum event_field field, const struct addr *a)
{
    size_t ip_len = a->family == ADDR_IPV4 ? 4 : 16;

    if (a->family == ADDR_NONE)
        return;
    check_field(e, field, FIELD_KIND_ADDR);
    if (!fixed_fits(e, 8 + ip_len))
        return;
    struct writer w = field_begin(e, field, 8 + ip_len);

    writer_u8(&w, a->family);
    writer_u8(&w, 0);
    writer_u16(&w, a->port);
    writer_u32(&w, a->scope);
    writer_bytes(&w, a->ip, ip_len);
}

static void
put_u64(struct event *e, enum event_field field, enum field_kind kind, uint64_t value)
{
    check_field(e, field, kind);
    if (!fixed_fits(e, sizeof value))
        return;
    struct writer w = field_begin(e, field, sizeof value);

    writer_u64(&w, value);
}

void
event_number(struct event *e, enum event_field field, uint64_t value)
{
    put_u64(e, field, FIELD_KIND_NUMBER, value);
}

void
event_seconds(struct event *e, enum event_field field, int64_t microseconds)
{
    put_u64(e, field, FIELD_KIND_SECONDS, microseconds > 0 ? (uint64_t)microseconds : 0);
}

uint64_t
event_commit(struct ring_writer *ring, const struct event *e)
{
    struct ring_record head = {
        .event = (uint16_t)e->id,
        .flags = e->truncated ? RING_TRUNCATED : 0,
        .session = e->session,
        .time = e->time.us,
    };

    return ring_append(ring, &head, e->body, e->len);
}

uint64_t
event_next_seq(const struct ring_writer *ring)
{
    return ring_next_seq(ring);
}
