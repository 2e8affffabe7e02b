/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include "tests/unit/logger_rig.h"

#include "src/core/log.h"
#include "src/logger/rings.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct fixture {
    struct loop *loop;
    struct log_rings rings;
    struct rig_ring a;
    struct rig_ring b;
    struct log_ring *ring;
    int wake_fd;
    uint8_t record[EVENT_RECORD_MAX];
    struct event_view view;
};

static struct log_ring *
add(struct fixture *f, const struct rig_ring *r, uint32_t id)
{
    struct ipc_ring what = { .ring = id, .label = "1" };
    int pidfd = dup(f->wake_fd), none = -1;
    struct log_ring *ring = rings_add(&f->rings, &what, r->data_fd, r->index_fd, &pidfd, &none);

    if (ring == NULL)
        close(pidfd);
    return ring;
}

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->wake_fd = eventfd(0, EFD_NONBLOCK);
    f->loop = loop_new();
    assert_non_null(f->loop);
    rings_init(&f->rings, f->loop);
    rig_ring_open(&f->a, f->wake_fd);
    rig_ring_open(&f->b, f->wake_fd);
    f->ring = add(f, &f->a, 7);
    assert_non_null(f->ring);
    log_to_stderr(0);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    rings_free(&f->rings);
    loop_free(&f->loop);
    rig_ring_close(&f->a);
    rig_ring_close(&f->b);
    close(f->wake_fd);
    free(f);
    return 0;
}

static bool
take(struct fixture *f)
{
    return ring_take(f->ring, f->record, &f->view);
}

/* What a logger that comes after us would find first. */
static uint64_t
first_of_successor(struct fixture *f)
{
    struct ring_reader *reader = ring_reader_open(f->a.data_fd, f->a.index_fd);
    ssize_t len = ring_peek(reader, 0, f->record, sizeof f->record);

    assert_true(len >= 0);
    if (len > 0)
        assert_int_equal(event_decode(f->record, (size_t)len, &f->view), 0);
    ring_reader_close(&reader);
    return len == 0 ? 0 : f->view.seq;
}

static void
come_and_go(void **state)
{
    struct fixture *f = *state;
    struct log_ring *second = add(f, &f->b, 8);

    assert_non_null(second);
    assert_ptr_equal(rings_find(&f->rings, 7), f->ring);
    assert_ptr_equal(rings_find(&f->rings, 8), second);
    assert_null(rings_find(&f->rings, 9));
    assert_null(add(f, &f->b, 7));
    assert_int_equal(errno, EEXIST);
    rings_remove(&f->rings, f->ring);
    assert_null(rings_find(&f->rings, 7));
    assert_ptr_equal(rings_find(&f->rings, 8), second);
}

static void
no_ring_at_all(void **state)
{
    struct fixture *f = *state;
    struct rig_ring wrong = { .data_fd = f->wake_fd, .index_fd = f->wake_fd };

    assert_null(add(f, &wrong, 9));
    assert_int_equal(f->rings.count, 1);
}

static void
taken_is_not_accepted(void **state)
{
    struct fixture *f = *state;

    rig_write(&f->a, 3, 10);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        assert_true(take(f));
        assert_int_equal(f->view.seq, seq);
    }
    assert_false(take(f));
    assert_false(ring_done(f->ring));
    assert_int_equal(first_of_successor(f), 1);
    ring_taken_safe(f->ring, 2);
    assert_int_equal(first_of_successor(f), 3);
    rings_rewind(&f->rings);
    assert_true(take(f));
    assert_int_equal(f->view.seq, 3);
    ring_taken_safe(f->ring, 1);
    assert_true(ring_done(f->ring));
}

static void
garbage_is_skipped_once(void **state)
{
    struct fixture *f = *state;
    enum lost_why why;
    uint64_t count;
    uint64_t total;

    rig_write(&f->a, 5, 10);
    rig_ring_spoil(&f->a, 0);
    assert_false(take(f));
    assert_true(ring_take_loss(f->ring, false, &why, &count, &total));
    assert_int_equal(why, LOST_INVALID);
    assert_int_equal(count, 1);
    assert_false(ring_done(f->ring));
    ring_loss_safe(f->ring, why, total);
    assert_true(ring_done(f->ring));
    rig_write(&f->a, 1, 10);
    assert_true(take(f));
    assert_int_equal(f->view.seq, 6);
}

/* The index may not go over records that are on their way. */
static void
garbage_waits_for_what_is_before_it(void **state)
{
    struct fixture *f = *state;

    rig_write(&f->a, 5, 10);
    assert_true(take(f));
    rig_ring_spoil(&f->a, 1);
    assert_false(take(f));
    assert_int_equal(f->ring->lost[LOST_INVALID].total, 0);
    ring_taken_safe(f->ring, 1);
    assert_false(take(f));
    assert_int_equal(f->ring->lost[LOST_INVALID].total, 1);
}

static void
full_ring_is_told(void **state)
{
    struct fixture *f = *state;
    enum lost_why why;
    uint64_t count;
    uint64_t total;

    rig_write(&f->a, RING_DATA_SIZE / 1000 + 10, 1000);
    assert_true(ring_take_loss(f->ring, false, &why, &count, &total));
    assert_int_equal(why, LOST_FULL);
    assert_true(count >= 10);
    assert_int_equal(total, count);
    assert_false(ring_take_loss(f->ring, true, &why, &count, &total));
    rig_write(&f->a, 3, 1000);
    assert_false(ring_take_loss(f->ring, false, &why, &count, &total)); /* so soon after the last */
    assert_true(ring_take_loss(f->ring, true, &why, &count, &total));
    assert_int_equal(count, 3);
    ring_loss_safe(f->ring, why, total);
    rings_remove(&f->rings, f->ring);
    f->ring = add(f, &f->a, 7);
    assert_false(ring_take_loss(f->ring, true, &why, &count, &total)); /* a successor knows */
}

static void
loss_goes_back_with_rewind(void **state)
{
    struct fixture *f = *state;
    enum lost_why why;
    uint64_t first;
    uint64_t count;
    uint64_t total;

    rig_write(&f->a, RING_DATA_SIZE / 1000 + 10, 1000);
    assert_true(ring_take_loss(f->ring, false, &why, &first, &total));
    rings_rewind(&f->rings);
    assert_true(ring_take_loss(f->ring, false, &why, &count, &total));
    assert_int_equal(count, first);
}

static uint64_t
signals(const struct fixture *f)
{
    uint64_t n = 0;

    return read(f->wake_fd, &n, sizeof n) == sizeof n ? n : 0;
}

static void
asleep_and_awake(void **state)
{
    struct fixture *f = *state;

    rig_write(&f->a, 1, 10);
    assert_int_equal(signals(f), 0);
    assert_false(rings_sleep(&f->rings)); /* something is there */
    rig_write(&f->a, 1, 10);
    assert_int_equal(signals(f), 0);
    assert_true(take(f) && take(f));
    assert_true(rings_sleep(&f->rings)); /* taken, though not safe */
    rig_write(&f->a, 2, 10);
    assert_int_equal(signals(f), 1);
    rings_awake(&f->rings);
    rig_write(&f->a, 1, 10);
    assert_int_equal(signals(f), 0);
    assert_int_equal(rings_waiting(&f->rings), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(come_and_go, setup, teardown),
        cmocka_unit_test_setup_teardown(no_ring_at_all, setup, teardown),
        cmocka_unit_test_setup_teardown(taken_is_not_accepted, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_is_skipped_once, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_waits_for_what_is_before_it, setup, teardown),
        cmocka_unit_test_setup_teardown(full_ring_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(loss_goes_back_with_rewind, setup, teardown),
        cmocka_unit_test_setup_teardown(asleep_and_awake, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
