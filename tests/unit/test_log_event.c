/* SPDX-License-Identifier: ISC */
/* src/core/log_event.c */
#include "tests/unit/core_unit.h"

#include "lib/base/fd.h"
#include "src/core/event.h"
#include "src/core/log.h"
#include "src/core/log_event.h"
#include "src/core/ring.h"

static void
test_lines_become_records(void **state)
{
    int data = -1, index = -1;
    uint8_t record[EVENT_RECORD_MAX];
    struct event_view v;

    (void)state;
    assert_int_equal(ring_create(1, &data, &index), 0);
    struct ring_writer *w = ring_writer_open(data, index, -1);
    struct ring_reader *r = ring_reader_open(data, index);

    log_to_stderr(0);
    log_to_ring(w);
    log_warn("disk %d%% full", 99);
    ssize_t len = ring_peek(r, 0, record, sizeof record);

    assert_true(len > 0);
    assert_int_equal(event_decode(record, (size_t)len, &v), 0);
    assert_int_equal(v.id, EVENT_GATEWAY_MESSAGE);
    assert_int_equal(v.session, 0);
    assert_true(v.time.us > 0);
    assert_int_equal(v.count, 2);
    assert_int_equal(v.values[0].field, FIELD_SEVERITY);
    assert_memory_equal(v.values[0].text, "warning", v.values[0].text_len);
    assert_int_equal(v.values[1].field, FIELD_TEXT);
    assert_memory_equal(v.values[1].text, "disk 99% full", v.values[1].text_len);
    log_to_ring(NULL);
    log_warn("nobody");
    assert_int_equal(ring_peek(r, 1, record, sizeof record), 0);
    ring_writer_close(&w);
    ring_reader_close(&r);
    fd_close(&data);
    fd_close(&index);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines_become_records) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
