/* SPDX-License-Identifier: ISC */
/*
 * The conditions of one rule. Serves policy.c, policy_early.c and policy_explain.c. Pure; nothing fails.
 */
#include "src/policy/policy_match.h"

#include <endian.h>
#include <string.h>

#include "lib/base/name.h"
#include "src/policy/policy_own.h"

/* The first element of a list; the image was checked when it was opened. */
#define FIRST(m, list, type) ((const type *)(const void *)((m)->base + (list).off))

static struct policy_ip
match_ip(const uint8_t ip[16], uint8_t family)
{
    struct policy_ip out = { .family = family };
    memcpy(out.ip, ip, sizeof(out.ip));
    out.ip[0] = be64toh(out.ip[0]);
    out.ip[1] = be64toh(out.ip[1]);
    return out;
}

static inline bool
match_prefix(const struct addr_prefix *p, const struct policy_ip *a)
{
    uint64_t ip[2];
    memcpy(ip, p->ip, sizeof(ip));
    const uint64_t high = be64toh(ip[0]) ^ a->ip[0];
    if (p->family != a->family) {
        return false;
    }
    if (p->bits <= 64) {
        return p->bits == 0 || high >> (64 - p->bits) == 0;
    }
    return high == 0 && (be64toh(ip[1]) ^ a->ip[1]) >> (128 - p->bits) == 0;
}

static bool
match_prefixes(const struct policy_match *m, struct image_list list, const struct policy_ip *a)
{
    const struct image_prefix *p = FIRST(m, list, struct image_prefix);
    for (uint32_t i = 0; i < list.count; i++) {
        if (match_prefix(&p[i].prefix, a)) {
            return true;
        }
    }
    return false;
}

/* glob_match(), the cheap ends first: most patterns fail there. */
static bool
match_glob(const char *glob, size_t glob_len, const char *text, size_t len)
{
    size_t left = glob_len;
    size_t rest = len;
    if (left > 0 && glob[0] != '*' && glob[0] != '?' && glob[0] != text[0]) {
        return false;
    }
    for (; left > 0 && glob[left - 1] != '*'; left--, rest--) {
        if (rest == 0 || (glob[left - 1] != '?' && glob[left - 1] != text[rest - 1])) {
            return false;
        }
    }
    if (left <= 1) {
        return left == 1 || rest == 0;
    }
    return glob_match(glob, text);
}

static bool
match_globs(const struct policy_match *m, struct image_list globs, const char *text, size_t len)
{
    const struct image_text *g = FIRST(m, globs, struct image_text);
    for (uint32_t i = 0; text != NULL && i < globs.count; i++) {
        if (match_glob((const char *)m->base + g[i].off, g[i].len, text, len)) {
            return true;
        }
    }
    return false;
}

void
policy_match_init(
    struct policy_match *m, const struct image *image, const struct policy_query *query)
{
    const struct addr client = addr_unmap(&query->client);
    *m = (struct policy_match){
        .image = image,
        .base = (const uint8_t *)image_header(image),
        .query = query,
        .destination = addr_unmap(&query->address),
        .client = match_ip(client.ip, client.family),
        .user_len = query->user != NULL ? strlen(query->user) : 0,
        .name_len = query->name != NULL ? strlen(query->name) : 0,
        .moment = policy_time_at(image, query->when),
    };
    m->address = match_ip(m->destination.ip, m->destination.family);
}

bool
policy_match_client(const struct policy_match *m, const struct image_rule *rule)
{
    return (rule->has & IMAGE_HAS_CLIENT) == 0 || match_prefixes(m, rule->clients, &m->client);
}

bool
policy_match_user(const struct policy_match *m, const struct image_rule *rule)
{
    return (rule->has & IMAGE_HAS_USER) == 0 ||
           match_globs(m, rule->users, m->query->user, m->user_len);
}

bool
policy_match_group(const struct policy_match *m, const struct image_rule *rule)
{
    const uint64_t *bits = m->query->groups;
    if ((rule->has & IMAGE_HAS_GROUP) == 0) {
        return true;
    }
    const uint32_t *g = FIRST(m, rule->groups, uint32_t);
    for (uint32_t i = 0; bits != NULL && i < rule->groups.count; i++) {
        if ((bits[g[i] / 64] >> (g[i] % 64) & 1) != 0) {
            return true;
        }
    }
    return false;
}

bool
policy_match_method(const struct policy_match *m, const struct image_rule *rule)
{
    return (rule->has & IMAGE_HAS_METHOD) == 0 ||
           (rule->methods.count > 0 &&
               memchr(FIRST(m, rule->methods, uint8_t), m->query->method, rule->methods.count) != NULL);
}

bool
policy_match_protection(const struct policy_match *m, const struct image_rule *rule)
{
    return m->query->protection >= rule->protection;
}

bool
policy_match_command(const struct policy_match *m, const struct image_rule *rule)
{
    return (rule->commands & m->query->command) != 0;
}

bool
policy_match_time(const struct policy_match *m, const struct image_rule *rule)
{
    if ((rule->has & IMAGE_HAS_TIME) == 0) {
        return true;
    }
    const struct image_window *w = FIRST(m, rule->times, struct image_window);
    for (uint32_t i = 0; i < rule->times.count; i++) {
        if (policy_time_open(&w[i], m->moment)) {
            return true;
        }
    }
    return false;
}

bool
policy_match_port(const struct policy_match *m, const struct image_rule *rule)
{
    if ((rule->has & IMAGE_HAS_PORT) == 0) {
        return true;
    }
    const struct image_ports *r = FIRST(m, rule->ports, struct image_ports);
    for (uint32_t i = 0; i < rule->ports.count; i++) {
        if (m->query->port >= r[i].low && m->query->port <= r[i].high) {
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

/* Numbers before lists, lists of numbers before texts. */
bool
policy_match_session(const struct policy_match *m, const struct image_rule *rule)
{
    return policy_match_command(m, rule) && policy_match_protection(m, rule) &&
           policy_match_client(m, rule) && policy_match_method(m, rule) &&
           policy_match_group(m, rule) && policy_match_time(m, rule) && policy_match_user(m, rule);
}

bool
policy_match_source(const struct policy_match *m, const struct image_rule *rule)
{
    return policy_match_port(m, rule) && policy_match_session(m, rule);
}

const struct image_set *
policy_match_set(const struct image *image, const struct image_rule *rule, uint32_t i)
{
    return image_set(image, *IMAGE_AT(image, rule->sets, uint32_t, i));
}

bool
policy_match_any_address(const struct policy_match *m, const struct image_rule *rule)
{
    if ((rule->has & IMAGE_HAS_DESTINATION) == 0 ||
        match_globs(m, rule->names, m->query->name, m->name_len)) {
        return true;
    }
    for (uint32_t i = 0; i < rule->sets.count; i++) {
        if (image_set_has_name(m->image, policy_match_set(m->image, rule, i), m->query->name)) {
            return true;
        }
    }
    return false;
}

bool
policy_match_address(const struct policy_match *m, const struct image_rule *rule)
{
    struct addr_prefix found;
    if (match_prefixes(m, rule->prefixes, &m->address)) {
        return true;
    }
    for (uint32_t i = 0; i < rule->sets.count; i++) {
        if (image_set_shortest(
                m->image, policy_match_set(m->image, rule, i), &m->destination, &found)) {
            return true;
        }
    }
    return false;
}

/* Lists last: a look-up costs more than a few globs and prefixes. */
bool
policy_match_destination(const struct policy_match *m, const struct image_rule *rule)
{
    return (rule->has & IMAGE_HAS_DESTINATION) == 0 ||
           match_prefixes(m, rule->prefixes, &m->address) || policy_match_any_address(m, rule) ||
           (rule->sets.count > 0 && policy_match_address(m, rule));
}

uint32_t
policy_match_first(const struct policy_match *m)
{
    const struct image_list list = image_header(m->image)->rules;
    const struct image_rule *rules = FIRST(m, list, struct image_rule);
    for (uint32_t i = 0; i < list.count; i++) {
        if (policy_match_source(m, &rules[i]) && policy_match_destination(m, &rules[i])) {
            return i;
        }
    }
    return POLICY_NO_RULE;
}

/* One of the rule's prefixes holds the address and lies inside the special range. Of a list's prefixes
   that hold it the longest is inside all the others. */
static bool
match_opens(const struct policy_match *m, const struct image_rule *rule, const struct addr_prefix *range)
{
    struct addr_prefix longest;
    const struct image_prefix *p = FIRST(m, rule->prefixes, struct image_prefix);
    for (uint32_t i = 0; i < rule->prefixes.count; i++) {
        if (match_prefix(&p[i].prefix, &m->address) && addr_prefix_within(&p[i].prefix, range)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < rule->sets.count; i++) {
        if (image_set_longest(
                m->image, policy_match_set(m->image, rule, i), &m->destination, &longest) &&
            addr_prefix_within(&longest, range)) {
            return true;
        }
    }
    return false;
}

const char *
policy_match_special(
    const struct policy_match *m, const struct image_rule *rule, const struct policy_own *own)
{
    struct addr_prefix range;
    /* The ranges first: they govern also those addresses of the host that lie in them (loopback). */
    const char *what = addr_special(&m->destination, &range);
    if (what == NULL) {
        what = policy_own_range(own, &m->destination, &range) ? "own-address" : NULL;
    }
    return what == NULL || match_opens(m, rule, &range) ? NULL : what;
}
