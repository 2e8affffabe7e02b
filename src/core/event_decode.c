/* SPDX-License-Identifier: ISC */
/*
 * Reading a record that another process wrote: everything is checked against the tables. Serves the
 * logger. Errors are the writer's fault and only refused here.
 */
#include "src/core/event.h"

#include "lib/base/cursor.h"
#include "src/core/ring.h"

static void
decode_addr(struct cursor *c, struct addr *a)
{
    *a = (struct addr) { .family = cursor_u8(c) };
    if (cursor_u8(c) != 0 || (a->family != ADDR_IPV4 && a->family != ADDR_IPV6))
        cursor_fail(c);
    a->port = cursor_u16(c);
    a->scope = cursor_u32(c);
    cursor_copy(c, a->ip, a->family == ADDR_IPV4 ? 4 : 16);
}

static void
decode_value(struct cursor *c, struct event_value *v, size_t len)
{
    const uint8_t *bytes = cursor_bytes(c, len);

    if (bytes == NULL)
        return;
    struct cursor body = cursor_init(bytes, len);

    switch (field_table[v->field].kind) {
    case FIELD_KIND_TEXT:
        v->text_len = len;
        v->text = cursor_bytes(&body, len);
        if (len == 0)
            cursor_fail(c);
        break;
    case FIELD_KIND_ADDR:
        decode_addr(&body, &v->addr);
        break;
    case FIELD_KIND_NUMBER:
    case FIELD_KIND_SECONDS:
        v->number = cursor_u64(&body);
        break;
    }
    if (!cursor_ok(&body) || cursor_left(&body) != 0)
        cursor_fail(c);
}

/* One field; it must belong to the event and be its first of this kind. */
static void
decode_field(struct cursor *c, struct event_view *out, uint64_t *seen)
{
    uint16_t field = cursor_u16(c);
    uint16_t len = cursor_u16(c);

    if (!cursor_ok(c) || field >= FIELD_TOTAL
        || (event_table[out->id].fields & ~*seen & UINT64_C(1) << field) == 0) {
        cursor_fail(c);
        return;
    }
    *seen |= UINT64_C(1) << field;
    struct event_value *v = &out->values[out->count++];

    *v = (struct event_value) { .field = (enum event_field)field };
    decode_value(c, v, len);
}

int
event_decode(const void *record, size_t len, struct event_view *out)
{
    struct cursor c = cursor_init(record, len);
    struct ring_record head;
    uint64_t seen = 0;

    cursor_copy(&c, &head, sizeof head);
    if (!cursor_ok(&c) || head.len != len || len > EVENT_RECORD_MAX || head.event >= EVENT_COUNT
        || (head.flags & ~RING_TRUNCATED) != 0)
        return -1;
    out->id = (enum event_id)head.event;
    out->session = head.session;
    out->seq = head.seq;
    out->time = (struct wall) { head.time };
    out->truncated = (head.flags & RING_TRUNCATED) != 0;
    out->count = 0;
    while (cursor_ok(&c) && cursor_left(&c) > 0)
        decode_field(&c, out, &seen);
    return cursor_ok(&c) ? 0 : -1;
}
