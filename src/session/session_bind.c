/* SPDX-License-Identifier: ISC */
/*
 * What a BIND expects and where it listens. The listening socket stands at the one address of ours that
 * the peer reaches, never at all of them. Of a name's addresses those of one family can connect, since
 * the reply names one address: the family is that of the first one with a route, in the order the dial
 * would try them. Where anybody may connect it is the egress address or that of the default route, or,
 * without either, the address the client came to.
 */
#include "src/session/session_private.h"

#include "lib/base/fd.h"
#include "src/net/listen.h"

#include <errno.h>
#include <stdlib.h>

/* ---- what it holds ---- */

static struct session_bind *
bind_of(struct session *s)
{
    struct session_bind *b = s->setup->bind;

    if (b != NULL)
        return b;
    b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->session = s;
    b->fd = -1;
    s->setup->bind = b;
    return b;
}

void
bind_close(struct session *s)
{
    struct session_bind *b = s->setup->bind;

    if (b->fd < 0)
        return;
    loop_io_del(s->host->loop, &b->io, b->fd);
    fd_close(&b->fd);
}

void
bind_free(struct session *s, struct session_bind **bind)
{
    if (*bind == NULL)
        return;
    bind_close(s);
    free(*bind);
    *bind = NULL;
}

/* ---- who may connect ---- */

int
bind_expect(struct session *s, const struct addr *address)
{
    struct session_bind *b = bind_of(s);

    if (b == NULL)
        return -1;
    if (b->count >= BIND_EXPECTED_MAX) {
        errno = ENOBUFS;
        return -1;
    }
    b->expected[b->count++] = *address;
    return 0;
}

bool
bind_expects(const struct session_bind *b, const struct addr *peer)
{
    for (uint8_t i = 0; i < b->count; i++)
        if (addr_equal_ip(&b->expected[i], peer))
            return true;
    return b->session->setup->bind_any;
}

/* Once it listens, only peers of that address's family can connect. */
static bool
can_connect(const struct session_bind *b, const struct addr *peer)
{
    return b->fd < 0 || peer->family == b->at.family;
}

struct session_step
bind_judge_expected(struct session *s)
{
    struct session_bind *b = s->setup->bind;
    struct policy_verdict refusal = { .allowed = true };
    uint8_t kept = 0, able = 0;

    for (uint8_t i = 0; b != NULL && i < b->count; i++) {
        struct policy_verdict verdict = session_judge(s, s->host->own, &b->expected[i]);

        if (!verdict.allowed) {
            refusal = verdict;
            continue;
        }
        able += can_connect(b, &b->expected[i]);
        b->expected[kept++] = b->expected[i];
    }
    if (b != NULL)
        b->count = kept;
    return refusal.allowed || able > 0 ? step_wait() : session_revoke(s, &refusal);
}

/* ---- where ---- */

static const struct addr *
egress_of(const struct session *s, uint8_t family)
{
    const struct dial_settings *d = &s->host->dial;

    return family == ADDR_IPV6 ? &d->egress_ipv6 : &d->egress_ipv4;
}

/* For the records, also of what fails from here on. */
static void
note_expected(struct session *s, const struct addr *peer)
{
    struct policy_verdict verdict = session_judge(s, s->host->own, peer);

    session_set_verdict(s, &verdict);
    table_change_begin(s->slot);
    s->slot->address = *peer;
    table_change_end(s->slot);
}

static int
route_to_family(struct session *s, uint8_t family)
{
    struct session_bind *b = s->setup->bind;

    for (uint8_t i = 0; i < b->count; i++) {
        const struct addr *peer = &b->expected[i];

        if (peer->family != family)
            continue;
        note_expected(s, peer);
        if (listen_route(peer, egress_of(s, family), &b->at) == 0)
            return 0;
    }
    return -1;
}

static int
route_to_expected(struct session *s)
{
    bool ipv4_first = s->host->dial.prefer == DIAL_PREFER_IPV4;

    errno = EHOSTUNREACH;
    if (route_to_family(s, ipv4_first ? ADDR_IPV4 : ADDR_IPV6) == 0)
        return 0;
    return route_to_family(s, ipv4_first ? ADDR_IPV6 : ADDR_IPV4);
}

/* Some address behind the default route, that of a root name server; nothing is sent to it. */
static struct addr
far_away(uint8_t family)
{
    static const uint8_t ipv4[4] = { 198, 41, 0, 4 };
    static const uint8_t ipv6[16] = { 0x20, 0x01, 0x05, 0x03, 0xba, 0x3e, [13] = 2, [15] = 0x30 };

    return family == ADDR_IPV6 ? addr_ipv6(ipv6, 0) : addr_ipv4(ipv4, 0);
}

static int
route_to_anybody(struct session *s)
{
    uint8_t family = s->setup->address.family;
    const struct addr *egress = egress_of(s, family);
    struct session_bind *b = s->setup->bind;
    struct addr peer = far_away(family);

    if (egress->family != ADDR_NONE)
        b->at = *egress;
    else if (listen_route(&peer, egress, &b->at) < 0)
        b->at = addr_unmap(&s->setup->local);
    if (b->at.family == family)
        return 0;
    errno = ENETUNREACH;
    return -1;
}

struct addr
bind_told(const struct session *s)
{
    struct addr at = s->setup->bind->at;
    struct addr told = image_settings(s->host->image)->bind.advertise;

    if (told.family != at.family)
        return at;
    told.port = at.port;
    return told;
}

/* ---- listening ---- */

static void
listen_ready(struct loop_io *io, uint32_t events)
{
    struct session_bind *b =
        (struct session_bind *)((char *)io - offsetof(struct session_bind, io));

    (void)events;
    session_dispatch(b->session, SESSION_PEER);
}

/* SOCKS 4A can ask for an address of IPv6, written as a name; its reply has no room for ours. */
static bool
tellable(const struct session *s, const struct addr *at)
{
    return at->family == ADDR_IPV4 || !session_speaks_socks4(s);
}

int
bind_listen(struct session *s)
{
    const struct image_settings *settings = image_settings(s->host->image);
    struct session_bind *b = bind_of(s);

    if (b == NULL)
        return -1;
    if ((s->setup->bind_any ? route_to_anybody(s) : route_to_expected(s)) < 0)
        return -1;
    if (!tellable(s, &b->at)) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    b->fd = listen_open(
        &b->at, (uint16_t)settings->bind.port_min, (uint16_t)settings->bind.port_max);
    if (b->fd < 0)
        return -1;
    b->io.ready = listen_ready;
    if (loop_io_add(s->host->loop, &b->io, b->fd, EPOLLIN) < 0) {
        fd_close(&b->fd);
        return -1;
    }
    table_change_begin(s->slot);
    s->slot->egress = b->at;
    table_change_end(s->slot);
    return 0;
}
