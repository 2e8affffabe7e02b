/* SPDX-License-Identifier: ISC */
/* src/config/config_cover.c, config_cover_rule.c: which rules can never match. What is warned of is true:
   the judge itself is asked. */
#include "tests/unit/config_rig.h"

#include <stdio.h>

#include "src/policy/policy.h"

#define HEAD "listen \"127.0.0.1:0\" { methods = { \"none\", \"testpriv\" } }\n"

/* Two rules with these conditions; whether the second one gets the warning, which names both. */
static bool
covers(const char *earlier, const char *later)
{
    static const char wanted[] =
        "main.conf:5: rule \"two\": warning: it never matches: rule \"one\" (main.conf:2) stands before "
        "it and matches all that it would\n";
    struct rig r;
    char text[2048];
    const int n = snprintf(text, sizeof(text),
        HEAD "rule \"one\" { action = allow\n %s\n}\nrule \"two\" { action = deny %s }\n", earlier, later);
    assert_in_range(n, 1, sizeof(text) - 1);
    rig_init(&r, text);
    r.source.later = true;
    rig_file(&r, "/a", "x.example\n", 10);
    rig_file(&r, "/b", "x.example\n", 10);
    rig_compile(&r);
    const bool found = r.text[0] != '\0';
    if (r.image == NULL || (found && strcmp(r.text, wanted) != 0)) {
        fail_msg("%s\n%s", text, r.text);
    }
    rig_free(&r);
    return found;
}

struct pair {
    const char *earlier;
    const char *later;
};

static const struct pair covered[] = {
    { "", "" },
    { "", "user = \"x\" port = 80 destination = \"*.x\"" },
    { "client = \"10.0.0.0/8\"", "client = { \"10.1.0.0/16\", \"10.2.3.4\" }" },
    { "client = { \"::/0\", \"0.0.0.0/0\" }", "client = { \"10.1.0.0/16\", \"fd00::1\" }" },
    { "user = \"*\"", "user = { \"a\", \"b*\" }" },
    { "user = { \"x\", \"*@EXAMPLE.COM\" }", "user = \"a*@EXAMPLE.COM\"" },
    { "user = \"a?c\"", "user = \"abc\"" },
    { "user = \"a?c\"", "user = \"a?c\"" },
    { "user = \"a?\"", "user = \"a?\"" },
    { "user = \"build-*\"", "user = \"build-?-*\"" },
    { "group = { \"a\", \"b\" }", "group = \"b\"" },
    { "method = { \"none\", \"testpriv\" }", "method = \"testpriv\"" },
    { "protection = \"integrity\"", "protection = \"confidentiality\"" },
    { "protection = \"none\"", "protection = \"integrity\"" },
    { "command = { \"connect\", \"udp\" }", "command = \"udp\"" },
    { "command = { \"connect\", \"udp\", \"bind\" }", "" },
    { "port = { \"80\", \"8000-8999\" }", "port = { \"8080\", \"8000-8999\", \"80\" }" },
    { "time = \"Mon-Fri 07:00-20:00\"", "time = \"Tue 8-20\"" },
    { "time = \"22:00-06:00\"", "time = { \"23:00-5:00\", \"Sat 1-6\", \"Sun 22:00-24:00\" }" },
    { "time = \"Fri 22:00-06:00\"", "time = \"Sat 0-6\"" },
    { "time = \"Sat 22:00-06:00\"", "time = \"Sun 1-2\"" },
    { "time = \"00:00-24:00\"", "time = \"Fri 22:00-06:00\"" },
    { "destination = \"*.example.com\"", "destination = { \"a.example.com\", \"*.b.example.com\" }" },
    { "destination = { \"*\", \"10.0.0.0/8\" }", "destination = { \"10.2.0.0/16\", \"*.x\", \"y\" }" },
    { "destination = { \"@/a\", \"*\" }", "destination = { \"@/a\" }" },
    { "destination = { \"@/a\", \"@/b\" }", "destination = { \"@/b\", \"@/a\" }" },
    { "destination = \"::ffff:10.0.0.0/104\"", "destination = \"10.5.5.5\"" },
    { "destination = \"h*\"", "destination = \"host\"" },
    { "destination = \"a-long-name.of.some.host\"", "destination = \"a-long-name.of.some.host\"" },
    { "destination = \"*-name.of.some.host\"", "destination = \"*ng-name.of.some.host\"" },
    { "bandwidth = 1m", "bind-any = false" },
};

static const struct pair apart[] = {
    { "user = \"*\"", "" }, /* who has no user */
    { "user = \"*\"", "group = \"a\"" },
    { "client = \"10.1.0.0/16\"", "client = \"10.0.0.0/8\"" },
    { "client = \"10.0.0.0/8\"", "client = { \"10.0.0.1\", \"11.0.0.1\" }" },
    { "client = \"10.0.0.0/8\"", "client = \"::/0\"" },
    { "client = \"0.0.0.0/0\"", "" },
    { "user = \"a?c\"", "user = \"a*c\"" },
    { "user = \"a??c\"", "user = \"a*c\"" },
    { "user = \"*?\"", "user = \"*\"" },
    { "user = \"?*\"", "user = \"*\"" },
    { "user = \"abc\"", "user = \"a?c\"" },
    { "user = \"ABC\"", "user = \"abc\"" },
    { "user = \"*@EXAMPLE.COM\"", "user = { \"a@EXAMPLE.COM\", \"a@EXAMPLE.ORG\" }" },
    { "group = \"a\"", "group = { \"a\", \"b\" }" },
    { "group = \"a\"", "" },
    { "method = \"testpriv\"", "method = { \"none\", \"testpriv\" }" },
    { "method = { \"none\", \"testpriv\" }", "" },
    { "protection = \"confidentiality\"", "protection = \"integrity\"" },
    { "protection = \"integrity\"", "" },
    { "command = \"connect\"", "" },
    { "command = \"connect\"", "command = { \"connect\", \"bind\" }" },
    { "port = { \"1-100\", \"200-300\" }", "port = \"50-250\"" },
    { "port = \"1-65535\"", "" }, /* port 0 */
    { "time = \"Mon-Fri 07:00-20:00\"", "time = \"Mon-Fri 07:00-20:01\"" },
    { "time = \"Mon-Fri 07:00-20:00\"", "time = \"Fri-Sat 07:00-20:00\"" },
    { "time = \"Fri 22:00-06:00\"", "time = \"Fri 1-2\"" },
    { "time = \"Fri 22:00-06:00\"", "time = \"Fri 21:00-23:00\"" },
    { "time = \"22:00-06:00\"", "time = \"1-23\"" },
    { "time = \"Mon-Fri\"", "time = \"Fri 22:00-06:00\"" },
    { "destination = \"*.example.com\"", "destination = \"example.com\"" },
    { "destination = \"*.example.com\"", "destination = { \"a.example.com\", \"10.0.0.1\" }" },
    { "destination = \"*\"", "" }, /* an address without a name */
    { "destination = { \"*\", \"0.0.0.0/0\" }", "destination = \"@/a\"" },
    { "destination = \"@/a\"", "destination = \"@/b\"" },
    { "destination = \"0.0.0.0/0\"", "destination = \"10.0.0.0/8\" client = \"10.0.0.1\" command = bind }\n"
                                     "rule \"x\" { action = deny destination = \"fd00::/8\"" },
};

static void
test_pairs(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_COUNT(covered); i++) {
        if (!covers(covered[i].earlier, covered[i].later)) {
            fail_msg("not found: %s | %s", covered[i].earlier, covered[i].later);
        }
    }
    for (size_t i = 0; i + 1 < SP_COUNT(apart); i++) {
        if (covers(apart[i].earlier, apart[i].later)) {
            fail_msg("wrong: %s | %s", apart[i].earlier, apart[i].later);
        }
    }
    /* The second one is, the third one is not. */
    assert_true(covers(apart[SP_COUNT(apart) - 1].earlier, apart[SP_COUNT(apart) - 1].later));
}

/* --- against the judge --------------------------------------------------------------------------- */

struct text {
    char data[8192];
    size_t len;
};

static void SP_PRINTF(2, 3)
add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(t->data + t->len, sizeof(t->data) - t->len, fmt, ap);
    va_end(ap);
    assert_in_range(n, 0, sizeof(t->data) - t->len - 1);
    t->len += (size_t)n;
}

/* One or two of the choices, or no list. */
static void
add_list(struct text *t, struct unit_random *r, const char *key, const char *const *choices, size_t count)
{
    if (unit_random(r) % 3 != 0) {
        return;
    }
    add(t, " %s = { \"%s\"", key, choices[unit_random(r) % count]);
    if (unit_random(r) % 2 == 0) {
        add(t, ", \"%s\"", choices[unit_random(r) % count]);
    }
    add(t, " }\n");
}

static const char *const clients[] = { "0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "::/0", "fd00::/8" };
static const char *const users[] = { "*", "a*", "ab", "a?", "*b", "abc", "?b*" };
static const char *const groups[] = { "g", "h" };
static const char *const windows[] = { "Mon-Fri", "Fri 22:00-06:00", "00:00-24:00", "Sat 1-5",
    "20:00-8:00", "Sat-Mon 3-4", "Sun-Fri 21:00-23:00" };
static const char *const names[] = { "*", "*.x", "a.x", "*.a.x", "10.0.0.0/8", "10.1.0.0/16", "a?x.x" };
static const char *const ports[] = { "1-65535", "80", "80-90", "85" };

static void
random_config(struct text *t, struct unit_random *r, unsigned rules)
{
    t->len = 0;
    add(t, HEAD);
    for (unsigned i = 0; i < rules; i++) {
        add(t, "rule \"%u\" { action = %s\n", i, unit_random(r) % 2 ? "allow" : "deny");
        add_list(t, r, "client", clients, SP_COUNT(clients));
        add_list(t, r, "user", users, SP_COUNT(users));
        add_list(t, r, "group", groups, SP_COUNT(groups));
        add_list(t, r, "time", windows, SP_COUNT(windows));
        add_list(t, r, "destination", names, SP_COUNT(names));
        add_list(t, r, "port", ports, SP_COUNT(ports));
        if (unit_random(r) % 4 == 0) {
            add(t, " protection = %s\n", unit_random(r) % 2 ? "integrity" : "confidentiality");
        }
        if (unit_random(r) % 4 == 0) {
            add(t, " command = %s method = %s\n", unit_random(r) % 2 ? "connect" : "udp",
                unit_random(r) % 2 ? "none" : "testpriv");
        }
        add(t, "}\n");
    }
}

static struct addr
random_address(struct unit_random *r)
{
    static const char *const texts[] = { "10.1.2.3", "10.1.9.9", "10.7.7.7", "192.0.2.1", "fd00::1",
        "2001:db8::1" };
    struct addr a;
    assert_int_equal(addr_parse_ip(texts[unit_random(r) % SP_COUNT(texts)], &a), 0);
    return a;
}

static uint32_t
random_verdict(const struct image *image, struct unit_random *r)
{
    static const char *const who[] = { "a", "ab", "abc", "b", "xb", "" };
    static const char *const where[] = { "a.x", "b.a.x", "x", "abx.x", "c.d" };
    static const uint16_t numbers[] = { 0, 80, 85, 90, 443 };
    uint64_t bits[1] = { unit_random(r) % 4 };
    const bool user = unit_random(r) % 3 != 0;
    const struct policy_query query = {
        .client = random_address(r),
        .user = user ? who[unit_random(r) % SP_COUNT(who)] : NULL,
        .groups = user && unit_random(r) % 3 != 0 ? bits : NULL,
        .when = (int64_t)(UINT64_C(1800000000) + unit_random(r) % 1209600),
        .method = unit_random(r) % 2 ? 0 : 0x80,
        .protection = (uint32_t)(unit_random(r) % 3),
        .command = 1U << unit_random(r) % 3,
        .name = unit_random(r) % 3 ? where[unit_random(r) % SP_COUNT(where)] : NULL,
        .address = random_address(r),
        .port = numbers[unit_random(r) % SP_COUNT(numbers)],
    };
    return policy_judge(image, NULL, &query).rule;
}

static void
test_judge(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;
    struct text *t = malloc(sizeof(*t));
    unsigned warned = 0;
    (void)state;
    assert_non_null(t);
    for (unsigned i = 0; i < 1500; i++) {
        struct rig r;
        bool never[6] = { false };
        random_config(t, &random, SP_COUNT(never));
        rig_later(&r, t->data);
        for (unsigned j = 0; j < SP_COUNT(never); j++) {
            char wanted[64];
            snprintf(wanted, sizeof(wanted), "rule \"%u\": warning: it never matches", j);
            never[j] = strstr(r.text, wanted) != NULL;
            warned += never[j];
        }
        for (unsigned j = 0; j < 500; j++) {
            const uint32_t rule = random_verdict(r.image, &random);
            if (rule != POLICY_NO_RULE && never[rule]) {
                fail_msg("rule %u matched:\n%s\n%s", rule, t->data, r.text);
            }
        }
        rig_free(&r);
    }
    assert_in_range(warned, 500, 8000);
    free(t);
}

/* One rule that covers all: the first of the others are shown. */
static void
test_many(void **state)
{
    struct text *t = malloc(sizeof(*t));
    struct rig r;
    unsigned lines = 0;
    (void)state;
    assert_non_null(t);
    t->len = 0;
    add(t, HEAD "rule \"all\" { action = allow }\n");
    for (unsigned i = 0; i < 100; i++) {
        add(t, "rule \"%u\" { action = deny port = %u }\n", i, i + 1);
    }
    rig_good(&r, t->data);
    for (const char *at = r.text; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    assert_int_equal(lines, 21);
    assert_non_null(strstr(r.text, "further rules that an earlier one covers are not shown\n"));
    rig_free(&r);
    free(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
