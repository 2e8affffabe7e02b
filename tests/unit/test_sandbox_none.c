/* SPDX-License-Identifier: ISC */
/* src/core/sandbox_none.c: a build without the filter says so and changes nothing. */
#include "tests/unit/core_unit.h"

#include <fcntl.h>

#include "src/core/sandbox.h"

static void
test_none(void **state)
{
    (void)state;
    assert_false(sandbox_available());
    assert_int_equal(sandbox_seccomp(SANDBOX_WORKER), 0);
    assert_int_equal(sandbox_seccomp(SANDBOX_LOGGER), 0);
    assert_int_equal(sandbox_seccomp(SANDBOX_METRICS), 0);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_none) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
