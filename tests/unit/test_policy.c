/* SPDX-License-Identifier: ISC */
/* src/policy/policy.c, policy_match.c, policy_own.c: the verdict. */
#include "tests/unit/policy_rig.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>

#include "src/policy/policy_own.h"

static void
test_no_rule(void **state)
{
    (void)state;
    CHECK("", NULL, { { .address = "192.0.2.1" }, "-:no-rule" });
    CHECK("rule \"a\" { action = allow client = \"10.0.0.2\" }", NULL,
        { { .address = "192.0.2.1" }, "-:no-rule" });
    /* Nothing is allowed before its address is known. */
    CHECK("rule \"a\" { action = allow }", NULL, { { .name = "x.example" }, "-:no-rule" });
}

static void
test_first_match(void **state)
{
    (void)state;
    CHECK("rule \"a\" { action = deny port = 25 } rule \"b\" { action = allow }\n"
          "rule \"c\" { action = deny }",
        NULL, { { .address = "192.0.2.1", .port = 25 }, "-a:rule" },
        { { .address = "192.0.2.1", .port = 26 }, "b" });
}

static void
test_conditions(void **state)
{
    (void)state;
    CHECK("rule \"client\" { action = allow client = { \"10.1.0.0/16\", \"fd00::/8\" } }\n"
          "rule \"user\" { action = allow user = { \"*@X\", \"b?b\" } }\n"
          "rule \"method\" { action = allow method = \"userpass\" port = 1 }\n"
          "rule \"command\" { action = allow command = { \"udp\", \"bind\" } }\n"
          "rule \"port\" { action = allow port = { \"80\", \"8000-8999\" } }\n",
        NULL, { { .address = "192.0.2.1", .client = "10.1.255.255" }, "client" },
        { { .address = "192.0.2.1", .client = "fdff::1" }, "client" },
        { { .address = "192.0.2.1", .client = "fe00::1" }, "-:no-rule" },
        { { .address = "192.0.2.1", .user = "a@X" }, "user" },
        { { .address = "192.0.2.1", .user = "bob" }, "user" },
        { { .address = "192.0.2.1", .user = "a@x" }, "-:no-rule" }, /* case counts */
        { { .address = "192.0.2.1", .user = "" }, "-:no-rule" },
        { { .address = "192.0.2.1", .method = 2, .port = 1 }, "method" },
        { { .address = "192.0.2.1", .method = 0, .port = 1 }, "-:no-rule" },
        { { .address = "192.0.2.1", .command = IMAGE_COMMAND_UDP }, "command" },
        { { .address = "192.0.2.1", .command = IMAGE_COMMAND_BIND }, "command" },
        { { .address = "192.0.2.1", .port = 80 }, "port" },
        { { .address = "192.0.2.1", .port = 8000 }, "port" },
        { { .address = "192.0.2.1", .port = 8999 }, "port" },
        { { .address = "192.0.2.1", .port = 9000 }, "-:no-rule" });
}

/* A list of users never matches a session without one, whatever the glob. */
static void
test_no_user(void **state)
{
    (void)state;
    CHECK("rule \"a\" { action = deny user = { \"*\" } } rule \"b\" { action = allow }", NULL,
        { { .address = "192.0.2.1", .user = NULL }, "b" },
        { { .address = "192.0.2.1", .user = "x" }, "-a:rule" });
}

static void
test_destination(void **state)
{
    (void)state;
    CHECK("rule \"bad\" { action = deny destination = { \"203.0.113.0/24\" } }\n"
          "rule \"good\" { action = allow destination = { \"*.example.com\", \"198.51.100.0/24\", "
          "\"2001:db8::/32\" } }\n",
        NULL, { { .name = "a.b.example.com", .address = "192.0.2.1" }, "good" },
        { { .name = "example.com", .address = "192.0.2.1" }, "-:no-rule" },
        { { .name = "example.com", .address = "198.51.100.7" }, "good" },
        { { .name = "a.example.com", .address = "203.0.113.7" }, "-bad:rule" },
        { { .address = "198.51.100.7" }, "good" }, { { .address = "2001:db8::7" }, "good" },
        { { .address = "192.0.2.1" }, "-:no-rule" },
        { { .name = "a.example.com", .address = "2001:db9::1" }, "good" },
        /* the mapped form is the same address */
        { { .address = "::ffff:203.0.113.7" }, "-bad:rule" });
}

static void
test_special(void **state)
{
    static const char *const special[][2] = {
        { "127.0.0.1", "loopback" },
        { "127.255.255.255", "loopback" },
        { "::1", "loopback" },
        { "169.254.169.254", "link-local" },
        { "fe80::1", "link-local" },
        { "224.0.0.1", "multicast" },
        { "ff02::1", "multicast" },
        { "0.0.0.0", "unspecified" },
        { "::", "unspecified" },
        { "0.1.2.3", "this-network" },
        { "255.255.255.255", "broadcast" },
        { "::ffff:127.0.0.1", "loopback" },
        { "64:ff9b::7f00:1", "loopback" },
        { "2002:7f00:1::1", "loopback" },
    };
    (void)state;
    for (size_t i = 0; i < SP_COUNT(special); i++) {
        char wanted[96];
        snprintf(wanted, sizeof(wanted), "-a:special-destination:%s", special[i][1]);
        const struct policy_row rows[] = {
            { { .address = special[i][0] }, wanted },
            { { .address = special[i][0], .name = "x" }, wanted },
        };
        policy_rig_rows("rule \"a\" { action = allow }", NULL, rows, 2);
        policy_rig_rows("rule \"a\" { action = allow destination = { \"*\", \"0.0.0.0/0\", \"::/0\" "
                        "} }\nrule \"b\" { action = allow destination = { \"127.0.0.0/8\", \"::1\" } }",
            NULL, rows, 1); /* finally: a later rule does not open them */
        policy_rig_rows("rule \"a\" { action = allow destination = { \"x\", \"0.0.0.0/1\", "
                        "\"126.0.0.0/7\", \"::/1\", \"128.0.0.0/1\", \"8000::/1\" } }",
            NULL, rows + 1, 1);
    }
}

static void
test_special_opened(void **state)
{
    (void)state;
    CHECK("rule \"a\" { action = allow destination = { \"0.0.0.0/0\", \"127.0.0.0/8\", \"::1\", "
          "\"0.0.0.0/8\", \"64:ff9b::7f00:0/104\" } }",
        NULL, { { .address = "127.0.0.1" }, "a" }, { { .address = "127.9.9.9" }, "a" },
        { { .address = "::1" }, "a" }, { { .address = "0.1.2.3" }, "a" },
        { { .address = "64:ff9b::7f00:1" }, "a" },
        { { .address = "0.0.0.0" }, "-a:special-destination:unspecified" },
        { { .address = "169.254.1.1" }, "-a:special-destination:link-local" },
        { { .address = "192.0.2.1" }, "a" });
    CHECK("rule \"a\" { action = allow destination = { \"127.0.0.53\" } }", NULL,
        { { .address = "127.0.0.53" }, "a" }, { { .address = "127.0.0.54" }, "-:no-rule" });
    /* The built-in default's. */
    CHECK("rule \"try\" { action = allow client = { \"127.0.0.0/8\", \"::1\" } destination = "
          "{ \"*\", \"0.0.0.0/0\", \"::/0\", \"127.0.0.0/8\", \"::1\" } }",
        NULL, { { .client = "127.0.0.1", .address = "127.0.0.1", .name = "localhost" }, "try" },
        { { .client = "::1", .address = "::1" }, "try" },
        { { .client = "127.0.0.1", .address = "192.0.2.1" }, "try" });
}

static void
test_own(void **state)
{
    static const char *const mine[] = { "2001:db8::10", "192.0.2.10", "127.0.0.1", "fe80::10",
        "10.0.0.9", NULL };
    const struct policy_own own = policy_rig_own(mine);
    (void)state;
    CHECK("rule \"a\" { action = allow destination = { \"192.0.2.0/24\", \"2001:db8::/32\", "
          "\"2002::/16\", \"64:ff9b::/96\", \"x\" } }",
        &own, { { .address = "192.0.2.10" }, "-a:special-destination:own-address" },
        { { .address = "192.0.2.11" }, "a" },
        { { .address = "2001:db8::10" }, "-a:special-destination:own-address" },
        { { .address = "2001:db8::11" }, "a" },
        { { .address = "64:ff9b::192.0.2.10" }, "-a:special-destination:own-address" },
        { { .address = "64:ff9b::192.0.2.11" }, "a" },
        { { .address = "2002:c000:20a::1" }, "-a:special-destination:own-address" },
        { { .address = "::ffff:192.0.2.10" }, "-a:special-destination:own-address" },
        { { .address = "10.0.0.9", .name = "x" }, "-a:special-destination:own-address" });
    CHECK("rule \"a\" { action = allow destination = { \"0.0.0.0/0\", \"192.0.2.10/32\", "
          "\"2001:db8::10\", \"127.0.0.0/8\", \"fe80::/10\", \"2002:c000:20a::/48\" } }",
        &own, { { .address = "192.0.2.10" }, "a" }, { { .address = "2001:db8::10" }, "a" },
        { { .address = "127.0.0.1" }, "a" }, { { .address = "fe80::10" }, "a" },
        { { .address = "2002:c000:20a::9" }, "a" },
        { { .address = "10.0.0.9" }, "-a:special-destination:own-address" });
}

static void
test_own_read(void **state)
{
    struct policy_own own;
    struct addr_prefix range;
    const struct addr loopback = policy_rig_ip("127.0.0.1");
    const struct addr other = policy_rig_ip("192.0.2.254");
    struct ifaddrs *all = NULL;
    (void)state;
    assert_int_equal(policy_own_read(&own), 0);
    assert_int_equal(getifaddrs(&all), 0);
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        if (i->ifa_addr != NULL && i->ifa_addr->sa_family == AF_INET) {
            const struct addr a = addr_from_sockaddr(i->ifa_addr, sizeof(struct sockaddr_in));
            assert_true(policy_own_range(&own, &a, &range));
        }
    }
    freeifaddrs(all);
    assert_true(own.count == 0 || policy_own_range(&own, &loopback, &range));
    assert_false(policy_own_range(&own, &other, &range));
    assert_false(policy_own_range(NULL, &loopback, &range));
}

#define INTEGRITY IMAGE_PROTECTION_INTEGRITY
#define CONFIDENTIALITY IMAGE_PROTECTION_CONFIDENTIALITY

/* A rule's protection is the least: what has less passes it by, whatever the rule does. */
static void
test_protection(void **state)
{
    (void)state;
    CHECK("rule \"sealed\" { action = allow protection = \"confidentiality\" }\n"
          "rule \"whole\" { action = allow protection = \"integrity\" port = 80 }\n"
          "rule \"any\" { action = allow protection = \"none\" port = 81 }\n",
        NULL, { { .address = "192.0.2.1", .protection = CONFIDENTIALITY }, "sealed" },
        { { .address = "192.0.2.1", .protection = INTEGRITY }, "-:no-rule" },
        { { .address = "192.0.2.1" }, "-:no-rule" },
        { { .address = "192.0.2.1", .protection = CONFIDENTIALITY, .port = 80 }, "sealed" },
        { { .address = "192.0.2.1", .protection = INTEGRITY, .port = 80 }, "whole" },
        { { .address = "192.0.2.1", .port = 80 }, "-:no-rule" },
        { { .address = "192.0.2.1", .port = 81 }, "any" },
        /* an unprotected method never has it, also where the rule names it */
        { { .address = "192.0.2.1", .method = 2, .user = "bob" }, "-:no-rule" });
    CHECK("rule \"no\" { action = deny protection = \"integrity\" }\n"
          "rule \"rest\" { action = allow }\n",
        NULL, { { .address = "192.0.2.1", .protection = CONFIDENTIALITY }, "-no:rule" },
        { { .address = "192.0.2.1", .protection = INTEGRITY }, "-no:rule" },
        { { .address = "192.0.2.1" }, "rest" });
}

static bool
useful_with(const char *rules, const char *client, uint8_t method, uint32_t protection)
{
    char text[2048];
    struct rig r;
    const struct addr a = policy_rig_ip(client);
    snprintf(text, sizeof(text), POLICY_HEAD "%s", rules);
    rig_good(&r, text);
    const bool result = policy_method_useful(r.image, &a, method, protection);
    rig_free(&r);
    return result;
}

static bool
useful(const char *rules, const char *client, uint8_t method)
{
    return useful_with(rules, client, method, IMAGE_PROTECTION_NONE);
}

static void
test_method_useful(void **state)
{
    static const char rules[] =
        "rule \"a\" { action = deny client = \"10.9.0.0/16\" }\n"
        "rule \"b\" { action = deny method = \"none\" port = 25 }\n"
        "rule \"c\" { action = allow client = \"10.0.0.0/8\" method = \"userpass\" }\n"
        "rule \"d\" { action = allow client = \"192.0.2.0/24\" user = \"bob\" }\n"
        "rule \"e\" { action = allow client = \"198.51.100.0/24\" port = 1 }\n";
    (void)state;
    assert_false(useful("", "10.0.0.1", 0));
    assert_true(useful(rules, "10.0.0.1", 2));
    assert_false(useful(rules, "10.0.0.1", 0));
    assert_false(useful(rules, "10.9.0.1", 2)); /* refused before anything else */
    assert_true(useful(rules, "192.0.2.1", 2));
    assert_false(useful(rules, "192.0.2.1", 0)); /* none names no user */
    assert_true(useful(rules, "198.51.100.1", 0));
    assert_true(useful(rules, "198.51.100.1", 2));
    assert_false(useful(rules, "203.0.113.1", 2));
}

static void
test_method_useful_protection(void **state)
{
    static const char sealed[] = "rule \"a\" { action = allow protection = \"confidentiality\" }\n";
    /* Sessions that agree on less than the most pass the first rule by. */
    static const char denied[] = "rule \"a\" { action = deny protection = \"integrity\" }\n"
                                 "rule \"b\" { action = allow }\n";
    static const char refused[] = "rule \"a\" { action = deny protection = \"none\" }\n"
                                  "rule \"b\" { action = allow }\n";
    (void)state;
    assert_false(useful_with(sealed, "10.0.0.1", 2, IMAGE_PROTECTION_NONE));
    assert_false(useful_with(sealed, "10.0.0.1", 0x81, INTEGRITY));
    assert_true(useful_with(sealed, "10.0.0.1", 0x81, CONFIDENTIALITY));
    assert_true(useful_with(denied, "10.0.0.1", 2, IMAGE_PROTECTION_NONE));
    assert_true(useful_with(denied, "10.0.0.1", 0x81, CONFIDENTIALITY));
    assert_false(useful_with(refused, "10.0.0.1", 0x81, CONFIDENTIALITY));
}

static void
test_method_useful_ident(void **state)
{
    static const char rules[] =
        "rule \"a\" { action = deny client = \"10.9.0.0/16\" method = \"ident\" }\n"
        "rule \"b\" { action = allow client = \"10.0.0.0/8\" method = { \"userpass\", \"ident\" } }\n"
        "rule \"c\" { action = allow client = \"192.0.2.0/24\" user = \"*\" }\n"
        "rule \"d\" { action = allow client = \"198.51.100.0/24\" }\n";
    (void)state;
    assert_true(useful(rules, "10.0.0.1", IMAGE_METHOD_IDENT));
    assert_false(useful(rules, "10.0.0.1", 0));
    assert_false(useful(rules, "10.9.0.1", IMAGE_METHOD_IDENT));
    assert_true(useful(rules, "10.9.0.1", 2));
    assert_false(useful(rules, "192.0.2.1", IMAGE_METHOD_IDENT));
    assert_true(useful(rules, "192.0.2.1", 2));
    assert_true(useful(rules, "198.51.100.1", IMAGE_METHOD_IDENT));
}

static void
test_title(void **state)
{
    struct rig r;
    (void)state;
    rig_good(&r, POLICY_HEAD "rule \"a b\" { action = allow }\n");
    assert_string_equal(policy_rule_title(r.image, 0), "a b");
    assert_string_equal(policy_rule_title(r.image, 1), "");
    assert_string_equal(policy_rule_title(r.image, POLICY_NO_RULE), "");
    rig_free(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_rule),
        cmocka_unit_test(test_first_match),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_no_user),
        cmocka_unit_test(test_destination),
        cmocka_unit_test(test_special),
        cmocka_unit_test(test_special_opened),
        cmocka_unit_test(test_own),
        cmocka_unit_test(test_own_read),
        cmocka_unit_test(test_protection),
        cmocka_unit_test(test_method_useful),
        cmocka_unit_test(test_method_useful_protection),
        cmocka_unit_test(test_method_useful_ident),
        cmocka_unit_test(test_title),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
