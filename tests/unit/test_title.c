/* SPDX-License-Identifier: ISC */
/* src/core/title.c: what /proc says after it, as ps reads it. */
#include "tests/unit/core_unit.h"

#include <fcntl.h>

#include "src/core/title.h"

extern char **environ;

static void
test_title(void **state)
{
    char text[512];

    (void)state;
    title_set("worker %d, %d sessions", 2, 118);
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    ssize_t n = read(fd, text, sizeof text - 1);

    close(fd);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "test_title: worker 2, 118 sessions"));
    /* Nothing of the longer command line before it is left, as ps would show it. */
    for (ssize_t i = 0; i < n; i++)
        assert_int_not_equal(text[i], '.');
    assert_string_equal(getenv("SP_TITLE_PAD"), "................................................");
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_title) };

    /* Started again with an environment that has room, whoever runs it. */
    if (getenv("SP_TITLE_PAD") == NULL) {
        setenv("SP_TITLE_PAD", "................................................", 1);
        execl("/proc/self/exe", argv[0], "--a-long-option", "with/a/longer/value", (char *)NULL);
        return 1;
    }
    title_init(argc, argv, environ);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
