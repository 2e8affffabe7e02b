/* SPDX-License-Identifier: ISC */
/* lib/base/secret.c */
#include "tests/unit/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/secret.h"

static const size_t sizes[] = { 1, 63, 64, 65, 256, 257, 1024, 4096, 4097, 16384, 16385, 65536,
    65537, 100000, SECRET_MAX };

static bool
is_zero(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return true;
}

static void
test_bounds(void **state)
{
    (void)state;
    errno = 0;
    assert_null(secret_alloc(0));
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_null(secret_alloc(SECRET_MAX + 1));
    assert_int_equal(errno, EINVAL);
    assert_null(secret_alloc(SIZE_MAX));
    assert_int_equal(secret_usable(0), 0);
    assert_int_equal(secret_usable(SIZE_MAX), 0);
    secret_free(NULL, 10);
}

static void
test_sizes(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_COUNT(sizes); i++) {
        const size_t usable = secret_usable(sizes[i]);
        assert_true(usable >= sizes[i]);
        assert_int_equal(secret_usable(usable), usable);
        uint8_t *p = secret_alloc(sizes[i]);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        assert_true(is_zero(p, usable));
        memset(p, 0xaa, usable);
        errno = ENOTTY;
        secret_free(p, sizes[i]);
        assert_int_equal(errno, ENOTTY);
    }
}

static void
test_freed_is_zero_and_used_again(void **state)
{
    (void)state;
    uint8_t *p = secret_alloc(200);
    assert_non_null(p);
    memset(p, 's', 256);
    secret_free(p, 200);
    /* The region is kept, so the block may be looked at: only the allocator's link is in it. */
    assert_true(is_zero(p + sizeof(void *), 256 - sizeof(void *)));
    uint8_t *again = secret_alloc(256);
    assert_ptr_equal(again, p);
    assert_true(is_zero(again, 256));
    secret_free(again, 256);
}

static void
test_large_goes_back_to_the_system(void **state)
{
    (void)state;
    uint8_t *p = secret_alloc(200000);
    assert_non_null(p);
    unsigned char vec[64];
    assert_int_equal(mincore(p, 196608, vec), 0);
    secret_free(p, 200000);
    assert_int_equal(mincore(p, 196608, vec), -1);
    assert_int_equal(errno, ENOMEM);
}

struct held {
    uint8_t *p;
    size_t size;
    uint8_t mark;
};

/* Many blocks of all sizes at once: none overlaps another, every new one is zero. */
static void
test_property_blocks_do_not_overlap(void **state)
{
    (void)state;
    static struct held held[300];
    struct unit_random r = UNIT_RANDOM_INIT;
    for (int i = 0; i < 20000; i++) {
        struct held *h = &held[unit_random(&r) % SP_COUNT(held)];
        if (h->p != NULL) {
            for (size_t j = 0; j < h->size; j++) {
                assert_int_equal(h->p[j], h->mark);
            }
            secret_free(h->p, h->size);
            h->p = NULL;
        } else {
            h->size = 1 + unit_random(&r) % (i % 50 == 0 ? 70000 : 2000);
            h->mark = (uint8_t)(1 + i % 255);
            h->p = secret_alloc(h->size);
            assert_non_null(h->p);
            assert_true(is_zero(h->p, h->size));
            memset(h->p, h->mark, h->size);
        }
    }
    for (size_t i = 0; i < SP_COUNT(held); i++) {
        secret_free(held[i].p, held[i].size);
        held[i].p = NULL;
    }
}

/* The VmFlags of the mapping that p lies in, from /proc/self/smaps. */
static void
flags_of(const void *p, char *out, size_t size)
{
    char line[512];
    bool inside = false;
    out[0] = '\0';
    FILE *f = fopen("/proc/self/smaps", "re");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        uintptr_t from;
        uintptr_t to;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2) {
            inside = (uintptr_t)p >= from && (uintptr_t)p < to;
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            (void)snprintf(out, size, "%.250s", line + 8);
        }
    }
    (void)fclose(f);
}

static void
test_kernel_knows(void **state)
{
    (void)state;
    static const size_t some[] = { 64, 100000 };
    for (size_t i = 0; i < SP_COUNT(some); i++) {
        char flags[256];
        void *p = secret_alloc(some[i]);
        assert_non_null(p);
        flags_of(p, flags, sizeof(flags));
        assert_non_null(strstr(flags, " dd")); /* not in cores */
        assert_non_null(strstr(flags, " wf")); /* wiped on fork */
        /* AddressSanitizer makes mlock() do nothing. */
        if (secret_all_locked() && !UNIT_ASAN) {
            assert_non_null(strstr(flags, " lo"));
        }
        secret_free(p, some[i]);
    }
}

static int
exit_of(pid_t child)
{
    int status;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
test_child_finds_nothing(void **state)
{
    (void)state;
    uint8_t *p = secret_alloc(64);
    uint8_t *q = secret_alloc(64);
    assert_true(p != NULL && q != NULL);
    memset(p, 'k', 64);
    secret_free(q, 64);
    const pid_t child = fork();
    if (child == 0) {
        /* Wiped, and what the child asks for is new memory, not a block of the old region. */
        uint8_t *fresh = secret_alloc(64);
        const bool good = is_zero(p, 64) && fresh != NULL && fresh != p && fresh != q;
        secret_free(fresh, 64);
        _exit(good ? 0 : 1);
    }
    assert_int_equal(exit_of(child), 0);
    assert_int_equal(p[63], 'k');
    secret_free(p, 64);
}

static void
test_no_locked_memory_left(void **state)
{
    (void)state;
    if (UNIT_ASAN) {
        print_message("AddressSanitizer makes mlock() do nothing\n");
        skip();
    }
    const pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = { 0, 0 };
        /* root may lock without limit */
        if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 ||
            (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)) {
            _exit(2);
        }
        uint8_t *p = secret_alloc(100000);
        if (p == NULL || secret_all_locked()) {
            _exit(3);
        }
        memset(p, 1, 100000);
        secret_free(p, 100000);
        _exit(0);
    }
    assert_int_equal(exit_of(child), 0);
}

static void
test_process(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0) {
        struct rlimit core;
        const bool good = secret_process() == 0 && prctl(PR_GET_DUMPABLE) == 0 &&
                          getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 &&
                          core.rlim_max == 0;
        _exit(good ? 0 : 1);
    }
    assert_int_equal(exit_of(child), 0);
}

static void
test_equal(void **state)
{
    (void)state;
    uint8_t a[33];
    uint8_t b[33];
    struct unit_random r = UNIT_RANDOM_INIT;
    unit_random_fill(&r, a, sizeof(a));
    memcpy(b, a, sizeof(a));
    assert_true(secret_equal(a, b, sizeof(a)));
    assert_true(secret_equal(a, "", 0));
    for (size_t i = 0; i < sizeof(a) * 8; i++) {
        b[i / 8] ^= (uint8_t)(1U << (i % 8));
        assert_false(secret_equal(a, b, sizeof(a)));
        assert_true(secret_equal(a, b, i / 8));
        b[i / 8] ^= (uint8_t)(1U << (i % 8));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_freed_is_zero_and_used_again),
        cmocka_unit_test(test_large_goes_back_to_the_system),
        cmocka_unit_test(test_property_blocks_do_not_overlap),
        cmocka_unit_test(test_kernel_knows),
        cmocka_unit_test(test_child_finds_nothing),
        cmocka_unit_test(test_no_locked_memory_left),
        cmocka_unit_test(test_process),
        cmocka_unit_test(test_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
