/* SPDX-License-Identifier: ISC */
/*
 * The verdict: first rule that matches, then special destinations. Serves the session's decide phase
 * and every address it dials. Pure; nothing fails.
 */
#include "src/policy/policy.h"

#include "src/policy/policy_match.h"

struct policy_verdict
policy_judge(
    const struct image *image, const struct policy_own *own, const struct policy_query *query)
{
    struct policy_verdict v = { .rule = POLICY_NO_RULE, .reason = "no-rule" };
    struct policy_match m;
    if (query->address.family == ADDR_NONE) {
        return v; /* nothing is allowed before its address is known */
    }
    policy_match_init(&m, image, query);
    v.rule = policy_match_first(&m);
    if (v.rule == POLICY_NO_RULE) {
        return v;
    }
    const struct image_rule *rule = image_rule(image, v.rule);
    v.reason = "rule";
    v.allowed = policy_match_allows(rule, query);
    v.detail = v.allowed ? policy_match_special(&m, rule, own) : policy_match_lacks(rule, query);
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
    const struct policy_query query = { .client = *client, .method = method };
    const uint32_t count = image_header(image)->rules.count;
    struct policy_match m;
    policy_match_init(&m, image, &query);
    for (uint32_t i = 0; i < count; i++) {
        const struct image_rule *rule = image_rule(image, i);
        const bool user = (rule->has & (IMAGE_HAS_USER | IMAGE_HAS_GROUP)) != 0;
        if (!policy_match_client(&m, rule) || !policy_match_method(&m, rule) ||
            (user && !names_users) || protection < rule->protection) {
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
