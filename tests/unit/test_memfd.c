/* SPDX-License-Identifier: ISC */
/* lib/base/memfd.c */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"

#define ALL_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

static int open_before;

static int
setup(void **state)
{
    (void)state;
    open_before = fd_count_open();
    return open_before >= 0 ? 0 : -1;
}

/* After every test, also those of error paths: no descriptor is left behind. */
static int
teardown(void **state)
{
    (void)state;
    return fd_count_open() == open_before ? 0 : -1;
}

static void
test_fixed(void **state)
{
    (void)state;
    int fd = memfd_fixed("test", 8192);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(memfd_check(fd, F_SEAL_GROW | F_SEAL_SHRINK), 8192);
    uint8_t *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(map != MAP_FAILED);
    for (size_t i = 0; i < 8192; i++) {
        assert_int_equal(map[i], 0);
    }
    map[8191] = 7;
    uint8_t last;
    assert_int_equal(pread(fd, &last, 1, 8191), 1);
    assert_int_equal(last, 7);
    assert_int_equal(ftruncate(fd, 8193), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(munmap(map, 8192), 0);
    fd_close(&fd);
}

static void
test_sealed(void **state)
{
    (void)state;
    int fd = memfd_sealed("test", "policy", 6);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(memfd_check(fd, ALL_SEALS), 6);
    char text[16];
    /* The reader begins at the beginning. */
    assert_int_equal(read(fd, text, sizeof(text)), 6);
    assert_memory_equal(text, "policy", 6);
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fd, 1), -1);
    assert_int_equal(errno, EPERM);
    assert_true(mmap(NULL, 6, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    assert_int_equal(errno, EPERM);
    fd_close(&fd);
    fd = memfd_sealed("empty", NULL, 0);
    assert_int_equal(memfd_check(fd, ALL_SEALS), 0);
    fd_close(&fd);
}

static void
test_name_shows(void **state)
{
    (void)state;
    char path[64];
    char target[128];
    int fd = memfd_sealed("sallyport-policy", "x", 1);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(path, target, sizeof(target) - 1);
    assert_true(n > 0);
    target[n] = '\0';
    assert_non_null(strstr(target, "memfd:sallyport-policy"));
    fd_close(&fd);
}

/* A pipe with n bytes in it and its other end closed. */
static int
pipe_with(const void *data, size_t len)
{
    int pair[2];
    assert_int_equal(pipe(pair), 0);
    assert_int_equal(fd_write_all(pair[1], data, len), 0);
    fd_close(&pair[1]);
    return pair[0];
}

static void
test_copy_bounds(void **state)
{
    (void)state;
    enum { SIZE = 40000 };
    uint8_t *data = malloc(SIZE);
    uint8_t *back = malloc(SIZE);
    assert_true(data != NULL && back != NULL);
    struct unit_random r = UNIT_RANDOM_INIT;
    unit_random_fill(&r, data, SIZE);
    int from = pipe_with(data, SIZE);
    int fd = memfd_copy("test", from, SIZE);
    assert_true(fd >= 0);
    assert_int_equal(memfd_check(fd, ALL_SEALS), SIZE);
    assert_int_equal(read(fd, back, SIZE), SIZE);
    assert_memory_equal(back, data, SIZE);
    fd_close(&fd);
    fd_close(&from);
    from = pipe_with(data, SIZE);
    assert_int_equal(memfd_copy("test", from, SIZE - 1), -1);
    assert_int_equal(errno, EFBIG);
    fd_close(&from);
    from = pipe_with("", 0);
    fd = memfd_copy("test", from, 0);
    assert_int_equal(memfd_check(fd, ALL_SEALS), 0);
    fd_close(&fd);
    fd_close(&from);
    free(data);
    free(back);
}

static void
test_copy_reports(void **state)
{
    (void)state;
    assert_int_equal(memfd_copy("test", -1, 10), -1);
    assert_int_equal(errno, EBADF);
    int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(memfd_copy("test", dir, 10), -1);
    assert_int_equal(errno, EISDIR);
    fd_close(&dir);
}

static void
test_reader(void **state)
{
    (void)state;
    int fd = memfd_fixed("test", 4096);
    int reader = memfd_reader(fd);
    assert_true(reader >= 0 && reader != fd);
    assert_int_equal(fcntl(reader, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(reader, F_GETFL) & O_ACCMODE, O_RDONLY);
    struct stat st;
    assert_int_equal(fstat(reader, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0) == MAP_FAILED);
    assert_int_equal(errno, EACCES);
    assert_int_equal(write(reader, "x", 1), -1);
    assert_int_equal(errno, EBADF);
    /* It is the same memory: what the writer stores the reader sees. */
    uint8_t *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const uint8_t *r = mmap(NULL, 4096, PROT_READ, MAP_SHARED, reader, 0);
    assert_true(w != MAP_FAILED && r != MAP_FAILED);
    w[100] = 42;
    assert_int_equal(r[100], 42);
    assert_int_equal(munmap(w, 4096), 0);
    assert_int_equal(munmap((void *)r, 4096), 0);
    fd_close(&reader);
    fd_close(&fd);
    assert_int_equal(memfd_reader(-1), -1);
    assert_int_equal(errno, EBADF);
}

static void
test_check_refuses(void **state)
{
    (void)state;
    int fd = memfd_fixed("test", 4096);
    assert_int_equal(memfd_check(fd, ALL_SEALS), -1);
    assert_int_equal(errno, EPERM);
    fd_close(&fd);
    int pair[2];
    assert_int_equal(pipe(pair), 0);
    assert_int_equal(memfd_check(pair[0], F_SEAL_GROW), -1);
    assert_int_equal(errno, EINVAL);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
    assert_int_equal(memfd_check(-1, 0), -1);
    assert_int_equal(errno, EBADF);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fixed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sealed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_name_shows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copy_bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copy_reports, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(test_check_refuses, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
