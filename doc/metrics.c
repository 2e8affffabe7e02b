/* SPDX-License-Identifier: ISC */
/*
 * Writes sallyport-metrics(7) from the table of metrics: `build/doc/metrics print >doc/sallyport-metrics.7`.
 * Without an argument it is a test: 0 when the page in the tree says what the table says.
 */
#include "doc/page.h"

#include "src/core/stats.h"

#include <stdio.h>

static const char *const kind_rows[] = {
    [STATS_KIND_COUNTER] = "counter",
    [STATS_KIND_GAUGE] = "gauge",
    [STATS_KIND_HISTOGRAM] = "histogram",
};

static const char head[] =
    ".\\\" SPDX-License-Identifier: ISC\n"
    ".\\\" Written by doc/metrics.c from src/core/stats.def; do not edit.\n"
    ".Dd November 21, 2026\n"
    ".Dt SALLYPORT-METRICS 7\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm sallyport-metrics\n"
    ".Nd counters of the gateway for Prometheus\n"
    ".Sh DESCRIPTION\n"
    "With\n"
    ".Ic metrics No { Ic listen No = \\(dq127.0.0.1:9180\\(dq }\n"
    "in\n"
    ".Xr sallyport.conf 5\n"
    "the process\n"
    ".Nm\n"
    "answers GET and HEAD of\n"
    ".Pa /metrics\n"
    "over HTTP.\n"
    "It holds nothing but its listening socket and its channel to the master, and runs as the workers' user\n"
    "behind a filter of system calls.\n"
    "Whoever reaches the address may read: there is no login.\n"
    ".Dq sallyportctl metrics\n"
    "prints the same without it.\n"
    ".Pp\n"
    "The text is OpenMetrics 1.0 for a client that asks for\n"
    ".Li application/openmetrics-text ,\n"
    "else the older text format of Prometheus, version 0.0.4.\n"
    "It is rendered at most once a second, however many ask.\n"
    "At most 64 connections are open, 16 of one address unless the listener is at loopback; a request and\n"
    "its answer have 10 seconds.\n"
    "So whoever may connect from the scraper's own address can keep it out: let nobody else do that.\n"
    "When the master does not answer within 3 seconds the status is 503.\n"
    ".Pp\n"
    "No counter goes back while the gateway runs: what a process had counted when it ended, the master keeps.\n"
    "A restart of the whole gateway begins at zero.\n"
    "Connections that were still negotiating when their worker was lost have no verdict; the reason\n"
    ".Cm worker-lost\n"
    "counts them, with the sessions it took along.\n"
    ".Pp\n"
    "Combinations of labels appear once they were counted, where one of the labels is a method, a rule, a\n"
    "reason or a limit.\n"
    "Of rules the first 1024 that refused something have a name; what others refused is counted as\n"
    ".Li (other) .\n"
    "A title is cut after 63 bytes.\n"
    "A control byte, and a byte that is not part of valid UTF-8, appears as\n"
    ".Li \\exNN .\n"
    "A session has no\n"
    ".Cm protection\n"
    "where its method knows none, and no\n"
    ".Cm protocol\n"
    "or\n"
    ".Cm method\n"
    "where it ended before it had one.\n"
    ".Sh METRICS\n"
    "Names as in the older format and in queries; the labels stand behind the kind.\n"
    ".Bl -tag -width Ds\n";

static const char tail[] =
    ".Sh FILES\n"
    "Among the examples that are installed with the documents are a scrape job,\n"
    ".Pa prometheus-sallyport.yml ,\n"
    "and alerts,\n"
    ".Pa prometheus-sallyport-rules.yml .\n"
    ".Sh EXAMPLES\n"
    "Sessions a second that were refused by the rules, over five minutes:\n"
    ".Pp\n"
    ".Dl sum by (rule) (rate(sallyport_requests_denied_total[5m]))\n"
    ".Pp\n"
    "How long nineteen of twenty logins take at most, by method:\n"
    ".Bd -literal -offset indent\n"
    "histogram_quantile(0.95, sum by (method, le)\n"
    "  (rate(sallyport_authentication_duration_seconds_bucket[5m])))\n"
    ".Ed\n"
    ".Sh SEE ALSO\n"
    ".Xr sallyport.conf 5 ,\n"
    ".Xr sallyport-events 7 ,\n"
    ".Xr sallyportctl 8 ,\n"
    ".Xr sallyportd 8\n";

static void
put_values(FILE *out, const struct stats_label_row *row)
{
    if (row->values == NULL || row->count < 2)
        return;
    fprintf(out, ".Cm %s :\n", row->label);
    for (unsigned i = 0; i < row->count; i++) {
        if (row->values[i][0] != '\0')
            fprintf(out, ".Li %s%s\n", row->values[i], i + 1 < row->count ? " ," : " .");
    }
}

static void
put_metric(FILE *out, const struct stats_row *row)
{
    fprintf(out, ".It Cm %s%s Pq %s", row->name, row->kind == STATS_KIND_COUNTER ? "_total" : "",
        kind_rows[row->kind]);
    for (int i = 0; i < STATS_LABELS_MAX; i++) {
        if (stats_labels[row->labels[i]].label[0] != '\0')
            fprintf(out, " Cm %s", stats_labels[row->labels[i]].label);
    }
    fprintf(out, "\n%s.\n", row->sentence);
    for (int i = 0; i < STATS_LABELS_MAX; i++)
        put_values(out, &stats_labels[row->labels[i]]);
}

static void
put_bounds(FILE *out)
{
    fputs("Upper bounds of the buckets of every histogram, in seconds:\n", out);
    for (unsigned i = 0; i < STATS_BOUNDS; i++)
        fprintf(out, ".Li %g%s\n", stats_bounds_us[i] / 1e6, i + 1 < STATS_BOUNDS ? " ," : " .");
}

static void
put_page(FILE *out)
{
    fputs(head, out);
    for (size_t i = 0; i < STATS_METRIC_COUNT; i++)
        put_metric(out, &stats_rows[i]);
    fputs(".El\n.Pp\n", out);
    put_bounds(out);
    fputs(tail, out);
}

int
main(int argc, char **argv)
{
    static const struct page page = { "metrics", "sallyport-metrics.7", "src/core/stats.def", put_page };

    return page_main(&page, argc, argv);
}
