/* SPDX-License-Identifier: ISC */
/*
 * test: a table of expected verdicts against a policy, so that a team keeps its policy under test. Serves
 * ctl_main.c. A failed expectation is status 1, a table that cannot be read as one status 2; all lines are
 * looked at in either case.
 */
#include "src/ctl/ctl_policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct testing {
    const struct ctl_policy *policy;
    const char *file;
    unsigned line;
    bool verbose;
    unsigned passed, failed, bad;
};

/* FILE:LINE: text, to standard output for verdicts, to standard error for what is wrong with the table. */
static void
tell(const struct testing *t, FILE *out, const char *before, const char *text)
{
    ctl_print(out, t->file);
    fprintf(out, ":%u: %s", t->line, before);
    ctl_print(out, text);
    fputc('\n', out);
}

static void
judge(struct testing *t, const struct ctl_expectation *e, const struct policy_query *query)
{
    const struct image *image = t->policy->image;
    bool complete = true;
    struct policy_verdict v = policy_explain(image, t->policy->own, query, NULL, NULL, &complete);
    bool right = v.allowed == e->allow
        && (e->rule == NULL || strcmp(e->rule, policy_rule_title(image, v.rule)) == 0);
    char verdict[CTL_VERDICT_SIZE], text[3 * CTL_VERDICT_SIZE];

    ctl_verdict_text(image, &v, verdict, sizeof verdict);
    t->passed += right;
    t->failed += !right;
    if (right && t->verbose)
        tell(t, stdout, "", verdict);
    if (right && !complete && t->verbose)
        tell(t, stdout, "", "note: an address may change this; say one with address=");
    if (right)
        return;
    if (snprintf(text, sizeof text, "%s%s%.200s%s; it is %s", e->allow ? "allow" : "deny",
            e->rule == NULL ? "" : " by rule \"", e->rule == NULL ? "" : e->rule, e->rule == NULL ? "" : "\"",
            verdict) > 0)
        tell(t, stdout, "FAILED: expected is ", text);
}

static void
one_line(struct testing *t, char *line)
{
    struct ctl_expectation e;
    struct ctl_query query = { .groups = NULL };
    char error[CTL_QUESTION_ERROR] = "";
    int result = ctl_expectation_read(line, &e, error);

    if (result > 0 && ctl_query_make(t->policy->image, &e.question, &query, error) < 0)
        result = -1;
    if (result > 0)
        judge(t, &e, &query.q);
    ctl_query_free(&query);
    if (result >= 0)
        return;
    t->bad++;
    tell(t, stderr, "", error);
}

/* One line without its line feed, at most. -1: no more. A NUL in it ends it early: what follows is lost, so
   that line is bad. */
static void
all_lines(struct testing *t, FILE *f)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, f)) >= 0) {
        t->line++;
        if (len > 0 && line[len - 1] == '\n')
            line[--len] = '\0';
        if (len > 0 && line[len - 1] == '\r')
            line[--len] = '\0';
        if (strlen(line) != (size_t)len) {
            t->bad++;
            tell(t, stderr, "", "a NUL");
        } else {
            one_line(t, line);
        }
    }
    free(line);
}

static enum ctl_status
run(struct testing *t, FILE *f)
{
    all_lines(t, f);
    if (ferror(f) != 0)
        return ctl_fail(CTL_USAGE, "%s: %s", t->file, strerror(errno));
    if (t->passed + t->failed + t->bad == 0)
        return ctl_fail(CTL_USAGE, "%s: no expectation in it", t->file);
    printf("%u passed, %u failed", t->passed, t->failed);
    if (t->bad > 0)
        printf(", %u not understood", t->bad);
    putchar('\n');
    if (t->bad > 0)
        return CTL_USAGE;
    return t->failed > 0 ? CTL_FAILED : CTL_OK;
}

enum ctl_status
ctl_test(struct ctl *ctl, const struct ctl_given *given)
{
    struct testing t = { .file = given->operand, .verbose = ctl_flag(given, "verbose") };
    struct ctl_policy policy;
    FILE *f = fopen(t.file, "re");

    if (f == NULL)
        return ctl_fail(CTL_USAGE, "%s: %s", t.file, strerror(errno));
    enum ctl_status status = ctl_policy_open(ctl, ctl_value(given, "config"), &policy);

    t.policy = &policy;
    if (status == CTL_OK) {
        status = run(&t, f);
        ctl_policy_close(&policy);
    }
    (void)fclose(f);
    return status > CTL_FAILED ? status : ctl_judged(status);
}
