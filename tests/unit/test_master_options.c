/* SPDX-License-Identifier: ISC */
/* The command line. */
#include "src/master/master_parts.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <unistd.h>

static struct master_options o;

/* Up to four arguments; what is printed goes nowhere. */
static enum options_result
read_with(const char *a, const char *b, const char *c)
{
    char *argv[] = { (char *)(uintptr_t)"sallyportd", (char *)(uintptr_t)a, (char *)(uintptr_t)b,
        (char *)(uintptr_t)c, NULL };
    int argc = 1 + (a != NULL) + (b != NULL) + (c != NULL);

    return options_read(&o, argc, argv);
}

static void
options_are_understood(void **state)
{
    (void)state;
    assert_int_equal(read_with("-c", "x.conf", "-tdv"), OPTIONS_RUN);
    assert_string_equal(o.config, "x.conf");
    assert_true(o.check && o.detach && o.debug);
    assert_false(o.print || o.try_it);
    assert_int_equal(read_with("--config=y", "--print", NULL), OPTIONS_RUN);
    assert_string_equal(o.config, "y");
    assert_true(o.print);
    assert_false(o.check);
    assert_int_equal(read_with("--try", NULL, NULL), OPTIONS_RUN);
    assert_true(o.try_it);
    assert_null(o.config);
}

static void
questions_are_answered(void **state)
{
    (void)state;
    assert_int_equal(read_with("-V", NULL, NULL), OPTIONS_DONE);
    assert_int_equal(read_with("--help", NULL, NULL), OPTIONS_DONE);
}

static void
nonsense_is_usage(void **state)
{
    (void)state;
    assert_int_equal(read_with("-x", NULL, NULL), OPTIONS_USAGE);
    assert_int_equal(read_with("-c", NULL, NULL), OPTIONS_USAGE);
    assert_int_equal(read_with("--nonsense", NULL, NULL), OPTIONS_USAGE);
    assert_int_equal(read_with("-d", "stray", NULL), OPTIONS_USAGE);
    assert_int_equal(read_with("--try", "-c", "x"), OPTIONS_USAGE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_understood),
        cmocka_unit_test(questions_are_answered),
        cmocka_unit_test(nonsense_is_usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
