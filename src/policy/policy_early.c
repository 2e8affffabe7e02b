/* SPDX-License-Identifier: ISC */
/*
 * Whether a request can be refused before its address is known, or before anything of its destination
 * is: only when every one would be. Serves the session's decide phase, BIND for anybody and UDP
 * associations. Pure; nothing fails.
 *
 * A rule that allows can be reached by an address that it matches, that no rule before it refuses,
 * and that is no special destination (or one that the rule's own prefix opens). For each such rule
 * the search walks from the first address of each range it matches, from one refused stretch to the
 * next: the first address in no such stretch is the answer. Ranges rarely begin refused, so the walk
 * is short; where somebody has made it long it gives up and lets the name be resolved, which costs a
 * look-up and no safety: every address is judged again.
 */
#include <string.h>

#include "src/policy/policy_match.h"

#define EARLY_STEPS_MAX 4096U
#define EARLY_LIST_WORK 16U    /* a list costs as much as so many prefixes */
#define EARLY_WORK_MAX 100000U /* rules and prefixes looked at: a millisecond */

struct early {
    const struct image *image;
    const struct policy_query *query;
    bool open;     /* neither name nor port is known; the query has none */
    struct policy_match match;
    uint32_t rule; /* the rule that allows */
    unsigned steps;
    unsigned work;
};

/* --- which rules can speak of the query: with open, in doubt one that allows can and one that refuses
   cannot ------------------------------------------------------------------------------------------ */

/* It speaks of some of what is still unknown. */
static bool
early_speaks(const struct early *e, const struct image_rule *rule)
{
    return e->open ? policy_match_session(&e->match, rule) : policy_match_source(&e->match, rule);
}

/* It speaks of every port there may be. */
static bool
early_speaks_surely(const struct early *e, const struct image_rule *rule)
{
    return early_speaks(e, rule) && (!e->open || (rule->has & IMAGE_HAS_PORT) == 0);
}

/* Its globs or its lists have names. */
static bool
early_names(const struct early *e, const struct image_rule *rule)
{
    bool names = rule->names.count > 0;
    for (uint32_t i = 0; !names && i < rule->sets.count; i++) {
        names = policy_match_set(e->image, rule, i)->slots.count > 0;
    }
    return names;
}

/* It matches some name, or the name, whatever the address is. */
static bool
early_any_address(const struct early *e, const struct image_rule *rule)
{
    return policy_match_any_address(&e->match, rule) || (e->open && early_names(e, rule));
}

/* It matches whatever may still come: no later rule is reached. */
static bool
early_everything(const struct early *e, const struct image_rule *rule)
{
    return e->open ? (rule->has & (IMAGE_HAS_PORT | IMAGE_HAS_DESTINATION)) == 0
                   : early_any_address(e, rule);
}

/* --- the walk ------------------------------------------------------------------------------------ */

static unsigned
early_bits(uint8_t family)
{
    return family == ADDR_IPV4 ? 32 : 128;
}

static struct addr
early_first(const struct addr_prefix *p)
{
    return p->family == ADDR_IPV4 ? addr_ipv4(p->ip, 0) : addr_ipv6(p->ip, 0);
}

/* The first address behind the prefix. False when there is none. */
static bool
early_behind(const struct addr_prefix *p, struct addr *next)
{
    *next = early_first(p);
    for (unsigned i = p->bits; i > 0; i--) {
        const uint8_t bit = (uint8_t)(0x80U >> ((i - 1) % 8));
        uint8_t *octet = &next->ip[(i - 1) / 8];
        *octet = (uint8_t)(*octet ^ bit);
        if ((*octet & bit) != 0) {
            return true; /* no carry */
        }
    }
    return false;
}

static void
early_wider(const struct addr_prefix *p, struct addr_prefix *widest, bool *found)
{
    if (!*found || p->bits < widest->bits) {
        *widest = *p;
        *found = true;
    }
}

/* The widest prefix of the rule's destinations that holds a. */
static void
early_widest(const struct early *e, const struct image_rule *rule, const struct addr *a,
    struct addr_prefix *widest, bool *found)
{
    struct addr_prefix of_list;
    for (uint32_t i = 0; i < rule->prefixes.count; i++) {
        const struct addr_prefix *p =
            &IMAGE_AT(e->image, rule->prefixes, struct image_prefix, i)->prefix;
        if (addr_prefix_contains(p, a)) {
            early_wider(p, widest, found);
        }
    }
    for (uint32_t i = 0; i < rule->sets.count; i++) {
        if (image_set_shortest(e->image, policy_match_set(e->image, rule, i), a, &of_list)) {
            early_wider(&of_list, widest, found);
        }
    }
}

/* True when a rule before ours takes a (they all refuse; see early_refused); *stretch holds a. */
static bool
early_taken(struct early *e, const struct addr *a, struct addr_prefix *stretch)
{
    bool found = false;
    for (uint32_t i = 0; i < e->rule; i++) {
        const struct image_rule *rule = image_rule(e->image, i);
        e->work++;
        if (rule->prefixes.count + rule->sets.count > 0 && early_speaks_surely(e, rule)) {
            e->work += rule->prefixes.count + EARLY_LIST_WORK * rule->sets.count;
            early_widest(e, rule, a, stretch, &found);
        }
    }
    return found;
}

/* True when a is a special destination that range does not open; *stretch holds a. */
static bool
early_special(const struct addr_prefix *range, const struct addr *a, struct addr_prefix *stretch)
{
    return addr_special(a, stretch) != NULL &&
           (range == NULL || !addr_prefix_within(range, stretch));
}

/* The addresses no query has: those of the IPv4-mapped form are judged as IPv4. */
static bool
early_mapped(const struct addr *a, struct addr_prefix *stretch)
{
    static const struct addr_prefix mapped = { ADDR_IPV6, 96, { 0, 0 },
        { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff } };
    const struct addr plain = addr_unmap(a);
    *stretch = mapped;
    return plain.family != a->family;
}

/* True when some address of within is allowed. opens: what the rule wrote, or NULL for "any". */
static bool
early_reaches(struct early *e, const struct addr_prefix *within, const struct addr_prefix *opens)
{
    struct addr a = early_first(within);
    struct addr_prefix stretch;
    for (;;) {
        if (++e->steps > EARLY_STEPS_MAX || e->work > EARLY_WORK_MAX) {
            return true;
        }
        if (!early_mapped(&a, &stretch) && !early_taken(e, &a, &stretch) &&
            !early_special(opens, &a, &stretch)) {
            return true;
        }
        if (stretch.bits <= within->bits || !early_behind(&stretch, &a)) {
            return false; /* it reaches to the end of within, or beyond */
        }
        struct addr_prefix at = { .family = a.family, .bits = (uint8_t)early_bits(a.family) };
        memcpy(at.ip, a.ip, sizeof(at.ip));
        if (!addr_prefix_within(&at, within)) {
            return false;
        }
    }
}

/* True when some address of a list is allowed, or when it is too long to tell. */
static bool
early_list_allows(struct early *e, const struct image_set *set)
{
    struct addr_prefix p;
    enum image_set_next next;
    uint32_t at = 0;
    while ((next = image_set_next(e->image, set, &at, &p)) != IMAGE_SET_END) {
        e->work += EARLY_LIST_WORK;
        if (e->work > EARLY_WORK_MAX || (next == IMAGE_SET_PREFIX && early_reaches(e, &p, &p))) {
            return true;
        }
    }
    return false;
}

/* True when some address is allowed by the rule e->rule. always: it matches every address. */
static bool
early_allows(struct early *e, const struct image_rule *rule, bool always)
{
    static const struct addr_prefix everything[] = { { .family = ADDR_IPV4 },
        { .family = ADDR_IPV6 } };
    for (uint32_t i = 0; i < rule->prefixes.count; i++) {
        const struct addr_prefix *p =
            &IMAGE_AT(e->image, rule->prefixes, struct image_prefix, i)->prefix;
        if (early_reaches(e, p, p)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < rule->sets.count; i++) {
        if (early_list_allows(e, policy_match_set(e->image, rule, i))) {
            return true;
        }
    }
    return always &&
           (early_reaches(e, &everything[0], NULL) || early_reaches(e, &everything[1], NULL));
}

/* The refusal that a rule is for, or no rule. */
static void
early_blame(const struct early *e, uint32_t rule, struct policy_verdict *out)
{
    *out = (struct policy_verdict){ .rule = rule, .reason = "no-rule" };
    if (rule != POLICY_NO_RULE) {
        out->reason = "rule";
        out->detail = policy_match_lacks(image_rule(e->image, rule), e->query);
    }
}

/* True when no rule allows anything that may still come; *out is the refusal. */
static bool
early_refuses(struct early *e, struct policy_verdict *out)
{
    const uint32_t count = image_header(e->image)->rules.count;
    uint32_t refuses = POLICY_NO_RULE; /* the first rule met that refuses something */
    uint32_t lacks = POLICY_NO_RULE;   /* the first one that allows, but not this */
    for (e->rule = 0; e->rule < count; e->rule++) {
        const struct image_rule *rule = image_rule(e->image, e->rule);
        if (!early_speaks(e, rule)) {
            continue;
        }
        const bool allows = policy_match_allows(rule, e->query);
        if (allows && early_allows(e, rule, early_any_address(e, rule))) {
            return false;
        }
        if (!allows && refuses == POLICY_NO_RULE) {
            refuses = e->rule;
        }
        if (policy_match_lacks(rule, e->query) != NULL && lacks == POLICY_NO_RULE) {
            lacks = e->rule;
        }
        if (early_everything(e, rule)) {
            /* A rule that would allow anything is out of reach only behind one that refuses. */
            early_blame(e, allows ? refuses : e->rule, out);
            return true;
        }
    }
    early_blame(e, lacks, out);
    return true;
}

bool
policy_refuses_any(
    const struct image *image, const struct policy_query *query, struct policy_verdict *out)
{
    struct early e = { .image = image, .query = query };
    policy_match_init(&e.match, image, query);
    return early_refuses(&e, out);
}

bool
policy_refuses_udp(
    const struct image *image, const struct policy_query *query, struct policy_verdict *out)
{
    const struct policy_query any = {
        .client = query->client,
        .user = query->user,
        .groups = query->groups,
        .when = query->when,
        .method = query->method,
        .protection = query->protection,
        .command = IMAGE_COMMAND_UDP,
    };
    struct early e = { .image = image, .query = &any, .open = true };
    policy_match_init(&e.match, image, &any);
    return early_refuses(&e, out);
}
