/* SPDX-License-Identifier: ISC */
/*
 * Counters as text: OpenMetrics 1.0, or the older text format of Prometheus. Serves master_metrics.c. What
 * stands in label values (a rule's title) is escaped here; every other word is our own.
 */
#include "src/master/master_metrics.h"

#include "lib/base/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kinds[] = {
    [STATS_KIND_COUNTER] = "counter",
    [STATS_KIND_GAUGE] = "gauge",
    [STATS_KIND_HISTOGRAM] = "histogram",
};

/* The text under way; the first failure sticks. */
struct text {
    struct buffer *out;
    size_t limit;
    int error;
    enum metrics_format format;
    const struct stats *stats;
};

static void
put_bytes(struct text *t, const void *data, size_t len)
{
    if (t->error == 0 && buffer_append(t->out, data, len, t->limit) < 0)
        t->error = errno;
}

static void
put(struct text *t, const char *s)
{
    put_bytes(t, s, strlen(s));
}

static void SP_PRINTF(2, 3)
put_number(struct text *t, const char *fmt, ...)
{
    char number[64];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(number, sizeof number, fmt, args);

    va_end(args);
    if (n > 0 && (size_t)n < sizeof number)
        put_bytes(t, number, (size_t)n);
}

/* ---- label values ---- */

/* Backslash, quote and line feed as the format wants; other control bytes and what is no UTF-8 as \xNN,
   its backslash escaped. */
static void
put_value(struct text *t, const char *value)
{
    const uint8_t *s = (const uint8_t *)value;
    size_t left = strlen(value);

    while (left > 0) {
        uint32_t code;
        size_t n = utf8_read(s, left, &code);

        if (*s == '\n')
            put(t, "\\n");
        else if (*s == '\\' || *s == '"')
            put_number(t, "\\%c", *s);
        else if (n == 0 || *s < 0x20 || *s == 0x7F)
            put_number(t, "\\\\x%02x", *s);
        else
            put_bytes(t, s, n);
        n = n == 0 ? 1 : n;
        s += n;
        left -= n;
    }
}

/* {label="value",...}, le among them where it is not NULL; nothing where there are none. */
static void
put_labels(struct text *t, const struct stats_row *row, struct stats_at at, const char *le)
{
    const char *before = "{";
    char room[STATS_NAME_SIZE];

    for (int i = 0; i < STATS_LABELS_MAX; i++) {
        const char *label = stats_labels[row->labels[i]].label;

        if (*label == '\0')
            continue;
        put(t, before);
        put(t, label);
        put(t, "=\"");
        put_value(t, stats_label_text(t->stats, row->labels[i], at.i[i], room));
        put(t, "\"");
        before = ",";
    }
    if (le != NULL) {
        put(t, before);
        put(t, "le=\"");
        put(t, le);
        put(t, "\"");
        before = ",";
    }
    if (*before == ',')
        put(t, "}");
}

/* ---- samples ---- */

static void
put_sample(struct text *t, const struct stats_row *row, const char *suffix, struct stats_at at,
    const char *le, uint64_t value)
{
    put(t, row->name);
    put(t, suffix);
    put_labels(t, row, at, le);
    put_number(t, " %" PRIu64 "\n", value);
}

static void
put_seconds(struct text *t, uint64_t us)
{
    put_number(t, "%" PRIu64 ".%06u", us / 1000000, (unsigned)(us % 1000000));
}

/* The bound in seconds, as short as a float can be: 0.0005, 0.25, 1.0. */
static const char *
bound_text(unsigned bucket, char *room, size_t size)
{
    if (bucket >= STATS_BOUNDS)
        return "+Inf";
    uint32_t us = stats_bounds_us[bucket];
    int n = snprintf(room, size, "%u.%06u", (unsigned)(us / 1000000), (unsigned)(us % 1000000));

    while (n > 0 && room[n - 1] == '0' && room[n - 2] != '.')
        room[--n] = '\0';
    return room;
}

static void
put_histogram(struct text *t, enum stats_metric metric, struct stats_at at)
{
    const struct stats_row *row = &stats_rows[metric];
    struct stats_histogram h;
    uint64_t below = 0;
    char room[32];

    stats_read_histogram(t->stats, metric, at, &h);
    for (unsigned i = 0; i < STATS_BUCKETS; i++) {
        below += h.buckets[i];
        put_sample(t, row, "_bucket", at, bound_text(i, room, sizeof room), below);
    }
    put_sample(t, row, "_count", at, NULL, h.count);
    put(t, row->name);
    put(t, "_sum");
    put_labels(t, row, at, NULL);
    put(t, " ");
    put_seconds(t, h.sum_us);
    put(t, "\n");
}

static bool
is_empty(const struct text *t, enum stats_metric metric, struct stats_at at)
{
    struct stats_histogram h;

    if (stats_rows[metric].kind != STATS_KIND_HISTOGRAM)
        return stats_get(t->stats, metric, at) == 0;
    stats_read_histogram(t->stats, metric, at, &h);
    return h.count == 0;
}

static void
put_cell(struct text *t, enum stats_metric metric, struct stats_at at)
{
    const struct stats_row *row = &stats_rows[metric];

    if (row->kind == STATS_KIND_HISTOGRAM) {
        put_histogram(t, metric, at);
        return;
    }
    put(t, row->name);
    put(t, row->kind == STATS_KIND_COUNTER ? "_total" : "");
    put_labels(t, row, at, NULL);
    put(t, " ");
    /* Times are held in microseconds. */
    if (strcmp(row->unit, "seconds") == 0)
        put_seconds(t, stats_get(t->stats, metric, at));
    else
        put_number(t, "%" PRIu64, stats_get(t->stats, metric, at));
    put(t, "\n");
}

/* The value of a label after value i: of a set of names those in use, then "(other)". The label's count: there
   is none. */
static unsigned
next_value(const struct text *t, enum stats_label label, unsigned i)
{
    unsigned last = stats_labels[label].count - 1;

    if (i >= last)
        return last + 1;
    return i + 1 < stats_label_used(t->stats, label) ? i + 1 : last;
}

/* True when there is one more combination. */
static bool
next_cell(const struct text *t, const enum stats_label *labels, struct stats_at *at)
{
    for (int i = STATS_LABELS_MAX - 1; i >= 0; i--) {
        at->i[i] = next_value(t, labels[i], at->i[i]);
        if (at->i[i] < stats_labels[labels[i]].count)
            return true;
        at->i[i] = 0;
    }
    return false;
}

/* Every combination that was counted; with fixed labels alone the others too, so that a rate begins at
   zero. */
static void
put_cells(struct text *t, enum stats_metric metric)
{
    const enum stats_label *labels = stats_rows[metric].labels;
    struct stats_at at = STATS_AT(0);
    bool named = false;

    for (int i = 0; i < STATS_LABELS_MAX; i++)
        named = named || stats_labels[labels[i]].values == NULL;
    do {
        if (!named || !is_empty(t, metric, at))
            put_cell(t, metric, at);
    } while (next_cell(t, labels, &at));
}

static void
put_head(struct text *t, const struct stats_row *row)
{
    const char *suffix =
        t->format == METRICS_CLASSIC && row->kind == STATS_KIND_COUNTER ? "_total" : "";

    put(t, "# TYPE ");
    put(t, row->name);
    put(t, suffix);
    put(t, " ");
    put(t, kinds[row->kind]);
    put(t, "\n");
    if (t->format == METRICS_OPENMETRICS && *row->unit != '\0') {
        put(t, "# UNIT ");
        put(t, row->name);
        put(t, " ");
        put(t, row->unit);
        put(t, "\n");
    }
    put(t, "# HELP ");
    put(t, row->name);
    put(t, suffix);
    put(t, " ");
    put(t, row->sentence);
    put(t, ".\n");
}

int
metrics_text(const struct stats *stats, enum metrics_format format, size_t limit, struct buffer *out)
{
    struct text t = { .out = out, .limit = limit, .format = format, .stats = stats };

    for (unsigned i = 0; i < STATS_METRIC_COUNT; i++) {
        put_head(&t, &stats_rows[i]);
        put_cells(&t, (enum stats_metric)i);
    }
    if (format == METRICS_OPENMETRICS)
        put(&t, "# EOF\n");
    errno = t.error;
    return t.error == 0 ? 0 : -1;
}
