/* SPDX-License-Identifier: ISC */
/* lib/base/idmap.c */
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/base/idmap.h"

static char cells[200000];

static void
test_empty(void **state)
{
    (void)state;
    struct idmap m;
    idmap_init(&m, 10);
    assert_null(idmap_get(&m, 1));
    assert_null(idmap_get(&m, 0));
    assert_null(idmap_remove(&m, 1));
    assert_null(idmap_remove(&m, 0));
    assert_int_equal(idmap_count(&m), 0);
    struct idmap_iter it = idmap_iterate(&m);
    assert_false(idmap_next(&it, NULL, NULL));
    assert_null(m.slots);
    idmap_free(&m);
}

static void
test_put_replace_remove(void **state)
{
    (void)state;
    struct idmap m;
    idmap_init(&m, 10);
    assert_int_equal(idmap_put(&m, 7, &cells[1]), 0);
    assert_ptr_equal(idmap_get(&m, 7), &cells[1]);
    assert_int_equal(idmap_put(&m, 7, &cells[2]), 0);
    assert_int_equal(idmap_count(&m), 1);
    assert_ptr_equal(idmap_remove(&m, 7), &cells[2]);
    assert_null(idmap_remove(&m, 7));
    assert_int_equal(idmap_count(&m), 0);
    errno = 0;
    assert_int_equal(idmap_put(&m, 0, &cells[1]), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(idmap_put(&m, UINT64_MAX, &cells[3]), 0);
    assert_ptr_equal(idmap_get(&m, UINT64_MAX), &cells[3]);
    idmap_free(&m);
    assert_null(idmap_get(&m, UINT64_MAX));
}

static void
test_bound(void **state)
{
    (void)state;
    static const uint32_t bounds[] = { 0, 1, 11, 12, 13, 16, 100, 1000 };
    for (size_t b = 0; b < SP_COUNT(bounds); b++) {
        struct idmap m;
        const uint32_t max = bounds[b];
        idmap_init(&m, max);
        for (uint32_t id = 1; id <= max; id++) {
            assert_int_equal(idmap_put(&m, id, &cells[id]), 0);
        }
        errno = 0;
        assert_int_equal(idmap_put(&m, max + 1, cells), -1);
        assert_int_equal(errno, ENOMEM);
        assert_int_equal(idmap_count(&m), max);
        assert_null(idmap_get(&m, max + 1));
        if (max > 0) {
            /* Replacing needs no room, and a removed entry makes some. */
            assert_int_equal(idmap_put(&m, max, cells), 0);
            assert_ptr_equal(idmap_remove(&m, 1), max == 1 ? &cells[0] : &cells[1]);
            assert_int_equal(idmap_put(&m, max + 1, cells), 0);
        }
        idmap_free(&m);
    }
}

/* As the master uses it: a hundred thousand sessions, ids one after the other, the oldest end. */
static void
test_sequential(void **state)
{
    (void)state;
    enum { LIVE = 100000 };
    struct idmap m;
    idmap_init(&m, LIVE);
    for (uint64_t id = 1; id <= 3 * LIVE; id++) {
        if (id > LIVE) {
            assert_ptr_equal(idmap_remove(&m, id - LIVE), &cells[(id - LIVE) % LIVE]);
        }
        assert_int_equal(idmap_put(&m, id, &cells[id % LIVE]), 0);
    }
    assert_int_equal(idmap_count(&m), LIVE);
    assert_int_equal(m.size, 262144); /* removal leaves nothing that would make it grow */
    for (uint64_t id = 1; id <= 3 * LIVE; id++) {
        assert_ptr_equal(idmap_get(&m, id), id > 2 * LIVE ? &cells[id % LIVE] : NULL);
    }
    idmap_free(&m);
}

/* Random puts, gets and removes against an array. */
static void
test_property_model(void **state)
{
    (void)state;
    static void *model[500];
    struct unit_random r = UNIT_RANDOM_INIT;
    struct idmap m;
    uint32_t count = 0;
    idmap_init(&m, SP_COUNT(model));
    for (int i = 0; i < 400000; i++) {
        const size_t at = unit_random(&r) % SP_COUNT(model);
        /* Far apart and colliding ids alike. */
        const uint64_t id = (at + 1) * (at % 2 == 0 ? 1 : UINT64_C(0x100000001));
        const unsigned act = unit_random(&r) % 5;
        if (act < 2) {
            void *value = &cells[unit_random(&r) % sizeof(cells)];
            assert_int_equal(idmap_put(&m, id, value), 0);
            count += model[at] == NULL;
            model[at] = value;
        } else if (act < 4) {
            assert_ptr_equal(idmap_remove(&m, id), model[at]);
            count -= model[at] != NULL;
            model[at] = NULL;
        } else {
            assert_ptr_equal(idmap_get(&m, id), model[at]);
        }
        assert_int_equal(idmap_count(&m), count);
    }
    idmap_free(&m);
}

/* Every entry once, also when each, or every third, is removed on the way. */
static void
test_iterate_and_remove(void **state)
{
    (void)state;
    enum { N = 3000 };
    for (unsigned every = 0; every <= 3; every++) {
        static uint8_t seen[N + 1];
        memset(seen, 0, sizeof(seen));
        struct idmap m;
        idmap_init(&m, N);
        for (uint64_t id = 1; id <= N; id++) {
            assert_int_equal(idmap_put(&m, id * id * 977, &cells[id]), 0);
        }
        uint64_t id;
        void *value;
        uint32_t removed = 0;
        struct idmap_iter it = idmap_iterate(&m);
        while (idmap_next(&it, &id, &value)) {
            const size_t n = (size_t)((char *)value - cells);
            assert_true(n >= 1 && n <= N && id == (uint64_t)n * n * 977);
            assert_int_equal(seen[n], 0);
            seen[n] = 1;
            if (every != 0 && n % every == 0) {
                assert_ptr_equal(idmap_remove(&m, id), value);
                removed++;
            }
        }
        for (size_t n = 1; n <= N; n++) {
            assert_int_equal(seen[n], 1);
        }
        assert_int_equal(idmap_count(&m), N - removed);
        idmap_free(&m);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_put_replace_remove),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_sequential),
        cmocka_unit_test(test_property_model),
        cmocka_unit_test(test_iterate_and_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
