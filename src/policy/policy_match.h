/* SPDX-License-Identifier: ISC */
/*
 * What a rule's lists say about one query; shared by the files of src/policy. A policy_match holds what
 * all rules would otherwise work out again: every rule of ten thousand is looked at for each verdict.
 */
#ifndef SP_POLICY_MATCH_H
#define SP_POLICY_MATCH_H

#include <stddef.h>

#include "src/config/image_set.h"
#include "src/policy/policy.h"
#include "src/policy/policy_time.h"

/* An address as numbers, in host order; an IPv4 one in the upper half of the first. */
struct policy_ip {
    uint64_t ip[2];
    uint8_t family;
};

struct policy_match {
    const struct image *image;
    const uint8_t *base; /* of the image */
    const struct policy_query *query;
    struct addr destination;  /* the query's address, unmapped */
    struct policy_ip client, address;
    size_t user_len, name_len;
    struct policy_moment moment; /* the query's `when` on the image's clock */
};

/* Nobody outside the program calls these: they may be inlined. */
#pragma GCC visibility push(hidden)

/* The query and the image are borrows. */
void policy_match_init(struct policy_match *m, const struct image *image,
    const struct policy_query *query);

/* Client, user, groups, method, protection, command and time match: what a session is and when, not
   where it goes. */
bool policy_match_session(const struct policy_match *m, const struct image_rule *rule);
/* These and the port: everything but the destination. */
bool policy_match_source(const struct policy_match *m, const struct image_rule *rule);

/* Each of them alone. */
bool policy_match_client(const struct policy_match *m, const struct image_rule *rule);
bool policy_match_user(const struct policy_match *m, const struct image_rule *rule);
bool policy_match_group(const struct policy_match *m, const struct image_rule *rule);
bool policy_match_method(const struct policy_match *m, const struct image_rule *rule);
bool policy_match_protection(const struct policy_match *m, const struct image_rule *rule);
bool policy_match_command(const struct policy_match *m, const struct image_rule *rule);
bool policy_match_time(const struct policy_match *m, const struct image_rule *rule);
bool policy_match_port(const struct policy_match *m, const struct image_rule *rule);

/* A rule that matches allows the query, and why it does not though it allows others: "bind-any", or
   NULL. */
bool policy_match_allows(const struct image_rule *rule, const struct policy_query *query);
const char *policy_match_lacks(const struct image_rule *rule, const struct policy_query *query);

/* The rule matches whatever the address is: it has no destinations, or one of its globs or lists has the
   name. */
bool policy_match_any_address(const struct policy_match *m, const struct image_rule *rule);

/* One of the rule's destination prefixes, or of its lists', holds the address. */
bool policy_match_address(const struct policy_match *m, const struct image_rule *rule);

/* The destination matches by name or by address. */
bool policy_match_destination(const struct policy_match *m, const struct image_rule *rule);

/*
 * Why an address that the rule allows is a special destination that it does not open, or NULL. own
 * may be NULL.
 */
const char *policy_match_special(const struct policy_match *m, const struct image_rule *rule,
    const struct policy_own *own);

/* List i of a rule. */
const struct image_set *policy_match_set(const struct image *image, const struct image_rule *rule,
    uint32_t i);

/* The first rule that matches, or POLICY_NO_RULE. */
uint32_t policy_match_first(const struct policy_match *m);

#pragma GCC visibility pop

#endif
