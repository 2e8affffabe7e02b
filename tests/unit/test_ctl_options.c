/* SPDX-License-Identifier: ISC */
/* src/ctl/ctl_options.c: what stands behind a command is read, and told, from one table. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "src/ctl/ctl_private.h"

static const struct ctl_command command = { "try", NULL, NULL, "Something.",
    { { .name = "client", .takes = "ADDR", .needed = true },
        { .name = "config", .takes = "FILE", .letter = 'c' },
        { .name = "group", .takes = "NAME", .many = true },
        { .name = "wide", .letter = 'w' },
        { .name = "json", .other = true } } };
static const struct ctl_command with_operand = { "try it", NULL, "TABLE", "Something.", { { .name = "json" } } };

static struct ctl ctl;
static struct ctl_given given;

/* The words, separated by blanks, behind a command. */
static enum ctl_status
read_words(const struct ctl_command *c, const char *words)
{
    static char room[1024];
    char *argv[CTL_LIST_MAX + 16] = { NULL };
    int argc = 0;

    assert_true(snprintf(room, sizeof room, "command %s", words) > 0);
    for (char *at = room; at != NULL && *at != '\0' && argc < CTL_LIST_MAX + 15;) {
        argv[argc++] = at;
        at = strchr(at, ' ');
        if (at != NULL)
            *at++ = '\0';
    }
    ctl.socket = NULL;
    return ctl_options(&ctl, c, argc, argv, &given);
}

static void
test_values(void **state)
{
    (void)state;
    assert_int_equal(read_words(&command, "--client ::1 -c a.conf --group=x --group y -w -s sock"), CTL_OK);
    assert_string_equal(ctl_value(&given, "client"), "::1");
    assert_string_equal(ctl_value(&given, "config"), "a.conf");
    assert_true(ctl_flag(&given, "wide"));
    assert_false(ctl_flag(&given, "json"));
    assert_int_equal(given.list.count, 2);
    assert_string_equal(given.list.values[1], "y");
    assert_string_equal(ctl.socket, "sock");
    assert_int_equal(read_words(&command, "--client ::1"), CTL_OK);
    assert_null(ctl_value(&given, "config"));
    assert_int_equal(given.list.count, 0);
    assert_null(ctl.socket);
    assert_int_equal(read_words(&with_operand, "--json table"), CTL_OK);
    assert_string_equal(given.operand, "table");
    assert_int_equal(read_words(&with_operand, "-- --json"), CTL_OK);
    assert_string_equal(given.operand, "--json");
    assert_int_equal(read_words(&with_operand, "-h"), CTL_OK); /* whatever is missing */
    assert_true(given.help);
}

static void
test_refused(void **state)
{
    static const char *const bad[] = { "", "x", "--client", "--client=", "--client ::1 --client ::2", "--client ::1 x",
        "--client ::1 --wide --json", "--client ::1 --wide=yes", "--client ::1 -x", "--client ::1 --nonsense",
        "--client ::1 -c", "--client ::1 --group=" };
    char many[1024] = "--client ::1";

    (void)state;
    for (size_t i = 0; i < SP_COUNT(bad); i++)
        assert_int_equal(read_words(&command, bad[i]), CTL_USAGE);
    assert_int_equal(read_words(&with_operand, "--json"), CTL_USAGE);
    assert_int_equal(read_words(&with_operand, "one two"), CTL_USAGE);
    for (int i = 0; i < CTL_LIST_MAX; i++)
        memcpy(many + strlen(many), " --group=a", sizeof " --group=a");
    assert_int_equal(read_words(&command, many), CTL_OK);
    memcpy(many + strlen(many), " --group=a", sizeof " --group=a");
    assert_int_equal(read_words(&command, many), CTL_USAGE);
}

static void
test_request(void **state)
{
    struct ctl_request request = { .command = "try" };

    (void)state;
    assert_int_equal(read_words(&command, "--client ::1 --json"), CTL_OK);
    ctl_request_options(&request, &given);
    assert_int_equal(request.count, 1);
    assert_string_equal(request.words[0].name, "client");
    assert_string_equal(request.words[0].value, "::1");
}

static void
test_usage(void **state)
{
    static const char wanted[] = "  try       --client ADDR [-c FILE] [--group NAME]... [-w | --json]\n"
                                 "            Something.\n"
                                 "try it      TABLE [--json]\n"
                                 "            Something.\n"
                                 "  long      FILE [--some-option SOMETHING] [--some-option SOMETHING]\n"
                                 "            [--some-option SOMETHING] [--some-option SOMETHING]\n";
    struct ctl_command wide = { "long", NULL, "FILE", "Sentence.", { { .name = NULL } } };
    char out[4096];
    FILE *f = fmemopen(out, sizeof out, "w");

    (void)state;
    for (size_t i = 0; i < CTL_OPTIONS_MAX; i++)
        wide.options[i] = (struct ctl_option) { .name = "some-option", .takes = "SOMETHING" };
    assert_non_null(f);
    ctl_print_usage(f, "  ", &command);
    ctl_print_usage(f, "", &with_operand);
    ctl_print_usage(f, "  ", &wide);
    assert_int_equal(fclose(f), 0);
    assert_memory_equal(out, wanted, strlen(wanted));
    for (char *at = out, *end; (end = strchr(at, '\n')) != NULL; at = end + 1)
        assert_true(end - at < 80);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
