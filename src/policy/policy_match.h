/* SPDX-License-Identifier: ISC */
/* What a rule's lists say about one query; shared by the files of src/policy. */
#ifndef SP_POLICY_MATCH_H
#define SP_POLICY_MATCH_H

#include "src/policy/policy.h"

/* Client, user, method, protection and command match: what a session is, not where it goes. */
bool policy_match_session(const struct image *image, const struct image_rule *rule,
    const struct policy_query *query);
/* These and the port: everything but the destination. */
bool policy_match_source(const struct image *image, const struct image_rule *rule,
    const struct policy_query *query);

/* A rule that matches allows the query, and why it does not though it allows others: "bind-any", or
   NULL. */
bool policy_match_allows(const struct image_rule *rule, const struct policy_query *query);
const char *policy_match_lacks(const struct image_rule *rule, const struct policy_query *query);

bool policy_match_client(const struct image *image, const struct image_rule *rule,
    const struct addr *client);
bool policy_match_method(const struct image *image, const struct image_rule *rule, uint8_t method);

/* The rule matches whatever the address is: it has no destinations, or one of its globs matches. */
bool policy_match_any_address(const struct image *image, const struct image_rule *rule,
    const char *name);

/* One of the rule's destination prefixes holds the address. */
bool policy_match_address(const struct image *image, const struct image_rule *rule,
    const struct addr *address);

/*
 * Why an address that the rule allows is a special destination that it does not open, or NULL. own
 * may be NULL.
 */
const char *policy_match_special(const struct image *image, const struct image_rule *rule,
    const struct policy_own *own, const struct addr *address);

#endif
