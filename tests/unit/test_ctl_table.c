/* SPDX-License-Identifier: ISC */
/* src/ctl/ctl_table.c and ctl_json.c: lines of an answer as people and as programs read them. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "src/ctl/ctl_private.h"

static const struct ctl_column columns[] = {
    { "ID", "session", CTL_TEXT, 0, false },
    { "USER", "user|claimed", CTL_TEXT, 4, false },
    { "DESTINATION", "destination", CTL_PLACE, 11, false },
    { "UP", "bytes_up", CTL_BYTES, 0, false },
    { "RULE", "rule", CTL_TEXT, 0, true },
};

static struct control_line
line_of(char *text)
{
    struct control_line line;
    const char *why = NULL;

    assert_int_equal(control_line_parse(text, strlen(text), &line, &why), 0);
    return line;
}

static void
print(bool full, size_t width, char *out, size_t size)
{
    char one[] = "session=2a\tuser=a-user-with-a-name\tdestination=www.example.com:443\tbytes_up=2048\trule=web";
    char two[] = "session=?\tclaimed=\\x1bx";
    struct ctl_table *t = ctl_table_new(columns, SP_COUNT(columns), full);
    struct control_line line = line_of(one);
    FILE *f = fmemopen(out, size, "w");

    assert_non_null(t);
    assert_non_null(f);
    assert_int_equal(ctl_table_add(t, &line), 0);
    line = line_of(two);
    assert_int_equal(ctl_table_add(t, &line), 0);
    assert_int_equal(ctl_table_rows(t), 2);
    ctl_table_print(t, f, width);
    assert_int_equal(fclose(f), 0);
    ctl_table_free(&t);
    assert_null(t);
}

static void
test_wide(void **state)
{
    char out[1024];

    (void)state;
    print(true, 0, out, sizeof out);
    assert_string_equal(out,
        "ID USER               DESTINATION           UP RULE\n"
        "2a a-user-with-a-name www.example.com:443 2.0k web\n"
        "?  (\\x1bx)            -                      - -\n");
}

static void
test_narrow(void **state)
{
    char out[1024];

    (void)state;
    print(false, 34, out, sizeof out);
    assert_string_equal(out,
        "ID USER         DESTINATION     UP\n"
        "2a a-user-with~ www.exam~:443 2.0k\n"
        "?  (\\x1bx)      -                -\n");
    print(false, 10, out, sizeof out); /* no less than that */
    assert_string_equal(out,
        "ID USER DESTINATION   UP\n"
        "2a a-u~ www.ex~:443 2.0k\n"
        "?  (\\x~ -              -\n");
}

static void
test_many_rows(void **state)
{
    struct ctl_table *t = ctl_table_new(columns, SP_COUNT(columns), true);

    (void)state;
    for (int i = 0; i < 5000; i++) {
        char text[] = "session=1\tuser=x";
        struct control_line line = line_of(text);

        assert_int_equal(ctl_table_add(t, &line), 0);
    }
    assert_int_equal(ctl_table_rows(t), 5000);
    ctl_table_free(&t);
}

static void
test_json(void **state)
{
    char text[] = "session=0000000000000012\tpid=12\tage=1.500\tbytes_up=007\tuser=m\xc3\xbc\"\\\\\\x01\xff\xc2\x9b\tpid2=1";
    struct control_line line = line_of(text);
    char out[1024];
    FILE *f = fmemopen(out, sizeof out, "w");

    (void)state;
    ctl_json_line(f, &line, "pid2");
    assert_int_equal(fclose(f), 0);
    assert_string_equal(out,
        "{\"session\":\"0000000000000012\",\"pid\":12,\"age\":1.500,\"bytes_up\":\"007\","
        "\"user\":\"m\xc3\xbc\\\"\\\\\\u0001\\\\xff\\u009b\"}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
