/* SPDX-License-Identifier: ISC */
/* src/config/config_groups.c, config_operate.c, and the keys of running a gateway on their way into the
   image: groups, time, bandwidth, limits, log, control, metrics. */
#include "tests/unit/config_rig.h"

#include <stdio.h>

#include "src/core/control_path.h"

#define LISTEN "listen \"127.0.0.1:0\" { methods = { \"none\" } }\n"
#define BOTH "listen \"127.0.0.1:0\" { methods = { \"none\", \"userpass\" } }\n"
#define RULE "rule \"last\" { action = deny }\n"

static const char *
group_at(const struct rig *r, struct image_list list, uint32_t i)
{
    const uint32_t at = *IMAGE_AT(r->image, list, uint32_t, i);
    return image_string(
        r->image, *IMAGE_AT(r->image, image_settings(r->image)->groups, struct image_text, at));
}

static void
test_groups(void **state)
{
    static const char *const sorted[] = { "Admins", "domain users", "staff", "x" };
    struct rig r;
    (void)state;
    rig_later(&r, BOTH "rule \"a\" { action = allow group = { \"staff\", \"domain users\" } }\n"
                       "rule \"b\" { action = allow group = { \"x\", \"staff\", \"Admins\" } }\n"
                       "rule \"c\" { action = allow group = x }\n" RULE);
    const struct image_list groups = image_settings(r.image)->groups;
    assert_int_equal(groups.count, SP_COUNT(sorted));
    for (uint32_t i = 0; i < groups.count; i++) {
        assert_string_equal(
            image_string(r.image, *IMAGE_AT(r.image, groups, struct image_text, i)), sorted[i]);
    }
    const struct image_rule *rule = image_rule(r.image, 1);
    assert_int_equal(rule->has, IMAGE_HAS_GROUP);
    assert_int_equal(rule->groups.count, 3);
    assert_string_equal(group_at(&r, rule->groups, 0), "x");
    assert_string_equal(group_at(&r, rule->groups, 1), "staff");
    assert_string_equal(group_at(&r, rule->groups, 2), "Admins");
    assert_int_equal(image_rule(r.image, 3)->has, 0);
    rig_free(&r);
}

static void
test_many_groups(void **state)
{
    const size_t room = 200 + 32 * (IMAGE_GROUPS_MAX + 1);
    char *text = malloc(room);
    struct rig r;
    (void)state;
    assert_non_null(text);
    for (unsigned more = 0; more < 2; more++) {
        size_t len = (size_t)snprintf(text, room, BOTH "rule \"a\" { action = deny group = {");
        for (unsigned i = 0; i < IMAGE_GROUPS_MAX + more; i++) {
            len += (size_t)snprintf(text + len, room - len, "%s\"g%u\"", i > 0 ? "," : "", i);
        }
        snprintf(text + len, room - len, "} }\n");
        rig_init(&r, text);
        r.source.later = true;
        rig_compile(&r);
        if (more == 0) {
            assert_non_null(r.image);
            assert_int_equal(image_settings(r.image)->groups.count, IMAGE_GROUPS_MAX);
        } else {
            assert_non_null(
                strstr(r.text, "main.conf: rules name 16385 groups; allowed are 16384\n"));
        }
        rig_free(&r);
    }
    free(text);
}

static void
test_rule(void **state)
{
    struct rig r;
    (void)state;
    rig_later(&r, LISTEN "rule \"a\" { action = allow bandwidth = 10m\n"
                         " time = { \"Mon-Fri 8-12,13-17\", \"Sat\" } }\n" RULE);
    const struct image_rule *rule = image_rule(r.image, 0);
    assert_string_equal(r.text, "");
    assert_int_equal(rule->has, IMAGE_HAS_TIME);
    assert_int_equal(rule->times.count, 3);
    assert_int_equal(IMAGE_AT(r.image, rule->times, struct image_window, 1)->from, 780);
    assert_int_equal(IMAGE_AT(r.image, rule->times, struct image_window, 2)->days, 0x40);
    assert_int_equal(rule->bandwidth, 10U << 20);
    assert_int_equal(rule->user_bandwidth, 0);
    assert_int_equal(image_rule(r.image, 1)->bandwidth, 0);
    rig_free(&r);
}

static void
test_settings(void **state)
{
    struct rig r;
    (void)state;
    rig_later(&r, LISTEN RULE
        "limits { sessions = 1 sessions-per-client = 2 sessions-per-user = 3 pending-per-client = 4\n"
        " failures = 5 failure-window = 6 penalty = 7 }\nlog { interim = 8 required = true }\n"
        "timeouts { drain = 9 }\ncontrol { group = \"ops\" }\nmetrics { listen = \"127.0.0.1:9180\" }\n");
    const struct image_settings *s = image_settings(r.image);
    assert_string_equal(r.text, "");
    assert_int_equal(s->limits.sessions, 1);
    assert_int_equal(s->limits.sessions_per_client, 2);
    assert_int_equal(s->limits.sessions_per_user, 3);
    assert_int_equal(s->limits.pending_per_client, 4);
    assert_int_equal(s->limits.failures, 5);
    assert_int_equal(s->limits.failure_window, 6);
    assert_int_equal(s->limits.penalty, 7);
    assert_int_equal(s->log.interim, 8);
    assert_int_equal(s->log.required, 1);
    assert_int_equal(s->timeouts.drain, 9);
    assert_string_equal(image_string(r.image, s->control_group), "ops");
    assert_int_equal(s->metrics.family, ADDR_IPV4);
    assert_int_equal(s->metrics.port, 9180);
    rig_free(&r);
    rig_good(&r, LISTEN RULE);
    s = image_settings(r.image);
    assert_int_equal(s->limits.sessions_per_client | s->limits.sessions_per_user, 0);
    assert_int_equal(s->limits.pending_per_client, 64);
    assert_int_equal(s->limits.failures, 10);
    assert_int_equal(s->limits.failure_window, 60);
    assert_int_equal(s->limits.penalty, 60);
    assert_int_equal(s->timeouts.drain, 3600);
    assert_int_equal(s->metrics.family, ADDR_NONE);
    rig_free(&r);
}

/* --- what is odd --------------------------------------------------------------------------------- */

#define AT(line, key) "main.conf:" line ": rule \"r\": " key ": warning: "
#define NO_USER                                                                                    \
    "the rule matches nobody: sessions of its methods have no user (a SOCKS 4 USERID is only "         \
    "claimed)\n"
#define NO_GROUPS                                                                                  \
    "the rule matches nobody: its methods know of no groups; those that do, like \"gssapi\", take " \
    "them from the system's accounts\n"
#define OPEN                                                                                       \
    "warning: not a loopback address: whoever reaches it reads the metrics, without a login\n"

static void
test_warnings(void **state)
{
    static const struct {
        const char *text;
        const char *messages;
    } rows[] = {
        { LISTEN "rule \"r\" { action = allow\n user = \"bob\" }\n", AT("3", "user") NO_USER },
        { LISTEN "rule \"r\" { action = deny\n group = \"x\" }\n", AT("3", "group") NO_GROUPS },
        { BOTH "rule \"r\" { action = deny\n group = \"x\" }\n", AT("3", "group") NO_GROUPS },
        { BOTH "rule \"r\" { action = deny method = \"userpass\" group = \"x\" }\n",
            AT("2", "group") NO_GROUPS },
        { BOTH "rule \"r\" { action = deny method = \"none\" user = \"x\" group = \"x\" }\n",
            AT("2", "user") NO_USER },
        { BOTH "rule \"r\" { action = deny user = \"x\" }\n", "" },
        { "methods = { \"testpriv\" }\nlisten \"127.0.0.1:1\" { }\n"
          "rule \"r\" { action = deny group = \"x\" }\n",
            "" },
        { BOTH "rule \"r\" { action = deny\n bandwidth = 1k\n user-bandwidth = 1k }\n",
            AT("3", "bandwidth") "it says nothing in a rule that denies\n" AT(
                "4", "user-bandwidth") "it says nothing in a rule that denies\n" },
        { LISTEN "rule \"r\" { action = allow user-bandwidth = 1k }\n",
            AT("2", "user-bandwidth") "it says nothing here: sessions of the rule's methods have no "
                                      "user\n" },
        { LISTEN "rule \"r\" { action = deny bandwidth = 0 user-bandwidth = \"0\" }\n", "" },
        { LISTEN RULE "metrics {\n listen = \"0.0.0.0:1\" }\n",
            "main.conf:4: section \"metrics\": listen: " OPEN },
        { LISTEN RULE "metrics { listen = \"[2001:db8::1]:1\" }\n",
            "main.conf:3: section \"metrics\": listen: " OPEN },
        { LISTEN RULE "metrics { listen = \"127.9.9.9:1\" }\n", "" },
        { LISTEN RULE "metrics { listen = \"[::1]:1\" }\n", "" },
        { LISTEN RULE "metrics { listen = \"\" }\n", "" },
    };
    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct rig r;
        rig_later(&r, rows[i].text);
        if (strcmp(r.text, rows[i].messages) != 0) {
            fail_msg("row %zu:\n%s\nwanted:\n%s\ngot:\n%s", i, rows[i].text, rows[i].messages, r.text);
        }
        rig_free(&r);
    }
}

static void
test_control_group(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r, LISTEN RULE "user = daemon auth-user = bin log-user = sys\n"
                             "control { group = \"no-such-group\" }\n");
    r.source.later = true;
    r.source.privileged = true;
    rig_compile(&r);
    assert_string_equal(r.text, "main.conf:4: section \"control\": group: no group \"no-such-group\" on "
                                "this system; make it with \"groupadd -r\" or name another\n");
    rig_free(&r);
    rig_later(&r, LISTEN RULE "control { group = \"no-such-group\" }\n"); /* another machine's file */
    rig_free(&r);
}

/* What no socket can be called is told with its line, not at the start. */
static void
test_socket_names(void **state)
{
    static const struct {
        const char *head, *tail, *key;
    } rows[] = {
        { "control { socket = \"", "\" }\n", "control\": socket: \"/xxx" },
        { "log { target = \"syslog:", "\" }\n", "log\": target: \"/xxx" },
    };
    (void)state;
    for (size_t i = 0; i < 2 * SP_COUNT(rows); i++) {
        const bool fits = i % 2 == 0;
        char name[CONTROL_PATH_MAX + 1];
        char text[1024];
        struct rig r;
        memset(name, 'x', sizeof(name));
        name[0] = '/';
        name[fits ? CONTROL_PATH_MAX - 1 : CONTROL_PATH_MAX] = '\0';
        snprintf(text, sizeof(text), LISTEN RULE "%s%s%s", rows[i / 2].head, name, rows[i / 2].tail);
        rig_init(&r, text);
        r.source.later = true;
        rig_compile(&r);
        assert_int_equal(r.messages.errors, !fits);
        if (!fits) {
            assert_non_null(strstr(r.text, "main.conf:3: section \""));
            assert_non_null(strstr(r.text, rows[i / 2].key));
            assert_non_null(strstr(r.text, "too long; the name of a socket is allowed at most 107 bytes\n"));
        }
        rig_free(&r);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_many_groups),
        cmocka_unit_test(test_rule),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_control_group),
        cmocka_unit_test(test_socket_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
