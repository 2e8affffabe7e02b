/* SPDX-License-Identifier: ISC */
/* Counters: their cells, the edges of histograms, names up to the last, and adding blocks up. */
#include "src/core/stats.h"

#include "tests/unit/unit.h"

#include "lib/base/fd.h"
#include "src/core/table.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct rig {
    int fd;
    struct stats *stats;
};

static int
setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);

    assert_non_null(r);
    r->fd = table_create(4);
    r->stats = stats_open_writer(r->fd, TABLE_STATS_AT);
    assert_non_null(r->stats);
    *state = r;
    return 0;
}

static int
teardown(void **state)
{
    struct rig *r = *state;

    stats_close(&r->stats);
    assert_null(r->stats);
    fd_close(&r->fd);
    free(r);
    return 0;
}

/* The next combination of labels; false after the last. */
static bool
next(const struct stats_row *row, struct stats_at *at)
{
    for (int i = STATS_LABELS_MAX - 1; i >= 0; i--) {
        if (++at->i[i] < stats_labels[row->labels[i]].count)
            return true;
        at->i[i] = 0;
    }
    return false;
}

/* Every cell of every metric is its own. */
static void
test_cells(void **state)
{
    struct stats *s = ((struct rig *)*state)->stats;
    uint64_t n = 0;

    for (unsigned m = 0; m < STATS_METRIC_COUNT; m++) {
        struct stats_at at = STATS_AT(0);

        do {
            if (stats_rows[m].kind == STATS_KIND_HISTOGRAM)
                stats_observe(s, (enum stats_metric)m, at, (int64_t)++n);
            else
                stats_add(s, (enum stats_metric)m, at, ++n);
        } while (next(&stats_rows[m], &at));
    }
    n = 0;
    for (unsigned m = 0; m < STATS_METRIC_COUNT; m++) {
        struct stats_at at = STATS_AT(0);
        struct stats_histogram h;

        do {
            n++;
            if (stats_rows[m].kind != STATS_KIND_HISTOGRAM) {
                assert_int_equal(stats_get(s, (enum stats_metric)m, at), n);
                continue;
            }
            stats_read_histogram(s, (enum stats_metric)m, at, &h);
            assert_int_equal(h.count, 1);
            assert_int_equal(h.sum_us, n);
        } while (next(&stats_rows[m], &at));
    }
    assert_true(n > 1000);
}

/* A value on a bound belongs below it; the last bucket takes what is above all. */
static void
test_histogram_edges(void **state)
{
    struct stats *s = ((struct rig *)*state)->stats;
    struct stats_histogram h;
    uint64_t sum = 0;

    for (unsigned i = 0; i < STATS_BOUNDS; i++) {
        struct stats_at at = STATS_AT(i % 2);

        stats_observe(s, STATS_CONNECT_TIME, at, stats_bounds_us[i]);
        stats_observe(s, STATS_CONNECT_TIME, at, (int64_t)stats_bounds_us[i] + 1);
        stats_read_histogram(s, STATS_CONNECT_TIME, at, &h);
        assert_true(h.buckets[i] >= 1);
        assert_true(h.buckets[i + 1] >= 1);
    }
    stats_observe(s, STATS_RESOLVE_TIME, STATS_AT(STATS_FAILURE), 0);
    stats_observe(s, STATS_RESOLVE_TIME, STATS_AT(STATS_FAILURE), -5);
    stats_observe(s, STATS_RESOLVE_TIME, STATS_AT(STATS_FAILURE), INT64_C(1) << 50);
    sum = UINT64_C(1) << 50;
    stats_read_histogram(s, STATS_RESOLVE_TIME, STATS_AT(STATS_FAILURE), &h);
    assert_int_equal(h.buckets[0], 2);
    assert_int_equal(h.buckets[STATS_BOUNDS], 1);
    assert_int_equal(h.count, 3);
    assert_int_equal(h.sum_us, sum);
    stats_read_histogram(s, STATS_RESOLVE_TIME, STATS_AT(STATS_SUCCESS), &h);
    assert_int_equal(h.count, 0);
}

static void
test_names(void **state)
{
    struct stats *s = ((struct rig *)*state)->stats;
    char name[32], room[STATS_NAME_SIZE];
    char big[200];

    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    assert_int_equal(stats_name(s, STATS_SET_METHOD, "rule 3"), 0); /* another set's */
    for (unsigned i = 0; i < 1024; i++) {
        (void)snprintf(name, sizeof name, "rule %u", i);
        assert_int_equal(stats_name(s, STATS_SET_RULE, name), i);
        assert_int_equal(stats_name(s, STATS_SET_RULE, name), i);
    }
    assert_int_equal(stats_name(s, STATS_SET_RULE, "one too many"), 1024);
    assert_int_equal(stats_name(s, STATS_SET_RULE, "rule 1023"), 1023);
    assert_int_equal(stats_label_used(s, STATS_LABEL_RULE), 1024);
    assert_string_equal(stats_label_text(s, STATS_LABEL_RULE, 7, room), "rule 7");
    assert_string_equal(stats_label_text(s, STATS_LABEL_RULE, 1024, room), STATS_OTHER);
    assert_int_equal(stats_name(s, STATS_SET_METHOD, STATS_OTHER), 24);
    assert_int_equal(stats_name(s, STATS_SET_METHOD, big), 1);
    assert_int_equal(stats_name(s, STATS_SET_METHOD, big + 3), 1); /* the same when cut */
    assert_int_equal(stats_name(s, STATS_SET_METHOD, ""), 2);
    assert_int_equal(strlen(stats_label_text(s, STATS_LABEL_METHOD, 1, room)), STATS_NAME_SIZE - 1);
    assert_string_equal(stats_label_text(s, STATS_LABEL_PROTOCOL, 2, room), "socks4a");
}

/* Without a block nothing is counted, and an index out of bounds is the last one. */
static void
test_nothing_breaks(void **state)
{
    struct stats *s = ((struct rig *)*state)->stats;

    stats_add(NULL, STATS_SESSIONS, STATS_AT(0), 1);
    stats_set(NULL, STATS_WORKERS, STATS_AT(0), 1);
    stats_observe(NULL, STATS_CONNECT_TIME, STATS_AT(0), 1);
    assert_int_equal(stats_name(NULL, STATS_SET_RULE, "x"), 1024);
    stats_add(s, STATS_PAYLOAD, STATS_AT(77, 99), 5);
    assert_int_equal(stats_get(s, STATS_PAYLOAD, STATS_AT(STATS_UDP, STATS_DOWN)), 5);
}

/* By name, whatever the order each has learnt them in; of a full set's rest "(other)". */
static void
test_merge(void **state)
{
    struct rig *r = *state;
    struct stats *sum = stats_new(), *copy = stats_new();
    struct stats_histogram h;
    char name[32];

    assert_true(sum != NULL && copy != NULL);
    assert_int_equal(stats_name(sum, STATS_SET_RULE, "b"), 0);
    assert_int_equal(stats_name(r->stats, STATS_SET_RULE, "a"), 0);
    assert_int_equal(stats_name(r->stats, STATS_SET_RULE, "b"), 1);
    stats_add(sum, STATS_DENIALS, STATS_AT(0, STATS_BY_RULE), 10);
    stats_add(r->stats, STATS_DENIALS, STATS_AT(0, STATS_BY_RULE), 1);
    stats_add(r->stats, STATS_DENIALS, STATS_AT(1, STATS_BY_RULE), 2);
    stats_add(r->stats, STATS_DENIALS, STATS_AT(1, STATS_SPECIAL), 4);
    stats_add(r->stats, STATS_DENIALS, STATS_AT(1024, STATS_SPECIAL), 8);
    stats_observe(r->stats, STATS_LOGIN_TIME, STATS_AT(stats_name(r->stats, STATS_SET_METHOD, "m")), 700);
    stats_learn(sum, r->stats);
    stats_copy(copy, sum);
    stats_merge(copy, r->stats);
    assert_int_equal(stats_name(copy, STATS_SET_RULE, "a"), 1);
    assert_int_equal(stats_get(copy, STATS_DENIALS, STATS_AT(0, STATS_BY_RULE)), 12);
    assert_int_equal(stats_get(copy, STATS_DENIALS, STATS_AT(0, STATS_SPECIAL)), 4);
    assert_int_equal(stats_get(copy, STATS_DENIALS, STATS_AT(1, STATS_BY_RULE)), 1);
    assert_int_equal(stats_get(copy, STATS_DENIALS, STATS_AT(1024, STATS_SPECIAL)), 8);
    stats_read_histogram(copy, STATS_LOGIN_TIME, STATS_AT(0), &h);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.buckets[1], 1);
    assert_int_equal(h.sum_us, 700);
    assert_int_equal(stats_get(sum, STATS_DENIALS, STATS_AT(0, STATS_BY_RULE)), 10);
    for (int i = 0; i < 1024; i++) {
        (void)snprintf(name, sizeof name, "fills %d", i);
        (void)stats_name(sum, STATS_SET_RULE, name);
    }
    assert_int_equal(stats_name(r->stats, STATS_SET_RULE, "late"), 2);
    stats_add(r->stats, STATS_DENIALS, STATS_AT(2, STATS_NO_RULE), 3);
    stats_merge(sum, r->stats);
    assert_int_equal(stats_get(sum, STATS_DENIALS, STATS_AT(1024, STATS_NO_RULE)), 3);
    stats_close(&sum);
    stats_close(&copy);
}

/* What the master counts is nobody else's to say. */
static void
test_merge_leaves_what_is_the_masters(void **state)
{
    struct rig *r = *state;
    struct stats *sum = stats_new();

    assert_non_null(sum);
    for (unsigned m = 0; m < STATS_METRIC_COUNT; m++)
        stats_add(r->stats, (enum stats_metric)m, STATS_AT(0), 7);
    (void)stats_name(r->stats, STATS_SET_LIMIT, "made-up");
    stats_learn(sum, r->stats);
    stats_merge(sum, r->stats);
    for (unsigned m = STATS_OF_MASTER; m < STATS_METRIC_COUNT; m++)
        assert_int_equal(stats_get(sum, (enum stats_metric)m, STATS_AT(0)), 0);
    assert_int_equal(stats_get(sum, STATS_PAYLOAD, STATS_AT(0)), 7);
    assert_int_equal(stats_label_used(sum, STATS_LABEL_LIMIT), 0);
    stats_close(&sum);
}

/* Whatever another process has written is added up without harm. */
static void
test_hostile_block(void **state)
{
    struct rig *r = *state;
    struct unit_random random = UNIT_RANDOM_INIT;
    struct stats *sum = stats_new();
    uint8_t *map = mmap(NULL, stats_size(), PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, TABLE_STATS_AT);
    char room[STATS_NAME_SIZE];

    assert_non_null(sum);
    assert_ptr_not_equal(map, MAP_FAILED);
    for (int round = 0; round < 20; round++) {
        unit_random_fill(&random, map, stats_size());
        struct stats *reader = stats_open_reader(r->fd, TABLE_STATS_AT);

        assert_non_null(reader);
        stats_learn(sum, reader);
        stats_merge(sum, reader);
        for (unsigned i = 0; i <= 1024; i++)
            assert_true(strlen(stats_label_text(reader, STATS_LABEL_RULE, i, room)) < STATS_NAME_SIZE);
        stats_close(&reader);
    }
    assert_int_equal(stats_label_used(sum, STATS_LABEL_RULE), 1024);
    munmap(map, stats_size());
    stats_close(&sum);
}

/* What one process adds another one sees. */
static void
test_across_processes(void **state)
{
    struct rig *r = *state;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        for (int i = 0; i < 1000; i++)
            stats_add(r->stats, STATS_PAYLOAD, STATS_AT(STATS_TCP, STATS_UP), 3);
        _exit(0);
    }
    struct stats *reader = stats_open_reader(r->fd, TABLE_STATS_AT);
    uint64_t before = 0;

    assert_non_null(reader);
    while (waitpid(pid, NULL, WNOHANG) == 0) {
        uint64_t now = stats_get(reader, STATS_PAYLOAD, STATS_AT(STATS_TCP, STATS_UP));

        assert_true(now >= before && now % 3 == 0);
        before = now;
    }
    assert_int_equal(stats_get(reader, STATS_PAYLOAD, STATS_AT(STATS_TCP, STATS_UP)), 3000);
    stats_close(&reader);
}

static void
test_refused_memory(void **state)
{
    struct rig *r = *state;
    int small = memfd_fixed("small", 4096);

    assert_null(stats_open_reader(small, 0));
    assert_int_equal(errno, EINVAL);
    assert_null(stats_open_reader(r->fd, 17));
    assert_int_equal(errno, EINVAL);
    assert_null(stats_open_writer(-1, 0));
    fd_close(&small);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cells, setup, teardown),
        cmocka_unit_test_setup_teardown(test_histogram_edges, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_breaks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_merge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_merge_leaves_what_is_the_masters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_block, setup, teardown),
        cmocka_unit_test_setup_teardown(test_across_processes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_memory, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
