/* SPDX-License-Identifier: ISC */
/* src/core/ring_reader.c: a writer in another process, a successor, a hostile map. */
#include "tests/unit/core_unit.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "src/core/ring.h"
#include "src/core/ring_private.h"

#define RECORDS 300000U

struct rig {
    int data_fd;
    int index_fd;
    int wake_fd;
    bool for_ever; /* the writer goes on until it is killed */
    _Atomic uint64_t *seen; /* shared: the writer waits until its last record was seen; or NULL */
};

static int
setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);

    if (r == NULL || ring_create(1, &r->data_fd, &r->index_fd) < 0)
        return -1;
    r->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    *state = r;
    return r->wake_fd < 0;
}

static int
teardown(void **state)
{
    struct rig *r = *state;

    fd_close(&r->data_fd);
    fd_close(&r->index_fd);
    fd_close(&r->wake_fd);
    free(r);
    return 0;
}

/* Bodies whose length and content follow from the sequence number. */
static size_t
body_len(uint64_t seq)
{
    return (size_t)(seq * 7919 % 613);
}

static void
write_records(void *arg)
{
    struct rig *r = arg;
    struct ring_writer *w = ring_writer_open(r->data_fd, r->index_fd, r->wake_fd);
    uint8_t body[1024];

    CHILD_CHECK(w != NULL);
    for (uint64_t i = 0; r->for_ever || i < RECORDS; i++) {
        uint64_t seq = ring_next_seq(w);
        struct ring_record head = { .event = 1, .session = seq };

        memset(body, (int)(seq & 0xff), sizeof body);
        CHILD_CHECK(ring_append(w, &head, body, body_len(seq)) == seq);
        while (r->seen != NULL && atomic_load(r->seen) < seq)
            sched_yield();
    }
    ring_writer_close(&w);
}

static pid_t
start_writer(struct rig *r)
{
    fflush(NULL);
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test does not leave us behind */
        write_records(r);
        _exit(0);
    }
    return pid;
}

/* Checks the record and returns its number. */
static uint64_t
check_record(const uint8_t *record, ssize_t len)
{
    struct ring_record head;

    memcpy(&head, record, sizeof head);
    assert_int_equal(len, sizeof head + body_len(head.seq));
    assert_int_equal(head.len, len);
    assert_int_equal(head.session, head.seq);
    uint8_t expect[1024];

    memset(expect, (int)(head.seq & 0xff), sizeof expect);
    assert_memory_equal(record + sizeof head, expect, body_len(head.seq));
    return head.seq;
}

struct tally {
    uint64_t last; /* number of the last record */
    uint64_t seen;
};

/* Takes what there is, in batches of up to 64; a writer that keeps up does not hold it for ever. */
static void
drain(struct ring_reader *reader, struct tally *t)
{
    uint8_t record[RING_RECORD_MAX];
    size_t n = 0;
    ssize_t len = 1;

    for (int i = 0; i < 8192; i++) {
        len = ring_peek(reader, n, record, sizeof record);
        if (len <= 0)
            break;
        uint64_t seq = check_record(record, len);

        assert_true(seq > t->last);
        t->last = seq;
        t->seen++;
        if (++n == 64) {
            ring_accept(reader, n);
            n = 0;
        }
    }
    assert_true(len >= 0);
    ring_accept(reader, n);
}

static void
wait_for_writer(struct ring_reader *reader, int wake_fd)
{
    uint64_t count;
    struct pollfd p = { .fd = wake_fd, .events = POLLIN };

    ring_sleep(reader);
    if (ring_empty(reader))
        (void)poll(&p, 1, 100); /* the end of the writer does not signal */
    ring_awake(reader);
    (void)!read(wake_fd, &count, sizeof count);
}

static void
test_across_processes(void **state)
{
    struct rig *r = *state;
    struct ring_reader *reader = ring_reader_open(r->data_fd, r->index_fd);
    struct tally t = { 0, 0 };
    int status = -1;

    assert_non_null(reader);
    pid_t pid = start_writer(r);

    while (waitpid(pid, &status, WNOHANG) == 0) {
        drain(reader, &t);
        wait_for_writer(reader, r->wake_fd);
    }
    unit_assert_exit(status, 0);
    while (!ring_empty(reader))
        drain(reader, &t);
    /* Every number was either seen or counted as dropped. */
    assert_int_equal(t.seen + ring_dropped(reader), RECORDS);
    assert_int_equal(ring_next_seq_of(r->data_fd), RECORDS + 1);
    assert_true(ring_empty(reader));
    ring_reader_close(&reader);
}

/* One record at a time, written about when the reader goes to sleep: a lost wake-up would let the
   wait run out. */
static void
test_no_wake_up_is_lost(void **state)
{
    struct rig *r = *state;
    struct ring_reader *reader = ring_reader_open(r->data_fd, r->index_fd);
    struct tally t = { 0, 0 };

    r->for_ever = true;
    r->seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(r->seen, MAP_FAILED);
    pid_t pid = start_writer(r);

    while (t.seen < 20000) {
        uint64_t count;

        ring_sleep(reader);
        if (ring_empty(reader))
            unit_wait_readable(r->wake_fd);
        ring_awake(reader);
        (void)!read(r->wake_fd, &count, sizeof count);
        drain(reader, &t);
        atomic_store(r->seen, t.last);
    }
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(ring_dropped(reader), 0);
    munmap((void *)(uintptr_t)r->seen, 4096);
    ring_reader_close(&reader);
}

/* kill -9 of the writer, then of the reader: what was not accepted is there for the successor. */
static void
test_killed_writer_and_successor(void **state)
{
    struct rig *r = *state;
    struct ring_reader *reader = ring_reader_open(r->data_fd, r->index_fd);
    struct tally t = { 0, 0 };
    uint8_t record[RING_RECORD_MAX];

    r->for_ever = true;
    pid_t pid = start_writer(r);

    while (t.seen < 5000)
        drain(reader, &t);
    struct mono deadline = mono_add_seconds(mono_read(), UNIT_DEADLINE_MS / 1000);

    while (ring_peek(reader, 5, record, sizeof record) <= 0) /* something for the successor */
        assert_true(mono_before(mono_read(), deadline));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    ring_accept(reader, 3);
    ring_sleep(reader);
    ring_reader_close(&reader);
    assert_null(reader);

    reader = ring_reader_open(r->data_fd, r->index_fd);
    assert_non_null(reader);
    assert_true(ring_peek(reader, 0, record, sizeof record) > 0);
    struct ring_record head;

    memcpy(&head, record, sizeof head);
    assert_true(head.seq >= t.last + 4); /* more where the full ring dropped some */
    t.last = head.seq - 1;
    drain(reader, &t);
    assert_true(ring_next_seq_of(r->data_fd) > t.last);
    ring_reader_close(&reader);
}

static void
spoil(struct ring_data *data, struct unit_random *random)
{
    uint8_t *records = (uint8_t *)data + RING_HEADER_SIZE;
    uint64_t head = atomic_load(&data->head);

    switch (unit_random(random) % 5) {
    case 0:
        atomic_store(&data->head, head + unit_random(random) % 9000);
        break;
    case 1:
        atomic_store(&data->head, unit_random(random) << (unit_random(random) % 12));
        break;
    case 2: /* a length where one is likely to be read */
        memcpy(records + (head & (RING_DATA_SIZE - 8)),
            &(uint32_t) { (uint32_t)(unit_random(random) % 5000) }, 4);
        break;
    case 3:
        unit_random_fill(random, records + unit_random(random) % (RING_DATA_SIZE - 64), 64);
        break;
    default: /* padding of random length */
        memcpy(records + (head & (RING_DATA_SIZE - 8)),
            &(uint32_t[2]) { (uint32_t)(unit_random(random) % 64), RING_PADDING }, 8);
        break;
    }
}

/* Nothing the writer puts into its map harms the reader, and skipping always ends at an empty ring. */
static void
test_hostile_map(void **state)
{
    struct rig *r = *state;
    struct unit_random random = UNIT_RANDOM_INIT;
    struct ring_data *data
        = mmap(NULL, RING_MAP_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, r->data_fd, 0);
    struct ring_reader *reader = ring_reader_open(r->data_fd, r->index_fd);
    int invalid = 0, valid = 0;

    assert_ptr_not_equal(data, MAP_FAILED);
    assert_non_null(reader);
    unit_random_fill(&random, (uint8_t *)data + RING_HEADER_SIZE, RING_DATA_SIZE);
    for (int i = 0; i < 20000; i++) {
        spoil(data, &random);
        size_t n = unit_random(&random) % 4;
        uint8_t *record = malloc(RING_RECORD_MAX);
        ssize_t len = ring_peek(reader, n, record, RING_RECORD_MAX);

        assert_true(len >= -1 && len <= RING_RECORD_MAX);
        assert_true(len <= 0 || (size_t)len >= sizeof(struct ring_record));
        free(record);
        invalid += len < 0;
        valid += len > 0;
        if (len < 0)
            ring_skip(reader);
        else
            ring_accept(reader, n);
        if (len < 0)
            assert_true(ring_empty(reader));
    }
    assert_true(invalid > 1000);
    assert_true(valid > 10);
    munmap(data, RING_MAP_SIZE);
    ring_reader_close(&reader);
}

static void
test_small_buffer(void **state)
{
    struct rig *r = *state;
    struct ring_writer *w = ring_writer_open(r->data_fd, r->index_fd, -1);
    struct ring_reader *reader = ring_reader_open(r->data_fd, r->index_fd);
    struct ring_record head = { .event = 1 };
    uint8_t record[sizeof head + 3];

    ring_append(w, &head, "abcd", 4);
    assert_int_equal(ring_peek(reader, 0, record, sizeof record), -1);
    ring_writer_close(&w);
    ring_reader_close(&reader);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_across_processes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_wake_up_is_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_writer_and_successor, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_map, setup, teardown),
        cmocka_unit_test_setup_teardown(test_small_buffer, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
