/* SPDX-License-Identifier: ISC */
/* src/core/ring.c: making a ring, writing, a full ring, waking, and an index that lies. */
#include "tests/unit/core_unit.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "lib/base/fd.h"
#include "src/core/ring.h"
#include "src/core/ring_private.h"

struct rig {
    int data_fd;
    int index_fd;
    int wake_fd;
    struct ring_writer *writer;
    struct ring_reader *reader;
};

static int
setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);

    if (r == NULL || ring_create(5, &r->data_fd, &r->index_fd) < 0)
        return -1;
    r->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    r->writer = ring_writer_open(r->data_fd, r->index_fd, r->wake_fd);
    r->reader = ring_reader_open(r->data_fd, r->index_fd);
    *state = r;
    return r->writer == NULL || r->reader == NULL;
}

static int
teardown(void **state)
{
    struct rig *r = *state;

    ring_writer_close(&r->writer);
    ring_reader_close(&r->reader);
    fd_close(&r->data_fd);
    fd_close(&r->index_fd);
    fd_close(&r->wake_fd);
    free(r);
    return 0;
}

static uint64_t
put(struct rig *r, size_t len)
{
    static const uint8_t body[RING_RECORD_MAX];
    struct ring_record head = { .event = 3, .flags = RING_TRUNCATED, .session = 77, .time = -5 };

    return ring_append(r->writer, &head, body, len);
}

static void
test_round_trip(void **state)
{
    struct rig *r = *state;
    uint8_t record[RING_RECORD_MAX];
    struct ring_record head = { .event = 9, .flags = 1, .session = 42, .time = 123456789 };
    struct ring_record got;

    assert_true(ring_empty(r->reader));
    assert_int_equal(ring_peek(r->reader, 0, record, sizeof record), 0);
    assert_int_equal(ring_next_seq(r->writer), 5);
    assert_int_equal(ring_append(r->writer, &head, "hello", 5), 5);
    assert_int_equal(ring_next_seq(r->writer), 6);
    assert_false(ring_empty(r->reader));
    assert_int_equal(ring_peek(r->reader, 0, record, sizeof record), sizeof got + 5);
    memcpy(&got, record, sizeof got);
    assert_int_equal(got.len, sizeof got + 5);
    assert_int_equal(got.event, 9);
    assert_int_equal(got.flags, 1);
    assert_int_equal(got.seq, 5);
    assert_int_equal(got.session, 42);
    assert_int_equal(got.time, 123456789);
    assert_memory_equal(record + sizeof got, "hello", 5);
    assert_int_equal(ring_peek(r->reader, 1, record, sizeof record), 0);
    assert_false(ring_empty(r->reader));
    ring_accept(r->reader, 1);
    assert_true(ring_empty(r->reader));
    assert_int_equal(ring_next_seq_of(r->data_fd), 6);
}

static void
test_longest_and_too_long(void **state)
{
    struct rig *r = *state;
    uint8_t record[RING_RECORD_MAX];

    put(r, RING_RECORD_MAX - sizeof(struct ring_record));
    assert_int_equal(ring_peek(r->reader, 0, record, sizeof record), RING_RECORD_MAX);
    assert_int_equal(ring_dropped(r->reader), 0);
    put(r, RING_RECORD_MAX - sizeof(struct ring_record) + 1);
    assert_int_equal(ring_dropped(r->reader), 1);
    assert_int_equal(ring_peek(r->reader, 1, record, sizeof record), 0);
}

/* A full ring drops, counts, keeps numbering, and goes on when there is room; around its end too. */
static void
test_full(void **state)
{
    struct rig *r = *state;
    uint8_t record[RING_RECORD_MAX];
    size_t held = 0;
    uint64_t expect = 5;

    while (ring_dropped(r->reader) == 0) {
        assert_int_equal(put(r, 1000), expect++);
        held++;
    }
    held--;
    assert_int_equal(held, RING_DATA_SIZE / ring_round_up(1000 + sizeof(struct ring_record)));
    assert_int_equal(put(r, 1000), expect++);
    assert_int_equal(ring_dropped(r->reader), 2);
    assert_int_equal(ring_dropped_told(r->reader), 0);
    ring_tell_dropped(r->reader, 2);
    assert_int_equal(ring_dropped_told(r->reader), 2);
    ring_accept(r->reader, 10);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(put(r, 1000), expect++);
    assert_int_equal(ring_dropped(r->reader), 2);
    size_t n = 0;
    uint64_t last = 0;

    while (ring_peek(r->reader, n, record, sizeof record) > 0) {
        struct ring_record head;

        memcpy(&head, record, sizeof head);
        assert_true(head.seq > last);
        last = head.seq;
        n++;
    }
    assert_int_equal(n, held - 10 + 8);
    assert_int_equal(last, expect - 1);
    ring_accept(r->reader, n);
    assert_true(ring_empty(r->reader));
}

static uint64_t
signals(struct rig *r)
{
    uint64_t count = 0;

    return read(r->wake_fd, &count, sizeof count) == sizeof count ? count : 0;
}

static void
test_wakes_once_a_sleep(void **state)
{
    struct rig *r = *state;

    put(r, 10);
    assert_int_equal(signals(r), 0);
    for (int i = 0; i < 3; i++) {
        ring_sleep(r->reader);
        for (int k = 0; k < 100; k++)
            put(r, 10);
        assert_int_equal(signals(r), 1);
        ring_awake(r->reader);
        put(r, 10);
        assert_int_equal(signals(r), 0);
    }
}

static void
test_writer_resumes(void **state)
{
    struct rig *r = *state;
    uint8_t record[RING_RECORD_MAX];

    put(r, 10);
    ring_writer_close(&r->writer);
    assert_null(r->writer);
    r->writer = ring_writer_open(r->data_fd, r->index_fd, -1);
    assert_non_null(r->writer);
    ring_sleep(r->reader);
    assert_int_equal(put(r, 10), 6);
    assert_true(ring_peek(r->reader, 1, record, sizeof record) > 0);
}

/* Whatever the index says, the writer stays inside its map and loses nothing but its own records. */
static void
test_lying_index(void **state)
{
    struct rig *r = *state;
    struct unit_random random = UNIT_RANDOM_INIT;
    struct ring_index *index
        = mmap(NULL, sizeof *index, PROT_READ | PROT_WRITE, MAP_SHARED, r->index_fd, 0);
    uint64_t expect = 5;

    assert_ptr_not_equal(index, MAP_FAILED);
    for (int i = 0; i < 20000; i++) {
        atomic_store(&index->tail, unit_random(&random) << (unit_random(&random) % 40));
        atomic_store(&index->sleep_epoch, (uint32_t)unit_random(&random));
        assert_int_equal(put(r, unit_random(&random) % 4000), expect++);
        (void)signals(r);
    }
    munmap(index, sizeof *index);
}

static void
test_wrong_descriptors(void **state)
{
    struct rig *r = *state;
    int other = memfd_fixed("other", RING_HEADER_SIZE);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    assert_null(ring_writer_open(r->index_fd, r->index_fd, -1));
    assert_int_equal(errno, EINVAL);
    assert_null(ring_writer_open(r->data_fd, other, -1));
    assert_int_equal(errno, EINVAL);
    assert_null(ring_reader_open(r->data_fd, other));
    assert_int_equal(errno, EINVAL);
    assert_null(ring_writer_open(null, r->index_fd, -1));
    assert_int_equal(ring_next_seq_of(r->index_fd), 0);
    assert_int_equal(ring_next_seq_of(-1), 0);
    fd_close(&other);
    fd_close(&null);
}

static void
test_next_seq_of_nonsense(void **state)
{
    struct rig *r = *state;
    struct ring_data *data
        = mmap(NULL, sizeof *data, PROT_READ | PROT_WRITE, MAP_SHARED, r->data_fd, 0);

    assert_ptr_not_equal(data, MAP_FAILED);
    atomic_store(&data->next_seq, UINT64_MAX);
    assert_int_equal(ring_next_seq_of(r->data_fd), 0);
    atomic_store(&data->next_seq, 12);
    assert_int_equal(ring_next_seq_of(r->data_fd), 12);
    data->magic = 0;
    assert_int_equal(ring_next_seq_of(r->data_fd), 0);
    munmap(data, sizeof *data);
}

/* A writer killed between any two of its stores: the number counts only when the record is there. */
static void
test_next_seq_of_a_killed_writer(void **state)
{
    struct rig *r = *state;
    struct ring_data *data
        = mmap(NULL, sizeof *data, PROT_READ | PROT_WRITE, MAP_SHARED, r->data_fd, 0);
    struct ring_record record = { .event = 1 };

    assert_ptr_not_equal(data, MAP_FAILED);
    for (int i = 0; i < 3; i++) {
        uint64_t head = atomic_load(&data->head);
        uint64_t seq = ring_next_seq(r->writer);
        uint64_t at = atomic_load(&data->commit[seq & 1]);

        assert_int_equal(ring_next_seq_of(r->data_fd), seq);
        assert_int_equal(ring_append(r->writer, &record, "x", 1), seq);
        uint64_t new_head = atomic_load(&data->head);
        uint64_t new_at = atomic_load(&data->commit[seq & 1]);

        assert_int_equal(ring_next_seq_of(r->data_fd), seq + 1);
        atomic_store(&data->head, head);
        assert_int_equal(ring_next_seq_of(r->data_fd), seq);
        atomic_store(&data->next_seq, seq);
        assert_int_equal(ring_next_seq_of(r->data_fd), seq);
        atomic_store(&data->commit[seq & 1], at);
        assert_int_equal(ring_next_seq_of(r->data_fd), seq);
        atomic_store(&data->commit[seq & 1], new_at);
        atomic_store(&data->next_seq, seq + 1);
        atomic_store(&data->head, new_head);
    }
    munmap(data, sizeof *data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_longest_and_too_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wakes_once_a_sleep, setup, teardown),
        cmocka_unit_test_setup_teardown(test_writer_resumes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lying_index, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_descriptors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_next_seq_of_nonsense, setup, teardown),
        cmocka_unit_test_setup_teardown(test_next_seq_of_a_killed_writer, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
