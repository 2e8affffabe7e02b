/* SPDX-License-Identifier: ISC */
/*
 * One verdict: the first rule that matches decides; none is a refusal (sallyport.conf(5), RULES). Pure
 * functions over the policy image: no I/O, no allocation, no state.
 */
#ifndef SP_POLICY_POLICY_H
#define SP_POLICY_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"
#include "src/config/image.h"

#define POLICY_NO_RULE UINT32_MAX

struct policy_query {
    struct addr client;  /* unmapped */
    const char *user;    /* audited name; NULL when the session did not authenticate, as no SOCKS 4
                            session does, whatever its USERID and its identd say */
    const uint64_t *groups; /* which of the image's settings.groups the user is in, a bit each
                               (policy_groups_of); NULL when none or not authenticated */
    int64_t when;        /* seconds UTC: which time windows are open */
    uint8_t method;      /* SOCKS 5 method code; SOCKS 4: 0, or IMAGE_METHOD_IDENT when confirmed */
    uint32_t protection; /* what the session has: IMAGE_PROTECTION_*; selective is integrity */
    uint32_t command;    /* one IMAGE_COMMAND_* */
    bool bind_any;       /* BIND for anybody (DST.ADDR of zeros): only rules with bind-any allow it, of
                            the request and of the peer that connects */
    const char *name;    /* canonical destination name; NULL when an address was asked for */
    struct addr address; /* destination address, unmapped; ADDR_NONE while it is not known */
    uint16_t port;       /* BIND: the request's, for the peer too, which may come from any port */
};

struct policy_verdict {
    bool allowed;
    uint32_t rule;      /* index of the rule that decided, or POLICY_NO_RULE */
    const char *reason; /* word for the audit: "rule", "no-rule", "special-destination" */
    const char *detail; /* special: "loopback", "own-address", ...; "bind-any": the rule would allow
                           the peer if it were named; else NULL */
};

/*
 * The gateway host's own addresses, which are special destinations too. A sorted table the worker
 * reads when it starts; NULL when not known. phase_connect.c catches those that came later.
 */
struct policy_own {
    uint32_t count;
    struct addr list[256];
};
/* Reads them (getifaddrs; needs AF_NETLINK, so before the sandbox). 0, or -1 with errno. */
int policy_own_read(struct policy_own *own) SP_MUST_USE;

/*
 * Groups. A set of names (each NUL-terminated, one behind the other, len octets in all) becomes bits over
 * the image's settings.groups, once for each set and image. bits: POLICY_GROUP_WORDS(image) words, all
 * written.
 */
#define POLICY_GROUP_WORDS(image) ((image_settings(image)->groups.count + 63U) / 64U)
void policy_groups_of(const struct image *image, const char *names, size_t len, uint64_t *bits);

/* True when the time windows of some rule are open at one of the two and closed at the other (seconds
   UTC): then live sessions have to be judged again. Cheap: for every minute. */
bool policy_time_differs(const struct image *image, int64_t before, int64_t now);

/*
 * The verdict for a query whose address is known. For BIND that is the peer: the one expected, with
 * bind_any the one that connected. Special destinations are refused to all commands alike.
 */
struct policy_verdict policy_judge(const struct image *image, const struct policy_own *own,
    const struct policy_query *query);

/*
 * Before the address is known (query->address is ADDR_NONE): true when no address could change the
 * verdict from a refusal, which is then in *out. query->name is set before resolving; with bind_any it
 * is NULL: nothing is known of the peer until it connects.
 */
bool policy_refuses_any(const struct image *image, const struct policy_query *query,
    struct policy_verdict *out);

/*
 * The same for UDP ASSOCIATE, before any destination is known: true when no name, address or port could
 * be allowed for this client, user, method and protection; *out holds the refusal then. The rest of the
 * query is not looked at. False promises nothing: each destination is judged.
 */
bool policy_refuses_udp(const struct image *image, const struct policy_query *query,
    struct policy_verdict *out);

/*
 * True when some rule could allow a client from this address that authenticates with this method;
 * such methods alone are worth offering (RFC 1928 section 3). protection: the most its sessions may
 * have there, as in a query.
 */
bool policy_method_useful(const struct image *image, const struct addr *client, uint8_t method,
    uint32_t protection);

/* Title of rule index, "" for POLICY_NO_RULE. */
const char *policy_rule_title(const struct image *image, uint32_t rule);

#endif
