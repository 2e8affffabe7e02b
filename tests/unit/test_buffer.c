/* SPDX-License-Identifier: ISC */
/* lib/base/buffer.c */
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/base/buffer.h"
#include "lib/base/secret.h"

static void
test_empty_holds_nothing(void **state)
{
    (void)state;
    struct buffer b = BUFFER_INIT;
    assert_int_equal(buffer_len(&b), 0);
    assert_non_null(buffer_head(&b));
    assert_int_equal(buffer_append(&b, NULL, 0, 10), 0);
    assert_null(b.data);
    buffer_consume(&b, 0);
    buffer_clear(&b);
    assert_null(b.data);
}

static void
test_gives_memory_back_when_drained(void **state)
{
    (void)state;
    struct buffer b = BUFFER_INIT;
    assert_int_equal(buffer_append(&b, "hello", 5, 100), 0);
    assert_non_null(b.data);
    buffer_consume(&b, 2);
    assert_memory_equal(buffer_head(&b), "llo", 3);
    assert_ptr_equal(buffer_data(&b), buffer_head(&b));
    buffer_consume(&b, 3);
    assert_null(b.data);
    assert_non_null(buffer_data(&b));
    assert_int_equal(b.size, 0);
    assert_int_equal(b.off, 0);
}

static void
test_limit(void **state)
{
    (void)state;
    struct buffer b = BUFFER_INIT;
    assert_int_equal(buffer_append(&b, "12345678", 8, 10), 0);
    errno = 0;
    assert_int_equal(buffer_append(&b, "abc", 3, 10), -1);
    assert_int_equal(errno, ENOBUFS);
    assert_int_equal(buffer_len(&b), 8);
    assert_memory_equal(buffer_head(&b), "12345678", 8);
    assert_int_equal(buffer_append(&b, "ab", 2, 10), 0);
    assert_int_equal(buffer_append(&b, "", 0, 10), 0);
    /* What was consumed makes room again. */
    buffer_consume(&b, 5);
    assert_int_equal(buffer_append(&b, "vwxyz", 5, 10), 0);
    assert_memory_equal(buffer_head(&b), "678abvwxyz", 10);
    assert_true(b.size <= 10);
    errno = 0;
    assert_int_equal(buffer_append(&b, "x", SIZE_MAX, SIZE_MAX), -1);
    assert_int_equal(errno, ENOBUFS);
    /* A limit below what is held refuses and keeps. */
    assert_int_equal(buffer_append(&b, "x", 1, 3), -1);
    assert_int_equal(buffer_len(&b), 10);
    buffer_clear(&b);
}

/* Random appends and consumes against a plain array: the same bytes come out, never more memory
   than the limit. */
static void
buffer_property(struct buffer *b)
{
    enum { LIMIT = 5000 };
    static uint8_t model[LIMIT];
    size_t held = 0;
    struct unit_random r = UNIT_RANDOM_INIT;
    for (int i = 0; i < 20000; i++) {
        uint8_t chunk[1500];
        const size_t n = unit_random(&r) % sizeof(chunk);
        if (unit_random(&r) % 2 == 0) {
            unit_random_fill(&r, chunk, n);
            const int result = buffer_append(b, chunk, n, LIMIT);
            assert_int_equal(result, held + n <= LIMIT ? 0 : -1);
            if (result == 0) {
                memcpy(model + held, chunk, n);
                held += n;
            }
        } else {
            const size_t out = n < held ? n : held;
            buffer_consume(b, out);
            held -= out;
            memmove(model, model + out, held);
        }
        assert_int_equal(buffer_len(b), held);
        assert_memory_equal(buffer_head(b), model, held);
        assert_true(b->secret || b->size <= LIMIT);
        assert_true((b->data == NULL) == (held == 0));
    }
    buffer_clear(b);
    assert_null(b->data);
}

static void
test_property_plain(void **state)
{
    (void)state;
    struct buffer b = BUFFER_INIT;
    buffer_property(&b);
}

static void
test_property_secret(void **state)
{
    (void)state;
    struct buffer b = BUFFER_INIT_SECRET;
    buffer_property(&b);
    assert_true(b.secret);
}

static void
test_secret_leaves_nothing_behind(void **state)
{
    (void)state;
    struct buffer b = BUFFER_INIT_SECRET;
    assert_int_equal(buffer_append(&b, "hunter2hunter2hunter2", 21, 4096), 0);
    const uint8_t *old = b.data;
    const size_t old_size = b.size;
    buffer_consume(&b, 7);
    assert_memory_equal(old, "\0\0\0\0\0\0\0", 7);
    /* Growing moves the bytes; where they were is zero again, but for the allocator's link. */
    uint8_t *more = calloc(1, old_size);
    assert_non_null(more);
    assert_int_equal(buffer_append(&b, more, old_size, 4096), 0);
    free(more);
    assert_ptr_not_equal(b.data, old);
    for (size_t i = sizeof(void *); i < old_size; i++) {
        assert_int_equal(old[i], 0);
    }
    assert_memory_equal(buffer_head(&b), "hunter2hunter2", 14);
    buffer_clear(&b);
}

static void
test_secret_maximum(void **state)
{
    (void)state;
    struct buffer b = BUFFER_INIT_SECRET;
    uint8_t *big = calloc(1, SECRET_MAX);
    assert_non_null(big);
    assert_int_equal(buffer_append(&b, big, SECRET_MAX, SIZE_MAX), 0);
    errno = 0;
    assert_int_equal(buffer_append(&b, big, 1, SIZE_MAX), -1);
    assert_int_equal(errno, ENOBUFS);
    free(big);
    buffer_clear(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_holds_nothing),
        cmocka_unit_test(test_gives_memory_back_when_drained),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_property_plain),
        cmocka_unit_test(test_property_secret),
        cmocka_unit_test(test_secret_leaves_nothing_behind),
        cmocka_unit_test(test_secret_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
