/* SPDX-License-Identifier: ISC */
/* lib/base/fd.c */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"

static void
test_take_and_close(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    int mine = fd_take(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(fcntl(mine, F_GETFD), FD_CLOEXEC);
    const int number = mine;
    errno = ENOTTY;
    fd_close(&mine);
    assert_int_equal(mine, -1);
    assert_int_equal(errno, ENOTTY);
    assert_int_equal(fcntl(number, F_GETFD), -1);
    assert_int_equal(errno, EBADF);
    fd_close(&mine);
    assert_int_equal(mine, -1);
}

static void
test_flags(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(pipe(pair), 0);
    assert_int_equal(fd_set_nonblock(pair[0]), 0);
    char c;
    assert_int_equal(read(pair[0], &c, 1), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(fd_set_cloexec(pair[0], 1), 0);
    assert_int_equal(fcntl(pair[0], F_GETFD), FD_CLOEXEC);
    assert_int_equal(fd_set_cloexec(pair[0], 0), 0);
    assert_int_equal(fcntl(pair[0], F_GETFD), 0);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
    assert_int_equal(fd_set_nonblock(-1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(fd_set_cloexec(-1, 1), -1);
    assert_int_equal(errno, EBADF);
}

static void
test_count_open(void **state)
{
    (void)state;
    const int before = fd_count_open();
    assert_true(before >= 0);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(fd_count_open(), before + 1);
    fd_close(&fd);
    assert_int_equal(fd_count_open(), before);
}

static void
test_raise_limit(void **state)
{
    (void)state;
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    const struct rlimit low = { 64, old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_int_equal(fd_raise_limit(), old.rlim_max);
    struct rlimit now;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
    assert_true(now.rlim_cur == old.rlim_max);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

/* More than a pipe holds, to a reader that takes odd pieces: short writes are carried on. */
static void
test_write_all(void **state)
{
    (void)state;
    enum { TOTAL = 1000003 };
    int pair[2];
    assert_int_equal(pipe(pair), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uint8_t piece[777];
        size_t total = 0;
        uint32_t sum = 0;
        (void)close(pair[1]);
        for (ssize_t n; (n = read(pair[0], piece, sizeof(piece))) > 0; total += (size_t)n) {
            for (ssize_t i = 0; i < n; i++) {
                sum = sum * 31 + piece[i];
            }
        }
        uint32_t wanted = 0;
        for (uint32_t i = 0; i < TOTAL; i++) {
            wanted = wanted * 31 + (uint8_t)(i * 7);
        }
        _exit(total == TOTAL && sum == wanted ? 0 : 1);
    }
    fd_close(&pair[0]);
    uint8_t *data = malloc(TOTAL);
    assert_non_null(data);
    for (uint32_t i = 0; i < TOTAL; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    assert_int_equal(fd_write_all(pair[1], data, TOTAL), 0);
    assert_int_equal(fd_write_all(pair[1], NULL, 0), 0);
    free(data);
    fd_close(&pair[1]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_write_all_reports(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, "x", 1), -1);
    assert_int_equal(errno, ENOSPC);
    fd_close(&fd);
    assert_int_equal(fd_write_all(-1, "x", 1), -1);
    assert_int_equal(errno, EBADF);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take_and_close),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_count_open),
        cmocka_unit_test(test_raise_limit),
        cmocka_unit_test(test_write_all),
        cmocka_unit_test(test_write_all_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
