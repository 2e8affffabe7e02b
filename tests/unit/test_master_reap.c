/* SPDX-License-Identifier: ISC */
/* Closing records of a dead worker, with a real ring and a real table. */
#include "lib/base/fd.h"
#include "src/core/event.h"
#include "src/core/table.h"
#include "src/master/master_parts.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

/* A worker that is about to die, and the master's own ring. */
static struct {
    int table_fd, ring_data, ring_index, own_data, own_index;
    struct table *table;
    struct ring_writer *ring;
    struct ring_writer *own;
    struct ring_reader *reader;
} world;

static const struct wall accepted = { INT64_C(1000) * CLOCK_SECOND_US };
static const struct wall now = { INT64_C(1003) * CLOCK_SECOND_US };

static int
make_world(void **state)
{
    (void)state;
    world.table_fd = table_create(8);
    if (world.table_fd < 0 || ring_create(1, &world.ring_data, &world.ring_index) < 0
        || ring_create(1, &world.own_data, &world.own_index) < 0)
        return -1;
    world.table = table_open_writer(world.table_fd);
    world.ring = ring_writer_open(world.ring_data, world.ring_index, -1);
    world.own = ring_writer_open(world.own_data, world.own_index, -1);
    world.reader = ring_reader_open(world.own_data, world.own_index);
    return world.table == NULL || world.ring == NULL || world.own == NULL || world.reader == NULL;
}

static int
remove_world(void **state)
{
    (void)state;
    table_close(&world.table);
    ring_writer_close(&world.ring);
    ring_writer_close(&world.own);
    ring_reader_close(&world.reader);
    fd_close(&world.table_fd);
    fd_close(&world.ring_data);
    fd_close(&world.ring_index);
    fd_close(&world.own_data);
    fd_close(&world.own_index);
    return 0;
}

static struct session
session(uint64_t id)
{
    static const uint8_t ip[4] = { 192, 0, 2, 7 };

    return (struct session) { .id = id, .accepted = accepted, .client = addr_ipv4(ip, 4711),
        .fd = -1 };
}

static struct table_slot *
slot(uint64_t id)
{
    struct table_slot *s = table_take(world.table, id);

    assert_non_null(s);
    table_change_begin(s);
    s->protocol = 5;
    s->command = 1;
    s->dest_port = 443;
    s->bytes_up = 10;
    s->bytes_down = 20;
    table_text(s->user, sizeof s->user, "ann", 3);
    table_text(s->destination, sizeof s->destination, "www.example.com", 15);
    table_change_end(s);
    return s;
}

/* The worker commits a record, its number noted in the slot before, as workers do. */
static void
commit(uint64_t *seq, enum event_id id, uint64_t of)
{
    struct event e;

    *seq = event_next_seq(world.ring);
    event_begin(&e, id, of, accepted);
    event_commit(world.ring, &e);
}

static bool
reap(uint64_t id)
{
    struct session s = session(id);
    struct reaper *r = reaper_new(world.table_fd, world.ring_data);

    assert_non_null(r);
    bool written = reaper_close(r, &s, "listener", now, world.own);

    reaper_free(&r);
    assert_null(r);
    return written;
}

static struct event_view
read_record(void)
{
    static uint8_t record[EVENT_RECORD_MAX];
    struct event_view view;
    ssize_t len = ring_peek(world.reader, 0, record, sizeof record);

    assert_true(len > 0);
    assert_int_equal(event_decode(record, (size_t)len, &view), 0);
    return view;
}

static const struct event_value *
field(const struct event_view *view, enum event_field field)
{
    for (size_t i = 0; i < view->count; i++) {
        if (view->values[i].field == field)
            return &view->values[i];
    }
    return NULL;
}

static void
assert_text(const struct event_view *view, enum event_field name, const char *text)
{
    const struct event_value *v = field(view, name);

    assert_non_null(v);
    assert_int_equal(v->text_len, strlen(text));
    assert_memory_equal(v->text, text, v->text_len);
}

static void
a_started_session_gets_its_end(void **state)
{
    struct table_slot *s = slot(5);

    (void)state;
    commit(&s->start_seq, EVENT_SESSION_START, 5);
    assert_true(reap(5));
    struct event_view view = read_record();

    assert_int_equal(view.id, EVENT_SESSION_END);
    assert_int_equal(view.session, 5);
    assert_text(&view, FIELD_REASON, "worker-lost");
    assert_text(&view, FIELD_LISTENER, "listener");
    assert_text(&view, FIELD_USER, "ann");
    assert_text(&view, FIELD_DESTINATION, "www.example.com:443");
    assert_int_equal(field(&view, FIELD_CLIENT)->addr.port, 4711);
    assert_int_equal(field(&view, FIELD_BYTES_UP)->number, 10);
    assert_int_equal(field(&view, FIELD_BYTES_DOWN)->number, 20);
    assert_int_equal(field(&view, FIELD_DURATION)->number, 3 * CLOCK_SECOND_US);
}

static void
a_protected_session_tells_how(void **state)
{
    struct table_slot *s = slot(9);

    (void)state;
    s->protection = 3;
    s->wire_up = 100;
    s->wire_down = 200;
    table_text(s->mechanism, sizeof s->mechanism, "krb5", 4);
    table_text(s->enctype, sizeof s->enctype, "aes256-cts-hmac-sha1-96", 23);
    commit(&s->start_seq, EVENT_SESSION_START, 9);
    assert_true(reap(9));
    struct event_view view = read_record();

    assert_text(&view, FIELD_PROTECTION, "confidentiality");
    assert_text(&view, FIELD_MECHANISM, "krb5");
    assert_text(&view, FIELD_ENCTYPE, "aes256-cts-hmac-sha1-96");
    assert_int_equal(field(&view, FIELD_WIRE_UP)->number, 100);
    assert_int_equal(field(&view, FIELD_WIRE_DOWN)->number, 200);
}

static void
a_claim_is_no_user(void **state)
{
    struct table_slot *s = slot(11);

    (void)state;
    s->protocol = TABLE_SOCKS4A;
    s->command = 2;
    s->claims = 1;
    assert_null(table_user(s));
    assert_true(reap(11));
    struct event_view view = read_record();

    assert_text(&view, FIELD_PROTOCOL, "socks4a");
    assert_text(&view, FIELD_COMMAND, "bind");
    assert_text(&view, FIELD_CLAIMED, "ann");
    assert_null(field(&view, FIELD_USER));
}

/* Level none is told; its wire carries what was counted anyway. A worker's nonsense is left out. */
static void
unsealed_or_nonsense_has_no_wire_bytes(void **state)
{
    struct table_slot *s = slot(10);

    (void)state;
    s->protection = 1;
    s->wire_up = 100;
    commit(&s->start_seq, EVENT_SESSION_START, 10);
    assert_true(reap(10));
    struct event_view view = read_record();

    assert_text(&view, FIELD_PROTECTION, "none");
    assert_null(field(&view, FIELD_WIRE_UP));
    s->protection = 200;
    assert_null(table_protection(s));
    assert_false(table_sealed(s));
}

static void
one_that_had_not_started_failed(void **state)
{
    struct table_slot *s = slot(6);

    (void)state;
    /* It noted the number and died before the record was there. */
    s->start_seq = event_next_seq(world.ring);
    assert_true(reap(6));
    struct event_view view = read_record();

    assert_int_equal(view.id, EVENT_REQUEST_FAILED);
    assert_text(&view, FIELD_USER, "ann");
    assert_null(field(&view, FIELD_BYTES_UP));
}

static void
one_the_worker_closed_is_left_alone(void **state)
{
    struct table_slot *s = slot(7);

    (void)state;
    commit(&s->start_seq, EVENT_SESSION_START, 7);
    commit(&s->close_seq, EVENT_SESSION_END, 7);
    assert_false(reap(7));
    assert_true(ring_empty(world.reader));
}

static void
one_that_was_about_to_close_is_closed(void **state)
{
    struct table_slot *s = slot(8);

    (void)state;
    commit(&s->start_seq, EVENT_SESSION_START, 8);
    s->close_seq = event_next_seq(world.ring);
    assert_true(reap(8));
    assert_int_equal(read_record().id, EVENT_SESSION_END);
}

static void
one_the_worker_never_saw_failed(void **state)
{
    (void)state;
    assert_true(reap(9));
    struct event_view view = read_record();

    assert_int_equal(view.id, EVENT_REQUEST_FAILED);
    assert_text(&view, FIELD_REASON, "worker-lost");
    assert_non_null(field(&view, FIELD_CLIENT));
    assert_null(field(&view, FIELD_USER));
}

static void
a_slot_in_mid_change_is_read_as_it_stands(void **state)
{
    struct table_slot *s = slot(10);

    (void)state;
    commit(&s->start_seq, EVENT_SESSION_START, 10);
    table_change_begin(s);
    assert_true(reap(10));
    assert_int_equal(read_record().id, EVENT_SESSION_END);
}

static void
without_table_and_ring_there_is_still_a_record(void **state)
{
    struct session s = session(11);
    struct reaper *r = reaper_new(-1, -1);

    (void)state;
    assert_non_null(r);
    assert_true(reaper_close(r, &s, "listener", now, world.own));
    reaper_free(&r);
    assert_int_equal(read_record().id, EVENT_REQUEST_FAILED);
    ring_accept(world.reader, 1);
    assert_true(reaper_close(NULL, &s, "listener", now, world.own));
    assert_int_equal(read_record().id, EVENT_REQUEST_FAILED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_started_session_gets_its_end, make_world, remove_world),
        cmocka_unit_test_setup_teardown(a_protected_session_tells_how, make_world, remove_world),
        cmocka_unit_test_setup_teardown(a_claim_is_no_user, make_world, remove_world),
        cmocka_unit_test_setup_teardown(unsealed_or_nonsense_has_no_wire_bytes, make_world, remove_world),
        cmocka_unit_test_setup_teardown(one_that_had_not_started_failed, make_world, remove_world),
        cmocka_unit_test_setup_teardown(one_the_worker_closed_is_left_alone, make_world, remove_world),
        cmocka_unit_test_setup_teardown(one_that_was_about_to_close_is_closed, make_world, remove_world),
        cmocka_unit_test_setup_teardown(one_the_worker_never_saw_failed, make_world, remove_world),
        cmocka_unit_test_setup_teardown(a_slot_in_mid_change_is_read_as_it_stands, make_world,
            remove_world),
        cmocka_unit_test_setup_teardown(without_table_and_ring_there_is_still_a_record, make_world,
            remove_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
