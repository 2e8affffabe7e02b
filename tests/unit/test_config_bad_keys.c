/* SPDX-License-Identifier: ISC */
/* Every key of every section has a value that is wrong, and what is said of it names file, line, section,
   key, the value and what is allowed. A key without a row here fails. */
#include "tests/unit/config_rig.h"

#include <stdio.h>

#include "src/config/config_compiler.h"

/* libconfuse 3.3 leaks where it finds an error of its own. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
    return "leak:libconfuse\n";
}

#define GOOD "methods = { \"none\", \"testseal\" }\nlisten \"127.0.0.1:1\" { }\n"
#define BOOLEANS "allowed are \"false\" and \"true\""
#define COUNT "allowed are 0..10000000"
#define A_YEAR "allowed are 1..31536000"
#define A_DAY "allowed are 1..86400"
#define PORTS "allowed are 0..65535"
#define SPEED "allowed are 0..1099511627776, then k, m or g or nothing"
#define NAMES "is no name of a user; allowed are letters, digits and _ . -"
#define WINDOW                                                                                     \
    "is no time window; allowed are days, times or both, as in \"Mon-Fri 07:00-20:00\", "           \
    "\"Mon,Wed 8:00-12:00\", \"Sat\" and \"22:00-06:00\""
#define LISTENS "is no address with a port; allowed are \"ADDR:PORT\" and \"[ADDR6]:PORT\""
#define GROUPS "is no name of a group; allowed are 1..255 bytes without * ? : and comma"

static const struct {
    const char *section;
    const char *key;
    const char *value; /* in quotes in the file; what the complaint begins with, in quotes, too */
    const char *message;
} rows[] = {
    { "", "user", "", NAMES },
    { "", "user", "a b", NAMES },
    { "", "auth-user", "0123456789012345678901234567890123", NAMES },
    { "", "log-user", "-x", NAMES },
    { "", "workers", "1025", "is not allowed; allowed are 0..1024" },
    { "", "workers", "one", "is not allowed; allowed are 0..1024" },
    { "", "methods", "", "in the list; allowed is any other text" },
    { "", "pid-file", "x", "is not allowed; allowed is a path that begins with /, or \"\" for none" },
    { "listen", "methods", "", "in the list; allowed is any other text" },
    { "listen", "protection", "all",
        "is not allowed; allowed are \"none\", \"integrity\", \"confidentiality\" and \"selective\"" },
    { "listen", "service", "", "in the list; allowed is any other text" },
    { "listen", "proxy-protocol", "x", "is no prefix; allowed are \"ADDR\" and \"ADDR/BITS\"" },
    { "resolver", "servers", "x",
        "is no address; allowed are \"ADDR\", \"ADDR:PORT\" and \"[ADDR6]:PORT\"" },
    { "resolver", "timeout", "61", "is not allowed; allowed are 1..60" },
    { "resolver", "attempts", "0", "is not allowed; allowed are 1..10" },
    { "resolver", "prefer", "6", "is not allowed; allowed are \"any\", \"ipv4\" and \"ipv6\"" },
    { "resolver", "hosts", "1", "is not allowed; " BOOLEANS },
    { "egress", "ipv4", "::1", "is not allowed; allowed is an IPv4 address, or \"\" for none" },
    { "egress", "ipv6", "x", "is not allowed; allowed is an IPv6 address, or \"\" for none" },
    { "timeouts", "negotiate", "0", "is not allowed; allowed are 1..3600" },
    { "timeouts", "connect", "3601", "is not allowed; allowed are 1..3600" },
    { "timeouts", "bind", "5s", "is not allowed; " A_DAY },
    { "timeouts", "idle", "-1", "is not allowed; " A_YEAR },
    { "timeouts", "half-closed", "1.5", "is not allowed; " A_YEAR },
    { "timeouts", "udp", "0x10", "is not allowed; " A_DAY },
    { "timeouts", "stop", "+1", "is not allowed; " A_DAY },
    { "timeouts", "drain", "0", "is not allowed; " A_YEAR },
    { "timeouts", "drain", "1h", "is not allowed; " A_YEAR },
    { "timeouts", "orphan", "31536001", "is not allowed; " A_YEAR },
    { "limits", "sessions", "0", "is not allowed; allowed are 1..10000000" },
    { "limits", "sessions-per-client", "10000001", "is not allowed; " COUNT },
    { "limits", "sessions-per-user", "many", "is not allowed; " COUNT },
    { "limits", "pending-per-client", "-1", "is not allowed; " COUNT },
    { "limits", "failures", "1000001", "is not allowed; allowed are 0..1000000" },
    { "limits", "failure-window", "0", "is not allowed; " A_DAY },
    { "limits", "penalty", "86401", "is not allowed; " A_DAY },
    { "socks4", "enabled", "yes", "is not allowed; " BOOLEANS },
    { "socks4", "ident-timeout", "0", "is not allowed; allowed are 1..3600" },
    { "udp", "enabled", "on", "is not allowed; " BOOLEANS },
    { "udp", "fragments", "", "is not allowed; " BOOLEANS },
    { "udp", "port-min", "65536", "is not allowed; " PORTS },
    { "udp", "port-max", "http", "is not allowed; " PORTS },
    { "udp", "advertise", "gw.example.com", "is not allowed; allowed is an IP address" },
    { "udp", "filtering", "port", "is not allowed; allowed are \"endpoint\", \"address\" and \"none\"" },
    { "bind", "enabled", "False", "is not allowed; " BOOLEANS },
    { "bind", "port-min", "1-2", "is not allowed; " PORTS },
    { "bind", "port-max", " 5", "is not allowed; " PORTS },
    { "bind", "advertise", "0.0.0.0", "is not allowed; allowed is an IP address" },
    { "log", "target", "syslog:x",
        "is not allowed; allowed are \"syslog\", \"syslog:/SOCKET\", \"stderr\" and \"file:/PATH\"" },
    { "log", "facility", "local8", "is not allowed; allowed are \"daemon\", \"user\", \"auth\", " },
    { "log", "format", "cee", "is not allowed; allowed are \"keyvalue\" and \"json\"" },
    { "log", "events", "most", "is not allowed; allowed are \"session\" and \"all\"" },
    { "log", "interim", "86401", "is not allowed; allowed are 0..86400" },
    { "log", "interim", "never", "is not allowed; allowed are 0..86400" },
    { "log", "required", "always", "is not allowed; " BOOLEANS },
    { "control", "socket", "control.sock",
        "is not allowed; allowed is a path that begins with /, or \"\" for none" },
    { "control", "group", "a:b",
        "is no name of a group; allowed are letters, digits and _ . -, or \"\" for none" },
    { "metrics", "listen", "9180", LISTENS },
    { "metrics", "listen", "localhost:9180", LISTENS },
    { "metrics", "listen", "127.0.0.1", LISTENS },
    { "rule", "action", "permit", "is not allowed; allowed are \"deny\" and \"allow\"" },
    { "rule", "client", "10.0.0.0/33", "is no prefix; allowed are \"ADDR\" and \"ADDR/BITS\"" },
    { "rule", "client", "10.0.0.1/8", "has bits set behind its prefix; write \"10.0.0.0/8\"" },
    { "rule", "user", "", "in the list; allowed is any other text" },
    { "rule", "group", "", GROUPS },
    { "rule", "group", "staff*", GROUPS },
    { "rule", "group", "a,b", GROUPS },
    { "rule", "method", "", "in the list; allowed is any other text" },
    { "rule", "protection", "selective",
        "is not allowed; allowed are \"none\", \"integrity\" and \"confidentiality\"" },
    { "rule", "command", "CONNECT", "is not allowed; allowed are \"connect\", \"bind\" and \"udp\"" },
    { "rule", "destination", "*..x", "is not allowed; it has an empty label" },
    { "rule", "destination", "@", "is not allowed; allowed is \"@PATH\"" },
    { "rule", "port", "70000", "is no port; allowed are 1..65535 and ranges like \"8000-8999\"" },
    { "rule", "time", "weekdays", WINDOW },
    { "rule", "time", "Mon 25:00-26:00", WINDOW },
    { "rule", "time", "07:00-07:00",
        "is no time window; it begins and ends at the same minute; write \"00:00-24:00\" for whole days" },
    { "rule", "bandwidth", "1mb", "is not allowed; " SPEED },
    { "rule", "bandwidth", "1025g", "is not allowed; " SPEED },
    { "rule", "user-bandwidth", "fast", "is not allowed; " SPEED },
    { "rule", "bind-any", "no", "is not allowed; " BOOLEANS },
    { "gssapi", "keytab", "krb5.keytab", "is not allowed; allowed is a path that begins with /" },
    { "gssapi", "service", "", "in the list; allowed is any other text" },
    { "gssapi", "protection", "privacy",
        "is not allowed; allowed are \"none\", \"integrity\", \"confidentiality\" and \"selective\"" },
    { "gssapi", "nec", "2", "is not allowed; " BOOLEANS },
    { "gssapi", "mechanisms", "ntlm", "is not allowed; allowed are \"krb5\" and \"spnego\"" },
    { "gssapi", "replay-cache", "/a/../b", "is not allowed; allowed is the path of a folder, " },
    { "gssapi", "end-with-ticket", "x", "is not allowed; " BOOLEANS },
    { "gssapi", "processes", "257", "is not allowed; allowed are 0..256" },
    { "userpass", "backend", "ldap", "is not allowed; allowed is \"file\"" },
    { "userpass", "file", "users", "is not allowed; allowed is a path that begins with /" },
    { "userpass", "remember", "86401", "is not allowed; allowed are 0..86400" },
    { "userpass", "processes", "-1", "is not allowed; allowed are 0..256" },
};

static bool
is_titled(const char *section)
{
    return strcmp(section, "listen") == 0 || strcmp(section, "rule") == 0;
}

/* The key alone, on line 4, in a section that begins on line 3. */
static void
write_config(char *text, size_t size, const char *section, const char *key, const char *value)
{
    const bool rule = strcmp(section, "rule") == 0 && strcmp(key, "action") != 0;
    const bool top = section[0] == '\0';
    const bool methods = top && strcmp(key, "methods") == 0;
    const int n = snprintf(text, size, "%s%s%s %s\n%s = \"%s\"%s\n",
        methods ? "\nlisten \"127.0.0.1:1\" { }\n" : GOOD, section,
        strcmp(section, "listen") == 0 ? " \"127.0.0.1:2\"" : is_titled(section) ? " \"r\"" : "",
        top    ? ""
        : rule ? "{ action = deny"
               : "{",
        key, value, top ? "" : "\n}");
    assert_in_range(n, 1, size - 1);
}

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct rig r;
        char text[1024];
        char wanted[1024];
        char section[64] = "";
        write_config(text, sizeof(text), rows[i].section, rows[i].key, rows[i].value);
        if (is_titled(rows[i].section)) {
            snprintf(section, sizeof(section), "%s \"%s\": ", rows[i].section,
                strcmp(rows[i].section, "listen") == 0 ? "127.0.0.1:2" : "r");
        } else if (rows[i].section[0] != '\0') {
            snprintf(section, sizeof(section), "section \"%s\": ", rows[i].section);
        }
        snprintf(wanted, sizeof(wanted), RIG_MAIN ":4: %s%s: \"%s\" %s", section, rows[i].key,
            rows[i].value, rows[i].message);
        rig_init(&r, text);
        r.source.later = true;
        rig_compile(&r);
        const bool absent = strstr(r.text, "unknown section \"gssapi\"") != NULL; /* built without */
        if (absent) {
            rig_free(&r);
            continue;
        }
        if (r.compiled != NULL || r.messages.errors != 1 || strncmp(r.text, wanted, strlen(wanted)) != 0) {
            fail_msg("row %zu:\n%s\nwanted:\n%s\ngot:\n%s", i, text, wanted, r.text);
        }
        rig_free(&r);
    }
}

static void
check_has_row(const struct config_section *section)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct config_key *key = &section->keys[i];
        bool found = key->type == CONFIG_BLOCK; /* a section of its own, without keys yet */
        for (size_t j = 0; j < SP_COUNT(rows); j++) {
            found = found || (strcmp(rows[j].section, section->name) == 0 &&
                                 strcmp(rows[j].key, key->name) == 0);
        }
        if (!found) {
            fail_msg("no wrong value for %s.%s in this test", section->name, key->name);
        }
    }
}

static void
test_every_key(void **state)
{
    static const char *const modules[] = { "gssapi", "userpass", "none" };
    struct config_compiler *c = calloc(1, sizeof(*c));
    struct rig r;
    size_t count = 0;
    const struct config_section *sections = config_sections(&count);
    (void)state;
    assert_non_null(c);
    for (size_t i = 0; i < count; i++) {
        check_has_row(&sections[i]);
    }
    rig_init(&r, "");
    c->source = &r.source;
    for (size_t i = 0; i < SP_COUNT(modules); i++) {
        char error[256];
        const struct config_module *m = config_module_find(c, modules[i], error, sizeof(error));
        if (m != NULL) { /* a tree may be without it */
            check_has_row(&m->section);
        }
    }
    config_modules_free(c);
    free(c);
    rig_free(&r);
}

/* What is not available yet takes its default alone, and says so. */
static void
test_later(void **state)
{
    static const char *const others[CONFIG_TYPES] = { [CONFIG_NUMBER] = "7", [CONFIG_SECONDS] = "7",
        [CONFIG_SIZE] = "7k", [CONFIG_BOOLEAN] = "true", [CONFIG_GROUP] = "g",
        [CONFIG_LISTEN] = "127.0.0.1:1", [CONFIG_GROUPS] = "g", [CONFIG_TIMES] = "Mon",
        [CONFIG_PREFIXES] = "192.0.2.0/24", [CONFIG_BLOCK] = "x" };
    size_t count = 0;
    unsigned seen = 0;
    const struct config_section *sections = config_sections(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < sections[i].count; j++) {
            const struct config_key *key = &sections[i].keys[j];
            struct rig r;
            char text[1024];
            if (!key->later) {
                continue;
            }
            assert_non_null(others[key->type]);
            write_config(text, sizeof(text), key->section, key->name, others[key->type]);
            rig_init(&r, text);
            rig_compile(&r);
            assert_int_equal(r.messages.errors, 1);
            assert_non_null(strstr(r.text, "not available yet; "));
            rig_free(&r);
            seen++;
        }
    }
    assert_true(seen > 0); /* else this test has nothing left to do */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
