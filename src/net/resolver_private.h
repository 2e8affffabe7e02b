/* SPDX-License-Identifier: ISC */
/*
 * Between the resolver's two halves: resolver.c (lookups, hosts, who hears what and when) and
 * resolver_dns*.c (c-ares; the only files that know it).
 */
#ifndef SP_NET_RESOLVER_PRIVATE_H
#define SP_NET_RESOLVER_PRIVATE_H

#include "src/net/resolver.h"

struct dns;
struct dns_set;

/* One name and family on its way. Embedded in its owner, who keeps it until answered. */
struct dns_question {
    /* Called exactly once per dns_ask(), perhaps from inside it (then without an address). The
       addresses are a borrow. */
    void (*answered)(struct dns_question *question, enum resolver_status status,
        const struct addr *addresses, size_t count);
    const char *name; /* a borrow until answered */
    enum addr_family family;
    bool again; /* asked a second time: the first server that answered could not help */
    struct dns *dns;
    struct dns_set *set;
};

/* Before chroot and sandbox. NULL with errno. */
struct dns *dns_new(struct loop *loop, unsigned timeout_ms, unsigned attempts) SP_MUST_USE;
/* Questions under way are forgotten without a call. Not from a callback. */
void dns_free(struct dns **dns);

/* count 1..RESOLVER_SERVERS_MAX. 0, or -1 with ENOMEM. Takes effect for later questions, at the
   latest when those asked before the last change but one have been answered. */
int dns_set_servers(struct dns *dns, const struct addr *list, size_t count) SP_MUST_USE;

/* The owner has set answered, name and family. */
void dns_ask(struct dns *dns, struct dns_question *question);

#endif
