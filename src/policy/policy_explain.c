/* SPDX-License-Identifier: ISC */
/*
 * Why a verdict is what it is. Serves sallyportctl. The verdict comes from policy_judge() or, where no
 * address is known, from the early look and then from the rules that match by name. Pure; nothing fails.
 */
#include "src/policy/policy_explain.h"

#include <string.h>

#include "src/policy/policy_match.h"

/* In the order in which people read a rule; judging takes the cheap ones first. */
static const struct {
    const char *key;
    bool (*matches)(const struct policy_match *m, const struct image_rule *rule);
} explain_conditions[POLICY_CONDITIONS] = {
    [POLICY_MATCHES] = { "", NULL },
    [POLICY_CLIENT] = { "client", policy_match_client },
    [POLICY_USER] = { "user", policy_match_user },
    [POLICY_GROUP] = { "group", policy_match_group },
    [POLICY_METHOD] = { "method", policy_match_method },
    [POLICY_PROTECTION] = { "protection", policy_match_protection },
    [POLICY_COMMAND] = { "command", policy_match_command },
    [POLICY_TIME] = { "time", policy_match_time },
    [POLICY_PORT] = { "port", policy_match_port },
    [POLICY_DESTINATION] = { "destination", policy_match_destination },
    [POLICY_BIND_ANY] = { "bind-any", NULL },
};

const char *
policy_condition_key(enum policy_condition c)
{
    return c < POLICY_CONDITIONS ? explain_conditions[c].key : "";
}

/* The first condition that fails. Without an address only names match. */
static enum policy_condition
explain_rule(const struct policy_match *m, const struct image_rule *rule)
{
    for (unsigned c = POLICY_MATCHES + 1; c < POLICY_CONDITIONS; c++) {
        if (explain_conditions[c].matches != NULL && !explain_conditions[c].matches(m, rule)) {
            return (enum policy_condition)c;
        }
    }
    return policy_match_lacks(rule, m->query) != NULL ? POLICY_BIND_ANY : POLICY_MATCHES;
}

/* The first rule that matches the name whatever its address is. */
static struct policy_verdict
explain_by_name(const struct policy_match *m)
{
    const uint32_t count = image_header(m->image)->rules.count;
    for (uint32_t i = 0; i < count; i++) {
        const struct image_rule *rule = image_rule(m->image, i);
        if (policy_match_source(m, rule) && policy_match_any_address(m, rule)) {
            return (struct policy_verdict){ .allowed = policy_match_allows(rule, m->query),
                .rule = i,
                .reason = "rule",
                .detail = policy_match_lacks(rule, m->query) };
        }
    }
    return (struct policy_verdict){ .rule = POLICY_NO_RULE, .reason = "no-rule" };
}

static struct policy_verdict
explain_verdict(const struct policy_match *m, const struct policy_own *own, bool *complete)
{
    struct policy_verdict v;
    *complete = true;
    if (m->query->address.family != ADDR_NONE) {
        return policy_judge(m->image, own, m->query);
    }
    if (policy_refuses_any(m->image, m->query, &v)) {
        return v;
    }
    *complete = false;
    return explain_by_name(m);
}

struct policy_verdict
policy_explain(const struct image *image, const struct policy_own *own,
    const struct policy_query *query, void (*step)(void *ctx, const struct policy_step *step),
    void *ctx, bool *complete)
{
    const uint32_t count = image_header(image)->rules.count;
    struct policy_match m;
    policy_match_init(&m, image, query);
    const struct policy_verdict v = explain_verdict(&m, own, complete);
    for (uint32_t i = 0; step != NULL && i < count; i++) {
        struct policy_step s = { i, explain_rule(&m, image_rule(image, i)) };
        if (i == v.rule) {
            /* Refused whatever the address is, it decides though its prefixes know no name. */
            s.failed = v.detail != NULL && strcmp(v.detail, "bind-any") == 0 ? POLICY_BIND_ANY
                                                                              : POLICY_MATCHES;
        }
        step(ctx, &s);
        if (i == v.rule) {
            break;
        }
    }
    return v;
}
