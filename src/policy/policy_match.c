/* SPDX-License-Identifier: ISC */
/*
 * The conditions of one rule. Serves policy.c and policy_early.c. Pure; nothing fails.
 */
#include "src/policy/policy_match.h"

#include <string.h>

#include "lib/base/name.h"
#include "src/policy/policy_own.h"

bool
policy_match_client(
    const struct image *image, const struct image_rule *rule, const struct addr *client)
{
    if ((rule->has & IMAGE_HAS_CLIENT) == 0) {
        return true;
    }
    for (uint32_t i = 0; i < rule->clients.count; i++) {
        const struct image_prefix *p = IMAGE_AT(image, rule->clients, struct image_prefix, i);
        if (addr_prefix_contains(&p->prefix, client)) {
            return true;
        }
    }
    return false;
}

bool
policy_match_method(const struct image *image, const struct image_rule *rule, uint8_t method)
{
    if ((rule->has & IMAGE_HAS_METHOD) == 0) {
        return true;
    }
    for (uint32_t i = 0; i < rule->methods.count; i++) {
        if (*IMAGE_AT(image, rule->methods, uint8_t, i) == method) {
            return true;
        }
    }
    return false;
}

static bool
match_port(const struct image *image, const struct image_rule *rule, uint16_t port)
{
    if ((rule->has & IMAGE_HAS_PORT) == 0) {
        return true;
    }
    for (uint32_t i = 0; i < rule->ports.count; i++) {
        const struct image_ports *r = IMAGE_AT(image, rule->ports, struct image_ports, i);
        if (port >= r->low && port <= r->high) {
            return true;
        }
    }
    return false;
}

static bool
match_globs(const struct image *image, struct image_list globs, const char *text)
{
    for (uint32_t i = 0; text != NULL && i < globs.count; i++) {
        if (glob_match(image_string(image, *IMAGE_AT(image, globs, struct image_text, i)), text)) {
            return true;
        }
    }
    return false;
}

bool
policy_match_allows(const struct image_rule *rule, const struct policy_query *query)
{
    return rule->action == IMAGE_ALLOW && (!query->bind_any || rule->bind_any != 0);
}

const char *
policy_match_lacks(const struct image_rule *rule, const struct policy_query *query)
{
    return rule->action == IMAGE_ALLOW && !policy_match_allows(rule, query) ? "bind-any" : NULL;
}

bool
policy_match_source(
    const struct image *image, const struct image_rule *rule, const struct policy_query *query)
{
    return match_port(image, rule, query->port) && policy_match_session(image, rule, query);
}

bool
policy_match_session(
    const struct image *image, const struct image_rule *rule, const struct policy_query *query)
{
    return (rule->commands & query->command) != 0 && query->protection >= rule->protection &&
           policy_match_method(image, rule, query->method) &&
           policy_match_client(image, rule, &query->client) &&
           ((rule->has & IMAGE_HAS_USER) == 0 || match_globs(image, rule->users, query->user));
}

bool
policy_match_any_address(const struct image *image, const struct image_rule *rule, const char *name)
{
    return (rule->has & IMAGE_HAS_DESTINATION) == 0 || match_globs(image, rule->names, name);
}

bool
policy_match_address(
    const struct image *image, const struct image_rule *rule, const struct addr *address)
{
    for (uint32_t i = 0; i < rule->prefixes.count; i++) {
        const struct image_prefix *p = IMAGE_AT(image, rule->prefixes, struct image_prefix, i);
        if (addr_prefix_contains(&p->prefix, address)) {
            return true;
        }
    }
    return false;
}

/* One of the rule's prefixes holds the address and lies inside the special range. */
static bool
match_opens(const struct image *image, const struct image_rule *rule, const struct addr *address,
    const struct addr_prefix *range)
{
    for (uint32_t i = 0; i < rule->prefixes.count; i++) {
        const struct image_prefix *p = IMAGE_AT(image, rule->prefixes, struct image_prefix, i);
        if (addr_prefix_contains(&p->prefix, address) && addr_prefix_within(&p->prefix, range)) {
            return true;
        }
    }
    return false;
}

const char *
policy_match_special(const struct image *image, const struct image_rule *rule,
    const struct policy_own *own, const struct addr *address)
{
    struct addr_prefix range;
    /* The ranges first: they govern also those addresses of the host that lie in them (loopback). */
    const char *what = addr_special(address, &range);
    if (what == NULL) {
        what = policy_own_range(own, address, &range) ? "own-address" : NULL;
    }
    return what == NULL || match_opens(image, rule, address, &range) ? NULL : what;
}
