/* SPDX-License-Identifier: ISC */
/* auth/gssapi/gssapi_options.c: the checks of the section, and reading it. */
#include "tests/unit/unit.h"

#include "auth/gssapi/gssapi_options.h"

static struct {
    const char *keytab, *replay_cache, *service[3], *protection[3], *mechanisms[3], *nec;
} given;

static const char *
value(const void *ctx, const char *name, unsigned i)
{
    (void)ctx;
    if (strcmp(name, "service") == 0)
        return i < 3 ? given.service[i] : NULL;
    if (strcmp(name, "protection") == 0)
        return i < 3 ? given.protection[i] : NULL;
    if (strcmp(name, "mechanisms") == 0)
        return i < 3 ? given.mechanisms[i] : NULL;
    if (i > 0)
        return NULL;
    return strcmp(name, "keytab") == 0   ? given.keytab
           : strcmp(name, "nec") == 0    ? given.nec
           : strcmp(name, "replay-cache") == 0 ? given.replay_cache
                                         : NULL;
}

static const struct auth_config config = { NULL, value };
static char error[256];

static int
setup(void **state)
{
    (void)state;
    memset(&given, 0, sizeof given);
    given.keytab = "/etc/krb5.keytab";
    given.replay_cache = "";
    given.protection[0] = "integrity";
    given.mechanisms[0] = "krb5";
    error[0] = '\0';
    return 0;
}

static void
expect(const char *text)
{
    assert_int_equal(gssapi_check(&config, error, sizeof error), -1);
    assert_string_equal(error, text);
}

static void
test_good(void **state)
{
    (void)state;
    assert_int_equal(gssapi_check(&config, error, sizeof error), 0);
    given.replay_cache = "/run/x";
    given.service[0] = "rcmd";
    given.service[1] = "HTTP";
    assert_int_equal(gssapi_check(&config, error, sizeof error), 0);
}

static void
test_paths(void **state)
{
    (void)state;
    given.keytab = "krb5.keytab";
    expect("keytab = \"krb5.keytab\" is no absolute path; name the keytab file");
    given.keytab = "";
    expect("keytab = \"\" is no absolute path; name the keytab file");
    given.keytab = "/k";
    given.replay_cache = "rcache";
    expect("replay-cache = \"rcache\" is no absolute path; \"\" for none");
}

static void
test_lists(void **state)
{
    static const char *const bad[] = { "", "rcmd/host", "rcmd@host", "rc md", "a\tb", "a\\b" };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(bad); i++) {
        given.service[0] = bad[i];
        assert_int_equal(gssapi_check(&config, error, sizeof error), -1);
        assert_non_null(strstr(error, "is no service name"));
    }
    given.service[0] = NULL;
    given.mechanisms[0] = NULL;
    expect("mechanisms is an empty list; allowed: \"krb5\", \"spnego\"");
    given.protection[0] = NULL;
    expect("protection is an empty list; allowed: \"none\", \"integrity\", \"confidentiality\", "
           "\"selective\"");
}

static void
test_reading(void **state)
{
    (void)state;
    assert_true(gssapi_option_lists(&config, "protection", "integrity"));
    assert_false(gssapi_option_lists(&config, "protection", "none"));
    assert_false(gssapi_option_is(&config, "nec"));
    given.nec = "false";
    assert_false(gssapi_option_is(&config, "nec"));
    given.nec = "true";
    assert_true(gssapi_option_is(&config, "nec"));
    assert_int_equal(gssapi_level_of("none"), AUTH_PROTECTION_NONE);
    assert_int_equal(gssapi_level_of("integrity"), AUTH_PROTECTION_INTEGRITY);
    assert_int_equal(gssapi_level_of("confidentiality"), AUTH_PROTECTION_CONFIDENTIALITY);
    assert_int_equal(gssapi_level_of("selective"), AUTH_PROTECTION_SELECTIVE);
    assert_int_equal(gssapi_level_of("all"), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_good, setup),
        cmocka_unit_test_setup(test_paths, setup),
        cmocka_unit_test_setup(test_lists, setup),
        cmocka_unit_test_setup(test_reading, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
