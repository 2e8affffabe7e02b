/* SPDX-License-Identifier: ISC */
/*
 * Lookups: a name's two families, from the hosts file or from name servers, and who hears the answers
 * when. Serves the sessions. Only the caller is told of errors; none is fatal.
 *
 * A lookup outlives its query: c-ares cannot call off a single question, so a cancelled lookup stays,
 * without a query, until its questions are answered.
 */
#include "src/net/resolver.h"

#include "lib/base/name.h"
#include "src/net/hosts.h"
#include "src/net/resolvconf.h"
#include "src/net/resolver_private.h"
#include "src/net/shares.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct resolver {
    struct loop *loop;
    struct dns *dns;
    struct hosts *hosts; /* NULL: none */
    bool use_hosts;
    struct shares shares; /* of clients in lookups, cancelled ones too */
    struct resolver_lookup *lookups;
};

enum family_state {
    FAMILY_UNASKED,
    FAMILY_ASKED,
    FAMILY_FROM_HOSTS, /* to be delivered by the task, */
    FAMILY_EARLY,      /* this one too: failed before resolver_start() returned */
    FAMILY_DELIVERED
};

struct family {
    struct dns_question question;
    struct resolver_lookup *lookup;
    enum family_state state;
    enum resolver_status status; /* of FAMILY_EARLY */
};

struct resolver_lookup {
    struct resolver *resolver;
    struct resolver_query *query; /* NULL: cancelled, or all is delivered */
    struct resolver_lookup *next; /* in the resolver's list */
    struct resolver_lookup *prev;
    struct share *share; /* the place it takes */
    struct loop_task task;
    struct family families[2]; /* IPv6, IPv4: the order they are asked in */
    unsigned undelivered;
    unsigned asked;   /* questions c-ares still holds */
    unsigned held;    /* calls under way that still use the lookup */
    bool starting;
    char name[NAME_SIZE];
};

const char *
resolver_status_text(enum resolver_status status)
{
    static const char *const texts[] = {
        [RESOLVER_OK] = "ok",
        [RESOLVER_NXDOMAIN] = "nxdomain",
        [RESOLVER_NODATA] = "nodata",
        [RESOLVER_SERVFAIL] = "servfail",
        [RESOLVER_TIMEOUT] = "timeout",
        [RESOLVER_FAILED] = "failed",
    };

    return (size_t)status < SP_COUNT(texts) ? texts[status] : "failed";
}

/* ---- lookups ---- */

static void
lookup_unlink(struct resolver_lookup *l)
{
    if (l->prev != NULL)
        l->prev->next = l->next;
    else
        l->resolver->lookups = l->next;
    if (l->next != NULL)
        l->next->prev = l->prev;
    shares_give(&l->resolver->shares, l->share);
}

static void
lookup_free(struct resolver_lookup *l)
{
    loop_task_cancel(l->resolver->loop, &l->task);
    lookup_unlink(l);
    free(l);
}

static void
lookup_hold(struct resolver_lookup *l)
{
    l->held++;
}

static void
lookup_release(struct resolver_lookup *l)
{
    if (--l->held == 0 && l->query == NULL && l->asked == 0)
        lookup_free(l);
}

static void
lookup_detach(struct resolver_lookup *l)
{
    l->query->lookup = NULL;
    l->query = NULL;
}

/* Tells the query, unless it was cancelled. The caller holds the lookup. */
static void
family_deliver(struct family *f, enum resolver_status status, const struct addr *addresses,
    size_t count)
{
    struct resolver_lookup *l = f->lookup;
    struct resolver_query *query = l->query;

    if (query == NULL)
        return;
    f->state = FAMILY_DELIVERED;
    l->undelivered--;
    /* Before the call: from there the query may be freed, or used for the next lookup. */
    if (l->undelivered == 0)
        lookup_detach(l);
    query->answered(query, f->question.family, status, addresses, count, l->undelivered);
}

static void
family_answered(struct dns_question *question, enum resolver_status status,
    const struct addr *addresses, size_t count)
{
    struct family *f = (struct family *)((char *)question - offsetof(struct family, question));
    struct resolver_lookup *l = f->lookup;

    l->asked--;
    if (l->starting) {
        f->state = FAMILY_EARLY;
        f->status = status;
        loop_defer(l->resolver->loop, &l->task);
        return;
    }
    lookup_hold(l);
    family_deliver(f, status, addresses, count);
    lookup_release(l);
}

static void
family_from_hosts(struct family *f)
{
    struct addr addresses[RESOLVER_ADDRESSES_MAX];
    size_t count = hosts_find(f->lookup->resolver->hosts, f->lookup->name, f->question.family,
        addresses, SP_COUNT(addresses));

    family_deliver(f, count > 0 ? RESOLVER_OK : RESOLVER_NODATA, addresses, count);
}

static void
lookup_run(struct loop_task *task)
{
    struct resolver_lookup *l
        = (struct resolver_lookup *)((char *)task - offsetof(struct resolver_lookup, task));

    lookup_hold(l);
    for (size_t i = 0; i < SP_COUNT(l->families); i++) {
        struct family *f = &l->families[i];

        if (f->state == FAMILY_FROM_HOSTS)
            family_from_hosts(f);
        else if (f->state == FAMILY_EARLY)
            family_deliver(f, f->status, NULL, 0);
    }
    lookup_release(l);
}

static void
family_start(struct family *f)
{
    struct resolver_lookup *l = f->lookup;

    l->undelivered++;
    if (l->resolver->use_hosts && hosts_has(l->resolver->hosts, l->name)) {
        f->state = FAMILY_FROM_HOSTS;
        loop_defer(l->resolver->loop, &l->task);
        return;
    }
    f->state = FAMILY_ASKED;
    l->asked++;
    dns_ask(l->resolver->dns, &f->question);
}

static struct resolver_lookup *
lookup_new(struct resolver *resolver, struct share *share, const char *name, size_t len)
{
    struct resolver_lookup *l = calloc(1, sizeof *l);

    if (l == NULL)
        return NULL;
    l->share = share;
    l->resolver = resolver;
    l->task.run = lookup_run;
    memcpy(l->name, name, len);
    for (size_t i = 0; i < SP_COUNT(l->families); i++) {
        l->families[i].lookup = l;
        l->families[i].question.answered = family_answered;
        l->families[i].question.name = l->name;
        l->families[i].question.family = i == 0 ? ADDR_IPV6 : ADDR_IPV4;
    }
    l->next = resolver->lookups;
    if (l->next != NULL)
        l->next->prev = l;
    resolver->lookups = l;
    return l;
}

int
resolver_start(struct resolver *resolver, struct resolver_query *query, const struct addr *client,
    const char *name, bool ipv4, bool ipv6)
{
    size_t len = strlen(name);

    if (len == 0 || len > NAME_MAX_LEN || (!ipv4 && !ipv6) || query->lookup != NULL) {
        errno = EINVAL;
        return -1;
    }
    struct share *share = shares_take(&resolver->shares, client);

    if (share == NULL)
        return -1;
    struct resolver_lookup *l = lookup_new(resolver, share, name, len);

    if (l == NULL) {
        shares_give(&resolver->shares, share);
        errno = ENOMEM;
        return -1;
    }
    l->query = query;
    query->lookup = l;
    l->starting = true;
    if (ipv6)
        family_start(&l->families[0]);
    if (ipv4)
        family_start(&l->families[1]);
    l->starting = false;
    return 0;
}

void
resolver_cancel(struct resolver_query *query)
{
    struct resolver_lookup *l = query->lookup;

    if (l == NULL)
        return;
    loop_task_cancel(l->resolver->loop, &l->task);
    lookup_hold(l);
    lookup_detach(l);
    lookup_release(l);
}

/* ---- the resolver ---- */

struct resolver *
resolver_new(struct loop *loop, const struct resolver_settings *settings)
{
    struct resolver *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    r->loop = loop;
    r->use_hosts = settings->hosts;
    shares_init(&r->shares, RESOLVER_QUERIES_MAX);
    r->dns = dns_new(loop, settings->timeout_ms, settings->attempts > 0 ? settings->attempts : 1);
    if (r->dns == NULL) {
        free(r);
        return NULL;
    }
    return r;
}

void
resolver_free(struct resolver **resolver)
{
    struct resolver *r = *resolver;

    if (r == NULL)
        return;
    *resolver = NULL;
    dns_free(&r->dns);
    while (r->lookups != NULL) {
        if (r->lookups->query != NULL)
            lookup_detach(r->lookups);
        lookup_free(r->lookups);
    }
    shares_free(&r->shares);
    hosts_free(&r->hosts);
    free(r);
}

int
resolver_set_servers(struct resolver *resolver, const struct addr *list, size_t count)
{
    return dns_set_servers(resolver->dns, list, count);
}

int
resolver_set_resolv_conf(struct resolver *resolver, const void *text, size_t len)
{
    struct addr servers[RESOLVER_SERVERS_MAX];
    size_t count = resolvconf_parse(text, len, servers, SP_COUNT(servers));

    return dns_set_servers(resolver->dns, servers, count);
}

int
resolver_set_hosts(struct resolver *resolver, const void *text, size_t len)
{
    struct hosts *hosts = hosts_parse(text, len);

    if (hosts == NULL)
        return -1;
    hosts_free(&resolver->hosts);
    resolver->hosts = hosts;
    return 0;
}
