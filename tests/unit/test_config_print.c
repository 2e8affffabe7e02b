/* SPDX-License-Identifier: ISC */
/* src/config/config_print.c: what compiles from -T's output is the same image. */
#include "tests/unit/config_rig.h"

#include <stdio.h>

static void
assert_round_trip(const char *text)
{
    struct rig first;
    struct rig second;
    rig_later(&first, text);
    char *printed = config_print(first.image);
    assert_non_null(printed);
    rig_later(&second, printed);
    char *again = config_print(second.image);
    assert_string_equal(printed, again);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.compiled, second.compiled, first.size);
    free(again);
    free(printed);
    rig_free(&first);
    rig_free(&second);
}

static void
test_full(void **state)
{
    (void)state;
    assert_round_trip("listen \"0.0.0.0:1080\" { }\n");
    assert_round_trip(
        "user = a\nworkers = 3 pid-file = \"/a\\\"b\\\\c $d\"\nmethods = { \"none\" }\n"
        "resolver { servers = { \"192.0.2.1\", \"[2001:db8::1]:54\" } prefer = ipv6 hosts = false }\n"
        "egress { ipv4 = \"192.0.2.9\" ipv6 = \"2001:db8::9\" }\ntimeouts { idle = 4 }\n"
        "limits { sessions = 5 sessions-per-client = 1 sessions-per-user = 2 pending-per-client = 3\n"
        " failures = 4 failure-window = 5 penalty = 6 }\nmetrics { listen = \"[::1]:9180\" }\nlog { target = \"syslog:/x\" facility = daemon format = json\n"
        " events = all interim = 7 required = true }\ncontrol { socket = \"\" group = \"g\" }\n"
        "listen \"[::]:1080\" { methods = { \"userpass\", \"none\" } }\n"
        "listen \"127.0.0.1:0\" { }\nuserpass { file = \"/f\" remember = 0 processes = 7 }\n"
        "rule \"a \\\"b\\\" \\\\ \xc3\xbc\" { action = allow client = { \"::/0\" } user = { \"*\", "
        "\"a\\\\b\" }\n"
        " method = { \"userpass\", \"none\" } command = { udp } port = { \"1-65535\", \"7\" }\n"
        " destination = { \"10.0.0.0/8\", \"*.x\", \"::ffff:10.0.0.0/104\", \"y\" } }\n"
        "rule \"z\" { action = deny destination = { \"*\" } }\n");
}

/* --- random configurations --------------------------------------------------------------------- */

struct text {
    char data[16384];
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

/* Some of the choices as a list, or nothing. */
static void
add_list(struct text *t, struct unit_random *r, const char *key, const char *const *choices,
    size_t count)
{
    const uint64_t picked = unit_random(r) % (UINT64_C(1) << count);
    if (picked == 0) {
        return;
    }
    add(t, "  %s = {", key);
    for (size_t i = 0; i < count; i++) {
        if ((picked >> i & 1) != 0) {
            add(t, " \"%s\",", choices[i]);
        }
    }
    add(t, " }\n");
}

#define LIST(t, r, key, ...)                                                                       \
    do {                                                                                           \
        static const char *const choices_[] = { __VA_ARGS__ };                                     \
        add_list(t, r, key, choices_, SP_COUNT(choices_));                                         \
    } while (0)

static void
random_rules(struct text *t, struct unit_random *r)
{
    const unsigned count = (unsigned)(unit_random(r) % 5);
    for (unsigned i = 0; i < count; i++) {
        add(t, "rule \"r%u\" {\n  action = %s\n", i, unit_random(r) % 2 ? "allow" : "deny");
        LIST(t, r, "client", "10.0.0.0/8", "::/0", "192.0.2.1", "::ffff:192.0.2.0/120");
        LIST(t, r, "user", "*@X", "a?c", "x y");
        LIST(t, r, "method", "none", "ident", "userpass");
        LIST(t, r, "command", "connect", "bind", "udp");
        if (unit_random(r) % 2) {
            add(t, "  protection = %s\n", unit_random(r) % 2 ? "integrity" : "confidentiality");
        }
        LIST(t, r, "destination", "*.A.b", "127.0.0.0/8", "x.", "2001:db8::/32", "*");
        LIST(t, r, "port", "80", "1-2", "65535");
        LIST(t, r, "group", "staff", "domain users", "a", "b\\\\c");
        LIST(t, r, "time", "Mon", "Fri-Mon 22:00-06:00", "7-8:30,9-0:00", "sun,wed,tuesday");
        if (unit_random(r) % 2) {
            add(t, "  bandwidth = %uk user-bandwidth = %u\n", (unsigned)(unit_random(r) % 3), i);
        }
        add(t, "%s", unit_random(r) % 3 ? "" : "  bind-any = true\n");
        add(t, "}\n");
    }
}

static void
test_random(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;
    struct text *t = malloc(sizeof(*t));
    (void)state;
    assert_non_null(t);
    for (unsigned i = 0; i < 300; i++) {
        t->len = 0;
        if (unit_random(&random) % 2) {
            add(t, "methods = { \"none\", \"userpass\" }\n");
        }
        add(t, "listen \"127.0.0.1:%u\" {\n", (unsigned)(unit_random(&random) % 65536));
        LIST(t, &random, "methods", "ident", "userpass", "none");
        add(t, "}\nlisten \"127.0.0.1:0\" {\n methods = { \"testseal\", \"none\" }\n");
        LIST(t, &random, "protection", "none", "confidentiality");
        add(t, "%s", unit_random(&random) % 2 ? "" : " service = { }\n");
        add(t, "}\ntestseal {\n");
        LIST(t, &random, "service", "one", "two", "three \\\"");
        add(t, "}\nlisten \"[::1]:%u\" {\n", (unsigned)(unit_random(&random) % 65536));
        LIST(t, &random, "methods", "none", "userpass", "ident");
        add(t, "}\nudp {\n");
        if (unit_random(&random) % 2) {
            const unsigned port = (unsigned)(1024 + unit_random(&random) % 64511);
            add(t, " port-min = %u port-max = %u advertise = \"::1\"\n", port, port + 1);
        }
        add(t, "}\nresolver {\n");
        LIST(t, &random, "servers", "192.0.2.1", "[::1]:5", "2001:db8::1");
        add(t, "}\ntimeouts { connect = %u }\n", (unsigned)(1 + unit_random(&random) % 3600));
        random_rules(t, &random);
        assert_round_trip(t->data);
    }
    free(t);
}

static void
test_text(void **state)
{
    struct rig r;
    (void)state;
    rig_good(&r, "listen \"127.0.0.1:0\" { methods = { \"none\" } }\n"
                 "rule \"a\" { action = allow port = { 80 } }\n");
    char *printed = config_print(r.image);
    assert_non_null(strstr(printed, "workers = 6\nmethods = { \"none\" }\n"));
    assert_non_null(strstr(printed, "\nlog {\n    target = \"syslog\"\n    facility = \"local0\"\n"
                                    "    format = \"keyvalue\"\n    events = \"session\"\n    interim = 0\n"
                                    "    required = false\n}\n"));
    assert_non_null(strstr(
        printed, "\nlisten \"127.0.0.1:0\" {\n    methods = { \"none\" }\n}\n"
                 "\n# 1\nrule \"a\" {\n    action = \"allow\"\n    port = { \"80\" }\n}\n"));
    free(printed);
    rig_free(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
