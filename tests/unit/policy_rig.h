/* SPDX-License-Identifier: ISC */
/* Questions to the policy, written short, and the verdicts they must bring. */
#ifndef SP_TESTS_UNIT_POLICY_RIG_H
#define SP_TESTS_UNIT_POLICY_RIG_H

#include "tests/unit/config_rig.h"

#include "src/policy/policy.h"

#define POLICY_HEAD                                                                                \
    "methods = { \"none\", \"userpass\", \"testseal\" }\nlisten \"127.0.0.1:0\" { }\n"

/* One question, written short; zero means the usual. */
struct policy_question {
    const char *client; /* 10.0.0.1 */
    const char *user;
    unsigned method;
    unsigned command; /* connect */
    const char *name;
    const char *address;
    unsigned port; /* 443 */
    unsigned protection;
    bool bind_any;
};

struct policy_row {
    struct policy_question q;
    const char *verdict; /* "RULE" when it allowed, else "-RULE:reason" and ":detail" */
};

/* An address; NULL is none. */
struct addr policy_rig_ip(const char *text);
/* The table of these addresses, sorted; NULL ends them. */
struct policy_own policy_rig_own(const char *const *texts);
/* Judges every row under the rules, with POLICY_HEAD before them. */
void policy_rig_rows(const char *rules, const struct policy_own *own, const struct policy_row *rows,
    size_t count);

#define CHECK(rules, own, ...)                                                                     \
    do {                                                                                           \
        const struct policy_row rows_[] = { __VA_ARGS__ };                                         \
        policy_rig_rows(rules, own, rows_, SP_COUNT(rows_));                                       \
    } while (0)

#endif
