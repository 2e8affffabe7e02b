/* SPDX-License-Identifier: ISC */
/* src/policy against a model of the whole rule language: the verdict, why it is so, what is refused before
   the address is known, and which methods are worth offering. */
#include "tests/unit/policy_model.h"

#include <stdio.h>
#include <time.h>

#define RULE_SETS 1500
#define QUERIES 60

struct steps {
    struct policy_step list[MODEL_RULES];
    unsigned count;
};

static void
keep_step(void *ctx, const struct policy_step *step)
{
    struct steps *s = ctx;
    assert_true(s->count < MODEL_RULES);
    s->list[s->count++] = *step;
}

static bool
same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same(const struct policy_verdict *a, const struct policy_verdict *b)
{
    return a->allowed == b->allowed && a->rule == b->rule && same_text(a->reason, b->reason) &&
           same_text(a->detail, b->detail);
}

static void
check_judge(const struct image *image, const struct model *m, const struct model_query *q)
{
    const struct policy_verdict want = model_judge(m, q);
    const struct policy_verdict v = policy_judge(image, NULL, &q->q);
    if (!same(&want, &v)) {
        fail_msg("rule %d, %d, %s; wanted rule %d, %d, %s; name %s when %lld\n%s", (int)v.rule, v.allowed,
            v.detail != NULL ? v.detail : "", (int)want.rule, want.allowed,
            want.detail != NULL ? want.detail : "", q->q.name != NULL ? q->q.name : "",
            (long long)q->q.when, m->text);
    }
}

/* Which rules the compiler says can never match. */
static unsigned
find_warned(const char *complaints, unsigned count, bool never[MODEL_RULES])
{
    unsigned found = 0;
    for (unsigned i = 0; i < count; i++) {
        char wanted[64];
        snprintf(wanted, sizeof(wanted), "rule \"%u\": warning: it never matches", i);
        never[i] = strstr(complaints, wanted) != NULL;
        found += never[i];
    }
    return found;
}

static void
check_warned(const struct image *image, const struct model *m, const struct model_query *q,
    const bool never[MODEL_RULES])
{
    const struct policy_verdict v = policy_judge(image, NULL, &q->q);
    if (v.rule != POLICY_NO_RULE && never[v.rule]) {
        fail_msg("rule %u decides, which never matches, it was said\n%s", (unsigned)v.rule, m->text);
    }
}

/* Every rule before the one that decides has the failed condition that the model sees. */
static void
check_explain(const struct image *image, const struct model *m, const struct model_query *q)
{
    const struct policy_verdict v = policy_judge(image, NULL, &q->q);
    struct steps s = { .count = 0 };
    bool complete = false;
    const struct policy_verdict w = policy_explain(image, NULL, &q->q, keep_step, &s, &complete);
    assert_true(same(&v, &w));
    assert_true(complete);
    assert_int_equal(s.count, v.rule == POLICY_NO_RULE ? m->count : v.rule + 1);
    for (unsigned i = 0; i < s.count; i++) {
        assert_int_equal(s.list[i].rule, i);
        assert_int_equal(s.list[i].failed, model_failed(&m->rules[i], q));
    }
}

/* True when some address of the pool is allowed. */
static bool
some_address(const struct image *image, struct policy_query q)
{
    const char *text;
    for (unsigned i = 0; (text = model_address(i)) != NULL; i++) {
        assert_int_equal(addr_parse_ip(text, &q.address), 0);
        if (policy_judge(image, NULL, &q).allowed) {
            return true;
        }
    }
    return false;
}

/* Without an address: never refused when some address is allowed; complete is the early look's word. */
static void
check_early(const struct image *image, const struct model *m, const struct model_query *query,
    unsigned counts[2])
{
    struct policy_query q = query->q;
    struct policy_verdict v = { .rule = 0 };
    struct steps s = { .count = 0 };
    bool complete = false;
    q.address = (struct addr){ .family = ADDR_NONE };
    if (q.bind_any) {
        q.name = NULL;
    }
    if (q.name == NULL && !q.bind_any) {
        return;
    }
    const bool refused = policy_refuses_any(image, &q, &v);
    if (refused && some_address(image, q)) {
        fail_msg("refused early, but some address is allowed\n%s", m->text);
    }
    const struct policy_verdict w = policy_explain(image, NULL, &q, keep_step, &s, &complete);
    assert_int_equal(complete, refused);
    assert_true(!refused || same(&v, &w));
    assert_true(!w.allowed || !refused);
    assert_int_equal(s.count, w.rule == POLICY_NO_RULE ? m->count : w.rule + 1);
    for (unsigned i = 0; i < s.count; i++) {
        const bool last = i == w.rule;
        assert_int_equal(last, s.list[i].failed == POLICY_MATCHES || s.list[i].failed == POLICY_BIND_ANY);
    }
    counts[refused]++;
}

/* An association is let in when some datagram is allowed, a method offered when some request is. */
static void
check_hopeless(const struct image *image, const struct model_query *query, unsigned counts[2])
{
    struct policy_query q = query->q;
    struct policy_verdict v;
    if (policy_judge(image, NULL, &q).allowed) {
        assert_true(policy_method_useful(image, &q.client, q.method, q.protection) ||
                    (q.method == 0 && (q.user != NULL || q.groups != NULL)) ||
                    q.method == IMAGE_METHOD_IDENT);
    }
    q.command = IMAGE_COMMAND_UDP;
    q.bind_any = false;
    const bool refused = policy_refuses_udp(image, &q, &v);
    for (unsigned i = 0; refused && (i == 0 || q.name != NULL); i++) {
        q.name = model_name(i);
        assert_false(some_address(image, q));
    }
    counts[refused]++;
}

static void
test_model(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;
    struct model *m = calloc(1, sizeof(*m));
    struct model_query *q = calloc(1, sizeof(*q));
    unsigned verdicts[2] = { 0, 0 };
    unsigned early[2] = { 0, 0 };
    unsigned udp[2] = { 0, 0 };
    bool never[MODEL_RULES];
    unsigned warned = 0;
    (void)state;
    assert_true(m != NULL && q != NULL);
    for (unsigned i = 0; i < RULE_SETS; i++) {
        uint64_t bits[2] = { 0, 0 };
        struct rig r;
        model_random(m, &random);
        rig_init(&r, m->text);
        r.source.later = true;
        model_lists(&r);
        rig_compile(&r);
        if (r.image == NULL) {
            fail_msg("%s\n%s", r.text, m->text);
        }
        assert_in_range(POLICY_GROUP_WORDS(r.image), 0, SP_COUNT(bits));
        warned += find_warned(r.text, m->count, never);
        for (unsigned n = 0; n < QUERIES; n++) {
            model_random_query(q, &random);
            policy_groups_of(r.image, q->groups, q->groups_len, bits);
            q->q.groups = unit_random(&random) % 4 == 0 && (q->in[0] | q->in[1]) == 0 ? NULL : bits;
            check_judge(r.image, m, q);
            check_warned(r.image, m, q, never);
            check_explain(r.image, m, q);
            check_early(r.image, m, q, early);
            check_hopeless(r.image, q, udp);
            verdicts[policy_judge(r.image, NULL, &q->q).allowed]++;
        }
        rig_free(&r);
    }
    free(q);
    free(m);
    /* Everything must have been at stake. */
    assert_true(verdicts[0] > 5000 && verdicts[1] > 5000);
    assert_true(warned > 500);
    assert_true(early[0] > 5000 && early[1] > 5000 && udp[0] > 5000 && udp[1] > 2000);
}

static void
test_keys(void **state)
{
    (void)state;
    assert_string_equal(policy_condition_key(POLICY_MATCHES), "");
    assert_string_equal(policy_condition_key(POLICY_CLIENT), "client");
    assert_string_equal(policy_condition_key(POLICY_DESTINATION), "destination");
    assert_string_equal(policy_condition_key(POLICY_BIND_ANY), "bind-any");
    assert_string_equal(policy_condition_key(POLICY_CONDITIONS), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_keys),
    };
    if (setenv("TZ", "Europe/Berlin", 1) != 0) {
        return EXIT_FAILURE;
    }
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
