/* SPDX-License-Identifier: ISC */
/* src/policy/policy_early.c: a name, and a BIND for anybody, is refused early exactly when every
   address would be; an association only when every destination would be. */
#include "tests/unit/config_rig.h"

#include <stdio.h>

#include "src/policy/policy.h"

#define HEAD                                                                                       \
    "methods = { \"none\", \"userpass\" }\nlisten \"127.0.0.1:0\" { }\n"

/* What random rules are made of: neighbours, nested ones, special ones, halves of everything. */
static const char *const pool[] = { "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "0.0.0.0/8",
    "1.0.0.0/8", "126.0.0.0/7", "127.0.0.0/8", "127.0.0.1", "0.0.0.0/32", "224.0.0.0/4",
    "224.0.0.0/3", "255.255.255.255", "169.254.0.0/16", "10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9",
    "192.0.2.0/31", "192.0.2.1", "::/0", "::/1", "8000::/1", "::/96", "::1", "::/128", "fe80::/10",
    "ff00::/8", "64:ff9b::/96", "64:ff9b::7f00:0/104", "64:ff9b:1::/48", "2002::/16",
    "2002:7f00::/24", "2001:db8::/32", "::fffe:0:0/95", "e000::/3" };

#define SAMPLES_MAX (SP_COUNT(pool) * 4 + 64)

struct samples {
    struct addr list[SAMPLES_MAX];
    size_t count;
};

/* a moved by one, up or down, in its family; it may wrap, which is an address too. */
static struct addr
moved(struct addr a, int by)
{
    for (int i = a.family == ADDR_IPV4 ? 3 : 15; i >= 0; i--) {
        a.ip[i] = (uint8_t)(a.ip[i] + by);
        if (a.ip[i] != (by > 0 ? 0 : 0xff)) {
            break;
        }
    }
    return a;
}

static void
sample(struct samples *s, struct addr a)
{
    assert_true(s->count < SAMPLES_MAX);
    s->list[s->count++] = addr_unmap(&a);
}

/* Both ends of a prefix and their neighbours outside. */
static void
sample_prefix(struct samples *s, const struct addr_prefix *p)
{
    const struct addr first = p->family == ADDR_IPV4 ? addr_ipv4(p->ip, 0) : addr_ipv6(p->ip, 0);
    struct addr last = first;
    for (unsigned i = p->bits; i < (p->family == ADDR_IPV4 ? 32U : 128U); i++) {
        last.ip[i / 8] = (uint8_t)(last.ip[i / 8] | 0x80U >> (i % 8));
    }
    sample(s, first);
    sample(s, last);
    sample(s, moved(first, -1));
    sample(s, moved(last, 1));
}

static void
sample_all(struct samples *s)
{
    static const char *const more[] = { "0.0.0.1", "1.0.0.0", "8.8.8.8", "128.0.0.0",
        "223.255.255.255", "240.0.0.0", "255.255.255.254", "192.0.2.0", "::2", "::8.8.8.8",
        "::ffff:8.8.8.8", "::fffe:ffff:ffff", "::1:0:0:0", "1::", "2001:db8::1", "64:ff9b::808:808",
        "64:ff9b:1::808:808", "2002:808:808::", "fec0::", "feff::", "c000::", "dfff::" };
    struct addr_prefix p;
    struct addr a;
    for (size_t i = 0; i < SP_COUNT(pool); i++) {
        assert_int_equal(addr_prefix_parse(pool[i], &p), 0);
        sample_prefix(s, &p);
    }
    for (size_t i = 0; i < SP_COUNT(more); i++) {
        assert_int_equal(addr_parse_ip(more[i], &a), 0);
        sample(s, a);
    }
}

static void
random_rule(struct unit_random *r, char *text, size_t size, unsigned number)
{
    size_t n = (size_t)snprintf(text, size, "rule \"%u\" { action = %s\n", number,
        unit_random(r) % 5 < 2 ? "allow" : "deny");
    if (unit_random(r) % 6 == 0) {
        n += (size_t)snprintf(text + n, size - n, " port = 25\n");
    }
    if (unit_random(r) % 6 == 0) {
        n += (size_t)snprintf(text + n, size - n, " user = \"bob\"\n");
    }
    if (unit_random(r) % 3 == 0) {
        n += (size_t)snprintf(text + n, size - n, " bind-any = true\n");
    }
    if (unit_random(r) % 6 == 0) {
        n += (size_t)snprintf(text + n, size - n, " command = { \"connect\", \"%s\" }\n",
            unit_random(r) % 2 == 0 ? "bind" : "udp");
    }
    if (unit_random(r) % 6 == 0) {
        n += (size_t)snprintf(text + n, size - n, " protection = \"%s\"\n",
            unit_random(r) % 2 == 0 ? "integrity" : "confidentiality");
    }
    if (unit_random(r) % 6 != 0) {
        n += (size_t)snprintf(text + n, size - n, " destination = {");
        for (unsigned i = 1 + unit_random(r) % 4; i > 0; i--) {
            const char *element = unit_random(r) % 7 == 0 ? "*.example"
                                                          : pool[unit_random(r) % SP_COUNT(pool)];
            n += (size_t)snprintf(text + n, size - n, " \"%s\",", element);
        }
        n += (size_t)snprintf(text + n, size - n, " }\n");
    }
    snprintf(text + n, size - n, "}\n");
}

static bool
any_allowed(const struct image *image, struct policy_query q, const struct samples *s)
{
    for (size_t i = 0; i < s->count; i++) {
        q.address = s->list[i];
        if (policy_judge(image, NULL, &q).allowed) {
            return true;
        }
    }
    return false;
}

/* Early queries, each different: 24 of CONNECT, 12 of BIND for anybody. */
#define QUERIES 36

static struct policy_query
early_query(unsigned i)
{
    struct policy_query q = { .method = 2, .command = IMAGE_COMMAND_CONNECT };
    q.client = addr_ipv4((const uint8_t[]){ 10, 0, 0, 1 }, 0);
    q.name = (i & 1) != 0 ? "a.example" : "b.test";
    q.port = (i & 2) != 0 ? 25 : 80;
    q.user = (i & 4) != 0 ? "bob" : NULL;
    q.protection = i / 8;
    if (i >= 24) {
        q.command = IMAGE_COMMAND_BIND;
        q.bind_any = true;
        q.name = NULL;
        q.port = (i & 1) != 0 ? 25 : 0;
        q.user = (i & 2) != 0 ? "bob" : NULL;
        q.protection = (i - 24) / 4;
    }
    return q;
}

static void
check_queries(const struct image *image, const struct samples *s, const char *text,
    unsigned counts[2])
{
    for (unsigned i = 0; i < QUERIES; i++) {
        struct policy_query q = early_query(i);
        struct policy_verdict v;
        const bool allowed = any_allowed(image, q, s);
        const bool refused = policy_refuses_any(image, &q, &v);
        if (allowed == refused) {
            fail_msg("query %u: some address allowed %d, refused early %d\n%s", i, allowed, refused,
                text);
        }
        assert_false(refused && v.allowed);
        if (refused) {
            assert_true((v.rule == POLICY_NO_RULE) == (strcmp(v.reason, "no-rule") == 0));
            assert_true(v.detail == NULL ||
                        (q.bind_any && image_rule(image, v.rule)->action == IMAGE_ALLOW &&
                            !image_rule(image, v.rule)->bind_any));
        }
        counts[refused]++;
    }
}

/* What an association might write to: any sampled address, as such or by a name, on some ports. */
static bool
any_datagram(const struct image *image, struct policy_query q, const struct samples *s)
{
    static const char *const names[] = { NULL, "a.example", "b.test" };
    for (size_t i = 0; i < SP_COUNT(names) * 2; i++) {
        q.name = names[i / 2];
        q.port = i % 2 == 0 ? 25 : 80;
        if (any_allowed(image, q, s)) {
            return true;
        }
    }
    return false;
}

static void
check_udp(const struct image *image, const struct samples *s, const char *text, unsigned counts[3])
{
    for (unsigned i = 0; i < 6; i++) {
        struct policy_query q = { .method = 2, .command = IMAGE_COMMAND_UDP, .protection = i / 2 };
        struct policy_verdict v;
        q.client = addr_ipv4((const uint8_t[]){ 10, 0, 0, 1 }, 0);
        q.user = i % 2 != 0 ? "bob" : NULL;
        const bool allowed = any_datagram(image, q, s);
        const bool refused = policy_refuses_udp(image, &q, &v);
        if (allowed && refused) {
            fail_msg("query %u: some datagram is allowed, the association is not\n%s", i, text);
        }
        counts[allowed ? 0 : refused ? 1 : 2]++;
    }
}

static void
test_random(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;
    struct samples *s = calloc(1, sizeof(*s));
    unsigned counts[2] = { 0, 0 };
    unsigned udp[3] = { 0, 0, 0 };
    (void)state;
    assert_non_null(s);
    sample_all(s);
    for (unsigned i = 0; i < 3000; i++) {
        char text[4096] = HEAD;
        struct rig r;
        const unsigned rules = 1 + (unsigned)(unit_random(&random) % 6);
        for (unsigned n = 0; n < rules; n++) {
            const size_t len = strlen(text);
            random_rule(&random, text + len, sizeof(text) - len, n);
        }
        rig_good(&r, text);
        check_queries(r.image, s, text, counts);
        check_udp(r.image, s, text, udp);
        rig_free(&r);
    }
    free(s);
    /* Both answers must have been at stake. */
    assert_true(counts[0] > 2000 && counts[1] > 2000);
    assert_true(udp[0] > 1000 && udp[1] > 1000);
    assert_true(udp[2] < udp[1] / 10); /* in doubt an association is let in; rarely */
}

struct row {
    const char *rules;
    const char *name;
    bool refused;
    const char *title;  /* of the rule that refuses */
    const char *reason;
};

static void
check_row(const struct row *row, uint32_t protection)
{
    char text[2048];
    struct rig r;
    struct policy_verdict v;
    struct policy_query q = { .command = IMAGE_COMMAND_CONNECT, .name = row->name, .port = 1,
        .protection = protection };
    q.client = addr_ipv4((const uint8_t[]){ 10, 0, 0, 1 }, 0);
    snprintf(text, sizeof(text), HEAD "%s\n", row->rules);
    rig_good(&r, text);
    assert_int_equal(policy_refuses_any(r.image, &q, &v), row->refused);
    if (row->refused) {
        assert_string_equal(policy_rule_title(r.image, v.rule), row->title);
        assert_string_equal(v.reason, row->reason);
    }
    rig_free(&r);
}

static void
test_rows(void **state)
{
    static const struct row rows[] = {
        { "", "x", true, "", "no-rule" },
        { "rule \"a\" { action = deny }", "x", true, "a", "rule" },
        { "rule \"a\" { action = allow }", "x", false, "", "" },
        { "rule \"a\" { action = deny destination = \"x\" } rule \"b\" { action = allow }", "x", true,
            "a", "rule" },
        { "rule \"a\" { action = deny destination = \"x\" } rule \"b\" { action = allow }", "y",
            false, "", "" },
        /* a deny by prefix that stands first beats the allow by name: only the address tells */
        { "rule \"a\" { action = deny destination = \"10.0.0.0/8\" }\n"
          "rule \"b\" { action = allow destination = \"*.x\" }", "a.x", false, "", "" },
        { "rule \"a\" { action = deny destination = { \"0.0.0.0/0\", \"::/0\" } }\n"
          "rule \"b\" { action = allow destination = \"*.x\" }", "a.x", true, "a",
            "rule" },
        { "rule \"a\" { action = allow destination = { \"192.0.2.0/24\" } }", "x", false, "", "" },
        { "rule \"a\" { action = deny destination = \"*\" }\n"
          "rule \"b\" { action = allow destination = \"192.0.2.0/24\" }", "x", true, "a", "rule" },
        { "rule \"a\" { action = allow destination = \"127.0.0.0/8\" }", "x", false, "", "" },
        { "rule \"a\" { action = allow destination = \"x\" client = \"192.0.2.9\" }", "x", true, "",
            "no-rule" },
    };
    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        check_row(&rows[i], IMAGE_PROTECTION_NONE);
    }
}

/* What the session has no protection for is refused before anybody resolves a name. */
static void
test_protection(void **state)
{
    static const char sealed[] = "rule \"a\" { action = allow protection = \"confidentiality\" }";
    static const char denied[] = "rule \"a\" { action = deny protection = \"integrity\" }\n"
                                 "rule \"b\" { action = allow }";
    (void)state;
    check_row(&(struct row){ sealed, "x", true, "", "no-rule" }, IMAGE_PROTECTION_NONE);
    check_row(&(struct row){ sealed, "x", true, "", "no-rule" }, IMAGE_PROTECTION_INTEGRITY);
    check_row(&(struct row){ sealed, "x", false, "", "" }, IMAGE_PROTECTION_CONFIDENTIALITY);
    check_row(&(struct row){ denied, "x", false, "", "" }, IMAGE_PROTECTION_NONE);
    check_row(&(struct row){ denied, "x", true, "a", "rule" }, IMAGE_PROTECTION_INTEGRITY);
    check_row(&(struct row){ denied, "x", true, "a", "rule" }, IMAGE_PROTECTION_CONFIDENTIALITY);
}

/* Refused stretches one behind the other: the walk passes hundreds, or gives up and says "resolve it";
   never the other way round. */
static void
long_walk(unsigned wide, unsigned bits, bool refused)
{
    char *text = malloc(200000);
    size_t n = 0;
    struct rig r;
    struct policy_verdict v;
    assert_non_null(text);
    n += (size_t)snprintf(text, 200000, "%srule \"d\" { action = deny destination = {", HEAD);
    for (unsigned i = 0; i < 256; i++) {
        n += (size_t)snprintf(text + n, 200000 - n, " \"%u.0.0.0/8\",", i);
    }
    for (unsigned i = 0; i < wide; i++) {
        n += (size_t)snprintf(text + n, 200000 - n, " \"%x::/%u\",", i * (65536 / wide), bits);
    }
    snprintf(text + n, 200000 - n, " } }\nrule \"a\" { action = allow }\n");
    rig_good(&r, text);
    const struct policy_query q = { .command = IMAGE_COMMAND_CONNECT, .name = "x", .port = 1,
        .client = addr_ipv4((const uint8_t[]){ 10, 0, 0, 1 }, 0) };
    assert_int_equal(policy_refuses_any(r.image, &q, &v), refused);
    rig_free(&r);
    free(text);
}

static void
test_long_walk(void **state)
{
    (void)state;
    long_walk(8, 3, true);
    long_walk(1024, 10, false);
}

/* --- BIND for anybody -------------------------------------------------------------------------- */

/* What the early look at q says: "" when it lets it through, else "RULE:reason" and ":detail". */
static const char *
early_verdict(const char *rules, const struct policy_query *q,
    bool (*look)(const struct image *, const struct policy_query *, struct policy_verdict *))
{
    static char out[160];
    char text[2048];
    struct rig r;
    struct policy_verdict v;
    snprintf(text, sizeof(text), HEAD "%s\n", rules);
    rig_good(&r, text);
    out[0] = '\0';
    if (look(r.image, q, &v)) {
        assert_false(v.allowed);
        snprintf(out, sizeof(out), "%s:%s%s%s", policy_rule_title(r.image, v.rule), v.reason,
            v.detail != NULL ? ":" : "", v.detail != NULL ? v.detail : "");
    }
    rig_free(&r);
    return out;
}

static void
test_bind_any(void **state)
{
    static const char *const rows[][2] = {
        { "", ":no-rule" },
        { "rule \"a\" { action = allow }", "a:rule:bind-any" },
        { "rule \"a\" { action = allow bind-any = true }", "" },
        { "rule \"a\" { action = allow command = \"connect\" bind-any = true }", ":no-rule" },
        { "rule \"a\" { action = deny } rule \"b\" { action = allow bind-any = true }", "a:rule" },
        { "rule \"a\" { action = allow } rule \"b\" { action = allow bind-any = true }",
            "a:rule:bind-any" },
        { "rule \"a\" { action = allow destination = \"192.0.2.0/24\" }", "a:rule:bind-any" },
        { "rule \"a\" { action = allow destination = \"192.0.2.0/24\" }\n"
          "rule \"b\" { action = allow bind-any = true }", "" },
        { "rule \"a\" { action = allow destination = \"192.0.2.0/24\" }\n"
          "rule \"b\" { action = allow bind-any = true destination = \"192.0.2.0/25\" }",
            "a:rule:bind-any" },
        { "rule \"a\" { action = allow destination = \"192.0.2.0/24\" }\n"
          "rule \"b\" { action = allow bind-any = true destination = \"192.0.0.0/16\" }", "" },
        /* a peer has no name */
        { "rule \"a\" { action = allow bind-any = true destination = \"*\" }", ":no-rule" },
        { "rule \"a\" { action = allow bind-any = true destination = \"127.0.0.0/8\" }", "" },
        { "rule \"a\" { action = allow bind-any = true port = 21 }", ":no-rule" },
    };
    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        const struct policy_query q = { .command = IMAGE_COMMAND_BIND, .bind_any = true,
            .client = addr_ipv4((const uint8_t[]){ 10, 0, 0, 1 }, 0) };
        const char *verdict = early_verdict(rows[i][0], &q, policy_refuses_any);
        if (strcmp(verdict, rows[i][1]) != 0) {
            fail_msg("row %zu: %s, wanted %s", i, verdict, rows[i][1]);
        }
    }
}

/* --- associations ------------------------------------------------------------------------------ */

static void
test_udp(void **state)
{
    static const char *const rows[][2] = {
        { "", ":no-rule" },
        { "rule \"a\" { action = allow command = { \"connect\", \"bind\" } }", ":no-rule" },
        { "rule \"a\" { action = allow }", "" },
        { "rule \"a\" { action = allow port = 53 }", "" },
        { "rule \"a\" { action = allow destination = \"*.x\" port = 53 }", "" },
        { "rule \"a\" { action = allow user = \"bob\" }", ":no-rule" },
        { "rule \"a\" { action = allow protection = \"integrity\" }", ":no-rule" },
        { "rule \"a\" { action = allow method = \"userpass\" }", ":no-rule" },
        { "rule \"a\" { action = deny } rule \"b\" { action = allow }", "a:rule" },
        { "rule \"a\" { action = deny port = 1-52 } rule \"b\" { action = allow }", "" },
        { "rule \"a\" { action = deny destination = \"*\" } rule \"b\" { action = allow }", "" },
        { "rule \"a\" { action = deny destination = { \"0.0.0.0/0\", \"::/0\" } }\n"
          "rule \"b\" { action = allow port = 53 }", ":no-rule" },
        { "rule \"a\" { action = deny destination = { \"0.0.0.0/0\", \"::/0\" } port = 1-65535 }\n"
          "rule \"b\" { action = allow port = 53 }", "" }, /* let in: in doubt */
        { "rule \"a\" { action = deny destination = { \"0.0.0.0/0\", \"::/0\" } }\n"
          "rule \"b\" { action = allow }", "a:rule" },
        { "rule \"a\" { action = allow destination = \"192.0.2.0/24\" port = 53 }", "" },
    };
    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        /* command, name and port are not looked at */
        const struct policy_query q = { .command = IMAGE_COMMAND_CONNECT, .name = "y", .port = 52,
            .client = addr_ipv4((const uint8_t[]){ 10, 0, 0, 1 }, 0) };
        const char *verdict = early_verdict(rows[i][0], &q, policy_refuses_udp);
        if (strcmp(verdict, rows[i][1]) != 0) {
            fail_msg("row %zu: %s, wanted %s", i, verdict, rows[i][1]);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_protection),
        cmocka_unit_test(test_long_walk),
        cmocka_unit_test(test_bind_any),
        cmocka_unit_test(test_udp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
