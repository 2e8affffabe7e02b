/* SPDX-License-Identifier: ISC */
/*
 * Walks a record with the pen of its format. Serves the logger's batches. Nothing here fails: what
 * does not fit is cut and marked.
 */
#include "src/logger/render_private.h"

#include <string.h>

/* A value this short leaves every record inside RENDER_MIN. */
#define TEXT_LEAST 8U

static const struct pen *const pens[] = {
    [IMAGE_LOG_KEYVALUE] = &pen_keyvalue,
    [IMAGE_LOG_JSON] = &pen_json,
};

/* Times whose text wall_format() does not clamp, and whose parts are not negative. */
#define PLAIN_TIME_END (INT64_C(253402300800) * CLOCK_SECOND_US)
#define FRACTION_LEN 7U /* "123456Z" */

/* The text of a whole second is made once: many records share it. */
static void
put_time(struct line *l, struct wall t)
{
    static struct {
        int64_t second;
        char text[WALL_TEXT_MAX];
        size_t len; /* without the fraction; 0: nothing kept */
    } kept;
    char text[WALL_TEXT_MAX];

    if (t.us < 0 || t.us >= PLAIN_TIME_END) {
        line_bytes(l, text, wall_format(t, text));
        return;
    }
    if (kept.len == 0 || kept.second != t.us / CLOCK_SECOND_US) {
        kept.len = wall_format(t, kept.text) - FRACTION_LEN;
        kept.second = t.us / CLOCK_SECOND_US;
    }
    line_bytes(l, kept.text, kept.len);
    line_padded(l, (uint64_t)(t.us % CLOCK_SECOND_US), 6);
    line_char(l, 'Z');
}

static void
put_head(const struct pen *pen, struct line *l, const struct event_view *view, const char *worker)
{
    pen->open(l);
    pen->key(l, "time");
    line_text(l, pen->quote);
    put_time(l, view->time);
    line_text(l, pen->quote);
    pen->key(l, "event");
    pen->text(l, (const uint8_t *)event_table[view->id].name, strlen(event_table[view->id].name));
    pen->key(l, "worker");
    pen->text(l, (const uint8_t *)worker, strlen(worker));
    pen->key(l, "seq");
    line_number(l, view->seq);
    if (view->session == 0)
        return;
    pen->key(l, "session");
    line_text(l, pen->quote);
    line_hex(l, view->session, 16);
    line_text(l, pen->quote);
}

static void
put_value(const struct pen *pen, struct line *l, const struct event_value *v, size_t text_most)
{
    const struct field_row *row = &field_table[v->field];

    pen->key(l, row->name);
    switch (row->kind) {
    case FIELD_KIND_TEXT:
        pen->text(l, v->text, v->text_len < text_most ? v->text_len : text_most);
        break;
    case FIELD_KIND_ADDR:
        line_text(l, pen->quote);
        line_addr(l, &v->addr);
        line_text(l, pen->quote);
        break;
    case FIELD_KIND_NUMBER:
        line_number(l, v->number);
        break;
    case FIELD_KIND_SECONDS:
        line_number(l, v->number / (uint64_t)CLOCK_SECOND_US);
        line_char(l, '.');
        line_padded(l, v->number % (uint64_t)CLOCK_SECOND_US, 6);
        break;
    }
}

/* Values in the order of the table, whatever the order they were stated in. True when one was cut. */
static bool
put_values(const struct pen *pen, struct line *l, const struct event_view *view, size_t text_most)
{
    const struct event_value *by_field[FIELD_TOTAL] = { NULL };
    bool cut = false;

    for (size_t i = 0; i < view->count; i++)
        by_field[view->values[i].field] = &view->values[i];
    for (size_t i = 0; i < FIELD_TOTAL; i++) {
        const struct event_value *v = by_field[i];

        if (v == NULL || (field_table[i].kind == FIELD_KIND_TEXT && v->text_len == 0))
            continue;
        put_value(pen, l, v, text_most);
        cut = cut || (field_table[i].kind == FIELD_KIND_TEXT && v->text_len > text_most);
    }
    return cut;
}

static void
put_record(const struct pen *pen, struct line *l, const struct event_view *view,
    const char *worker, size_t text_most)
{
    put_head(pen, l, view, worker);
    if (put_values(pen, l, view, text_most) || view->truncated)
        line_text(l, pen->truncated);
    line_text(l, pen->close);
}

void
render_event(enum image_log_format format, const struct event_view *view, const char *worker,
    struct line *out, size_t room)
{
    size_t text_most = EVENT_RECORD_MAX;

    for (;;) {
        struct line l = line_init(out->at, room);

        put_record(pens[format], &l, view, worker, text_most);
        if (!l.cut || text_most <= TEXT_LEAST) {
            out->at = l.at;
            return;
        }
        text_most /= 2;
    }
}
