/* SPDX-License-Identifier: ISC */
/* src/policy/policy.c, policy_match.c: SOCKS 4 sessions, and BIND, for one peer and for anybody. */
#include "tests/unit/policy_rig.h"

/* A confirmed USERID is a method, never a user. */
static void
test_ident(void **state)
{
    (void)state;
    CHECK("rule \"named\" { action = allow user = \"*\" }\n"
          "rule \"asked\" { action = allow method = { \"userpass\", \"ident\" } port = 80 }\n"
          "rule \"open\" { action = allow method = \"none\" port = 81 }\n"
          "rule \"both\" { action = deny method = { \"none\", \"ident\" } port = 82 }\n"
          "rule \"rest\" { action = allow port = { \"82\", \"83\" } }\n",
        NULL, { { .address = "192.0.2.1", .method = IMAGE_METHOD_IDENT, .port = 80 }, "asked" },
        { { .address = "192.0.2.1", .method = 0, .port = 80 }, "-:no-rule" },
        { { .address = "192.0.2.1", .method = IMAGE_METHOD_IDENT, .port = 81 }, "-:no-rule" },
        { { .address = "192.0.2.1", .method = 0, .port = 81 }, "open" },
        { { .address = "192.0.2.1", .method = IMAGE_METHOD_IDENT, .port = 82 }, "-both:rule" },
        { { .address = "192.0.2.1", .method = 2, .port = 82 }, "rest" },
        { { .address = "192.0.2.1", .method = IMAGE_METHOD_IDENT, .port = 83 }, "rest" },
        { { .address = "192.0.2.1", .method = IMAGE_METHOD_IDENT }, "-:no-rule" },
        { { .address = "192.0.2.1", .method = 2, .user = "bob" }, "named" },
        /* it has no protection */
        { { .address = "192.0.2.1", .method = IMAGE_METHOD_IDENT, .port = 80 }, "asked" });
    CHECK("rule \"sealed\" { action = allow method = \"ident\" protection = \"integrity\" }", NULL,
        { { .address = "192.0.2.1", .method = IMAGE_METHOD_IDENT }, "-:no-rule" });
}

#define BIND .command = IMAGE_COMMAND_BIND

/* The peer is the destination, special ones included; what port it comes from is not asked. */
static void
test_bind(void **state)
{
    static const char *const mine[] = { "198.51.100.1", NULL };
    const struct policy_own own = policy_rig_own(mine);
    (void)state;
    CHECK("rule \"ftp\" { action = allow command = \"bind\" port = 21 destination = { "
          "\"192.0.2.0/24\", \"*.example\", \"127.0.0.0/8\", \"198.51.100.0/24\" } }\n"
          "rule \"web\" { action = allow command = \"connect\" }\n",
        &own, { { .address = "192.0.2.1", .port = 21, BIND }, "ftp" },
        { { .address = "192.0.2.1", .port = 20, BIND }, "-:no-rule" },
        { { .address = "192.0.2.1", .port = 21 }, "web" },
        { { .address = "203.0.113.1", .port = 21, BIND }, "-:no-rule" },
        { { .address = "203.0.113.1", .name = "a.example", .port = 21, BIND }, "ftp" },
        { { .address = "127.0.0.1", .port = 21, BIND }, "ftp" },
        { { .address = "::1", .name = "a.example", .port = 21, BIND },
            "-ftp:special-destination:loopback" },
        { { .address = "198.51.100.1", .port = 21, BIND }, "-ftp:special-destination:own-address" },
        /* all zeros are no peer unless the query says that anybody is meant */
        { { .address = "0.0.0.0", .name = "a.example", .port = 21, BIND },
            "-ftp:special-destination:unspecified" });
}

#define ANY BIND, .bind_any = true

/* The first rule that matches decides here too: one that allows named peers only refuses. */
static void
test_bind_any(void **state)
{
    (void)state;
    CHECK("rule \"no\" { action = deny destination = \"203.0.113.0/24\" }\n"
          "rule \"known\" { action = allow destination = \"192.0.2.0/24\" }\n"
          "rule \"any\" { action = allow bind-any = true client = \"10.0.0.0/8\" }\n"
          "rule \"rest\" { action = allow }\n",
        NULL, { { .address = "192.0.2.1", ANY }, "-known:rule:bind-any" },
        { { .address = "192.0.2.1", BIND }, "known" },
        { { .address = "203.0.113.1", ANY }, "-no:rule" }, { { .address = "8.8.8.8", ANY }, "any" },
        { { .address = "8.8.8.8", BIND }, "any" }, { { .address = "8.8.8.8" }, "any" },
        { { .address = "8.8.8.8", .client = "172.16.0.1", ANY }, "-rest:rule:bind-any" },
        { { .address = "8.8.8.8", .client = "172.16.0.1", BIND }, "rest" },
        { { .address = "127.0.0.1", ANY }, "-any:special-destination:loopback" },
        { { .address = "127.0.0.1", .client = "172.16.0.1", ANY }, "-rest:rule:bind-any" },
        { { .address = "0.0.0.0", ANY }, "-any:special-destination:unspecified" },
        { { .address = NULL, ANY }, "-:no-rule" });
    CHECK("rule \"here\" { action = allow bind-any = true destination = \"127.0.0.0/8\" }", NULL,
        { { .address = "127.0.0.1", ANY }, "here" }, { { .address = "::1", ANY }, "-:no-rule" });
    /* it does not make a deny rule pass */
    CHECK("rule \"no\" { action = deny bind-any = true }", NULL,
        { { .address = "192.0.2.1", ANY }, "-no:rule" });
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ident),
        cmocka_unit_test(test_bind),
        cmocka_unit_test(test_bind_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
