/* SPDX-License-Identifier: ISC */
/*
 * From the client to the destinations: whose datagram it is, its header, its fragments, its verdict.
 * Serves udp_association.c. A datagram that may not go on is dropped and counted, silently.
 */
#include "src/session/udp_association.h"

#include <stdlib.h>

/* ---- sending ---- */

static const struct addr *
egress(const struct session *s, enum udp_family family)
{
    const struct image_settings *settings = image_settings(s->host->image);

    return family == UDP_IPV6 ? &settings->egress_ipv6 : &settings->egress_ipv4;
}

/* The records show the first one's port, which the logs of others know. */
static void
show_egress(struct udp_association *a, int fd)
{
    struct table_slot *slot = a->session->slot;
    union udp_sockaddr at;
    socklen_t len = sizeof at;

    if (slot->egress.family != ADDR_NONE || getsockname(fd, &at.sa, &len) < 0)
        return;
    table_change_begin(slot);
    slot->egress = addr_from_sockaddr(&at.sa, len);
    table_change_end(slot);
}

bool
udp_up_ready_for(struct udp_association *a, enum udp_family family)
{
    struct udp_socket *u = &a->out[family];
    struct mono now = loop_now(a->session->host->loop);

    if (u->fd >= 0)
        return true;
    if (mono_before(now, u->retry))
        return false;
    u->retry = mono_add_seconds(now, UDP_SOCKET_RETRY_SECONDS);
    if (udp_socket_open(a, u, family == UDP_IPV6 ? ADDR_IPV6 : ADDR_IPV4,
            egress(a->session, family), udp_down_ready) < 0)
        return false;
    show_egress(a, u->fd);
    return true;
}

static void
flush_family(struct udp_association *a, enum udp_family family)
{
    struct udp_outbox *o = &a->session->host->udp->out[family];
    struct udp_sent sent = { 0, 0, 0, 0 };

    if (o->count == 0)
        return;
    udp_outbox_send(o, a->out[family].fd, &sent);
    a->datagrams_up += sent.datagrams;
    a->dropped += sent.dropped;
    a->session->up.bytes += sent.payload;
}

void
udp_up_flush(struct udp_association *a)
{
    flush_family(a, UDP_IPV4);
    flush_family(a, UDP_IPV6);
}

void
udp_up_send(struct udp_association *a, const struct addr *to, uint8_t *data, size_t len)
{
    enum udp_family family = udp_family(to);
    struct udp_outbox *o = &a->session->host->udp->out[family];

    if (to->port == 0 || !udp_up_ready_for(a, family) ||
        (a->session->budget != NULL && !budget_take_datagram(a->session, len))) {
        a->dropped++;
        return;
    }
    if (o->count == UDP_BATCH)
        flush_family(a, family);
    udp_outbox_add(o, to, data, len, len);
}

/* ---- whereto ---- */

static void
deliver_address(struct udp_association *a, const struct addr *address, uint8_t *data, size_t len)
{
    struct addr to = addr_unmap(address);
    struct udp_destination *d = udp_destinations_take(&a->table, &to);

    if (d != NULL)
        udp_renew(a, d);
    if (d != NULL && d->verdict == UDP_UNJUDGED)
        d->verdict = udp_judge(a, NULL, &to);
    if (d == NULL || d->verdict != UDP_ALLOWED || to.port == 0) {
        a->dropped++;
        return;
    }
    d->written = true;
    if (!d->told)
        udp_tell(a, d, NULL);
    udp_up_send(a, &to, data, len);
}

static void
deliver(struct udp_association *a, const struct socks_udp_header *h, uint8_t *data, size_t len)
{
    char name[NAME_SIZE];
    struct addr address;
    const char *why = NULL;

    if (h->addr.family != ADDR_NONE) {
        deliver_address(a, &h->addr, data, len);
        return;
    }
    switch (name_canonical(h->name, h->name_len, name, &address, &why)) {
    case NAME_OK:
        udp_name_deliver(a, name, h->addr.port, data, len);
        return;
    case NAME_ADDRESS:
        address.port = h->addr.port;
        deliver_address(a, &address, data, len);
        return;
    case NAME_BAD:
        a->dropped++;
    }
}

/* ---- fragments ---- */

static void
fragments_late(struct loop_timer *timer)
{
    struct udp_association *a = (struct udp_association *)((char *)timer -
        offsetof(struct udp_association, fragment_timer));

    a->dropped += udp_fragments_clear(a->fragments);
}

static void
fragments_whole(struct udp_association *a)
{
    struct udp_fragments *f = a->fragments;
    struct socks_udp_header h = udp_fragments_header(f);

    loop_timer_cancel(a->session->host->loop, &a->fragment_timer);
    /* Its bytes go with it: what is in the batch refers to them. */
    if (buffer_len(&f->data) > 0)
        deliver(a, &h, buffer_data(&f->data), buffer_len(&f->data));
    else
        deliver(a, &h, f->name, 0);
    udp_up_flush(a);
    (void)udp_fragments_clear(f);
}

static void
take_fragment(struct udp_association *a, const struct socks_udp_header *h, const uint8_t *data,
    size_t len)
{
    struct loop *loop = a->session->host->loop;

    if (a->fragments == NULL && image_settings(a->session->host->image)->udp.fragments)
        a->fragments = calloc(1, sizeof *a->fragments);
    if (a->fragments == NULL) {
        a->dropped++;
        return;
    }
    a->fragment_timer.expired = fragments_late;
    switch (udp_fragments_add(a->fragments, h, data, len, &a->dropped)) {
    case UDP_FRAGMENT_WHOLE:
        fragments_whole(a);
        return;
    case UDP_FRAGMENT_DROPPED:
        loop_timer_cancel(loop, &a->fragment_timer);
        return;
    case UDP_FRAGMENT_HELD:
        break;
    }
    /* One timer for the sequence, from its first fragment on. */
    if (a->fragments->highest == 1 &&
        loop_timer_set(loop, &a->fragment_timer,
            mono_add_seconds(loop_now(loop), UDP_FRAGMENT_SECONDS)) < 0)
        a->dropped += udp_fragments_clear(a->fragments);
}

/* ---- whose it is ---- */

/* True when it is the client's; data and len become the header with what follows it. */
static bool
is_the_clients(struct udp_association *a, struct udp_incoming *in)
{
    struct session *s = a->session;
    size_t wire = in->len;

    if (!addr_equal_ip(&in->from, &s->slot->client))
        return false;
    if (!a->sealed)
        return a->peer.family == ADDR_NONE || a->peer.port == in->from.port;
    if (!channel_open_datagram(&s->client, in->data, wire, &in->data, &in->len))
        return false;
    a->wire_up += wire;
    a->peer = in->from; /* one that verifies moves it */
    return true;
}

static void
take(struct udp_association *a, struct udp_incoming *in)
{
    struct socks_udp_header h;

    if (!is_the_clients(a, in) || !socks_udp_decode(in->data, in->len, &h)) {
        a->dropped++;
        return;
    }
    a->peer = in->from;
    a->session->active = loop_now(a->session->host->loop);
    if (h.fragment != 0)
        take_fragment(a, &h, in->data + h.used, in->len - h.used);
    else
        deliver(a, &h, in->data + h.used, in->len - h.used);
}

void
udp_up_ready(struct loop_io *io, uint32_t events)
{
    struct udp_socket *u;
    struct udp_association *a = udp_socket_owner(io, &u);
    struct udp_shared *shared = a->session->host->udp;
    unsigned n = udp_batch_receive(shared, u->fd);

    (void)events;
    for (unsigned i = 0; i < n; i++) {
        struct udp_incoming in;

        if (udp_batch_take(shared, i, &in))
            take(a, &in);
        else
            a->dropped++;
    }
    udp_up_flush(a);
    udp_note(a);
}
