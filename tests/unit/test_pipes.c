/* SPDX-License-Identifier: ISC */
/* src/session/pipes.c: a pipe that comes back is empty, or it does not come back. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "src/session/pipes.h"

static struct pipe_pool pool;
static int descriptors;

static void
add_one(void)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(pipes_add(&pool, ends[0], ends[1], 65536), 0);
}

static int
setup(void **state)
{
    (void)state;
    memset(&pool, 0, sizeof pool);
    descriptors = fd_count_open();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    pipes_free(&pool);
    assert_int_equal(pool.total, 0);
    assert_int_equal(fd_count_open(), descriptors);
    return 0;
}

static void
test_take_and_give(void **state)
{
    (void)state;
    assert_null(pipes_take(&pool));
    add_one();
    add_one();
    struct pipe_pair *a = pipes_take(&pool), *b = pipes_take(&pool);

    assert_true(a != NULL && b != NULL && a != b);
    assert_int_equal(a->size, 65536);
    assert_null(pipes_take(&pool));
    pipes_give(&pool, &a);
    assert_null(a);
    a = pipes_take(&pool);
    assert_non_null(a);
    pipes_give(&pool, &a);
    pipes_give(&pool, &b);
    assert_int_equal(pool.free_count, 2);
}

static void
test_drained(void **state)
{
    static uint8_t data[60000];
    uint8_t byte;

    (void)state;
    add_one();
    struct pipe_pair *pipe = pipes_take(&pool);
    int reader = pipe->read_fd;

    assert_int_equal(write(pipe->write_fd, data, sizeof data), sizeof data);
    pipes_drain(&pool, &pipe, sizeof data);
    assert_null(pipe);
    assert_int_equal(pool.free_count, 1);
    assert_int_equal(read(reader, &byte, 1), -1);
    assert_int_equal(errno, EAGAIN);
}

/* It holds less than was counted: whatever happened, nobody gets it again. */
static void
test_miscounted(void **state)
{
    (void)state;
    add_one();
    struct pipe_pair *pipe = pipes_take(&pool);

    assert_int_equal(write(pipe->write_fd, "xx", 2), 2);
    pipes_drain(&pool, &pipe, 3);
    assert_null(pipe);
    assert_int_equal(pool.total, 0);
    assert_int_equal(fd_count_open(), descriptors);
}

static void
test_too_many(void **state)
{
    int ends[2];

    (void)state;
    add_one();
    pool.total = PIPES_MAX;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(pipes_add(&pool, ends[0], ends[1], 65536), -1);
    assert_int_equal(errno, ENOBUFS);
    assert_int_equal(close(ends[0]), -1);
    pool.total = 1;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_take_and_give),
        TEST(test_drained),
        TEST(test_miscounted),
        TEST(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
