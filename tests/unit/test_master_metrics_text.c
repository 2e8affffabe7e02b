/* SPDX-License-Identifier: ISC */
/* Counters as text: the structure of both formats, labels and their escapes, histograms. */
#include "src/master/master_metrics.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>

static struct stats *stats;
static char *text;

static int
setup(void **state)
{
    (void)state;
    stats = stats_new();
    assert_non_null(stats);
    text = NULL;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    stats_close(&stats);
    free(text);
    return 0;
}

static void
render(enum metrics_format format)
{
    struct buffer out = BUFFER_INIT;

    assert_int_equal(metrics_text(stats, format, METRICS_TEXT_MAX, &out), 0);
    free(text);
    text = strndup((const char *)buffer_head(&out), buffer_len(&out));
    assert_non_null(text);
    assert_int_equal(strlen(text), buffer_len(&out));
    buffer_clear(&out);
}

static void
has(const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("%s does not stand in:\n%s", part, text);
}

static void
lacks(const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("%s stands in:\n%s", part, text);
}

static void
test_openmetrics(void **state)
{
    (void)state;
    stats_add(stats, STATS_PAYLOAD, STATS_AT(STATS_UDP, STATS_DOWN), UINT64_MAX);
    stats_set(stats, STATS_START_TIME, STATS_AT(0), UINT64_C(1700000000000042));
    stats_set(stats, STATS_BUILD, STATS_AT(0), 1);
    render(METRICS_OPENMETRICS);
    assert_int_equal(strncmp(text, "# TYPE sallyport_sessions counter\n", 34), 0);
    has("\n# TYPE sallyport_payload_bytes counter\n# UNIT sallyport_payload_bytes bytes\n"
        "# HELP sallyport_payload_bytes Payload relayed");
    has("\nsallyport_payload_bytes_total{transport=\"tcp\",direction=\"up\"} 0\n"
        "sallyport_payload_bytes_total{transport=\"tcp\",direction=\"down\"} 0\n"
        "sallyport_payload_bytes_total{transport=\"udp\",direction=\"up\"} 0\n"
        "sallyport_payload_bytes_total{transport=\"udp\",direction=\"down\"} 18446744073709551615\n");
    has("\nsallyport_start_timestamp_seconds 1700000000.000042\n");
    has("\nsallyport_build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
    has("\nsallyport_datagrams_dropped_total 0\n");
    lacks("sallyport_sessions_total{"); /* nothing was counted */
    assert_string_equal(text + strlen(text) - 6, "# EOF\n");
}

static void
test_classic(void **state)
{
    (void)state;
    render(METRICS_CLASSIC);
    has("# TYPE sallyport_sessions_total counter\n# HELP sallyport_sessions_total ");
    has("# TYPE sallyport_workers gauge\n");
    lacks("# UNIT");
    lacks("# EOF");
}

static void
test_histogram(void **state)
{
    (void)state;
    stats_observe(stats, STATS_CONNECT_TIME, STATS_AT(STATS_SUCCESS), 500);
    stats_observe(stats, STATS_CONNECT_TIME, STATS_AT(STATS_SUCCESS), 260000);
    stats_observe(stats, STATS_CONNECT_TIME, STATS_AT(STATS_SUCCESS), 31000000);
    render(METRICS_OPENMETRICS);
    has("# TYPE sallyport_connect_duration_seconds histogram\n"
        "# UNIT sallyport_connect_duration_seconds seconds\n");
    has("\nsallyport_connect_duration_seconds_bucket{result=\"success\",le=\"0.0005\"} 1\n"
        "sallyport_connect_duration_seconds_bucket{result=\"success\",le=\"0.001\"} 1\n"
        "sallyport_connect_duration_seconds_bucket{result=\"success\",le=\"0.0025\"} 1\n");
    has("le=\"0.25\"} 1\nsallyport_connect_duration_seconds_bucket{result=\"success\",le=\"0.5\"} 2\n"
        "sallyport_connect_duration_seconds_bucket{result=\"success\",le=\"1.0\"} 2\n");
    has("le=\"30.0\"} 2\nsallyport_connect_duration_seconds_bucket{result=\"success\",le=\"+Inf\"} 3\n"
        "sallyport_connect_duration_seconds_count{result=\"success\"} 3\n"
        "sallyport_connect_duration_seconds_sum{result=\"success\"} 31.260500\n");
    has("sallyport_connect_duration_seconds_count{result=\"failure\"} 0\n");
    lacks("sallyport_authentication_duration_seconds_bucket");
}

static void
denied_by(const char *rule)
{
    stats_add(stats, STATS_DENIALS, STATS_AT(stats_name(stats, STATS_SET_RULE, rule), STATS_BY_RULE), 1);
}

static void
test_escapes(void **state)
{
    (void)state;
    denied_by("a \"quoted\" \\ rule\nsecond line");
    denied_by("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x9a\xaa");
    denied_by("bad \xff\xc3 \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80");
    denied_by("tab\tdel\x7f");
    denied_by("{}=,# EOF");
    stats_add(stats, STATS_DENIALS, STATS_AT(1024, STATS_SPECIAL), 2);
    render(METRICS_OPENMETRICS);
    has("{rule=\"a \\\"quoted\\\" \\\\ rule\\nsecond line\",reason=\"rule\"} 1\n");
    has("{rule=\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x9a\xaa\",reason=\"rule\"} 1\n");
    has("{rule=\"bad \\\\xff\\\\xc3 \\\\xc0\\\\x80 \\\\xed\\\\xa0\\\\x80 \\\\xf4\\\\x90\\\\x80\\\\x80\",");
    has("{rule=\"tab\\\\x09del\\\\x7f\",");
    has("{rule=\"{}=,# EOF\",");
    has("{rule=\"(other)\",reason=\"special-destination\"} 2\n");
}

/* Each combination of labels once, in the table's order. */
static void
test_sessions(void **state)
{
    unsigned gssapi = stats_name(stats, STATS_SET_METHOD, "gssapi");
    unsigned none = stats_name(stats, STATS_SET_METHOD, "none");

    (void)state;
    stats_add(stats, STATS_SESSIONS, STATS_AT(3, none, 0, STATS_ACCEPTED), 7);
    stats_add(stats, STATS_SESSIONS, STATS_AT(3, gssapi, 3, STATS_ACCEPTED), 5);
    stats_add(stats, STATS_SESSIONS, STATS_AT(1, 24, 0, STATS_PROTOCOL_ERROR), 1);
    render(METRICS_OPENMETRICS);
    has("sallyport_sessions_total{protocol=\"socks4\",method=\"(other)\",protection=\"\","
        "verdict=\"protocol-error\"} 1\n"
        "sallyport_sessions_total{protocol=\"socks5\",method=\"gssapi\",protection=\"confidentiality\","
        "verdict=\"accepted\"} 5\n"
        "sallyport_sessions_total{protocol=\"socks5\",method=\"none\",protection=\"\","
        "verdict=\"accepted\"} 7\n# TYPE");
}

/* Wherever it ends: that is said, and no octet comes after the limit. */
static void
test_too_long(void **state)
{
    (void)state;
    for (unsigned format = 0; format < METRICS_FORMAT_COUNT; format++) {
        struct buffer out = BUFFER_INIT;

        render((enum metrics_format)format);
        for (size_t limit = 0; limit < strlen(text); limit += 1 + limit / 3) {
            errno = 0;
            assert_int_equal(metrics_text(stats, (enum metrics_format)format, limit, &out), -1);
            assert_int_equal(errno, ENOBUFS);
            assert_true(buffer_len(&out) <= limit);
            buffer_clear(&out);
        }
        assert_int_equal(metrics_text(stats, (enum metrics_format)format, strlen(text), &out), 0);
        buffer_clear(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_openmetrics, setup, teardown),
        cmocka_unit_test_setup_teardown(test_classic, setup, teardown),
        cmocka_unit_test_setup_teardown(test_histogram, setup, teardown),
        cmocka_unit_test_setup_teardown(test_escapes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sessions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
