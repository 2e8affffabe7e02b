/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include "tests/unit/logger_view.h"

#include <stdio.h>

#define HEAD "v=1 time=" VIEW_TIME_TEXT " event=auth.failure worker=1 seq=42 "

static char *
line_of(const void *data, size_t len)
{
    struct event_view v = view_make(EVENT_AUTH_FAILURE);

    view_bytes(&v, FIELD_CLAIMED, data, len);
    return view_render(IMAGE_LOG_KEYVALUE, &v, 8192);
}

static void
every_escape(void **state)
{
    static const struct {
        const char *bytes;
        const char *value;
    } rows[] = {
        { "alice", "alice" },
        { "alice@EXAMPLE.COM", "alice@EXAMPLE.COM" },
        { "!#$%&'()*+,-./:;<>?@[]^_`{|}~", "!#$%&'()*+,-./:;<>?@[]^_`{|}~" },
        { "two words", "\"two words\"" },
        { " ", "\" \"" },
        { "\"", "\"\\\"\"" },
        { "\\", "\"\\\\\"" },
        { "a=b", "\"a\\x3db\"" },
        { "\n", "\"\\n\"" },
        { "\r", "\"\\r\"" },
        { "\t", "\"\\x09\"" },
        { "\x01\x1b\x1f", "\"\\x01\\x1b\\x1f\"" },
        { "\x7f", "\"\\x7f\"" },
        { "\x80\xff", "\"\\x80\\xff\"" },
        { "m\xc3\xbcller", "\"m\\xc3\\xbcller\"" },
    };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        char wanted[256];
        char *line = line_of(rows[i].bytes, strlen(rows[i].bytes));

        (void)snprintf(wanted, sizeof wanted, HEAD "claimed=%s", rows[i].value);
        assert_string_equal(line, wanted);
        free(line);
    }
    char *line = line_of("a\0b", 3);

    assert_string_equal(line, HEAD "claimed=\"a\\x00b\"");
    free(line);
}

static void
nothing_is_forged(void **state)
{
    static const char *const attempts[] = {
        "x user=root",
        "x\" user=root reason=\"",
        "x\nv=1 time=2026-01-31T23:59:59.000000Z event=auth.success user=root",
        "x\r\n<34>Jan  1 00:00:00 sallyport[1]: v=1 event=auth.success",
        "x\\\" user=root",
        "\\\\\" user=root",
    };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(attempts); i++) {
        char *line = line_of(attempts[i], strlen(attempts[i]));

        assert_null(strstr(line, "user="));
        assert_null(strstr(line + 3, "v=1"));
        assert_null(strchr(line, '\n'));
        assert_null(strchr(line, '\r'));
        assert_ptr_equal(strstr(line, "event="), line + strlen("v=1 time=" VIEW_TIME_TEXT " "));
        assert_null(strstr(strstr(line, "event=") + 1, "event="));
        free(line);
    }
}

static unsigned
hex_of(const char *text)
{
    unsigned value = 0;

    for (unsigned i = 0; i < 2; i++) {
        const char *digits = "0123456789abcdef";
        const char *at = strchr(digits, text[i]);

        assert_non_null(at);
        value = value << 4 | (unsigned)(at - digits);
    }
    return value;
}

/* The reader anybody would write: what comes back. */
static size_t
read_value(const char *text, uint8_t *out)
{
    size_t n = 0;

    if (*text != '"') {
        memcpy(out, text, strlen(text));
        return strlen(text);
    }
    for (text++; *text != '"'; text++) {
        assert_true(*text >= 0x20 && *text < 0x7f && *text != '=');
        if (*text != '\\') {
            out[n++] = (uint8_t)*text;
            continue;
        }
        text++;
        if (*text == 'x') {
            out[n++] = (uint8_t)hex_of(text + 1);
            text += 2;
        } else {
            assert_non_null(strchr("nr\"\\", *text));
            out[n++] = (uint8_t)(*text == 'n' ? '\n' : *text == 'r' ? '\r' : *text);
        }
    }
    assert_int_equal(text[1], '\0');
    return n;
}

static void
every_value_comes_back(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        uint8_t back[8192];
        size_t len = 1 + unit_random(&random) % sizeof bytes;

        unit_random_fill(&random, bytes, len);
        for (size_t i = 0; round % 2 == 0 && i < len; i++)
            bytes[i] = (uint8_t)"ab =\"\\\n\r\t~"[bytes[i] % 10];
        char *line = line_of(bytes, len);

        assert_memory_equal(line, HEAD "claimed=", strlen(HEAD "claimed="));
        assert_int_equal(read_value(line + strlen(HEAD "claimed="), back), len);
        assert_memory_equal(back, bytes, len);
        free(line);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_escape),
        cmocka_unit_test(nothing_is_forged),
        cmocka_unit_test(every_value_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
