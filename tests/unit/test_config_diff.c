/* SPDX-License-Identifier: ISC */
/* src/config/config_diff.c: every key that differs is told, once, with what it needs; nothing else is. */
#include "tests/unit/config_rig.h"

#include <stdio.h>

#include "src/config/config_diff.h"

#define LISTEN "listen \"127.0.0.1:1\" { }\n"
#define METHODS "methods = { \"none\", \"userpass\", \"testseal\" }\n"
#define RULE "rule \"r\" { action = deny }\n"

struct told {
    const struct image *before;
    const struct image *after;
    char text[8192];
    size_t len;
};

/* "section[title].key change pool before -> after" on a line. */
static void
tell(void *ctx, const struct config_difference *d)
{
    struct told *t = ctx;
    char before[128];
    char after[128];
    config_difference_value(t->before, d, before, sizeof(before));
    config_difference_value(t->after, d, after, sizeof(after));
    const int n = snprintf(t->text + t->len, sizeof(t->text) - t->len, "%s%s%s.%s %s %d %s -> %s\n",
        d->section, d->title[0] != '\0' ? " " : "", d->title, d->key, config_change_name(d->change),
        d->pool == UINT32_MAX ? -1 : (int)d->pool, before, after);
    assert_in_range(n, 1, sizeof(t->text) - t->len - 1);
    t->len += (size_t)n;
}

static void
check_diff(const char *before, const char *after, const char *wanted)
{
    struct rig a;
    struct rig b;
    rig_later(&a, before);
    rig_later(&b, after);
    struct told t = { .before = a.image, .after = b.image };
    unsigned lines = 0;
    const uint32_t count = config_diff(a.image, b.image, tell, &t);
    for (const char *at = t.text; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    assert_int_equal(count, lines);
    assert_string_equal(t.text, wanted);
    rig_free(&a);
    rig_free(&b);
}

static void
test_same(void **state)
{
    (void)state;
    check_diff(METHODS LISTEN RULE, METHODS LISTEN RULE, "");
    /* Rules are no keys of ours; the order of sections, presets written out and comments say nothing. */
    check_diff(METHODS LISTEN RULE,
        "# x\n" LISTEN "rule \"other\" { action = allow group = { \"g\" } }\n"
        "log { format = \"keyvalue\" }\nuserpass { remember = 60 }\n" METHODS,
        "");
    check_diff(METHODS LISTEN, METHODS LISTEN "listen \"127.0.0.1:2\" { }\n", "");
    check_diff(METHODS LISTEN "listen \"127.0.0.1:2\" { }\n", METHODS LISTEN, "");
}

/* --- every key of our sections ------------------------------------------------------------------- */

/* A value that is not the preset. Where two keys must agree the text sets both. */
static const struct {
    const char *section;
    const char *key;
    const char *value;
    const char *also; /* the rest of the section */
} values[] = {
    { "", "user", "a", "" },
    { "", "auth-user", "b", "" },
    { "", "log-user", "c", "" },
    { "", "workers", "7", "" },
    { "", "pid-file", "/x", "" },
    { "", "methods", "{ \"none\" }", "" },
    { "resolver", "servers", "{ \"192.0.2.1\" }", "" },
    { "resolver", "timeout", "6", "" },
    { "resolver", "attempts", "3", "" },
    { "resolver", "prefer", "ipv6", "" },
    { "resolver", "hosts", "false", "" },
    { "egress", "ipv4", "192.0.2.9", "" },
    { "egress", "ipv6", "2001:db8::9", "" },
    { "timeouts", "negotiate", "7", "" },
    { "timeouts", "connect", "7", "" },
    { "timeouts", "bind", "7", "" },
    { "timeouts", "idle", "7", "" },
    { "timeouts", "half-closed", "7", "" },
    { "timeouts", "udp", "7", "" },
    { "timeouts", "stop", "7", "" },
    { "timeouts", "drain", "7", "" },
    { "timeouts", "orphan", "7", "" },
    { "limits", "sessions", "7", "" },
    { "limits", "sessions-per-client", "7", "" },
    { "limits", "sessions-per-user", "7", "" },
    { "limits", "pending-per-client", "7", "" },
    { "limits", "failures", "7", "" },
    { "limits", "failure-window", "7", "" },
    { "limits", "penalty", "7", "" },
    { "socks4", "enabled", "false", "" },
    { "socks4", "ident-timeout", "7", "" },
    { "udp", "enabled", "false", "" },
    { "udp", "fragments", "false", "" },
    { "udp", "port-min", "2000", "port-max = 3000" },
    { "udp", "port-max", "2001", "port-min = 2000" },
    { "udp", "advertise", "192.0.2.3", "" },
    { "udp", "filtering", "none", "" },
    { "bind", "enabled", "false", "" },
    { "bind", "port-min", "2000", "port-max = 3000" },
    { "bind", "port-max", "2001", "port-min = 2000" },
    { "bind", "advertise", "2001:db8::3", "" },
    { "log", "target", "stderr", "" },
    { "log", "facility", "local7", "" },
    { "log", "format", "json", "" },
    { "log", "events", "all", "" },
    { "log", "interim", "7", "" },
    { "log", "required", "true", "" },
    { "control", "socket", "/y", "" },
    { "control", "group", "g", "" },
    { "metrics", "listen", "127.0.0.1:9180", "" },
};

static const char *
value_of(const struct config_key *key, const char **also)
{
    for (size_t i = 0; i < SP_COUNT(values); i++) {
        if (strcmp(values[i].section, key->section) == 0 && strcmp(values[i].key, key->name) == 0) {
            *also = values[i].also;
            return values[i].value;
        }
    }
    fail_msg("no value for %s.%s in this test", key->section, key->name);
    return "";
}

/* The key's own line is there once; a key that must agree with it has another. */
static void
check_key(const struct config_key *key)
{
    const char *also = "";
    const char *value = value_of(key, &also);
    const char *quote = value[0] == '{' ? "" : "\"";
    const bool top = key->section[0] == '\0';
    char line[128];
    char text[1024];
    struct rig a;
    struct rig b;
    snprintf(text, sizeof(text), "%s%s%s\n%s = %s%s%s\n%s\n%s\n" LISTEN RULE,
        strcmp(key->name, "methods") == 0 ? "" : METHODS, key->section, top ? "" : " {", key->name,
        quote, value, quote, also, top ? "" : "}");
    rig_later(&a, METHODS LISTEN RULE);
    rig_later(&b, text);
    struct told t = { .before = a.image, .after = b.image };
    const uint32_t count = config_diff(a.image, b.image, tell, &t);
    snprintf(line, sizeof(line), "%s.%s %s -1 ", key->section, key->name,
        config_change_name(key->change));
    const char *found = strstr(t.text, line);
    if (found == NULL || strstr(found + 1, line) != NULL || count != (also[0] != '\0' ? 2U : 1U)) {
        const bool methods = strcmp(key->name, "methods") == 0; /* and the listener's own */
        if (!methods || found == NULL || count != 2) {
            fail_msg("%s\nwanted: %s\ngot:\n%s", text, line, t.text);
        }
    }
    /* Both ways, and the values are told. */
    assert_int_equal(config_diff(b.image, a.image, tell, &t), count);
    assert_non_null(strstr(t.text, value[0] == '{' ? "{ \"" : value));
    rig_free(&a);
    rig_free(&b);
}

static void
test_every_key(void **state)
{
    size_t count = 0;
    const struct config_section *sections = config_sections(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; !sections[i].titled && j < sections[i].count; j++) {
            check_key(&sections[i].keys[j]);
        }
    }
}

/* --- listeners, modules --------------------------------------------------------------------------- */

static void
test_methods(void **state)
{
    (void)state;
    check_diff(METHODS LISTEN, "methods = { \"none\", \"userpass\" }\n" LISTEN,
        ".methods restart -1 { \"none\", \"testseal\", \"userpass\" } -> { \"none\", \"userpass\" }\n"
        "listen 127.0.0.1:1.methods reload -1 { \"none\", \"userpass\", \"testseal\" } -> "
        "{ \"none\", \"userpass\" }\n");
    /* As many, but others. */
    check_diff("methods = { \"none\", \"testseal\" }\n" LISTEN,
        "methods = { \"none\", \"userpass\" }\n" LISTEN,
        ".methods restart -1 { \"none\", \"testseal\" } -> { \"none\", \"userpass\" }\n"
        "listen 127.0.0.1:1.methods reload -1 { \"none\", \"testseal\" } -> { \"none\", \"userpass\" }\n");
    /* Another order of preference, another listener that has them, ident: the same methods in use. */
    check_diff("methods = { \"none\", \"userpass\" }\n" LISTEN,
        "methods = { \"userpass\", \"none\" }\n" LISTEN,
        "listen 127.0.0.1:1.methods reload -1 { \"none\", \"userpass\" } -> { \"userpass\", \"none\" }\n");
    check_diff("methods = { \"none\", \"userpass\" }\n" LISTEN "listen \"127.0.0.1:2\" { }\n",
        "methods = { \"none\", \"ident\" }\n" LISTEN
        "listen \"127.0.0.1:2\" { methods = { \"userpass\" } }\n",
        "listen 127.0.0.1:1.methods reload -1 { \"none\", \"userpass\" } -> { \"none\", \"ident\" }\n"
        "listen 127.0.0.1:2.methods reload -1 { \"none\", \"userpass\" } -> { \"userpass\" }\n");
}

static void
test_listeners(void **state)
{
    (void)state;
    /* Matched by title, wherever they stand. */
    check_diff(METHODS "listen \"127.0.0.1:1\" { service = { \"a\" } }\nlisten \"127.0.0.1:2\" { }\n",
        METHODS "listen \"127.0.0.1:2\" { }\nlisten \"127.0.0.1:1\" { service = { \"a\" } }\n", "");
    check_diff(METHODS "listen \"127.0.0.1:1\" { service = { \"a\" } protection = { \"none\" } }\n",
        METHODS "listen \"127.0.0.1:1\" { service = { \"a\", \"b\" } }\n",
        "listen 127.0.0.1:1.protection reload -1 \"none\" -> absent\n"
        "listen 127.0.0.1:1.service reload -1 \"a\" -> { \"a\", \"b\" }\n");
    check_diff(METHODS "listen \"127.0.0.1:1\" { service = { \"a\" } }\n",
        METHODS "listen \"127.0.0.1:1\" { service = { } }\n",
        "listen 127.0.0.1:1.service reload -1 \"a\" -> { }\n");
}

static void
test_modules(void **state)
{
    (void)state;
    check_diff(METHODS LISTEN "userpass { file = \"/a\" }\n",
        METHODS LISTEN "userpass { file = \"/b\" remember = 5 processes = 3 }\n",
        "userpass.file respawn 2 \"/a\" -> \"/b\"\n"
        "userpass.remember respawn 2 \"60\" -> \"5\"\n"
        "userpass.processes restart 2 \"0\" -> \"3\"\n");
    check_diff(METHODS LISTEN "testseal { service = { \"a\" } }\n",
        METHODS LISTEN "testseal { service = { } }\n",
        "testseal.service reload 1 \"a\" -> { }\n");
    /* The section of a method that nobody offers says nothing. */
    check_diff("methods = { \"none\" }\n" LISTEN "userpass { file = \"/a\" }\n",
        "methods = { \"none\" }\n" LISTEN "userpass { file = \"/b\" }\n", "");
    /* Another set of methods, and a module at another place. */
    check_diff("methods = { \"none\", \"userpass\" }\n" LISTEN "userpass { file = \"/a\" }\n",
        "methods = { \"userpass\" }\n" LISTEN "userpass { file = \"/b\" }\n",
        ".methods restart -1 { \"none\", \"userpass\" } -> { \"userpass\" }\n"
        "listen 127.0.0.1:1.methods reload -1 { \"none\", \"userpass\" } -> { \"userpass\" }\n"
        "userpass.file respawn 0 \"/a\" -> \"/b\"\n");
}

/* A value is cut where there is no room. */
static void
test_value(void **state)
{
    const struct config_difference d = { .section = "", .title = "", .key = "pid-file" };
    struct rig r;
    char out[6];
    (void)state;
    rig_later(&r, METHODS LISTEN "pid-file = \"/abcdef\"\n");
    config_difference_value(r.image, &d, out, sizeof(out));
    assert_string_equal(out, "\"/abc");
    rig_free(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_listeners),
        cmocka_unit_test(test_modules),
        cmocka_unit_test(test_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
