/* SPDX-License-Identifier: ISC */
/*
 * Why a verdict is what it is: for each rule up to the one that decides, the first condition that did not
 * match. Serves sallyportctl explain and test. The verdict is policy_judge()'s own, never a second
 * opinion. Pure; nothing fails.
 */
#ifndef SP_POLICY_EXPLAIN_H
#define SP_POLICY_EXPLAIN_H

#include "src/policy/policy.h"

enum policy_condition {
    POLICY_MATCHES, /* every condition of the rule */
    POLICY_CLIENT,
    POLICY_USER,
    POLICY_GROUP,
    POLICY_METHOD,
    POLICY_PROTECTION,
    POLICY_COMMAND,
    POLICY_TIME,
    POLICY_PORT,
    POLICY_DESTINATION,
    POLICY_BIND_ANY, /* it matches, and allows all but a BIND for anybody */
    POLICY_CONDITIONS
};

/* "client", "user", ...: the rule's key. */
const char *policy_condition_key(enum policy_condition c);

struct policy_step {
    uint32_t rule;
    enum policy_condition failed; /* the first one in the order above; POLICY_MATCHES: it decides */
};

/*
 * Calls step(), which may be NULL, for every rule in order, up to and with the one that decides, and returns
 * the verdict. The address is known, or, where the query has a name only, unknown: then a rule with prefixes
 * alone does not match, and *complete is false when an address could change the verdict.
 */
struct policy_verdict policy_explain(const struct image *image, const struct policy_own *own,
    const struct policy_query *query, void (*step)(void *ctx, const struct policy_step *step), void *ctx,
    bool *complete);

#endif
