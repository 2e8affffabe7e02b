/* SPDX-License-Identifier: ISC */
/* For the tests of src/core: acts that end their process are done in a child. */
#ifndef SP_TESTS_UNIT_CORE_UNIT_H
#define SP_TESTS_UNIT_CORE_UNIT_H

#include "tests/unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNIT_DEADLINE_MS 20000

/* Like assert_true in a forked child, where cmocka's would run the parent's tests on. */
#define CHILD_CHECK(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)dprintf(2, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                       \
            _exit(99);                                                                             \
        }                                                                                          \
    } while (0)

/* Runs act(arg) in a child and returns its wait status; what it wrote to standard error is in text
   (size bytes, NUL-terminated) unless text is NULL. act returning is exit status 0. */
static inline int
unit_fork(void (*act)(void *arg), void *arg, char *text, size_t size)
{
    int pair[2] = { -1, -1 };
    int status = 0;

    assert_int_equal(pipe(pair), 0);
    fflush(NULL);
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        const struct rlimit none = { 0, 0 };

        (void)setrlimit(RLIMIT_CORE, &none);
        if (text != NULL)
            (void)dup2(pair[1], STDERR_FILENO);
        close(pair[0]);
        close(pair[1]);
        act(arg);
        _exit(0);
    }
    close(pair[1]);
    size_t len = 0;
    ssize_t n = 1;

    while (text != NULL && len + 1 < size && n > 0) {
        n = read(pair[0], text + len, size - 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    if (text != NULL)
        text[len] = '\0';
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(pair[0]);
    return status;
}

static inline void
unit_assert_exit(int status, int code)
{
    if (!WIFEXITED(status))
        print_error("ended by signal %d\n", WTERMSIG(status));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
}

static inline void
unit_assert_signal(int status, int signo)
{
    if (WIFEXITED(status))
        print_error("exited with %d\n", WEXITSTATUS(status));
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), signo);
}

/* Waits until fd is readable or closed by the other side; fails after the deadline. */
static inline void
unit_wait_readable(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    assert_int_equal(poll(&p, 1, UNIT_DEADLINE_MS), 1);
}

#endif
