/* SPDX-License-Identifier: ISC */
/*
 * The rule language once more, slow and plain: rules made of rows of the pools below, and a verdict that
 * compares text with text. What src/policy says must be the same.
 */
#ifndef SP_TESTS_UNIT_POLICY_MODEL_H
#define SP_TESTS_UNIT_POLICY_MODEL_H

#include "tests/unit/config_rig.h"

#include "src/policy/policy_explain.h"

#define MODEL_RULES 8
#define MODEL_LISTS 3
#define MODEL_GROUPS 70

/* Which rows of a pool a rule has, a bit each; 0: the list is absent. */
struct model_rule {
    bool allow, bind_any;
    unsigned client, user, method, command, time, port, name, prefix, list;
    uint64_t group[2];
    uint32_t protection;
};

struct model {
    struct model_rule rules[MODEL_RULES];
    unsigned count;
    char text[16384];
};

struct model_query {
    struct policy_query q;
    char groups[1024]; /* as an identity has them */
    size_t groups_len;
    uint64_t in[2]; /* the groups of the pool it is in */
};

/* The files the rules name; call it for each rig. */
void model_lists(struct rig *r);
void model_random(struct model *m, struct unit_random *r);
void model_random_query(struct model_query *q, struct unit_random *r);

/* The first of the rule's conditions that fails, in the order of policy_explain.h. */
enum policy_condition model_failed(const struct model_rule *rule, const struct model_query *q);
struct policy_verdict model_judge(const struct model *m, const struct model_query *q);

/* Row i of the pools of destinations; NULL behind the last. */
const char *model_name(unsigned i);
const char *model_address(unsigned i);

#endif
