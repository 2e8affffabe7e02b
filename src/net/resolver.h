/* SPDX-License-Identifier: ISC */
/*
 * Names to addresses: c-ares behind a small face, made before the chroot and kept for the worker's life
 * (resolver_dns.h says why). Each query asks AAAA and A side by side (RFC 8305 section 3) and reports each
 * family as it arrives. Opens no file: servers and hosts come from the broker.
 */
#ifndef SP_NET_RESOLVER_H
#define SP_NET_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"
#include "src/core/loop.h"

struct resolver;

enum resolver_status {
    RESOLVER_OK,
    RESOLVER_NXDOMAIN,  /* the name does not exist */
    RESOLVER_NODATA,    /* it exists, without an address of this family */
    RESOLVER_SERVFAIL,  /* the server answers with an error, or refuses */
    RESOLVER_TIMEOUT,   /* no server answered */
    RESOLVER_FAILED     /* ours: out of memory, descriptors, malformed name or answer */
};
/* "nxdomain", "nodata", "servfail", "timeout", "failed": words for the audit. */
const char *resolver_status_text(enum resolver_status status);

struct resolver_settings {
    unsigned timeout_ms; /* of one attempt at one server */
    unsigned attempts;
    bool hosts;          /* look into the hosts file first */
};

#define RESOLVER_ADDRESSES_MAX 32 /* of one family; more are left out */
#define RESOLVER_SERVERS_MAX 8

/* Before chroot and sandbox. NULL with errno; the caller owns it. */
struct resolver *resolver_new(struct loop *loop, const struct resolver_settings *settings) SP_MUST_USE;
void resolver_free(struct resolver **resolver);

/* 1 to RESOLVER_SERVERS_MAX servers with their ports (port 0: 53). 0, or -1 with ENOMEM. Queries under
   way keep the old. */
int resolver_set_servers(struct resolver *resolver, const struct addr *list, size_t count)
    SP_MUST_USE;
/* The same from the text of a resolv.conf ("nameserver" lines; others are ignored; none: 127.0.0.1). */
int resolver_set_resolv_conf(struct resolver *resolver, const void *text, size_t len) SP_MUST_USE;
/* Adopts the text of a hosts file (replacing the earlier one). 0, or -1 with ENOMEM. */
int resolver_set_hosts(struct resolver *resolver, const void *text, size_t len) SP_MUST_USE;

/* Embedded in its owner. Several may run at once; bounded by RESOLVER_QUERIES_MAX a worker, of which one
   client gets its share (src/net/shares.h). One that was cancelled counts until it would have ended. */
#define RESOLVER_QUERIES_MAX 4096
struct resolver_query {
    /* One family has answered (ADDR_IPV6 or ADDR_IPV4). addresses are a borrow, port 0. Called once
       for each family asked for, never from inside resolver_start(). pending: families still out. */
    void (*answered)(struct resolver_query *query, enum addr_family family,
        enum resolver_status status, const struct addr *addresses, size_t count, unsigned pending);
    struct resolver_lookup *lookup; /* the resolver's; NULL when none runs */
};

/* families: which to ask, for the client. name is canonical (lib/base/name.h). 0, or -1 with errno (EAGAIN:
   too many queries, in all or of this client). */
int resolver_start(struct resolver *resolver, struct resolver_query *query, const struct addr *client,
    const char *name, bool ipv4, bool ipv6) SP_MUST_USE;
/* No callback after it. Harmless when none runs. May be called from the callback. */
void resolver_cancel(struct resolver_query *query);

#endif
