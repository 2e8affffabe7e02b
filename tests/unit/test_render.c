/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include "tests/unit/logger_view.h"

#include <stdio.h>

static const enum image_log_format formats[] = { IMAGE_LOG_KEYVALUE, IMAGE_LOG_JSON };

static void
every_kind(void **state)
{
    struct event_view v = view_make(EVENT_SESSION_END);

    (void)state;
    v.session = 0x18c5b3f0001;
    view_addr(&v, FIELD_CLIENT, "10.0.0.1:4444");
    view_text(&v, FIELD_DESTINATION, "www.example.com:443");
    view_addr(&v, FIELD_ADDRESS, "[2001:db8::1]:443");
    view_number(&v, FIELD_REPLY, 0);
    view_number(&v, FIELD_BYTES_UP, UINT64_MAX);
    view_number(&v, FIELD_DURATION, 12345678);
    view_text(&v, FIELD_DETAIL, "it went well");
    view_expect(IMAGE_LOG_KEYVALUE, &v,
        "v=1 time=" VIEW_TIME_TEXT " event=session.end worker=1 seq=42 session=0000018c5b3f0001 "
        "client=10.0.0.1:4444 destination=www.example.com:443 address=[2001:db8::1]:443 reply=0 "
        "bytes_up=18446744073709551615 duration=12.345678 detail=\"it went well\"");
    view_expect(IMAGE_LOG_JSON, &v,
        "{\"v\":1,\"time\":\"" VIEW_TIME_TEXT "\",\"event\":\"session.end\",\"worker\":\"1\","
        "\"seq\":42,\"session\":\"0000018c5b3f0001\",\"client\":\"10.0.0.1:4444\","
        "\"destination\":\"www.example.com:443\",\"address\":\"[2001:db8::1]:443\",\"reply\":0,"
        "\"bytes_up\":18446744073709551615,\"duration\":12.345678,\"detail\":\"it went well\"}");
}

static void
absent_is_left_out(void **state)
{
    struct event_view v = view_make(EVENT_GATEWAY_STOP);

    (void)state;
    view_bytes(&v, FIELD_REASON, "", 0);
    view_expect(
        IMAGE_LOG_KEYVALUE, &v, "v=1 time=" VIEW_TIME_TEXT " event=gateway.stop worker=1 seq=42");
}

/* Stated in any order, written in the table's. */
static void
order_is_the_tables(void **state)
{
    struct event_view v = view_make(EVENT_WORKER_EXIT);

    (void)state;
    view_text(&v, FIELD_REASON, "killed");
    view_number(&v, FIELD_PID, 7);
    view_text(&v, FIELD_ROLE, "worker");
    view_expect(IMAGE_LOG_KEYVALUE, &v,
        "v=1 time=" VIEW_TIME_TEXT
        " event=worker.exit worker=1 seq=42 reason=killed role=worker pid=7");
}

static void
times(void **state)
{
    static const struct {
        int64_t us;
        const char *text;
    } rows[] = {
        { 0, "1970-01-01T00:00:00.000000Z" },
        { 1, "1970-01-01T00:00:00.000001Z" },
        { 999999, "1970-01-01T00:00:00.999999Z" },
        { 1000000, "1970-01-01T00:00:01.000000Z" },
        { -1, "1969-12-31T23:59:59.999999Z" },
        { 1, "1970-01-01T00:00:00.000001Z" },
        { INT64_C(1709164800000000), "2024-02-29T00:00:00.000000Z" },
        { INT64_MAX, "9999-12-31T23:59:59.999999Z" },
        { INT64_MAX - 1, "9999-12-31T23:59:59.999999Z" },
        { INT64_MIN, "0000-01-01T00:00:00.000000Z" },
    };
    char wanted[256];

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct event_view v = view_make(EVENT_GATEWAY_STOP);

        v.time.us = rows[i].us;
        (void)snprintf(wanted, sizeof wanted, "v=1 time=%s event=gateway.stop worker=1 seq=42",
            rows[i].text);
        view_expect(IMAGE_LOG_KEYVALUE, &v, wanted);
    }
}

static void
cut_before(void **state)
{
    struct event_view v = view_make(EVENT_GATEWAY_STOP);

    (void)state;
    v.truncated = true;
    view_expect(IMAGE_LOG_KEYVALUE, &v,
        "v=1 time=" VIEW_TIME_TEXT " event=gateway.stop worker=1 seq=42 truncated=yes");
    view_expect(IMAGE_LOG_JSON, &v,
        "{\"v\":1,\"time\":\"" VIEW_TIME_TEXT
        "\",\"event\":\"gateway.stop\",\"worker\":\"1\",\"seq\":42,\"truncated\":true}");
}

/* Every field the event may carry, as long and as hostile as it gets. */
static void
fill_with_worst(struct event_view *v, const uint8_t *bytes, size_t len)
{
    for (unsigned f = 0; f < FIELD_TOTAL; f++) {
        if ((event_table[v->id].fields & UINT64_C(1) << f) == 0)
            continue;
        switch (field_table[f].kind) {
        case FIELD_KIND_TEXT:
            view_bytes(v, (enum event_field)f, bytes, len);
            break;
        case FIELD_KIND_ADDR:
            view_addr(v, (enum event_field)f, "[2001:db8:1111:2222:3333:4444:5555:6666]:65535");
            break;
        case FIELD_KIND_NUMBER:
        case FIELD_KIND_SECONDS:
            view_number(v, (enum event_field)f, UINT64_MAX);
            break;
        }
    }
}

static void
always_fits(void **state)
{
    static const char *const ends[] = { " truncated=yes", ",\"truncated\":true}" };
    uint8_t bytes[EVENT_RECORD_MAX];

    (void)state;
    memset(bytes, 0xff, sizeof bytes);
    for (unsigned id = 0; id < EVENT_COUNT; id++) {
        struct event_view v = view_make((enum event_id)id);

        v.session = UINT64_MAX;
        fill_with_worst(&v, bytes, sizeof bytes);
        for (size_t i = 0; i < SP_COUNT(formats); i++) {
            char *line = view_render(formats[i], &v, RENDER_MIN);
            size_t len = strlen(line);

            assert_true(len <= RENDER_MIN);
            assert_true(len > strlen(ends[i]));
            assert_string_equal(line + len - strlen(ends[i]), ends[i]);
            free(line);
        }
    }
}

/* A record that fits is not cut, one byte less of room cuts it. */
static void
cut_only_when_needed(void **state)
{
    uint8_t bytes[3000];
    struct event_view v = view_make(EVENT_GATEWAY_MESSAGE);

    (void)state;
    memset(bytes, 'a', sizeof bytes);
    view_bytes(&v, FIELD_TEXT, bytes, sizeof bytes);
    char *line = view_render(IMAGE_LOG_KEYVALUE, &v, 8192);
    size_t len = strlen(line);

    free(line);
    line = view_render(IMAGE_LOG_KEYVALUE, &v, len);
    assert_int_equal(strlen(line), len);
    assert_null(strstr(line, "truncated"));
    free(line);
    line = view_render(IMAGE_LOG_KEYVALUE, &v, len - 1);
    assert_non_null(strstr(line, "aaa truncated=yes"));
    free(line);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),
        cmocka_unit_test(absent_is_left_out),
        cmocka_unit_test(order_is_the_tables),
        cmocka_unit_test(times),
        cmocka_unit_test(cut_before),
        cmocka_unit_test(always_fits),
        cmocka_unit_test(cut_only_when_needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
