/* SPDX-License-Identifier: ISC */
/* Questions to the policy; see policy_rig.h. */
#include "tests/unit/policy_rig.h"

#include <stdio.h>

#include "src/policy/policy_own.h"

struct addr
policy_rig_ip(const char *text)
{
    struct addr a = { .family = ADDR_NONE };
    if (text != NULL) {
        assert_int_equal(addr_parse_ip(text, &a), 0);
    }
    return a;
}

struct policy_own
policy_rig_own(const char *const *texts)
{
    struct policy_own own = { .count = 0 };
    for (size_t i = 0; texts[i] != NULL; i++) {
        own.list[own.count++] = policy_rig_ip(texts[i]);
    }
    policy_own_sort(&own);
    return own;
}

static struct policy_query
query_of(const struct policy_question *q)
{
    return (struct policy_query){
        .client = policy_rig_ip(q->client != NULL ? q->client : "10.0.0.1"),
        .user = q->user,
        .method = (uint8_t)q->method,
        .command = q->command != 0 ? q->command : IMAGE_COMMAND_CONNECT,
        .name = q->name,
        .address = policy_rig_ip(q->address),
        .port = (uint16_t)(q->port != 0 ? q->port : 443),
        .protection = q->protection,
        .bind_any = q->bind_any,
    };
}

/* "RULE" when it allowed, else "-RULE:reason" and ":detail". */
static void
judge(const struct image *image, const struct policy_own *own, const struct policy_question *q,
    char out[160])
{
    const struct policy_query query = query_of(q);
    const struct policy_verdict v = policy_judge(image, own, &query);
    const char *title = policy_rule_title(image, v.rule);
    if (v.allowed) {
        assert_string_equal(v.reason, "rule");
        assert_null(v.detail);
        assert_true(!q->bind_any || image_rule(image, v.rule)->bind_any);
        snprintf(out, 160, "%s", title);
    } else {
        snprintf(out, 160, "-%s:%s%s%s", title, v.reason, v.detail != NULL ? ":" : "",
            v.detail != NULL ? v.detail : "");
    }
}

void
policy_rig_rows(const char *rules, const struct policy_own *own, const struct policy_row *rows,
    size_t count)
{
    char text[8192];
    struct rig r;
    snprintf(text, sizeof(text), POLICY_HEAD "%s", rules);
    rig_good(&r, text);
    for (size_t i = 0; i < count; i++) {
        char verdict[160];
        judge(r.image, own, &rows[i].q, verdict);
        if (strcmp(verdict, rows[i].verdict) != 0) {
            fail_msg("row %zu: %s, wanted %s", i, verdict, rows[i].verdict);
        }
    }
    rig_free(&r);
}
