/* SPDX-License-Identifier: ISC */
/* src/net/ident_answer.c: what a client's host may answer, and what is made of it. */
#include "tests/unit/unit.h"

#include "src/net/ident.h"

static void
check(const void *line, size_t len, const char *detail, const char *user)
{
    struct ident_answer a;
    uint8_t *copy = unit_copy(line, len);

    ident_answer_parse(copy, len, 6193, 1080, &a);
    if ((a.detail == NULL) != (detail == NULL)
        || (detail != NULL && strcmp(a.detail, detail) != 0))
        fail_msg("'%.*s': %s", (int)len, (const char *)line, a.detail != NULL ? a.detail : "a user");
    if (user != NULL) {
        assert_int_equal(a.user_len, strlen(user));
        assert_memory_equal(a.user, user, a.user_len);
    }
    free(copy);
}

static void
test_users(void **state)
{
    static const struct {
        const char *line, *user;
    } rows[] = {
        { "6193, 1080 : USERID : UNIX : stjohns", "stjohns" },
        { "6193,1080:USERID:UNIX:stjohns", "stjohns" },
        { "  06193\t,\t1080 : userid : unix :stjohns \t", "stjohns" },
        { "6193,1080:USERID:UNIX,US-ASCII:stjohns", "stjohns" },
        { "6193,1080:USERID:UNIX , utf-8 : J\xc3\xbcrg", "J\xc3\xbcrg" },
        { "6193,1080:USERID:MSDOS:a:b c,d", "a:b c,d" },
        { "6193,1080:USERID:x:\xff", "\xff" },
    };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++)
        check(rows[i].line, strlen(rows[i].line), NULL, rows[i].user);
}

static void
test_no_users(void **state)
{
    static const struct {
        const char *line, *detail;
    } rows[] = {
        { "6193,1080:ERROR:NO-USER", "no-user" },
        { "6193 , 1080 : ERROR : HIDDEN-USER ", "hidden-user" },
        { "6193,1080:error:invalid-port", "invalid-port" },
        { "6193,1080:ERROR:UNKNOWN-ERROR", "unknown-error" },
        { "6193,1080:ERROR:X-something", "unknown-error" },
        { "6193,1080:ERROR:", "unknown-error" },
        { "6193,1080:USERID:OTHER:stjohns", "no-user-name" },
        { "6193,1080:USERID:Other, US-ASCII:stjohns", "no-user-name" },
        { "6193,1080:USERID:UNIX,EBCDIC-INT:stjohns", "other-charset" },
        { "6193,1080:USERID:UNIX,US-ASCII,X:stjohns", "other-charset" },
        { "1080,6193:USERID:UNIX:stjohns", "wrong-ports" },
        { "6193,1081:USERID:UNIX:stjohns", "wrong-ports" },
        { "6194,1080:ERROR:NO-USER", "wrong-ports" },
        { "71729,1080:USERID:UNIX:stjohns", "wrong-ports" }, /* 6193 in sixteen bits */
        { "006193,1080:USERID:UNIX:stjohns", "wrong-ports" },
        { "+6193,1080:USERID:UNIX:stjohns", "wrong-ports" },
        { "0x1831,1080:USERID:UNIX:stjohns", "wrong-ports" },
        { ",1080:USERID:UNIX:stjohns", "wrong-ports" },
        { "6193:USERID:UNIX:stjohns", "malformed-answer" },
        { "6193,1080:USERID:UNIX", "malformed-answer" },
        { "6193,1080:USERID:UNIX:", "malformed-answer" },
        { "6193,1080:USERID:UNIX: \t ", "malformed-answer" },
        { "6193,1080:USERID::stjohns", "malformed-answer" },
        { "6193,1080:USERID:,US-ASCII:stjohns", "malformed-answer" },
        { "6193,1080:USER:UNIX:stjohns", "malformed-answer" },
        { "6193,1080::UNIX:stjohns", "malformed-answer" },
        { "6193,1080:USERID:UNIX:st\rjohns", "malformed-answer" },
        { "220 mail.example.com ESMTP", "malformed-answer" },
        { "", "malformed-answer" },
        { ":::::", "malformed-answer" },
        { ",,,:::", "wrong-ports" },
    };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++)
        check(rows[i].line, strlen(rows[i].line), rows[i].detail, NULL);
    check("6193,1080:USERID:UNIX:root\0fred", 31, "malformed-answer", NULL);
}

static void
test_longest_user(void **state)
{
    static const char head[] = "6193,1080:USERID:UNIX:";
    char line[sizeof head + IDENT_USER_MAX + 1];
    const size_t len = sizeof head - 1;

    (void)state;
    memset(line, 'u', sizeof line);
    memcpy(line, head, len);
    check(line, len + IDENT_USER_MAX, NULL, NULL);
    check(line, len + IDENT_USER_MAX + 1, "malformed-answer", NULL);
}

static void
test_query(void **state)
{
    char out[IDENT_QUERY_MAX];

    (void)state;
    assert_int_equal(ident_query_encode(6193, 23, out), 9);
    assert_memory_equal(out, "6193,23\r\n", 9);
    assert_int_equal(ident_query_encode(65535, 65535, out), 13);
    assert_memory_equal(out, "65535,65535\r\n", 13);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_no_users),
        cmocka_unit_test(test_longest_user),
        cmocka_unit_test(test_query),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
