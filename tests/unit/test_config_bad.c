/* SPDX-License-Identifier: ISC */
/* Bad configurations through the whole compiler: each row of config_bad.h brings its complaint, with
   its file, line, section and key, and no image. */
#include "tests/unit/config_rig.h"

#include <stdio.h>

#include "tests/unit/config_bad.h"

/* libconfuse 3.3 leaks where it finds an error of its own. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
    return "leak:libconfuse\n";
}

static bool
has_line(const char *text, const char *begin)
{
    const size_t len = strlen(begin);
    for (; text != NULL; text = strchr(text, '\n'), text += text != NULL) {
        if (strncmp(text, begin, len) == 0) {
            return true;
        }
    }
    return false;
}

static void
test_bad(void **state)
{
    (void)state;
    assert_true(SP_COUNT(bad_rows) >= 100);
    for (size_t i = 0; i < SP_COUNT(bad_rows); i++) {
        struct rig r;
        char begin[1024];
        const int n = snprintf(begin, sizeof(begin), "%s:%s", RIG_MAIN, bad_rows[i].message);
        assert_in_range(n, 1, sizeof(begin) - 1);
        rig_init(&r, bad_rows[i].text);
        rig_compile(&r);
        if (r.compiled != NULL || !has_line(r.text, begin)) {
            fail_msg("row %zu:\n%s\nwanted: %s\ngot:\n%s", i, bad_rows[i].text, begin, r.text);
        }
        rig_free(&r);
    }
}

/* One wrong thing brings one complaint: none of the rows above hides behind another. */
static void
test_alone(void **state)
{
    static const char good[] = "\nlisten \"127.0.0.1:0\" { methods = { \"none\" } }\n";
    (void)state;
    for (size_t i = 0; i < SP_COUNT(bad_rows); i++) {
        struct rig r;
        char text[2048];
        const bool listens = strstr(bad_rows[i].text, "listen ") != NULL;
        snprintf(text, sizeof(text), "%s%s", bad_rows[i].text, listens ? "" : good);
        rig_init(&r, text);
        rig_compile(&r);
        assert_null(r.compiled);
        if (r.messages.errors > 2) {
            fail_msg("row %zu:\n%s\ngot:\n%s", i, bad_rows[i].text, r.text);
        }
        rig_free(&r);
    }
}

/* All complaints of a file, not only the first, in one go. */
static void
test_many(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r, "workers = x\nlisten \"a\" { }\nlog { target = 1 nope = 2 }\n"
                 "rule \"r\" { action = 1 port = { \"0\", \"1\", \"x\" } }\nfoo { }\n");
    rig_compile(&r);
    assert_int_equal(r.messages.errors, 8);
    assert_null(r.compiled);
    rig_free(&r);
}

static void
test_too_many(void **state)
{
    struct rig r;
    char *text = malloc(200 * 64);
    size_t len = 0;
    unsigned lines = 0;
    (void)state;
    assert_non_null(text);
    for (int i = 0; i < 200; i++) {
        len += (size_t)snprintf(text + len, 64, "rule \"%d\" { action = x }\n", i);
    }
    rig_init(&r, text);
    rig_compile(&r);
    for (const char *at = r.text; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    assert_int_equal(r.messages.errors, 201); /* and no listen section */
    assert_int_equal(lines, 51);
    rig_free(&r);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
