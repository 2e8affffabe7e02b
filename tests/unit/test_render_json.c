/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include "tests/unit/logger_view.h"

#include <stdio.h>

#define HEAD                                                                                       \
    "{\"v\":1,\"time\":\"" VIEW_TIME_TEXT                                                          \
    "\",\"event\":\"auth.failure\",\"worker\":\"1\",\"seq\":42,\"claimed\":"

static char *
line_of(const void *data, size_t len)
{
    struct event_view v = view_make(EVENT_AUTH_FAILURE);

    view_bytes(&v, FIELD_CLAIMED, data, len);
    return view_render(IMAGE_LOG_JSON, &v, 8192);
}

static void
every_escape(void **state)
{
    static const struct {
        const char *bytes;
        const char *value;
    } rows[] = {
        { "alice", "\"alice\"" },
        { "a b=c", "\"a b=c\"" },
        { "\"", "\"\\\"\"" },
        { "\\", "\"\\\\\"" },
        { "\n\r\t\x01\x1f", "\"\\u000a\\u000d\\u0009\\u0001\\u001f\"" },
        { "\x7f", "\"\\u007f\"" },
        { "m\xc3\xbcller", "\"m\\u00fcller\"" },
        { "\xe2\x82\xac", "\"\\u20ac\"" },
        { "\xf0\x9f\x98\x80", "\"\\ud83d\\ude00\"" },
        { "\xf4\x8f\xbf\xbf", "\"\\udbff\\udfff\"" },
        /* no UTF-8: a lone lead, a lone tail, cut short, overlong, a surrogate, too large */
        { "\xc3", "\"\\u00c3\"" },
        { "\x80x", "\"\\u0080x\"" },
        { "\xe2\x82", "\"\\u00e2\\u0082\"" },
        { "\xe2\x82x", "\"\\u00e2\\u0082x\"" },
        { "\xc0\xaf", "\"\\u00c0\\u00af\"" },
        { "\xe0\x80\xaf", "\"\\u00e0\\u0080\\u00af\"" },
        { "\xf0\x80\x80\xaf", "\"\\u00f0\\u0080\\u0080\\u00af\"" },
        { "\xed\xa0\x80", "\"\\u00ed\\u00a0\\u0080\"" },
        { "\xf4\x90\x80\x80", "\"\\u00f4\\u0090\\u0080\\u0080\"" },
        { "\xff\xfe", "\"\\u00ff\\u00fe\"" },
    };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        char wanted[256];
        char *line = line_of(rows[i].bytes, strlen(rows[i].bytes));

        (void)snprintf(wanted, sizeof wanted, HEAD "%s}", rows[i].value);
        assert_string_equal(line, wanted);
        free(line);
    }
}

/* Any bytes: printable ASCII, and the string ends where it should. */
static void
always_one_object(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        size_t len = 1 + unit_random(&random) % sizeof bytes;
        uint8_t *exact;

        unit_random_fill(&random, bytes, len);
        exact = unit_copy(bytes, len);
        char *line = line_of(exact, len);
        const char *at = line + strlen(HEAD);

        assert_memory_equal(line, HEAD, strlen(HEAD));
        assert_int_equal(*at, '"');
        for (at++; *at != '"'; at++) {
            assert_true(*at >= 0x20 && *at < 0x7f);
            at += *at == '\\';
        }
        assert_string_equal(at, "\"}");
        free(line);
        free(exact);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_escape),
        cmocka_unit_test(always_one_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
