/* SPDX-License-Identifier: ISC */
/* src/config/config_socks.c, and what SOCKS 4, BIND and UDP have in the image: settings, ident, rules,
   what is wrong, -T. */
#include "tests/unit/config_rig.h"

#include <stdio.h>

#define LISTEN "listen \"127.0.0.1:0\" { methods = { \"none\" } }\n"
#define RULE "rule \"all\" { action = allow }\n"

/* --- settings ---------------------------------------------------------------------------------- */

static void
test_presets(void **state)
{
    struct rig r;
    (void)state;
    rig_good(&r, LISTEN RULE "udp { } bind { }\n");
    const struct image_settings *s = image_settings(r.image);
    assert_string_equal(r.text, "");
    assert_int_equal(s->socks4.enabled, 1);
    assert_int_equal(s->socks4.ident_timeout, 10);
    assert_int_equal(s->udp.enabled, 1);
    assert_int_equal(s->udp.fragments, 1);
    assert_int_equal(s->udp.filtering, IMAGE_UDP_ENDPOINT);
    assert_int_equal(s->udp.port_min, 0);
    assert_int_equal(s->udp.port_max, 0);
    assert_int_equal(s->udp.advertise.family, ADDR_NONE);
    assert_int_equal(s->bind.enabled, 1);
    assert_int_equal(s->bind.port_min, 0);
    assert_int_equal(s->bind.port_max, 0);
    assert_int_equal(s->bind.advertise.family, ADDR_NONE);
    assert_int_equal(image_listener(r.image, 0)->ident, 0);
    assert_int_equal(image_rule(r.image, 0)->bind_any, 0);
    rig_free(&r);
}

static void
test_settings(void **state)
{
    char text[ADDR_TEXT_MAX];
    struct rig r;
    (void)state;
    rig_good(&r, LISTEN RULE
        "socks4 { enabled = false ident-timeout = 3600 }\n"
        "udp { enabled = false fragments = false filtering = \"address\" port-min = 1024\n"
        " port-max = 1025 advertise = \"2001:db8::7\" }\n"
        "bind { enabled = false port-min = 65535 port-max = 65535 advertise = \"192.0.2.7\" }\n"
        "timeouts { bind = 1 udp = 86400 }\n");
    const struct image_settings *s = image_settings(r.image);
    assert_int_equal(s->socks4.enabled, 0);
    assert_int_equal(s->socks4.ident_timeout, 3600);
    assert_int_equal(s->udp.enabled, 0);
    assert_int_equal(s->udp.fragments, 0);
    assert_int_equal(s->udp.filtering, IMAGE_UDP_ADDRESS);
    assert_int_equal(s->udp.port_min, 1024);
    assert_int_equal(s->udp.port_max, 1025);
    addr_format(&s->udp.advertise, text);
    assert_string_equal(text, "[2001:db8::7]:0");
    assert_int_equal(s->bind.enabled, 0);
    assert_int_equal(s->bind.port_min, 65535);
    assert_int_equal(s->bind.port_max, 65535);
    addr_format(&s->bind.advertise, text);
    assert_string_equal(text, "192.0.2.7:0");
    assert_int_equal(s->timeouts.bind, 1);
    assert_int_equal(s->timeouts.udp, 86400);
    rig_free(&r);
    rig_good(&r, LISTEN RULE "udp { filtering = none }\n");
    assert_int_equal(image_settings(r.image)->udp.filtering, IMAGE_UDP_NONE);
    rig_free(&r);
}

/* Where somebody near enough can be: all are hosts. */
static void
test_advertise(void **state)
{
    static const char *const taken[] = { "192.0.2.1", "10.0.0.1", "127.0.0.1", "169.254.1.1", "::1",
        "fe80::1", "2001:db8::1", "fd00::1", "" };
    static const char *const refused[] = { "0.0.0.0", "::", "0.1.2.3", "255.255.255.255",
        "224.0.0.1", "ff02::1", "::ffff:192.0.2.1", "192.0.2.1:80", "[::1]", "192.0.2.0/24",
        "gw.example", "192.0.2.1, 192.0.2.2", " ", "fe80::1%eth0" };
    static const char *const sections[] = { "udp", "bind" };
    (void)state;
    for (size_t i = 0; i < 2 * (SP_COUNT(taken) + SP_COUNT(refused)); i++) {
        const size_t at = i / 2;
        const bool good = at < SP_COUNT(taken);
        const char *value = good ? taken[at] : refused[at - SP_COUNT(taken)];
        char text[256];
        char message[256];
        struct rig r;
        snprintf(text, sizeof(text), LISTEN RULE "%s { advertise = \"%s\" }\n", sections[i % 2], value);
        snprintf(message, sizeof(message),
            "main.conf:3: section \"%s\": advertise: \"%s\" is not allowed; allowed is an IP address of "
            "one host, or \"\" for none\n", sections[i % 2], value);
        rig_init(&r, text);
        rig_compile(&r);
        assert_string_equal(r.text, good ? "" : message);
        rig_free(&r);
    }
}

/* --- ident -------------------------------------------------------------------------------------- */

static void
test_ident(void **state)
{
    struct rig r;
    (void)state;
    rig_good(&r, "methods = { \"ident\", \"userpass\", \"none\" }\nlisten \"127.0.0.1:1\" { }\n"
                 "listen \"127.0.0.1:2\" { methods = \"ident\" }\n"
                 "listen \"127.0.0.1:3\" { methods = { \"none\", \"ident\" } }\n"
                 "listen \"127.0.0.1:4\" { methods = { \"userpass\" } }\n"
                 "rule \"a\" { action = allow port = 1 method = { \"none\", \"ident\", \"userpass\" } }\n"
                 "rule \"b\" { action = deny method = \"ident\" }\n");
    static const uint32_t modules[] = { 2, 0, 1, 1 };
    static const uint32_t ident[] = { 1, 1, 1, 0 };
    assert_string_equal(r.text, "");
    assert_int_equal(image_settings(r.image)->modules.count, 2);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(image_listener(r.image, i)->modules.count, modules[i]);
        assert_int_equal(image_listener(r.image, i)->ident, ident[i]);
    }
    /* No SOCKS 5 client can be offered it. */
    assert_null(image_module_by_method(r.image, IMAGE_METHOD_IDENT));
    const struct image_rule *rule = image_rule(r.image, 0);
    assert_int_equal(rule->methods.count, 3);
    assert_int_equal(*IMAGE_AT(r.image, rule->methods, uint8_t, 1), IMAGE_METHOD_IDENT);
    assert_int_equal(*IMAGE_AT(r.image, rule->methods, uint8_t, 2), 2);
    assert_string_equal(
        image_string(r.image, *IMAGE_AT(r.image, rule->method_names, struct image_text, 1)), "ident");
    rig_free(&r);
}

/* Nothing but SOCKS 4 gets in: an image without a module is sound. */
static void
test_ident_alone(void **state)
{
    struct rig r;
    (void)state;
    rig_good(&r, "methods = { \"ident\" }\nlisten \"127.0.0.1:1\" { }\n" RULE);
    assert_string_equal(r.text, "");
    assert_int_equal(image_settings(r.image)->modules.count, 0);
    assert_int_equal(image_listener(r.image, 0)->ident, 1);
    rig_free(&r);
}

/* --- what is odd, what is wrong ------------------------------------------------------------------ */

#define RANGE(section, text) LISTEN RULE section " {\n " text " }\n"
#define AT_UDP "main.conf:4: section \"udp\": "
#define AT_BIND "main.conf:4: section \"bind\": "
#define ONE_OF_TWO                                                                                 \
    "a port in one of port-min and port-max, 0 in the other; allowed is one in both or in neither\n"
#define TOO_LOW                                                                                    \
    "workers cannot use ports below 1024; allowed are 1024..65535, or 0 in port-min and port-max\n"
#define NOBODY                                                                                     \
    "warning: the rule matches nobody: sessions of its methods have no user (a SOCKS 4 USERID is only " \
    "claimed)\n"
#define NO_BIND "warning: it says nothing in a rule that does not allow \"bind\"\n"
#define NOT_ON "warning: \"ident\" is asked of SOCKS 4 clients alone, and socks4 is not enabled\n"

struct row {
    const char *text;
    const char *messages; /* all of them */
};

static void
check_rows(const struct row *rows, size_t count, bool good)
{
    for (size_t i = 0; i < count; i++) {
        struct rig r;
        rig_init(&r, rows[i].text);
        rig_compile(&r);
        if ((r.compiled != NULL) != good || strcmp(r.text, rows[i].messages) != 0) {
            fail_msg("row %zu:\n%s\nwanted:\n%s\ngot:\n%s", i, rows[i].text, rows[i].messages, r.text);
        }
        rig_free(&r);
    }
}

static void
test_ranges(void **state)
{
    static const struct row bad[] = {
        { RANGE("udp", "port-min = 5000"), AT_UDP "port-min: " ONE_OF_TWO },
        { RANGE("udp", "port-max = 5000"), AT_UDP "port-max: " ONE_OF_TWO },
        { RANGE("bind", "port-min = 0 port-max = 5000"), AT_BIND "port-max: " ONE_OF_TWO },
        { RANGE("bind", "port-min = 20 port-max = 0"), AT_BIND "port-max: " ONE_OF_TWO },
        { RANGE("bind", "port-min = 20 port-max = 20"), AT_BIND "port-max: " TOO_LOW },
        { RANGE("udp", "port-min = 1023\nport-max = 2000"),
            "main.conf:5: section \"udp\": port-max: " TOO_LOW },
        { RANGE("udp", "port-max = 2000 port-min = 1023"), AT_UDP "port-max: " TOO_LOW },
        { RANGE("bind", "port-min = 2001 port-max = 2000"),
            AT_BIND "port-max: port-min 2001 is above port-max 2000; allowed is up to it\n" },
        { RANGE("udp", "port-min = 2000 port-max = 2000"),
            AT_UDP "port-max: a range of 1 port; allowed are 2 ports and more\n" },
        /* a number that is none has its own complaint, and no other */
        { RANGE("udp", "port-min = 65536 port-max = 7"),
            AT_UDP "port-min: \"65536\" is not allowed; allowed are 0..65535\n" },
        { RANGE("bind", "port-min = -1"),
            AT_BIND "port-min: \"-1\" is not allowed; allowed are 0..65535\n" },
    };
    static const struct row good[] = {
        { RANGE("udp", "port-min = 1024 port-max = 1025"), "" },
        { RANGE("bind", "port-min = 1024 port-max = 1024"), "" },
        { RANGE("bind", "port-max = 65535 port-min = 1024"), "" },
        { RANGE("udp", "port-min = 0 port-max = 0"), "" },
    };
    (void)state;
    check_rows(bad, SP_COUNT(bad), false);
    check_rows(good, SP_COUNT(good), true);
}

static void
test_bad(void **state)
{
    static const struct row rows[] = {
        { RANGE("socks4", "enabled = maybe"), "main.conf:4: section \"socks4\": enabled: \"maybe\" is "
                                              "not allowed; allowed are \"false\" and \"true\"\n" },
        { RANGE("socks4", "ident-timeout = 0"), "main.conf:4: section \"socks4\": ident-timeout: \"0\" "
                                                "is not allowed; allowed are 1..3600\n" },
        { RANGE("udp", "filtering = \"any\""),
            AT_UDP "filtering: \"any\" is not allowed; allowed are \"endpoint\", \"address\" and "
                   "\"none\"\n" },
        { RANGE("udp", "fragments = 1"),
            AT_UDP "fragments: \"1\" is not allowed; allowed are \"false\" and \"true\"\n" },
        { RANGE("timeouts", "bind = 0"), "main.conf:4: section \"timeouts\": bind: \"0\" is not "
                                         "allowed; allowed are 1..86400\n" },
        { RANGE("timeouts", "udp = 86401"), "main.conf:4: section \"timeouts\": udp: \"86401\" is not "
                                            "allowed; allowed are 1..86400\n" },
        { LISTEN "rule \"r\" {\n action = allow\n bind-any = 1 }\n",
            "main.conf:4: rule \"r\": bind-any: \"1\" is not allowed; allowed are \"false\" and "
            "\"true\"\n" },
        { "listen \"127.0.0.1:1\" {\n methods = { \"ident\",\n \"none\",\n \"ident\" } }\n" RULE,
            "main.conf:4: listen \"127.0.0.1:1\": methods: \"ident\" stands twice in the list; allowed is once\n" },
        { "methods = { \"ident\", \"Ident\" }\nlisten \"127.0.0.1:1\" { methods = none }\n" RULE, NULL },
        { "listen \"127.0.0.1:1\" { methods = { \"ident\" }\n service = { \"a\" } }\n" RULE,
            "main.conf:2: listen \"127.0.0.1:1\": service: no method offered here has \"service\"; offer "
            "one that has it, or leave it out\n" },
        { LISTEN "rule \"r\" { action = allow\n method = { \"ident\", \"ident\" } }\n", NULL },
    };
    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct rig r;
        if (rows[i].messages != NULL) {
            check_rows(&rows[i], 1, false);
            continue;
        }
        rig_init(&r, rows[i].text);
        rig_compile(&r);
        assert_int_equal(r.messages.errors, 1);
        rig_free(&r);
    }
}

/* A section of that name says where its settings are. */
static void
test_ident_section(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r, LISTEN RULE "ident {\n timeout = 5 }\n");
    rig_compile(&r);
    assert_null(r.compiled);
    assert_int_equal(strncmp(r.text, "main.conf:3: unknown section \"ident\"; ", 38), 0);
    assert_non_null(strstr(r.text, "(\"ident\" has no section of its own; see \"socks4\")\n"));
    rig_free(&r);
}

static void
test_warnings(void **state)
{
    static const struct row rows[] = {
        { LISTEN "rule \"r\" { action = allow\n method = { \"none\", \"ident\" } }\n",
            "main.conf:3: rule \"r\": method: warning: no listener offers \"ident\"\n" },
        { "methods = \"ident\"\nlisten \"127.0.0.1:1\" { }\n"
          "rule \"r\" { action = allow\n method = \"ident\"\n user = \"bob\" }\n",
            "main.conf:5: rule \"r\": user: " NOBODY },
        { LISTEN "rule \"r\" { action = deny method = \"none\"\n user = \"bob\" }\n",
            "main.conf:3: rule \"r\": user: " NOBODY },
        { "methods = { \"ident\", \"userpass\" }\nlisten \"127.0.0.1:1\" { }\n"
          "rule \"r\" { action = allow method = { \"ident\", \"userpass\" } user = \"bob\" }\n", "" },
        { LISTEN "rule \"r\" { action = allow\n user = \"bob\" }\n",
            "main.conf:3: rule \"r\": user: " NOBODY },
        { LISTEN "rule \"r\" { action = deny\n bind-any = true }\n",
            "main.conf:3: rule \"r\": bind-any: " NO_BIND },
        { LISTEN "rule \"r\" { action = allow command = { \"connect\", \"udp\" }\n bind-any = true }\n",
            "main.conf:3: rule \"r\": bind-any: " NO_BIND },
        { LISTEN "rule \"r\" { action = allow command = { \"udp\", \"bind\" } bind-any = true }\n", "" },
        { LISTEN "rule \"r\" { action = allow bind-any = true }\n", "" },
        { LISTEN "rule \"r\" { action = deny bind-any = false }\n", "" },
        { "socks4 { enabled = false }\nmethods = { \"none\", \"ident\" }\nlisten \"127.0.0.1:1\" { }\n"
          "listen \"127.0.0.1:2\" { methods = \"none\" }\n"
          "listen \"127.0.0.1:3\" { methods = \"ident\" }\n" RULE,
            "main.conf:3: listen \"127.0.0.1:1\": " NOT_ON "main.conf:5: listen \"127.0.0.1:3\": " NOT_ON },
        { "socks4 { enabled = true }\nlisten \"127.0.0.1:3\" { methods = \"ident\" }\n" RULE, "" },
    };
    (void)state;
    check_rows(rows, SP_COUNT(rows), true);
}

/* --- -T ------------------------------------------------------------------------------------------ */

static void
assert_round_trip(const char *text, const char *has)
{
    struct rig first;
    struct rig second;
    rig_good(&first, text);
    char *printed = config_print(first.image);
    assert_non_null(printed);
    if (strstr(printed, has) == NULL) {
        fail_msg("not printed:\n%s\nin:\n%s", has, printed);
    }
    rig_good(&second, printed);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.compiled, second.compiled, first.size);
    free(printed);
    rig_free(&first);
    rig_free(&second);
}

static void
test_print(void **state)
{
    (void)state;
    assert_round_trip(LISTEN RULE, "\nsocks4 {\n    enabled = true\n    ident-timeout = 10\n}\n"
                                   "\nudp {\n    enabled = true\n    fragments = true\n"
                                   "    port-min = 0\n    port-max = 0\n    advertise = \"\"\n"
                                   "    filtering = \"endpoint\"\n}\n"
                                   "\nbind {\n    enabled = true\n    port-min = 0\n"
                                   "    port-max = 0\n    advertise = \"\"\n}\n");
    assert_round_trip(LISTEN RULE "socks4 { enabled = false ident-timeout = 3 }\n"
                                  "udp { fragments = false filtering = none port-min = 2000\n"
                                  " port-max = 2999 advertise = \"192.0.2.1\" enabled = false }\n"
                                  "bind { advertise = \"2001:db8::1\" port-min = 3000 port-max = 3000 }\n"
                                  "timeouts { bind = 7 udp = 8 }\n",
        "    port-min = 2000\n    port-max = 2999\n    advertise = \"192.0.2.1\"\n"
        "    filtering = \"none\"\n}\n");
    assert_round_trip(LISTEN RULE "timeouts { bind = 7 udp = 8 }\n",
        "    bind = 7\n    idle = 7200\n    half-closed = 300\n    udp = 8\n");
    assert_round_trip("methods = \"ident\"\nlisten \"127.0.0.1:1\" { }\n" RULE,
        "\nlisten \"127.0.0.1:1\" {\n    methods = { \"ident\" }\n}\n");
    assert_round_trip("listen \"127.0.0.1:1\" { methods = { \"ident\", \"none\", \"userpass\" } }\n" RULE,
        "\nlisten \"127.0.0.1:1\" {\n    methods = { \"none\", \"userpass\", \"ident\" }\n}\n");
    assert_round_trip("listen \"127.0.0.1:1\" { methods = { \"ident\", \"none\" } }\n"
                      "rule \"r\" { action = allow bind-any = true method = { \"ident\", \"none\" } }\n",
        "    method = { \"ident\", \"none\" }\n    bind-any = true\n}\n");
    assert_round_trip(LISTEN "rule \"r\" { action = allow bind-any = false }\n",
        "    action = \"allow\"\n}\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_advertise),
        cmocka_unit_test(test_ident),
        cmocka_unit_test(test_ident_alone),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_ident_section),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
