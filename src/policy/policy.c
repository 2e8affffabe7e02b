/* SPDX-License-Identifier: ISC */
/*
 * The verdict: first rule that matches, then special destinations. Serves the session's decide phase
 * and every address it dials. Pure; nothing fails.
 */
#include "src/policy/policy.h"

#include <string.h>

#include "src/policy/policy_match.h"

static bool
judge_matches(
    const struct image *image, const struct image_rule *rule, const struct policy_query *query)
{
    return policy_match_source(image, rule, query) &&
           (policy_match_any_address(image, rule, query->name) ||
               policy_match_address(image, rule, &query->address));
}

struct policy_verdict
policy_judge(
    const struct image *image, const struct policy_own *own, const struct policy_query *query)
{
    struct policy_verdict v = { .rule = POLICY_NO_RULE, .reason = "no-rule" };
    const uint32_t count = image_header(image)->rules.count;
    if (query->address.family == ADDR_NONE) {
        return v; /* nothing is allowed before its address is known */
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct image_rule *rule = image_rule(image, i);
        if (judge_matches(image, rule, query)) {
            v.rule = i;
            v.reason = "rule";
            v.allowed = policy_match_allows(rule, query);
            v.detail = policy_match_lacks(rule, query);
            break;
        }
    }
    if (v.allowed) {
        v.detail = policy_match_special(image, image_rule(image, v.rule), own, &query->address);
    }
    if (v.allowed && v.detail != NULL) {
        v.allowed = false;
        v.reason = "special-destination";
    }
    return v;
}

bool
policy_method_useful(const struct image *image, const struct addr *client, uint8_t method,
    uint32_t protection)
{
    const struct image_module *module = image_module_by_method(image, method);
    const bool names_users = module != NULL && module->has_secret;
    const uint32_t count = image_header(image)->rules.count;
    for (uint32_t i = 0; i < count; i++) {
        const struct image_rule *rule = image_rule(image, i);
        const bool user = (rule->has & IMAGE_HAS_USER) != 0;
        if (!policy_match_client(image, rule, client) ||
            !policy_match_method(image, rule, method) || (user && !names_users) ||
            protection < rule->protection) {
            continue;
        }
        if (rule->action == IMAGE_ALLOW) {
            return true;
        }
        if ((rule->has & ~(IMAGE_HAS_CLIENT | IMAGE_HAS_METHOD)) == 0 &&
            rule->protection == IMAGE_PROTECTION_NONE) {
            return false; /* it refuses whatever is asked; later rules are out of reach */
        }
    }
    return false;
}

const char *
policy_rule_title(const struct image *image, uint32_t rule)
{
    if (rule >= image_header(image)->rules.count) {
        return "";
    }
    return image_string(image, image_rule(image, rule)->title);
}
