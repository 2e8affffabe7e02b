/* SPDX-License-Identifier: ISC */
/* src/core/event.c and event_table.c: stating facts, and what an event may not carry. */
#include "tests/unit/core_unit.h"

#include <signal.h>
#include <syslog.h>

#include "lib/base/fd.h"
#include "src/core/event.h"
#include "src/core/ring.h"

struct rig {
    int data_fd;
    int index_fd;
    struct ring_writer *writer;
    struct ring_reader *reader;
};

static int
setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);

    if (r == NULL || ring_create(100, &r->data_fd, &r->index_fd) < 0)
        return -1;
    r->writer = ring_writer_open(r->data_fd, r->index_fd, -1);
    r->reader = ring_reader_open(r->data_fd, r->index_fd);
    *state = r;
    return 0;
}

static int
teardown(void **state)
{
    struct rig *r = *state;

    ring_writer_close(&r->writer);
    ring_reader_close(&r->reader);
    fd_close(&r->data_fd);
    fd_close(&r->index_fd);
    free(r);
    return 0;
}

/* Commits and reads back. */
static void
pass(struct rig *r, const struct event *e, uint8_t record[EVENT_RECORD_MAX], struct event_view *v)
{
    uint64_t expect = event_next_seq(r->writer);

    assert_int_equal(event_commit(r->writer, e), expect);
    ssize_t len = ring_peek(r->reader, 0, record, EVENT_RECORD_MAX);

    assert_true(len > 0);
    ring_accept(r->reader, 1);
    assert_int_equal(event_decode(record, (size_t)len, v), 0);
    assert_int_equal(v->seq, expect);
    assert_int_equal(v->id, e->id);
}

static const struct event_value *
value_of(const struct event_view *v, enum event_field field)
{
    for (size_t i = 0; i < v->count; i++) {
        if (v->values[i].field == field)
            return &v->values[i];
    }
    return NULL;
}

static void
test_every_kind(void **state)
{
    struct rig *r = *state;
    struct event e;
    struct event_view v;
    uint8_t record[EVENT_RECORD_MAX];
    const struct addr client = addr_ipv4((const uint8_t[]) { 192, 0, 2, 7 }, 4711);
    const struct addr dialled
        = addr_ipv6((const uint8_t[16]) { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, 443);
    const struct addr none = { 0 };

    event_begin(&e, EVENT_SESSION_END, 77, (struct wall) { 1234567 });
    event_addr(&e, FIELD_CLIENT, &client);
    event_addr(&e, FIELD_ADDRESS, &dialled);
    event_addr(&e, FIELD_EGRESS, &none);
    event_text(&e, FIELD_USER, "alice");
    event_text(&e, FIELD_CLAIMED, NULL);
    event_text(&e, FIELD_DETAIL, "");
    event_bytes(&e, FIELD_DESTINATION, "a\0b", 3);
    event_number(&e, FIELD_BYTES_UP, UINT64_MAX);
    event_seconds(&e, FIELD_DURATION, 2500000);
    pass(r, &e, record, &v);
    assert_int_equal(v.count, 6);
    assert_int_equal(v.session, 77);
    assert_int_equal(v.time.us, 1234567);
    assert_false(v.truncated);
    assert_true(addr_equal(&value_of(&v, FIELD_CLIENT)->addr, &client));
    assert_true(addr_equal(&value_of(&v, FIELD_ADDRESS)->addr, &dialled));
    assert_int_equal(value_of(&v, FIELD_DESTINATION)->text_len, 3);
    assert_memory_equal(value_of(&v, FIELD_DESTINATION)->text, "a\0b", 3);
    assert_true(value_of(&v, FIELD_BYTES_UP)->number == UINT64_MAX);
    assert_int_equal(value_of(&v, FIELD_DURATION)->number, 2500000);
    assert_null(value_of(&v, FIELD_CLAIMED));
    assert_null(value_of(&v, FIELD_DETAIL));
    assert_null(value_of(&v, FIELD_EGRESS));
}

/* Long text is cut and says so; numbers and addresses that come after it are whole. */
static void
test_long_text_leaves_room(void **state)
{
    struct rig *r = *state;
    struct event e;
    struct event_view v;
    static char text[70000];
    uint8_t record[EVENT_RECORD_MAX];
    const struct addr a = addr_ipv6((const uint8_t[16]) { 1 }, 1);

    memset(text, 'u', sizeof text - 1);
    event_begin(&e, EVENT_SESSION_END, 1, (struct wall) { 0 });
    event_text(&e, FIELD_USER, text);
    event_text(&e, FIELD_DETAIL, text);
    const enum event_field numbers[] = { FIELD_REPLY, FIELD_BYTES_UP, FIELD_BYTES_DOWN,
        FIELD_WIRE_UP, FIELD_WIRE_DOWN };

    for (size_t i = 0; i < SP_COUNT(numbers); i++)
        event_number(&e, numbers[i], i);
    event_seconds(&e, FIELD_DURATION, -1);
    event_addr(&e, FIELD_CLIENT, &a);
    event_addr(&e, FIELD_ADDRESS, &a);
    event_addr(&e, FIELD_EGRESS, &a);
    pass(r, &e, record, &v);
    assert_true(v.truncated);
    assert_int_equal(v.count, 10);
    assert_in_range(value_of(&v, FIELD_USER)->text_len, 3000, 4000);
    assert_int_equal(value_of(&v, FIELD_DURATION)->number, 0);
    assert_null(value_of(&v, FIELD_DETAIL));
}

/* The reserve behind text is enough for every event of the table. */
static void
test_fixed_fields_always_fit(void **state)
{
    struct rig *r = *state;
    static char text[8000];
    const struct addr a = addr_ipv6((const uint8_t[16]) { 1 }, 1);

    memset(text, 'x', sizeof text - 1);
    for (int id = 0; id < EVENT_COUNT; id++) {
        struct event e;
        struct event_view v;
        uint8_t record[EVENT_RECORD_MAX];
        size_t fixed = 0;

        event_begin(&e, (enum event_id)id, 0, (struct wall) { 0 });
        for (int pass_no = 0; pass_no < 2; pass_no++) {
            for (int f = 0; f < FIELD_TOTAL; f++) {
                enum field_kind kind = field_table[f].kind;

                if ((event_table[id].fields >> f & 1) == 0
                    || (kind == FIELD_KIND_TEXT) != (pass_no == 0))
                    continue;
                fixed += pass_no;
                if (kind == FIELD_KIND_TEXT)
                    event_text(&e, (enum event_field)f, text);
                else if (kind == FIELD_KIND_ADDR)
                    event_addr(&e, (enum event_field)f, &a);
                else if (kind == FIELD_KIND_NUMBER)
                    event_number(&e, (enum event_field)f, 1);
                else
                    event_seconds(&e, (enum event_field)f, 1);
            }
        }
        pass(r, &e, record, &v);
        for (size_t i = 0; i < v.count; i++)
            fixed -= field_table[v.values[i].field].kind != FIELD_KIND_TEXT;
        assert_int_equal(fixed, 0);
    }
}

static void
test_tables(void **state)
{
    (void)state;
    assert_string_equal(event_table[EVENT_SESSION_START].name, "session.start");
    assert_int_equal(event_table[EVENT_AUTH_FAILURE].severity, LOG_WARNING);
    assert_int_equal(event_table[EVENT_AUTH_SUCCESS].class, EVENT_CLASS_ALL);
    for (int i = 0; i < EVENT_COUNT; i++) {
        assert_non_null(event_table[i].name);
        assert_non_null(event_table[i].sentence);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(event_table[i].name, event_table[k].name);
    }
    for (int i = 0; i < FIELD_TOTAL; i++) {
        assert_non_null(field_table[i].name);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(field_table[i].name, field_table[k].name);
    }
}

static void
act_foreign_field(void *arg)
{
    struct event e;

    (void)arg;
    event_begin(&e, EVENT_WORKER_START, 0, (struct wall) { 0 });
    event_text(&e, FIELD_USER, "x");
}

static void
act_field_twice(void *arg)
{
    struct event e;

    (void)arg;
    event_begin(&e, EVENT_WORKER_START, 0, (struct wall) { 0 });
    event_number(&e, FIELD_PID, 1);
    event_number(&e, FIELD_PID, 2);
}

static void
act_wrong_kind(void *arg)
{
    struct event e;

    (void)arg;
    event_begin(&e, EVENT_WORKER_START, 0, (struct wall) { 0 });
    event_text(&e, FIELD_PID, "one");
}

static void
test_mistakes_are_panics(void **state)
{
    char text[256];

    (void)state;
    unit_assert_signal(unit_fork(act_foreign_field, NULL, text, sizeof text), SIGABRT);
    assert_non_null(strstr(text, "worker.start cannot take field user"));
    unit_assert_signal(unit_fork(act_field_twice, NULL, text, sizeof text), SIGABRT);
    unit_assert_signal(unit_fork(act_wrong_kind, NULL, text, sizeof text), SIGABRT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_text_leaves_room, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fixed_fields_always_fit, setup, teardown),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_mistakes_are_panics),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
