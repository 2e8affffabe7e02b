/* SPDX-License-Identifier: ISC */
/* src/core/log.c */
#include "tests/unit/core_unit.h"

#include <signal.h>

#include "src/core/log.h"

static void
act_severities(void *arg)
{
    (void)arg;
    log_init("sallyportd");
    log_info("one %d", 1);
    log_warn("two");
    log_error("three");
    log_trace("silent");
    log_set_debug(1);
    CHILD_CHECK(log_debugging());
    log_trace("four");
    log_to_stderr(0);
    log_warn("unseen");
    log_trace("unseen");
}

static void
test_severities(void **state)
{
    char text[512];

    (void)state;
    unit_assert_exit(unit_fork(act_severities, NULL, text, sizeof text), 0);
    assert_string_equal(text,
        "sallyportd: one 1\nsallyportd: warning: two\nsallyportd: error: three\nsallyportd: four\n");
}

static void
act_controls(void *arg)
{
    (void)arg;
    log_init("x");
    log_warn("a\nb\x1b[2J\x7f");
}

static void
test_controls_are_replaced(void **state)
{
    char text[128];

    (void)state;
    unit_assert_exit(unit_fork(act_controls, NULL, text, sizeof text), 0);
    assert_string_equal(text, "x: warning: a?b?[2J?\n");
}

static void
act_long(void *arg)
{
    static char text[5000];

    (void)arg;
    memset(text, 'y', sizeof text - 1);
    log_warn("%s", text);
}

static void
test_long_line_is_cut_and_ended(void **state)
{
    char text[8192];

    (void)state;
    unit_assert_exit(unit_fork(act_long, NULL, text, sizeof text), 0);
    size_t len = strlen(text);

    assert_in_range(len, 1000, 1300);
    assert_int_equal(text[len - 1], '\n');
    assert_ptr_equal(strchr(text, '\n'), text + len - 1);
}

static void
act_fatal(void *arg)
{
    (void)arg;
    log_init("x");
    log_fatal("no %s", "way");
}

static void
act_panic(void *arg)
{
    (void)arg;
    log_init("x");
    log_panic("bug %d", 7);
}

static void
test_fatal_exits_and_panic_aborts(void **state)
{
    char text[256];

    (void)state;
    unit_assert_exit(unit_fork(act_fatal, NULL, text, sizeof text), 1);
    assert_string_equal(text, "x: fatal: no way\n");
    unit_assert_signal(unit_fork(act_panic, NULL, text, sizeof text), SIGABRT);
    assert_non_null(strstr(text, "test_log.c:"));
    assert_non_null(strstr(text, ": bug 7\n"));
}

struct seen {
    int calls;
    enum log_severity severity;
    char line[64];
};

static void
remember(enum log_severity severity, const char *line, void *ctx)
{
    struct seen *seen = ctx;

    seen->calls++;
    seen->severity = severity;
    (void)snprintf(seen->line, sizeof seen->line, "%s", line);
    log_warn("from inside the sink"); /* must not come back */
}

static void
test_sink(void **state)
{
    struct seen seen = { 0 };

    (void)state;
    log_to_stderr(0);
    log_set_sink(remember, &seen);
    errno = EBADF;
    log_error("number %d", 5);
    assert_int_equal(errno, EBADF);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.severity, LOG_SEVERITY_ERROR);
    assert_string_equal(seen.line, "number 5");
    log_set_debug(1);
    log_trace("traces stay out of the sink");
    log_set_debug(0);
    assert_int_equal(seen.calls, 1);
    log_set_sink(NULL, NULL);
    log_warn("gone");
    assert_int_equal(seen.calls, 1);
    log_to_stderr(1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_severities),
        cmocka_unit_test(test_controls_are_replaced),
        cmocka_unit_test(test_long_line_is_cut_and_ended),
        cmocka_unit_test(test_fatal_exits_and_panic_aborts),
        cmocka_unit_test(test_sink),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
