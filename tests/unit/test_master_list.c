/* SPDX-License-Identifier: ISC */
/* src/master/master_list.c: a list file is copied whole, or not at all. */
#include "tests/unit/unit.h"

#include "lib/base/fd.h"
#include "src/config/config.h"
#include "src/master/master_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define STEP 65536U
#define SIZE (8U * STEP)

static char folder[64];
static char path[96];
static char other[96];
static struct list_copy copy;

static void
write_file(const char *name, size_t size)
{
    char line[64];
    FILE *f = fopen(name, "w");

    assert_non_null(f);
    memset(line, '#', sizeof line);
    line[sizeof line - 1] = '\n';
    for (size_t done = 0; done < size; done += sizeof line)
        assert_int_equal(fwrite(line, 1, sizeof line, f), sizeof line);
    assert_int_equal(fclose(f), 0);
}

static int
setup(void **state)
{
    (void)state;
    copy = LIST_COPY_INIT;
    (void)snprintf(folder, sizeof folder, "/tmp/sallyport-unit-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/list", folder);
    (void)snprintf(other, sizeof other, "%s/other", folder);
    write_file(path, SIZE);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    list_copy_end(&copy);
    (void)unlink(path);
    (void)unlink(other);
    return rmdir(folder);
}

/* Half of it is read. */
static void
begin(void)
{
    assert_int_equal(list_copy_begin(&copy, path), 0);
    assert_int_equal(list_copy_step(&copy, SIZE / 2), 1);
}

static int
finish(void)
{
    int more;

    while ((more = list_copy_step(&copy, STEP)) > 0)
        ;
    return more;
}

static void
it_is_copied_and_sealed(void **state)
{
    (void)state;
    begin();
    assert_int_equal(finish(), 0);
    assert_int_equal(lseek(copy.to, 0, SEEK_END), SIZE);
    assert_true((fcntl(copy.to, F_GET_SEALS) & F_SEAL_WRITE) != 0);
}

static void
refused_in_the_midst(void)
{
    assert_int_equal(finish(), -1);
    assert_int_equal(errno, ESTALE);
}

static void
one_that_vanishes_is_refused(void **state)
{
    (void)state;
    begin();
    assert_int_equal(unlink(path), 0);
    refused_in_the_midst();
}

static void
one_that_is_replaced_is_refused(void **state)
{
    (void)state;
    write_file(other, SIZE);
    begin();
    assert_int_equal(rename(other, path), 0);
    refused_in_the_midst();
}

static void
one_that_grows_is_refused(void **state)
{
    FILE *f;

    (void)state;
    begin();
    f = fopen(path, "a");
    assert_non_null(f);
    assert_true(fputs("example.com\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    refused_in_the_midst();
}

static void
one_that_shrinks_is_refused(void **state)
{
    (void)state;
    begin();
    assert_int_equal(truncate(path, SIZE - 64), 0);
    refused_in_the_midst();
}

/* As many octets as before, in what was read already: the file's time tells. */
static void
one_that_is_written_to_is_refused(void **state)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    const struct timespec long_ago[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
    begin();
    assert_int_equal(pwrite(fd, "# changed", 9, 0), 9);
    fd_close(&fd);
    refused_in_the_midst();
}

static void
what_is_no_list_is_refused(void **state)
{
    (void)state;
    assert_int_equal(list_copy_begin(&copy, folder), -1);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(list_copy_begin(&copy, other), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(symlink(path, other), 0);
    assert_int_equal(list_copy_begin(&copy, other), -1);
    assert_int_equal(errno, ELOOP);
    assert_int_equal(truncate(path, (off_t)CONFIG_LIST_MAX + 1), 0);
    assert_int_equal(list_copy_begin(&copy, path), -1);
    assert_int_equal(errno, EFBIG);
    assert_true(copy.from < 0 && copy.to < 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_copied_and_sealed),
        TEST(one_that_vanishes_is_refused),
        TEST(one_that_is_replaced_is_refused),
        TEST(one_that_grows_is_refused),
        TEST(one_that_shrinks_is_refused),
        TEST(one_that_is_written_to_is_refused),
        TEST(what_is_no_list_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
