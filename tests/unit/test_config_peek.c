/* SPDX-License-Identifier: ISC */
/* src/config/config_peek.c: one key, found as the compiler would find it. */
#include "tests/unit/config_rig.h"
#include "tests/unit/unit.h"

#include "src/config/config_peek.h"

static void
expect(const char *text, int result, const char *value)
{
    struct rig r;
    char out[32] = "";

    rig_init(&r, text);
    rig_file(&r, "more.conf", "control { socket = \"/included\" }\n", 33);
    assert_int_equal(config_peek(&r.source, "control", "socket", out, sizeof out), result);
    if (result > 0)
        assert_string_equal(out, value);
    rig_free(&r);
}

static void
test_found(void **state)
{
    (void)state;
    expect("control { socket = \"/a\" }\n", 1, "/a");
    expect("# control { socket = \"/x\" }\nrule \"control {\" { action = \"allow\" }\ngssapi { socket = 1 }\n"
           "control{group=\"g\" socket='/b c'}",
        1, "/b c");
    expect("control { socket = \"/q\\\"\\\\\" }", 1, "/q\"\\");
    expect("control { socket = \"\" }", 1, "");
    expect("include(\"more.conf\")\n", 1, "/included");
}

static void
test_not_found(void **state)
{
    (void)state;
    expect("", 0, NULL);
    expect("socket = \"/x\"\nlog { target = \"syslog\" }\n", 0, NULL);
    expect("control { group = \"x\" }\n", 0, NULL);
    expect("control { socket = \"/a-name-that-is-too-long-for-that-room\" }\n", 0, NULL);
    expect("include(\"none.conf\")\n", -1, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
