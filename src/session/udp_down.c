/* SPDX-License-Identifier: ISC */
/*
 * From the destinations to the client: who may answer (udp.filtering), the header with the sender's
 * address, the seal. Serves udp_association.c. What may not go on is dropped and counted.
 */
#include "src/session/udp_association.h"

#include <string.h>

#define RENEW_MAX 16 /* judged for one datagram */

/* What was written to is judged again where that was before the last change of the rules. */
static bool
was_written(struct udp_association *a, const struct addr *from, bool any_port)
{
    struct udp_destination *d = NULL;

    for (int i = 0; i < RENEW_MAX; i++) {
        d = udp_destinations_written(&a->table, from, any_port, d);
        if (d == NULL)
            return false;
        udp_renew(a, d);
        if (d->written)
            return true;
    }
    return false;
}

static bool
may_answer(struct udp_association *a, const struct addr *from)
{
    switch (image_settings(a->session->host->image)->udp.filtering) {
    case IMAGE_UDP_NONE:
        return true;
    case IMAGE_UDP_ADDRESS:
        return was_written(a, from, true);
    default:
        return was_written(a, from, false);
    }
}

static bool
seal(struct udp_association *a, uint8_t **data, size_t *len)
{
    return !a->sealed || channel_seal_datagram(&a->session->client, *data, *len, data, len);
}

/* True when it is in the batch. */
static bool
pass(struct udp_association *a, const struct udp_incoming *in)
{
    uint8_t header[SOCKS_UDP_HEADER_MAX];
    size_t head = socks_udp_encode(0, &in->from, header), len = head + in->len;
    uint8_t *data = in->data - head;

    if (a->peer.family == ADDR_NONE || !may_answer(a, &in->from) || len > SOCKS_UDP_DATAGRAM_MAX)
        return false;
    if (a->session->budget != NULL && !budget_take_datagram(a->session, in->len))
        return false;
    memcpy(data, header, head);
    if (!seal(a, &data, &len) || len > SOCKS_UDP_DATAGRAM_MAX)
        return false;
    udp_outbox_add(&a->session->host->udp->out[UDP_IPV4], &a->peer, data, len, in->len);
    return true;
}

void
udp_down_ready(struct loop_io *io, uint32_t events)
{
    struct udp_socket *u;
    struct udp_association *a = udp_socket_owner(io, &u);
    struct session *s = a->session;
    struct udp_shared *shared = s->host->udp;
    struct udp_sent sent = { 0, 0, 0, 0 };
    unsigned n = udp_batch_receive(shared, u->fd);

    (void)events;
    for (unsigned i = 0; i < n; i++) {
        struct udp_incoming in;

        if (!udp_batch_take(shared, i, &in) || !pass(a, &in))
            a->dropped++;
    }
    udp_outbox_send(&shared->out[UDP_IPV4], a->client.fd, &sent);
    a->dropped += sent.dropped;
    a->datagrams_down += sent.datagrams;
    s->down.bytes += sent.payload;
    if (a->sealed)
        a->wire_down += sent.wire;
    if (sent.datagrams > 0)
        s->active = loop_now(s->host->loop);
    udp_note(a);
}
