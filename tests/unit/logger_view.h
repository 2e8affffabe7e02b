/* SPDX-License-Identifier: ISC */
/* Records for the renderer's tests, without a ring around them. */
#ifndef SP_TESTS_UNIT_LOGGER_VIEW_H
#define SP_TESTS_UNIT_LOGGER_VIEW_H

#include "src/logger/render.h"

/* 2026-01-31T23:59:59.123456Z */
#define VIEW_TIME ((struct wall) { INT64_C(1769903999123456) })
#define VIEW_TIME_TEXT "2026-01-31T23:59:59.123456Z"

static inline struct event_view
view_make(enum event_id id)
{
    return (struct event_view) { .id = id, .seq = 42, .time = VIEW_TIME };
}

static inline void
view_bytes(struct event_view *v, enum event_field field, const void *data, size_t len)
{
    v->values[v->count++] = (struct event_value) { .field = field, .text = data, .text_len = len };
}

static inline void
view_text(struct event_view *v, enum event_field field, const char *text)
{
    view_bytes(v, field, text, strlen(text));
}

static inline void
view_number(struct event_view *v, enum event_field field, uint64_t number)
{
    v->values[v->count++] = (struct event_value) { .field = field, .number = number };
}

static inline void
view_addr(struct event_view *v, enum event_field field, const char *text)
{
    struct event_value *value = &v->values[v->count++];

    *value = (struct event_value) { .field = field };
    assert_int_equal(addr_parse(text, &value->addr), 0);
}

/* The line of v in memory of exactly room bytes, NUL behind it; the caller frees it. */
static inline char *
view_render(enum image_log_format format, const struct event_view *v, size_t room)
{
    char *out = malloc(room + 1);

    assert_non_null(out);
    struct line l = line_init(out, room);

    render_event(format, v, "1", &l, room);
    *l.at = '\0';
    return out;
}

static inline void
view_expect(enum image_log_format format, const struct event_view *v, const char *text)
{
    char *line = view_render(format, v, 8192);

    assert_string_equal(line, text);
    free(line);
}

#endif
