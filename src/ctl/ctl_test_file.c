/* SPDX-License-Identifier: ISC */
/*
 * A line of a table of expectations: KEY=VALUE words with blanks between them, a value with blanks in double
 * quotes, in which a backslash stands before a quote or another; # begins a comment. Serves ctl_test.c.
 */
#include "src/ctl/ctl_policy.h"

#include <string.h>

/* The value in quotes that begins behind *at, its backslashes undone in place. NULL: it does not end. */
static char *
quoted(char **at)
{
    char *begin = *at + 1;
    char *to = begin;

    for (char *from = begin; *from != '\0'; from++) {
        if (*from == '"') {
            *at = from + 1;
            *to = '\0';
            return begin;
        }
        if (*from == '\\' && (from[1] == '"' || from[1] == '\\'))
            from++;
        *to++ = *from;
    }
    return NULL;
}

/* KEY=VALUE; *at goes behind it. */
static int
read_word(char **at, char **key, char **value, char error[CTL_QUESTION_ERROR])
{
    size_t len = strcspn(*at, "= \t");

    if (len == 0 || (*at)[len] != '=')
        return ctl_wrong(error, "\"%.*s\" is not KEY=VALUE", (int)(len > 60 ? 60 : len), *at);
    *key = *at;
    (*at)[len] = '\0';
    *at += len + 1;
    if (**at == '"') {
        *value = quoted(at);
        if (*value == NULL)
            return ctl_wrong(error, "%.40s: a quote that does not end", *key);
        if (**at != '\0' && **at != ' ' && **at != '\t')
            return ctl_wrong(error, "%.40s: something behind the quote", *key);
    } else {
        *value = *at;
        *at += strcspn(*at, " \t");
    }
    if (**at != '\0')
        *(*at)++ = '\0';
    return 0;
}

static int
store_expect(struct ctl_expectation *out, const char *value, char error[CTL_QUESTION_ERROR])
{
    out->allow = strcmp(value, "allow") == 0;
    if (!out->allow && strcmp(value, "deny") != 0)
        return ctl_wrong(error, "expect: \"%.40s\" is not allowed; allowed are \"allow\" and \"deny\"", value);
    return 0;
}

static int
store(struct ctl_expectation *out, const char *key, const char *value, bool *expects,
    char error[CTL_QUESTION_ERROR])
{
    struct ctl_question *q = &out->question;
    const struct {
        const char *key;
        const char **field;
    } rows[] = { { "client", &q->client }, { "user", &q->user }, { "method", &q->method },
        { "protection", &q->protection }, { "command", &q->command }, { "to", &q->to },
        { "address", &q->address }, { "when", &q->when }, { "rule", &out->rule } };

    if (strcmp(key, "expect") == 0) {
        if (*expects)
            return ctl_wrong(error, "expect comes twice");
        *expects = true;
        return store_expect(out, value, error);
    }
    if (strcmp(key, "group") == 0) {
        if (q->groups.count == CTL_LIST_MAX)
            return ctl_wrong(error, "more than %d groups", CTL_LIST_MAX);
        q->groups.values[q->groups.count++] = value;
        return 0;
    }
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        if (strcmp(rows[i].key, key) != 0)
            continue;
        if (*rows[i].field != NULL)
            return ctl_wrong(error, "%s comes twice", key);
        *rows[i].field = value;
        return 0;
    }
    return ctl_wrong(error, "unknown key \"%.40s\"; allowed are client, user, group, method, protection, command, "
        "to, address, when, expect and rule", key);
}

int
ctl_expectation_read(char *line, struct ctl_expectation *out, char error[CTL_QUESTION_ERROR])
{
    char *at = line + strspn(line, " \t");
    char *key = NULL;
    char *value = NULL;
    bool expects = false;

    memset(out, 0, sizeof *out);
    if (*at == '\0' || *at == '#')
        return 0;
    while (*at != '\0' && *at != '#') {
        if (read_word(&at, &key, &value, error) < 0 || store(out, key, value, &expects, error) < 0)
            return -1;
        at += strspn(at, " \t");
    }
    if (out->question.client == NULL || out->question.to == NULL || !expects)
        return ctl_wrong(error, "client, to and expect are needed");
    return 1;
}
