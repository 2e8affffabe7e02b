/* SPDX-License-Identifier: ISC */
/*
 * The life of a UDP association, and what it asks the policy. Serves the associate phase; every error
 * ends one session at most.
 */
#include "src/session/udp_association.h"

#include "lib/base/fd.h"
#include "src/core/ring.h"

#include <stdlib.h>

#define RING_KEPT (RING_DATA_SIZE / 2U) /* of the event ring, for what is no first datagram */

static int
shared_ready(struct session_host *host)
{
    if (host->udp == NULL)
        host->udp = udp_shared_new();
    return host->udp != NULL ? 0 : -1;
}

int
udp_associate(struct session *s, struct addr *bound)
{
    const struct image_settings *settings = image_settings(s->host->image);
    struct udp_association *a = calloc(1, sizeof *a);
    union udp_sockaddr at;
    socklen_t len = sizeof at;

    if (a == NULL)
        return -1;
    a->session = s;
    a->client.fd = a->out[UDP_IPV4].fd = a->out[UDP_IPV6].fd = -1;
    a->sealed = channel_protection(&s->client) != NULL;
    a->show = true;
    s->udp = a;
    if (shared_ready(s->host) < 0 ||
        udp_socket_open(a, &a->client, (enum addr_family)s->setup->local.family, &s->setup->local,
            udp_up_ready) < 0 ||
        getsockname(a->client.fd, &at.sa, &len) < 0)
        return -1;
    *bound = addr_from_sockaddr(&at.sa, len);
    if (settings->udp.advertise.family == bound->family) {
        uint16_t port = bound->port;

        *bound = settings->udp.advertise;
        bound->port = port;
    }
    return 0;
}

void
udp_association_free(struct udp_association **association)
{
    struct udp_association *a = *association;

    if (a == NULL)
        return;
    udp_names_free(a);
    loop_timer_cancel(a->session->host->loop, &a->fragment_timer);
    if (a->fragments != NULL)
        a->dropped += udp_fragments_clear(a->fragments);
    free(a->fragments);
    udp_socket_close(a, &a->client);
    udp_socket_close(a, &a->out[UDP_IPV4]);
    udp_socket_close(a, &a->out[UDP_IPV6]);
    udp_destinations_free(&a->table);
    free(a);
    *association = NULL;
}

/* The records name the rule that let the first datagram out. */
static void
show_rule(struct udp_association *a, const struct policy_verdict *verdict)
{
    struct session *s = a->session;

    if (!a->show)
        return;
    a->show = false;
    session_set_verdict(s, verdict);
}

static bool
allowed(struct udp_association *a, const struct policy_own *own, const struct policy_query *q)
{
    struct policy_verdict verdict = policy_judge(a->session->host->image, own, q);

    if (verdict.allowed)
        show_rule(a, &verdict);
    return verdict.allowed;
}

/* What the kernel would send from, of no family without a way there: connecting such a socket sends
   nothing. */
static struct addr
source_towards(const struct addr *address)
{
    struct sockaddr_storage ss;
    union udp_sockaddr at;
    socklen_t len = addr_to_sockaddr(address, &ss), size = sizeof at;
    int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct addr source = { .family = ADDR_NONE };

    if (fd >= 0 && connect(fd, (struct sockaddr *)&ss, len) == 0 && getsockname(fd, &at.sa, &size) == 0)
        source = addr_from_sockaddr(&at.sa, size);
    fd_close(&fd);
    return source;
}

/* The last look as with connections (phase_connect.c): an address that became this host's since the
   worker's start is its own source. */
enum udp_verdict
udp_judge(struct udp_association *a, const char *name, const struct addr *address)
{
    struct session *s = a->session;
    struct policy_own late = { .count = 1 };
    struct policy_query q;
    struct addr source;

    session_query(s, IMAGE_COMMAND_UDP, &q);
    q.name = name;
    q.address = *address;
    q.port = address->port;
    if (!allowed(a, s->host->own, &q))
        return UDP_REFUSED;
    source = source_towards(address);
    if (source.family == ADDR_NONE)
        return UDP_UNJUDGED;
    if (!addr_equal_ip(&source, address) || addr_special(address, NULL) != NULL)
        return UDP_ALLOWED;
    late.list[0] = *address;
    return allowed(a, &late, &q) ? UDP_ALLOWED : UDP_REFUSED;
}

/* Judged once more for its rule: between the verdict and the first datagram others may have been judged. A
   client can name new destinations faster than a log target takes records, and must not push out those of
   others. */
void
udp_tell(struct udp_association *a, struct udp_destination *d, const char *name)
{
    struct session *s = a->session;
    struct policy_verdict verdict;
    struct policy_query q;

    if (!udp_up_ready_for(a, udp_family(&d->addr)))
        return; /* nothing can go there */
    d->told = true;
    if (ring_room(s->host->ring) < RING_KEPT) {
        a->untold++;
        return;
    }
    session_query(s, IMAGE_COMMAND_UDP, &q);
    q.name = name;
    q.address = d->addr;
    q.port = d->addr.port;
    verdict = policy_judge(s->host->image, s->host->own, &q);
    record_destination(s, name, &d->addr, policy_rule_title(s->host->image, verdict.rule));
}

/* Also one without a way there now may be answered, as before. */
static bool
still_allowed(struct udp_association *a, struct udp_destination *d)
{
    const struct addr address = d->addr;

    d->verdict = udp_judge(a, NULL, &address);
    return d->verdict != UDP_REFUSED || udp_name_allows(a, &address);
}

void
udp_renew(struct udp_association *a, struct udp_destination *d)
{
    uint32_t epoch = a->session->host->epoch;

    if (d->epoch == epoch)
        return;
    d->epoch = epoch;
    d->verdict = UDP_UNJUDGED;
    d->written = d->written && still_allowed(a, d);
}

void
udp_rejudge(struct udp_association *a)
{
    struct udp_destination *d;

    if (a == NULL)
        return;
    d = udp_destinations_newest(&a->table);
    a->show = true;
    if (d != NULL)
        udp_renew(a, d);
}

void
udp_note(struct udp_association *a)
{
    struct session *s = a->session;

    session_count_traffic(s);
    client_note_wire(s);
}
