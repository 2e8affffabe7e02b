/* SPDX-License-Identifier: ISC */
/* src/core/control_line.c: what is written is read again, and what is none is refused. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "src/core/control_line.h"

static int
parse(const char *text, size_t len, char *copy, struct control_line *out, const char **why)
{
    memcpy(copy, text, len);
    copy[len] = 'x';
    return control_line_parse(copy, len, out, why);
}

static void
test_request(void **state)
{
    static const char text[] = "kill\tuser=a\\tb\\\\c\\n\\x1b[0m\tclient=10.0.0.1";
    char copy[sizeof text + 1];
    struct control_line line;
    const char *why = NULL;

    (void)state;
    assert_int_equal(parse(text, sizeof text - 1, copy, &line, &why), 0);
    assert_string_equal(line.word, "kill");
    assert_int_equal(line.count, 2);
    assert_string_equal(control_line_get(&line, "user"), "a\tb\\c\n\x1b[0m");
    assert_string_equal(control_line_get(&line, "client"), "10.0.0.1");
    assert_null(control_line_get(&line, "rule"));
    assert_int_equal(parse("a=b=c", 5, copy, &line, &why), 0);
    assert_string_equal(line.word, "");
    assert_string_equal(control_line_get(&line, "a"), "b=c");
    assert_int_equal(parse("status", 6, copy, &line, &why), 0);
    assert_string_equal(line.word, "status");
    assert_int_equal(line.count, 0);
}

static void
test_refused(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *why;
    } rows[] = {
        { "", 0, "empty" }, { "a\t", 2, "empty" }, { "\ta=b", 4, "empty" }, { "a\t\tb=c", 6, "empty" },
        { "a\tb", 3, "NAME=VALUE" }, { "a\t=b", 4, "characters" }, { "a\tB=c", 5, "characters" },
        { "a\tb=1\tb=2", 9, "twice" }, { "a\tb=\\", 5, "escape" }, { "a\tb=\\q", 6, "escape" },
        { "a\tb=\\x0", 7, "escape" }, { "a\tb=\\x00", 8, "escape" }, { "a\tb=\\xZZ", 8, "escape" },
        { "a\0b", 3, "control" }, { "a\r", 2, "control" }, { "a\x7f", 2, "control" },
        { "a\x1b", 2, "control" }, { "a\nb", 3, "control" },
    };
    char copy[64];
    struct control_line line;

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        const char *why = NULL;

        assert_int_equal(parse(rows[i].text, rows[i].len, copy, &line, &why), -1);
        assert_non_null(strstr(why, rows[i].why));
    }
}

static void
test_too_many_fields(void **state)
{
    char text[16 * (CONTROL_FIELDS_MAX + 1) + 8] = "a";
    char copy[sizeof text + 1];
    struct control_line line;
    const char *why = NULL;
    size_t len = 1;

    (void)state;
    for (int i = 0; i <= CONTROL_FIELDS_MAX; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "\tf%d=%d", i, i);
        assert_int_equal(parse(text, len, copy, &line, &why), i < CONTROL_FIELDS_MAX ? 0 : -1);
    }
    assert_non_null(strstr(why, "too many"));
}

/* Any octets but NUL come back as they were, and on one line without control characters. */
static void
test_round_trip(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;
    char copy[8192];

    (void)state;
    for (int round = 0; round < 2000; round++) {
        char value[300];
        struct buffer out = BUFFER_INIT;
        struct control_writer w = { .to = &out, .limit = sizeof copy - 1 };
        struct control_line line;
        const char *why = NULL;
        size_t len = unit_random(&random) % (sizeof value - 1);

        unit_random_fill(&random, value, len);
        for (size_t i = 0; i < len; i++)
            value[i] = value[i] == '\0' ? '\\' : value[i];
        value[len] = '\0';
        control_put_word(&w, "word");
        control_put(&w, "value", value);
        control_put(&w, "none", NULL);
        control_put_number(&w, "number", UINT64_MAX);
        control_put_seconds(&w, "seconds", 1234567);
        control_put_end(&w);
        assert_false(w.failed);
        size_t held = buffer_len(&out);

        assert_ptr_equal(memchr(buffer_head(&out), '\n', held), buffer_head(&out) + held - 1);
        assert_int_equal(parse((const char *)buffer_head(&out), held - 1, copy, &line, &why), 0);
        assert_string_equal(control_line_get(&line, "value"), value);
        assert_null(control_line_get(&line, "none"));
        assert_string_equal(control_line_get(&line, "number"), "18446744073709551615");
        assert_string_equal(control_line_get(&line, "seconds"), "1.234");
        buffer_clear(&out);
    }
}

static void
test_last_line_and_limit(void **state)
{
    struct buffer out = BUFFER_INIT;
    struct control_writer w = { .to = &out, .limit = 64 };

    (void)state;
    control_put_last(&w, "no\tsuch\nthing");
    control_put_last(&w, NULL);
    assert_int_equal(buffer_len(&out), 27);
    assert_memory_equal(buffer_head(&out), ".error\tno\\tsuch\\nthing\n.ok\n", 27);
    for (int i = 0; i < 20 && !w.failed; i++)
        control_put_last(&w, "long");
    assert_true(w.failed);
    assert_true(buffer_len(&out) <= 64);
    buffer_clear(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_many_fields),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_last_line_and_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
