/* SPDX-License-Identifier: ISC */
/*
 * Destinations asked for by name: each is looked up once and remembered for a while, its datagrams wait
 * meanwhile. Serves udp_up.c. Every bound drops datagrams and nothing else.
 */
#include "src/session/udp_association.h"

#include <stdlib.h>
#include <string.h>

struct udp_held {
    struct udp_held *next;
    size_t len;
    uint8_t data[];
};

/* A name with a port: rules may differ by port. */
struct udp_name {
    struct udp_association *association;
    struct udp_name *next;
    struct resolver_query query;
    enum { NAME_RESOLVING, NAME_KNOWN, NAME_FAILED } state;
    struct mono expires;
    struct addr best[2]; /* by enum udp_family: the first that is allowed and has a route */
    bool answered[2];
    struct addr address; /* known: judged */
    uint16_t port;
    uint32_t epoch;      /* of the host when that was judged */
    struct udp_held *held, **held_end;
    char name[];
};

/* ---- what waits ---- */

static void
hold(struct udp_name *n, const uint8_t *data, size_t len)
{
    struct udp_association *a = n->association;
    struct udp_held *h = NULL;

    if (a->held < UDP_HELD_MAX && len <= UDP_HELD_BYTES - a->held_bytes)
        h = malloc(sizeof *h + len);
    if (h == NULL) {
        a->dropped++;
        return;
    }
    h->next = NULL;
    h->len = len;
    memcpy(h->data, data, len);
    *n->held_end = h;
    n->held_end = &h->next;
    a->held++;
    a->held_bytes += len;
}

/* With an address they go there, else they are dropped. */
static void
release(struct udp_name *n)
{
    struct udp_association *a = n->association;

    while (n->held != NULL) {
        struct udp_held *h = n->held;

        n->held = h->next;
        a->held--;
        a->held_bytes -= h->len;
        if (n->state == NAME_KNOWN) {
            udp_up_send(a, &n->address, h->data, h->len);
            udp_up_flush(a);
        } else {
            a->dropped++;
        }
        free(h);
    }
    n->held_end = &n->held;
}

/* ---- answers ---- */

static void
choose(struct udp_name *n, const struct addr *addresses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct addr address = addr_unmap(&addresses[i]);
        enum udp_family family = udp_family(&address);

        address.port = n->port;
        if (n->best[family].family == ADDR_NONE &&
            udp_judge(n->association, n->name, &address) == UDP_ALLOWED)
            n->best[family] = address;
    }
}

/* The rules are others since the first family's answer. */
static void
choose_anew(struct udp_name *n)
{
    struct addr best[2] = { n->best[UDP_IPV4], n->best[UDP_IPV6] };

    n->epoch = n->association->session->host->epoch;
    for (int family = UDP_IPV4; family <= UDP_IPV6; family++) {
        n->best[family] = (struct addr) { .family = ADDR_NONE };
        if (best[family].family != ADDR_NONE)
            choose(n, &best[family], 1);
    }
}

/* As with connections, IPv6 goes first unless IPv4 is preferred; there is no second try. */
static enum udp_family
preferred(const struct udp_name *n)
{
    const struct image *image = n->association->session->host->image;

    return image_settings(image)->resolver.prefer == IMAGE_PREFER_IPV4 ? UDP_IPV4 : UDP_IPV6;
}

/* The table's entry of where datagrams go; judged by the name. */
static struct udp_destination *
write_to(struct udp_name *n, const struct addr *address)
{
    struct udp_association *a = n->association;
    struct udp_destination *d = udp_destinations_take(&a->table, address);

    if (d == NULL)
        return NULL;
    d->written = false;
    udp_renew(a, d);
    d->written = true;
    if (!d->told)
        udp_tell(a, d, n->name);
    return d;
}

static void
finish(struct udp_name *n, const struct addr *address)
{
    struct udp_association *a = n->association;
    struct udp_destination *d = NULL;
    bool known = address->family != ADDR_NONE;

    resolver_cancel(&n->query);
    a->resolving--;
    if (known)
        d = write_to(n, address);
    n->address = *address;
    n->state = d != NULL ? NAME_KNOWN : NAME_FAILED;
    n->expires = mono_add_seconds(loop_now(a->session->host->loop),
        known ? UDP_NAME_SECONDS : UDP_NAME_FAILED_SECONDS);
    release(n);
    udp_note(a);
}

static void
query_answered(struct resolver_query *query, enum addr_family family, enum resolver_status status,
    const struct addr *addresses, size_t count, unsigned pending)
{
    struct udp_name *n = (struct udp_name *)((char *)query - offsetof(struct udp_name, query));
    enum udp_family first = preferred(n), second = first == UDP_IPV4 ? UDP_IPV6 : UDP_IPV4;

    (void)status;
    if (n->epoch != n->association->session->host->epoch)
        choose_anew(n);
    n->answered[family == ADDR_IPV6 ? UDP_IPV6 : UDP_IPV4] = true;
    choose(n, addresses, count);
    if (n->best[first].family != ADDR_NONE)
        finish(n, &n->best[first]);
    else if (n->answered[first] && n->best[second].family != ADDR_NONE)
        finish(n, &n->best[second]);
    else if (pending == 0)
        finish(n, &n->best[second]);
}

/* ---- the list ---- */

static void
name_free(struct udp_name *n)
{
    if (n->state == NAME_RESOLVING) {
        resolver_cancel(&n->query);
        n->association->resolving--;
    }
    n->state = NAME_FAILED;
    release(n);
    n->association->name_count--;
    free(n);
}

void
udp_names_free(struct udp_association *a)
{
    while (a->names != NULL) {
        struct udp_name *n = a->names;

        a->names = n->next;
        name_free(n);
    }
}

/* What was found by other rules: an address that is refused now, or that was refused, is looked for anew. */
static bool
still_true(struct udp_name *n)
{
    uint32_t epoch = n->association->session->host->epoch;

    if (n->epoch == epoch)
        return true;
    n->epoch = epoch;
    if (n->state == NAME_KNOWN && udp_judge(n->association, n->name, &n->address) != UDP_REFUSED)
        return true;
    n->state = NAME_FAILED;
    n->expires = loop_now(n->association->session->host->loop);
    return false;
}

bool
udp_name_allows(struct udp_association *a, const struct addr *address)
{
    for (struct udp_name *n = a->names; n != NULL; n = n->next)
        if (n->state == NAME_KNOWN && addr_equal(&n->address, address) && still_true(n))
            return true;
    return false;
}

/* Takes it out of the list: the one that matches, or NULL. One that is too old is forgotten. */
static struct udp_name *
list_take(struct udp_association *a, const char *name, uint16_t port)
{
    struct udp_name **at = &a->names, *n;

    while (*at != NULL && ((*at)->port != port || strcmp((*at)->name, name) != 0))
        at = &(*at)->next;
    n = *at;
    if (n == NULL)
        return NULL;
    *at = n->next;
    if (n->state == NAME_RESOLVING || (mono_before(loop_now(a->session->host->loop), n->expires) &&
            still_true(n)))
        return n;
    name_free(n);
    return NULL;
}

/* The one used longest ago of those nobody waits for. */
static void
forget_one(struct udp_association *a)
{
    struct udp_name **victim = NULL, *n;

    for (struct udp_name **at = &a->names; *at != NULL; at = &(*at)->next)
        if ((*at)->state != NAME_RESOLVING)
            victim = at;
    if (victim == NULL)
        return;
    n = *victim;
    *victim = n->next;
    name_free(n);
}

static bool
refused_early(const struct udp_association *a, const char *name, uint16_t port)
{
    const struct session *s = a->session;
    struct policy_verdict verdict;
    struct policy_query q;

    session_query(s, IMAGE_COMMAND_UDP, &q);
    q.name = name;
    q.port = port;
    return policy_refuses_any(s->host->image, &q, &verdict);
}

static struct udp_name *
name_new(struct udp_association *a, const char *name, uint16_t port)
{
    size_t size = strlen(name) + 1;
    struct udp_name *n = NULL;

    if (a->name_count >= UDP_NAMES_MAX)
        forget_one(a);
    if (a->name_count < UDP_NAMES_MAX && a->resolving < UDP_RESOLVING_MAX)
        n = calloc(1, sizeof *n + size);
    if (n == NULL)
        return NULL;
    n->association = a;
    n->port = port;
    n->epoch = a->session->host->epoch;
    n->held_end = &n->held;
    memcpy(n->name, name, size);
    a->name_count++;
    n->state = NAME_RESOLVING;
    a->resolving++;
    n->query.answered = query_answered;
    if (refused_early(a, name, port)) { /* nobody is asked, and the refusal is remembered */
        n->state = NAME_FAILED;
        a->resolving--;
        n->expires = mono_add_seconds(loop_now(a->session->host->loop), UDP_NAME_FAILED_SECONDS);
    } else if (resolver_start(a->session->host->resolver, &n->query, &a->session->slot->client, n->name, true,
                   true) < 0) {
        name_free(n);
        return NULL;
    }
    return n;
}

/* ---- delivery ---- */

static void
send_known(struct udp_name *n, uint8_t *data, size_t len)
{
    struct udp_association *a = n->association;

    if (write_to(n, &n->address) == NULL) {
        a->dropped++;
        return;
    }
    udp_up_send(a, &n->address, data, len);
}

void
udp_name_deliver(struct udp_association *a, const char *name, uint16_t port, uint8_t *data, size_t len)
{
    struct udp_name *n = list_take(a, name, port);

    if (n == NULL)
        n = name_new(a, name, port);
    if (n == NULL) {
        a->dropped++;
        return;
    }
    n->next = a->names;
    a->names = n;
    if (n->state == NAME_RESOLVING)
        hold(n, data, len);
    else if (n->state == NAME_KNOWN)
        send_known(n, data, len);
    else
        a->dropped++;
}
