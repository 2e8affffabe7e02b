/* SPDX-License-Identifier: ISC */
/* src/core/event_decode.c: records another process made up. */
#include "tests/unit/core_unit.h"

#include "lib/base/cursor.h"
#include "src/core/event.h"
#include "src/core/ring.h"

/* A record of header and body in an exact heap copy; -1 or 0 as event_decode. */
static int
decode(struct ring_record head, const void *body, size_t len, struct event_view *v)
{
    uint8_t record[EVENT_RECORD_MAX + 64];

    head.len = (uint32_t)(sizeof head + len);
    memcpy(record, &head, sizeof head);
    memcpy(record + sizeof head, body, len);
    uint8_t *copy = unit_copy(record, sizeof head + len);
    int rc = event_decode(copy, sizeof head + len, v);

    free(copy);
    return rc;
}

static const struct ring_record session_end = { .event = EVENT_SESSION_END, .session = 3, .seq = 4 };

static size_t
field(uint8_t *out, uint16_t id, uint16_t len, const void *bytes)
{
    struct writer w = writer_init(out, 600);

    writer_u16(&w, id);
    writer_u16(&w, len);
    writer_bytes(&w, bytes, len);
    return writer_len(&w);
}

static void
test_headers(void **state)
{
    struct event_view v;
    struct ring_record head = session_end;
    uint8_t record[sizeof head + 8] = { 0 };

    (void)state;
    assert_int_equal(decode(head, "", 0, &v), 0);
    assert_int_equal(v.count, 0);
    assert_int_equal(v.seq, 4);
    head.event = EVENT_COUNT;
    assert_int_equal(decode(head, "", 0, &v), -1);
    head.event = RING_TRUNCATED;
    head.flags = 2;
    assert_int_equal(decode(head, "", 0, &v), -1);
    head = session_end;
    head.len = sizeof head + 1; /* says more than there is */
    memcpy(record, &head, sizeof head);
    assert_int_equal(event_decode(record, sizeof head, &v), -1);
    assert_int_equal(event_decode(record, sizeof head - 1, &v), -1);
    assert_int_equal(event_decode(record, 0, &v), -1);
}

static void
test_fields(void **state)
{
    struct event_view v;
    uint8_t b[1024];
    uint8_t addr[24] = { ADDR_IPV4 };
    size_t n;

    (void)state;
    n = field(b, FIELD_USER, 5, "alice");
    assert_int_equal(decode(session_end, b, n, &v), 0);
    for (size_t cut = 1; cut < n; cut++)
        assert_int_equal(decode(session_end, b, cut, &v), -1);
    n += field(b + n, FIELD_USER, 5, "again");
    assert_int_equal(decode(session_end, b, n, &v), -1);
    n = field(b, FIELD_TOTAL, 5, "alice");
    assert_int_equal(decode(session_end, b, n, &v), -1);
    n = field(b, FIELD_PID, 8, "12345678"); /* not one of this event's */
    assert_int_equal(decode(session_end, b, n, &v), -1);
    n = field(b, FIELD_USER, 0, "");
    assert_int_equal(decode(session_end, b, n, &v), -1);
    n = field(b, FIELD_REPLY, 7, "1234567");
    assert_int_equal(decode(session_end, b, n, &v), -1);
    n = field(b, FIELD_REPLY, 9, "123456789");
    assert_int_equal(decode(session_end, b, n, &v), -1);
    n = field(b, FIELD_CLIENT, 12, addr);
    assert_int_equal(decode(session_end, b, n, &v), 0);
    n = field(b, FIELD_CLIENT, 24, addr);
    assert_int_equal(decode(session_end, b, n, &v), -1);
    addr[0] = 5;
    n = field(b, FIELD_CLIENT, 12, addr);
    assert_int_equal(decode(session_end, b, n, &v), -1);
    addr[0] = ADDR_IPV6;
    n = field(b, FIELD_CLIENT, 24, addr);
    assert_int_equal(decode(session_end, b, n, &v), 0);
    addr[1] = 1;
    n = field(b, FIELD_CLIENT, 24, addr);
    assert_int_equal(decode(session_end, b, n, &v), -1);
}

static void
test_random_bytes(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;
    struct event_view v;
    uint8_t body[256];
    int good = 0;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        size_t len = unit_random(&random) % 64;
        struct ring_record head = { .event = (uint16_t)(unit_random(&random) % (EVENT_COUNT + 1)) };

        unit_random_fill(&random, body, len);
        if (len >= 4) { /* a likely field of a likely length */
            uint16_t id = (uint16_t)(unit_random(&random) % (FIELD_TOTAL + 1));
            uint16_t field_len = (uint16_t)(unit_random(&random) % 28);

            memcpy(body, &id, 2);
            memcpy(body + 2, &field_len, 2);
        }
        if (decode(head, body, len, &v) < 0)
            continue;
        good++;
        assert_true(v.count <= FIELD_TOTAL);
    }
    assert_true(good > 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_random_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
