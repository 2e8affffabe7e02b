/* SPDX-License-Identifier: ISC */
/* What a policy decides: questions in words become queries of src/policy. Serves explain and test. */
#ifndef SP_CTL_CTL_POLICY_H
#define SP_CTL_CTL_POLICY_H

#include "lib/base/name.h"
#include "src/ctl/ctl_private.h"
#include "src/policy/policy_explain.h"

/* ---- the policy (ctl_policy.c) ---- */

struct ctl_policy {
    struct image *image;          /* owned */
    const struct policy_own *own; /* into own_list, or NULL: not known */
    struct policy_own own_list;
};

/* The one of file, compiled here (CTL_USAGE where it is wrong), or with file NULL the one in force at the
   gateway (CTL_UNJUDGED where it cannot be had). CTL_OK, or told. */
enum ctl_status ctl_policy_open(const struct ctl *ctl, const char *file, struct ctl_policy *out);
void ctl_policy_close(struct ctl_policy *policy);
/* The status of a verdict that was printed: CTL_UNJUDGED where it could not be. */
enum ctl_status ctl_judged(enum ctl_status verdict);

/* ---- questions (ctl_query.c) ---- */

#define CTL_QUESTION_ERROR 256

/* As written; what is NULL was not. */
struct ctl_question {
    const char *client, *user, *method, *protection, *command, *to, *when;
    const char *address; /* what the name in `to` resolves to */
    struct ctl_list groups;
};

/* A query and what it points to. Must not move. */
struct ctl_query {
    struct policy_query q;
    char name[NAME_SIZE];
    uint64_t *groups; /* owned */
};

/* Fills error; -1. */
int ctl_wrong(char error[CTL_QUESTION_ERROR], const char *fmt, ...) SP_PRINTF(2, 3);

/* 0, or -1 with error filled: what is wrong and what is allowed. */
int ctl_query_make(const struct image *image, const struct ctl_question *question, struct ctl_query *out,
    char error[CTL_QUESTION_ERROR]) SP_MUST_USE;
void ctl_query_free(struct ctl_query *query);

#define CTL_VERDICT_SIZE 256
/* "allowed by rule \"x\"", "denied: no rule matches", ... */
void ctl_verdict_text(const struct image *image, const struct policy_verdict *v, char *out, size_t size);

/* ---- a table of expectations (ctl_test_file.c) ---- */

struct ctl_expectation {
    struct ctl_question question;
    bool allow;
    const char *rule; /* NULL: any; "": that none decides */
};

/* Takes one line apart, in place: 1: *out points into it; 0: a comment or empty; -1 with error filled. */
int ctl_expectation_read(char *line, struct ctl_expectation *out, char error[CTL_QUESTION_ERROR])
    SP_MUST_USE;

#endif
