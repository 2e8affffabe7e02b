/* SPDX-License-Identifier: ISC */
/* What children see of the environment the gateway was started with. */
#include "src/master/master_parts.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static struct environment e;

static int
setup(void **state)
{
    static const char *const names[] = { "KRB5_CONFIG", "KRB5_TRACE", "KRB5_KTNAME", "KRB5CCNAME",
        "KRB5RCACHEDIR", "GSS_MECH_CONFIG", "LD_PRELOAD", "LD_LIBRARY_PATH", "OPENSSL_CONF", "HOME",
        "NOTIFY_SOCKET", "TZ" };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(names); i++) {
        if (setenv(names[i], "/some/where", 1) != 0)
            return -1;
    }
    return 0;
}

static bool
has(const char *string)
{
    for (size_t i = 0; i < e.count; i++) {
        if (strcmp(e.strings[i], string) == 0)
            return true;
    }
    return false;
}

/* Of all strings, how many begin so. */
static size_t
count_of(const char *prefix)
{
    size_t n = 0;

    for (size_t i = 0; i < e.count; i++)
        n += strncmp(e.strings[i], prefix, strlen(prefix)) == 0;
    return n;
}

static void
assert_nothing_else(void)
{
    assert_true(has("TZ=/some/where"));
    assert_null(e.strings[e.count]);
    assert_int_equal(count_of("LD_") + count_of("OPENSSL") + count_of("HOME") + count_of("GSS")
            + count_of("NOTIFY"), 0);
}

static void
a_pool_learns_where_kerberos_is_configured(void **state)
{
    (void)state;
    environment_make(&e, IPC_AUTH);
    assert_true(has("KRB5_CONFIG=/some/where"));
    assert_true(has("KRB5_TRACE=/some/where"));
    assert_int_equal(count_of("KRB5"), 2);
    assert_nothing_else();
}

static void
the_others_do_not(void **state)
{
    static const enum ipc_role roles[] = { IPC_WORKER, IPC_LOGGER };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(roles); i++) {
        environment_make(&e, roles[i]);
        assert_int_equal(count_of("KRB5"), 0);
        assert_nothing_else();
    }
}

static void
what_does_not_fit_is_left_out(void **state)
{
    static char longer[sizeof e.space];

    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    assert_int_equal(setenv("LANG", longer, 1), 0);
    environment_make(&e, IPC_AUTH);
    assert_int_equal(unsetenv("LANG"), 0);
    assert_int_equal(count_of("LANG"), 0);
    assert_true(has("KRB5_CONFIG=/some/where"));
    assert_nothing_else();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_learns_where_kerberos_is_configured),
        cmocka_unit_test(the_others_do_not),
        cmocka_unit_test(what_does_not_fit_is_left_out),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
