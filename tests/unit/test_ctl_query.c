/* SPDX-License-Identifier: ISC */
/* src/ctl/ctl_query.c and ctl_test_file.c: questions in words, and lines of a table of expectations. */
#include "tests/unit/config_rig.h"
#include "tests/unit/unit.h"

#include "src/ctl/ctl_policy.h"

static struct rig rig;

static int
setup(void **state)
{
    (void)state;
    rig_good(&rig,
        "methods = { \"gssapi\", \"userpass\", \"none\" }\nlisten \"127.0.0.1:0\" { }\n"
        "userpass { file = \"/u\" }\ngssapi { keytab = \"/k\" }\n"
        "rule \"a\" { action = \"allow\" }\n");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    rig_free(&rig);
    return 0;
}

static void
test_query(void **state)
{
    struct ctl_question in = { .client = "::ffff:192.0.2.7", .to = "WWW.Example.com.:443" };
    struct ctl_query out;
    char error[CTL_QUESTION_ERROR] = "";

    (void)state;
    assert_int_equal(ctl_query_make(rig.image, &in, &out, error), 0);
    assert_string_equal(out.q.name, "www.example.com");
    assert_int_equal(out.q.port, 443);
    assert_int_equal(out.q.client.family, ADDR_IPV4);
    assert_int_equal(out.q.method, 0);
    assert_int_equal(out.q.command, IMAGE_COMMAND_CONNECT);
    assert_int_equal(out.q.address.family, ADDR_NONE);
    assert_null(out.q.groups);
    ctl_query_free(&out);
    in = (struct ctl_question) { .client = "::1", .to = "[2001:db8::1]:0", .user = "x",
        .protection = "selective", .command = "udp", .when = "2026-01-31T18:30:05Z",
        .groups = { { "one", "two" }, 2 } };
    assert_int_equal(ctl_query_make(rig.image, &in, &out, error), 0);
    assert_null(out.q.name);
    assert_int_equal(out.q.address.family, ADDR_IPV6);
    assert_int_equal(out.q.method, 1); /* the first that tells who it is */
    assert_int_equal(out.q.protection, IMAGE_PROTECTION_INTEGRITY);
    assert_int_equal(out.q.when, 1769884205);
    assert_non_null(out.q.groups);
    ctl_query_free(&out);
    in = (struct ctl_question) { .client = "::1", .to = "0.0.0.0:0", .command = "bind", .address = "10.0.0.1" };
    assert_int_equal(ctl_query_make(rig.image, &in, &out, error), 0);
    assert_true(out.q.bind_any);
    assert_int_equal(out.q.address.family, ADDR_IPV4);
    ctl_query_free(&out);
}

static void
test_bad_questions(void **state)
{
    static const struct {
        struct ctl_question q;
        const char *error;
    } rows[] = {
        { { .to = "a:1" }, "are needed" },
        { { .client = "::1" }, "are needed" },
        { { .client = "a", .to = "a:1" }, "client: \"a\" is no address" },
        { { .client = "::1", .to = "a" }, "HOST:PORT" },
        { { .client = "::1", .to = ":1" }, "HOST:PORT" },
        { { .client = "::1", .to = "[]:1" }, "to: " },
        { { .client = "::1", .to = "a:" }, "no port" },
        { { .client = "::1", .to = "a:65536" }, "no port" },
        { { .client = "::1", .to = "a:1x" }, "no port" },
        { { .client = "::1", .to = "::1:1" }, "brackets" },
        { { .client = "::1", .to = "a b:1" }, "to: \"a b\"" },
        { { .client = "::1", .to = "127.1:1" }, "to: \"127.1\"" },
        { { .client = "::1", .to = "a:1", .method = "x" }, "method: \"x\"" },
        { { .client = "::1", .to = "a:1", .protection = "x" }, "\"none\", \"integrity\"" },
        { { .client = "::1", .to = "a:1", .command = "x" }, "\"connect\", \"bind\", \"udp\"" },
        { { .client = "::1", .to = "a:1", .when = "2026-01-31" }, "no time" },
        { { .client = "::1", .to = "a:1", .when = "2026-01-31T10:00Zx" }, "no time" },
        { { .client = "::1", .to = "a:1", .when = "2026-02-31T10:00Z" }, "no time" },
        { { .client = "::1", .to = "10.0.0.1:1", .address = "10.0.0.2" }, "an address already" },
        { { .client = "::1", .to = "a:1", .address = "x" }, "address: \"x\"" },
        { { .client = "::1", .to = "a:1", .user = "x", .method = "none" }, "a session of this method" },
        { { .client = "::1", .to = "a:1", .groups = { { "g" }, 1 } }, "say user, too" },
    };
    struct ctl_query out;

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        char error[CTL_QUESTION_ERROR] = "";

        assert_int_equal(ctl_query_make(rig.image, &rows[i].q, &out, error), -1);
        ctl_query_free(&out);
        if (strstr(error, rows[i].error) == NULL)
            fail_msg("row %zu: %s", i, error);
    }
}

static int
read_line(const char *text, struct ctl_expectation *out, char error[CTL_QUESTION_ERROR])
{
    static char line[4096];

    memcpy(line, text, strlen(text) + 1);
    return ctl_expectation_read(line, out, error);
}

static void
test_expectation(void **state)
{
    struct ctl_expectation e;
    char error[CTL_QUESTION_ERROR] = "";

    (void)state;
    assert_int_equal(read_line("", &e, error), 0);
    assert_int_equal(read_line("  \t", &e, error), 0);
    assert_int_equal(read_line("  # client=x", &e, error), 0);
    assert_int_equal(read_line("client=::1\tuser=\"a b\"  group=g group=\"h\\\"\\\\\" to=a:1 expect=deny "
                               "rule=\"x # y\" # behind",
                         &e, error),
        1);
    assert_string_equal(e.question.client, "::1");
    assert_string_equal(e.question.user, "a b");
    assert_int_equal(e.question.groups.count, 2);
    assert_string_equal(e.question.groups.values[1], "h\"\\");
    assert_string_equal(e.rule, "x # y");
    assert_false(e.allow);
    assert_int_equal(read_line("expect=allow client=::1 to=a:1", &e, error), 1);
    assert_true(e.allow);
    assert_null(e.rule);
}

static void
test_bad_expectations(void **state)
{
    static const struct {
        const char *line, *error;
    } rows[] = {
        { "x", "not KEY=VALUE" }, { "=x", "not KEY=VALUE" }, { "client=\"x", "does not end" },
        { "client=\"x\"y", "behind the quote" }, { "client=x client=y", "comes twice" },
        { "expect=allow expect=deny", "comes twice" }, { "expect=yes", "allowed are" },
        { "colour=red", "unknown key" }, { "client=::1 to=a:1", "are needed" },
        { "client=::1 expect=deny", "are needed" },
    };
    struct ctl_expectation e;

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        char error[CTL_QUESTION_ERROR] = "";

        assert_int_equal(read_line(rows[i].line, &e, error), -1);
        assert_non_null(strstr(error, rows[i].error));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_bad_questions),
        cmocka_unit_test(test_expectation),
        cmocka_unit_test(test_bad_expectations),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
