/* SPDX-License-Identifier: ISC */
/*
 * src/config/config_listen.c, config_modules_check.c, config_modules_write.c: what a listener says in
 * place of the sections of its methods, with a method of tests/module that protects messages, and with
 * gssapi where this tree builds it.
 */
#include "tests/unit/config_rig.h"

#include <stdio.h>

#include "auth/builtin.h"

#define RULE "rule \"all\" { action = allow }\n"
#define PLAIN "listen \"127.0.0.1:1\" { methods = { \"testseal\" } }\n"

/* The values of an option as "a,b", "-" when there is none. */
static const char *
values(const struct rig *r, uint32_t listener, uint32_t module, const char *key, char out[128])
{
    const struct image_listener *l = listener < 99 ? image_listener(r->image, listener) : NULL;
    const char *value;
    size_t len = (size_t)snprintf(out, 128, "-");
    for (unsigned i = 0;
         (value = image_option(r->image, l, image_module(r->image, module), key, i)) != NULL; i++) {
        len = i == 0 ? 0 : len;
        len += (size_t)snprintf(out + len, 128 - len, i == 0 ? "%s" : ",%s", value);
    }
    return out;
}

static void
assert_values(const struct rig *r, uint32_t listener, uint32_t module, const char *key,
    const char *wanted)
{
    char text[128];
    assert_string_equal(values(r, listener, module, key, text), wanted);
}

#define SECTION 99

static void
test_in_place(void **state)
{
    struct rig r;
    (void)state;
    rig_good(&r, "methods = { \"testseal\", \"userpass\" }\nlisten \"127.0.0.1:1\" { }\n"
                 "listen \"127.0.0.1:2\" { protection = { \"integrity\", \"none\" } service = { } }\n"
                 "listen \"127.0.0.1:3\" { service = x methods = { \"testseal\" } }\n" RULE);
    assert_string_equal(r.text, "");
    assert_int_equal(image_listener(r.image, 0)->overrides.count, 0);
    assert_values(&r, SECTION, 0, "protection", "confidentiality,integrity");
    assert_values(&r, 0, 0, "protection", "confidentiality,integrity");
    assert_values(&r, 0, 0, "service", "one,two");
    assert_values(&r, 1, 0, "protection", "integrity,none");
    assert_values(&r, 1, 0, "service", "-");
    assert_values(&r, 2, 0, "protection", "confidentiality,integrity");
    assert_values(&r, 2, 0, "service", "x");
    assert_values(&r, 2, 0, "keys", "/keys");
    /* It speaks for the method that has the key, not for the one beside it. */
    assert_values(&r, 1, 1, "protection", "-");
    assert_values(&r, 1, 1, "remember", "60");
    rig_free(&r);
}

static const struct image_option *
option_row(const struct rig *r, const char *key)
{
    const struct image_list rows = image_module(r->image, 0)->options;
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct image_option *o = IMAGE_AT(r->image, rows, struct image_option, i);
        if (strcmp(image_string(r->image, o->key), key) == 0) {
            return o;
        }
    }
    fail_msg("no option %s", key);
    return NULL;
}

/* A folder, a file, and a list whose emptiness is not that of an absent one. */
static void
test_kinds(void **state)
{
    struct rig r;
    (void)state;
    rig_good(&r, PLAIN RULE "testseal { service = { } }\n");
    assert_int_equal(option_row(&r, "keys")->kind, IMAGE_OPTION_FILE);
    assert_int_equal(option_row(&r, "cache")->kind, IMAGE_OPTION_FOLDER);
    assert_int_equal(option_row(&r, "service")->kind, IMAGE_OPTION_EMPTY);
    assert_int_equal(option_row(&r, "protection")->kind, IMAGE_OPTION_VALUE);
    assert_values(&r, 0, 0, "service", "-");
    assert_values(&r, 0, 0, "cache", "/cache/x");
    rig_free(&r);
    rig_good(&r, PLAIN RULE "testseal { cache = \"\" }\n");
    assert_int_equal(option_row(&r, "cache")->kind, IMAGE_OPTION_FOLDER);
    assert_values(&r, 0, 0, "cache", "");
    assert_values(&r, 0, 0, "service", "one,two");
    rig_free(&r);
}

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
    assert_round_trip(PLAIN "testseal { service = { } cache = \"\" }\n", "    service = { }\n");
    assert_round_trip(PLAIN "testseal { service = { \"a\" } }\n", "    service = \"a\"\n");
    assert_round_trip("listen \"127.0.0.1:1\" { methods = { \"testseal\", \"none\" } service = { }\n"
                      " protection = { \"none\", \"integrity\" } }\n" "listen \"127.0.0.1:2\" { methods = { \"testseal\" } }\n",
        "    methods = { \"testseal\", \"none\" }\n    protection = { \"none\", \"integrity\" }\n"
        "    service = { }\n}\n");
    assert_round_trip(PLAIN "rule \"r\" { action = deny protection = \"confidentiality\" }\n",
        "    action = \"deny\"\n    protection = \"confidentiality\"\n}\n");
    assert_round_trip(PLAIN "rule \"r\" { action = allow protection = none }\n",
        "    action = \"allow\"\n}\n");
}

static void
test_rule(void **state)
{
    struct rig r;
    (void)state;
    rig_good(&r, PLAIN "rule \"a\" { action = allow }\n"
                       "rule \"b\" { action = allow protection = none }\n"
                       "rule \"c\" { action = deny protection = integrity }\n"
                       "rule \"d\" { action = allow protection = \"confidentiality\" }\n");
    assert_int_equal(image_rule(r.image, 0)->protection, IMAGE_PROTECTION_NONE);
    assert_int_equal(image_rule(r.image, 1)->protection, IMAGE_PROTECTION_NONE);
    assert_int_equal(image_rule(r.image, 2)->protection, IMAGE_PROTECTION_INTEGRITY);
    assert_int_equal(image_rule(r.image, 3)->protection, IMAGE_PROTECTION_CONFIDENTIALITY);
    rig_free(&r);
}

/* --- what is wrong ----------------------------------------------------------------------------- */

#define OPEN "listen \"127.0.0.1:1\" {\n methods = { \"none\", \"testseal\" }\n"
#define AT "main.conf:3: listen \"127.0.0.1:1\": "

static const struct {
    const char *text;
    const char *messages; /* all of them */
} bad[] = {
    { OPEN " protection = { } }\n" RULE,
        AT "protection: an empty list; give at least one, or leave the key out\n" },
    { OPEN " protection = { \"integrity\", \"none\", \"integrity\" } }\n" RULE,
        AT "protection: \"integrity\" stands twice in the list; allowed is once\n" },
    { OPEN " protection = \"privacy\" }\n" RULE,
        AT "protection: \"privacy\" is not allowed; allowed are \"none\", \"integrity\", "
           "\"confidentiality\" and \"selective\"\n" },
    /* the module has words of its own */
    { OPEN " protection = { \"none\", \"selective\" } }\n" RULE,
        AT "protection: \"selective\" is not allowed; allowed are \"none\", \"integrity\", "
           "\"confidentiality\" and \"weak\"\n" },
    { OPEN " service = { \"\" } }\n" RULE,
        AT "service: \"\" in the list; allowed is any other text\n" },
    { OPEN " service = { \"a\", \"a/b\" } }\n" RULE,
        AT "service \"a/b\" has a slash; leave it out\n" },
    { "methods = { \"none\" }\nlisten \"127.0.0.1:1\" {\n service = { \"a\" } }\n" RULE,
        AT "service: no method offered here has \"service\"; offer one that has it, or leave it "
           "out\n" },
    { "listen \"127.0.0.1:1\" { methods = { \"none\", \"userpass\" }\n\n protection = { \"none\" } }\n"
        RULE,
        AT "protection: no method offered here has \"protection\"; offer one that has it, or leave "
           "it out\n" },
    /* said of the section alone where it is the section's */
    { OPEN " protection = { \"none\" } }\n" RULE "testseal { service = { \"x/y\" } }\n",
        "main.conf:5: section \"testseal\": service \"x/y\" has a slash; leave it out\n" },
    { PLAIN RULE "testseal { protection = { } }\n",
        "main.conf:3: section \"testseal\": protection: an empty list; give at least one, or leave "
        "the key out\n" },
    { PLAIN RULE "testseal { protection = { \"none\",\n \"none\" } }\n",
        "main.conf:4: section \"testseal\": protection: \"none\" stands twice in the list; allowed is once\n" },
    { PLAIN RULE "testseal { cache = \"cache\" }\n",
        "main.conf:3: section \"testseal\": cache: \"cache\" is not allowed; allowed is the path of "
        "a folder, without \".\", \"..\" and empty parts, or \"\" for none\n" },
    { PLAIN "rule \"r\" {\n action = allow\n protection = \"selective\" }\n",
        "main.conf:4: rule \"r\": protection: \"selective\" is not allowed; allowed are \"none\", "
        "\"integrity\" and \"confidentiality\"\n" },
};

static void
test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_COUNT(bad); i++) {
        struct rig r;
        rig_init(&r, bad[i].text);
        rig_compile(&r);
        if (r.compiled != NULL || strcmp(r.text, bad[i].messages) != 0) {
            fail_msg("row %zu:\n%s\nwanted:\n%s\ngot:\n%s", i, bad[i].text, bad[i].messages, r.text);
        }
        rig_free(&r);
    }
}

/* A method that is unknown is the mistake, not what was meant for it. */
static void
test_unknown_method(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r, "listen \"127.0.0.1:1\" { methods = { \"nope\" } service = { \"a\" } }\n" RULE);
    rig_compile(&r);
    assert_int_equal(r.messages.errors, 1);
    assert_non_null(strstr(r.text, "no authentication method \"nope\""));
    rig_free(&r);
}

static void
test_folders(void **state)
{
    static const char *const refused[] = { "/", "//", "/a//b", "/a/", "/a/../b", "/..", "/./a", "a/b",
        "/a/." };
    static const char *const taken[] = { "/a", "/a/b.c", "/a/...", "/.a", "/a b" };
    char text[256];
    struct rig r;
    (void)state;
    for (size_t i = 0; i < SP_COUNT(refused); i++) {
        snprintf(text, sizeof(text), PLAIN RULE "testseal { cache = \"%s\" }\n", refused[i]);
        rig_init(&r, text);
        rig_compile(&r);
        assert_int_equal(r.messages.errors, 1);
        rig_free(&r);
    }
    for (size_t i = 0; i < SP_COUNT(taken); i++) {
        snprintf(text, sizeof(text), PLAIN RULE "testseal { cache = \"%s\" }\n", taken[i]);
        rig_good(&r, text);
        assert_values(&r, SECTION, 0, "cache", taken[i]);
        rig_free(&r);
    }
}

/* --- files ------------------------------------------------------------------------------------- */

static const char listeners[] =
    "methods = { \"testseal\" }\nlisten \"127.0.0.1:1\" { }\n"
    "listen \"127.0.0.1:2\" {\n protection = { \"none\" } }\n"
    "listen \"127.0.0.1:3\" {\n\n service = { \"three\" } }\n"
    "listen \"127.0.0.1:4\" { service = { } }\n"
    "listen \"127.0.0.1:5\" { methods = { \"none\" } }\n" RULE;

static void
assert_file(const char *keys, const char *messages)
{
    struct rig r;
    rig_init(&r, listeners);
    rig_file(&r, "/keys", keys, strlen(keys));
    r.source.check_files = true;
    rig_compile(&r);
    assert_string_equal(r.text, messages);
    assert_int_equal(r.opened, 2); /* the configuration, and the file once */
    rig_free(&r);
}

/* A file is looked at with the section's values and with each listener's own; what is wrong is said
   where it is asked for, and once. */
static void
test_check_file(void **state)
{
    (void)state;
    assert_file("one\ntwo\nthree\n", "");
    assert_file("one\ntwo\n",
        "main.conf:7: listen \"127.0.0.1:3\": /keys: no key for the service \"three\"\n");
    assert_file("three\ntwo\n", "/keys: no key for the service \"one\"\n");
    assert_file("", "/keys: no key for the service \"one\"\n"
                    "main.conf:7: listen \"127.0.0.1:3\": /keys: no key for the service "
                    "\"three\"\n");
}

/* --- gssapi ------------------------------------------------------------------------------------ */

static void
skip_without_gssapi(void)
{
    char error[512];
    struct rig r;
    rig_init(&r, "");
    const struct auth_wire_module *found =
        auth_wire_find("gssapi", r.source.module_dir, error, sizeof(error));
    rig_free(&r);
    if (found == NULL) {
        print_message("this tree has no gssapi: %s\n", error);
        skip();
    }
}

static void
test_gssapi(void **state)
{
    struct rig r;
    (void)state;
    skip_without_gssapi();
    rig_good(&r, "methods = { \"gssapi\", \"userpass\" }\nlisten \"0.0.0.0:1080\" { }\n"
                 "listen \"127.0.0.1:1\" { protection = { \"selective\" } service = { } }\n" RULE);
    assert_values(&r, 0, 0, "keytab", SYSCONFDIR "/sallyport/krb5.keytab");
    assert_values(&r, 0, 0, "service", "rcmd,socks");
    assert_values(&r, 0, 0, "protection", "confidentiality,integrity");
    assert_values(&r, 0, 0, "nec", "false");
    assert_values(&r, 0, 0, "mechanisms", "krb5");
    assert_values(&r, 0, 0, "replay-cache", RUNDIR "/rcache");
    assert_values(&r, 0, 0, "end-with-ticket", "true");
    assert_values(&r, 1, 0, "protection", "selective");
    assert_values(&r, 1, 0, "service", "-");
    assert_int_equal(option_row(&r, "keytab")->kind, IMAGE_OPTION_FILE);
    assert_int_equal(option_row(&r, "replay-cache")->kind, IMAGE_OPTION_FOLDER);
    assert_int_equal(image_module(r.image, 0)->method, 1);
    rig_free(&r);
}

/* What is in the section behind "gssapi { ", and the beginning of the one complaint it brings. */
static void
test_gssapi_bad(void **state)
{
    static const char *const rows[][2] = {
        { "keytab = \"krb5.keytab\"", "keytab: \"krb5.keytab\" is not allowed; allowed is a path" },
        { "keytab = \"\"", "keytab: \"\" is not allowed; allowed is a path" },
        { "service = { \"rcmd/gw\" }", "service: \"rcmd/gw\" is no service name" },
        { "service = { \"\" }", "service: \"\" in the list" },
        { "protection = { }", "protection: an empty list" },
        { "protection = { \"privacy\" }", "protection: \"privacy\" is not allowed; allowed are \"none\"" },
        { "protection = { \"none\", \"none\" }", "protection: \"none\" stands twice in the list; allowed is once" },
        { "nec = yes", "nec: \"yes\" is not allowed; allowed are \"false\" and \"true\"" },
        { "mechanisms = { }", "mechanisms: an empty list" },
        { "mechanisms = { \"ntlm\" }", "mechanisms: \"ntlm\" is not allowed; allowed are \"krb5\"" },
        { "replay-cache = \"rcache\"", "replay-cache: \"rcache\" is not allowed; allowed is the path" },
        { "replay-cache = \"/\"", "replay-cache: \"/\" is not allowed; allowed is the path" },
        { "end-with-ticket = 1", "end-with-ticket: \"1\" is not allowed" },
        { "processes = 257", "processes: \"257\" is not allowed; allowed are 0..256" },
        { "key-tab = \"/x\"", "unknown key \"key-tab\"; allowed are \"keytab\", \"service\"" },
    };
    (void)state;
    skip_without_gssapi();
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        char text[512];
        char begin[256];
        struct rig r;
        snprintf(text, sizeof(text),
            "listen \"127.0.0.1:1\" { methods = { \"gssapi\" } }\n" RULE "gssapi {\n%s }\n", rows[i][0]);
        snprintf(begin, sizeof(begin), "main.conf:4: section \"gssapi\": %s", rows[i][1]);
        rig_init(&r, text);
        rig_compile(&r);
        if (r.messages.errors != 1 || strncmp(r.text, begin, strlen(begin)) != 0) {
            fail_msg("row %zu: %s\nwanted: %s\ngot:\n%s", i, rows[i][0], begin, r.text);
        }
        rig_free(&r);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_rule),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_unknown_method),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_check_file),
        cmocka_unit_test(test_gssapi),
        cmocka_unit_test(test_gssapi_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
