/* SPDX-License-Identifier: ISC */
/*
 * The facts a session states: exactly one closing record, whatever happens, and before it
 * session.start when the success reply was queued. The slot remembers the sequence numbers, so that
 * the master can tell after a crash what was written.
 */
#include "src/session/udp_association.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *word;
    enum event_id event;
} reasons[REASON_COUNT] = {
    [REASON_NONE] = { "none", EVENT_REQUEST_FAILED },
#define REASON(id, word, event, sentence) [REASON_##id] = { word, EVENT_##event },
#include "src/session/reason.def"
#undef REASON
};

static void
add_who(const struct session *s, struct event *e)
{
    const struct table_slot *slot = s->slot;

    event_text(e, FIELD_LISTENER, s->listener != NULL ? s->listener->name : NULL);
    event_addr(e, FIELD_CLIENT, &slot->client);
    event_text(e, FIELD_PROTOCOL, table_protocol(slot));
    event_text(e, FIELD_METHOD, slot->method);
    event_text(e, FIELD_MECHANISM, slot->mechanism);
    event_text(e, FIELD_ENCTYPE, slot->enctype);
    event_text(e, FIELD_PROTECTION, table_protection(slot));
    event_text(e, FIELD_USER, table_user(slot));
    event_text(e, FIELD_CLAIMED, table_claimed(slot));
    if (!s->authenticated && s->setup != NULL)
        event_bytes(e, FIELD_CLAIMED, s->setup->claimed, s->setup->claimed_len);
}

static void
add_destination(struct event *e, const char *host, unsigned port)
{
    char text[NAME_SIZE + 16];
    bool ipv6 = strchr(host, ':') != NULL;
    int n = snprintf(text, sizeof text, ipv6 ? "[%s]:%u" : "%s:%u", host, port);

    if (host[0] != '\0' && n > 0)
        event_bytes(e, FIELD_DESTINATION, text, (size_t)n);
}

static void
add_what(const struct session *s, struct event *e)
{
    const struct table_slot *slot = s->slot;

    add_who(s, e);
    event_text(e, FIELD_COMMAND, table_command(slot));
    add_destination(e, slot->destination, slot->dest_port);
    event_addr(e, FIELD_ADDRESS, &slot->address);
    event_addr(e, FIELD_EGRESS, &slot->egress);
    event_text(e, FIELD_RULE, slot->rule);
    if (s->replied)
        event_number(e, FIELD_REPLY, s->reply);
}

void
record_auth_success(struct session *s, const struct conversation_result *result)
{
    struct event e;

    session_count_login(s, REASON_NONE);
    if (!s->host->all_events)
        return;
    event_begin(&e, EVENT_AUTH_SUCCESS, s->id, loop_wall(s->host->loop));
    add_who(s, &e);
    event_text(&e, FIELD_ACCOUNT, result->account);
    (void)event_commit(s->host->ring, &e);
}

/* The slot learns the number before the record is in the ring: after a crash between the two the
   master finds a number the ring has not reached and knows that the record is missing. */
void
record_start(struct session *s)
{
    struct event e;

    event_begin(&e, EVENT_SESSION_START, s->id, loop_wall(s->host->loop));
    add_what(s, &e);
    s->slot->start_seq = event_next_seq(s->host->ring);
    (void)event_commit(s->host->ring, &e);
    s->started = true;
}

void
record_start_dropped(struct session *s)
{
    if (s->slot->start_seq != event_next_seq(s->host->ring) - 1)
        return;
    s->slot->start_seq = 0;
    s->started = false;
}

static void
add_datagrams(const struct udp_association *a, struct event *e)
{
    event_number(e, FIELD_DATAGRAMS_UP, a->datagrams_up);
    event_number(e, FIELD_DATAGRAMS_DOWN, a->datagrams_down);
    event_number(e, FIELD_DATAGRAMS_DROPPED, a->dropped);
}

static void
add_traffic(struct session *s, struct event *e)
{
    event_number(e, FIELD_BYTES_UP, s->up.bytes);
    event_number(e, FIELD_BYTES_DOWN, s->down.bytes);
    if (s->udp != NULL)
        add_datagrams(s->udp, e);
    if (!table_sealed(s->slot))
        return;
    client_note_wire(s);
    event_number(e, FIELD_WIRE_UP, s->slot->wire_up);
    event_number(e, FIELD_WIRE_DOWN, s->slot->wire_down);
}

void
record_update(struct session *s)
{
    struct event e;

    event_begin(&e, EVENT_SESSION_UPDATE, s->id, loop_wall(s->host->loop));
    add_what(s, &e);
    add_traffic(s, &e);
    event_seconds(&e, FIELD_DURATION, mono_diff_us(loop_now(s->host->loop), s->accepted));
    (void)event_commit(s->host->ring, &e);
}

void
record_destination(struct session *s, const char *name, const struct addr *address, const char *rule)
{
    char ip[ADDR_TEXT_MAX];
    struct event e;

    if (name == NULL)
        (void)addr_format_ip(address, ip);
    event_begin(&e, EVENT_SESSION_DESTINATION, s->id, loop_wall(s->host->loop));
    add_who(s, &e);
    event_text(&e, FIELD_COMMAND, table_command(s->slot));
    add_destination(&e, name != NULL ? name : ip, address->port);
    event_addr(&e, FIELD_ADDRESS, address);
    event_addr(&e, FIELD_EGRESS, &s->slot->egress);
    event_text(&e, FIELD_RULE, rule);
    (void)event_commit(s->host->ring, &e);
}

void
record_close(struct session *s)
{
    struct event e;

    if (s->closed)
        return;
    s->closed = true;
    event_begin(&e, s->started ? EVENT_SESSION_END : reasons[s->reason].event, s->id,
        loop_wall(s->host->loop));
    add_what(s, &e);
    if (s->started)
        add_traffic(s, &e);
    event_seconds(&e, FIELD_DURATION, mono_diff_us(loop_now(s->host->loop), s->accepted));
    if (s->strangers > 0)
        event_number(&e, FIELD_STRANGERS, s->strangers);
    if (s->udp != NULL && s->udp->untold > 0)
        event_number(&e, FIELD_UNTOLD, s->udp->untold);
    event_text(&e, FIELD_REASON, reasons[s->reason].word);
    event_text(&e, FIELD_DETAIL, s->detail);
    session_count_end(s, reasons[s->reason].event, reasons[s->reason].word);
    s->slot->close_seq = event_next_seq(s->host->ring);
    (void)event_commit(s->host->ring, &e);
}
