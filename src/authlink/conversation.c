/* SPDX-License-Identifier: ISC */
/*
 * The codec of conversation messages. Serves the workers (open, next out; result in) and the auth
 * processes (the other way round). What the other side wrote is not believed: a packet that is not
 * exactly right is an answer, nothing here is fatal. Packets stay on one machine: host byte order.
 */
#include "src/authlink/conversation.h"

#include <string.h>

#include "lib/base/cursor.h"

enum packet_type { PACKET_OPEN = 1, PACKET_NEXT = 2, PACKET_RESULT = 3 };

/* A receiver that does not know a field with this bit must not go on without it. */
#define MANDATORY 0x8000U

#define ADDR_PACKED 24U
#define GROUPS_MAX (64U * 1024U)
#define PROTECT_MAX 4096U
#define REASON_MAX 128U

struct field_row {
    uint16_t tag;
    bool required;
    uint32_t min; /* bytes */
    uint32_t max;
};

struct field_span {
    const uint8_t *data; /* NULL: absent */
    size_t len;
};

enum open_field {
    OPEN_ROLE,
    OPEN_SESSION,
    OPEN_METHOD,
    OPEN_LISTENER,
    OPEN_CLIENT,
    OPEN_LOCAL,
    OPEN_BINDING,
    OPEN_DEADLINE,
    OPEN_BYTES,
    OPEN_FIELDS
};

static const struct field_row open_rows[OPEN_FIELDS] = {
    [OPEN_ROLE] = { MANDATORY | 1, true, 1, 1 },
    [OPEN_SESSION] = { MANDATORY | 2, true, 8, 8 },
    [OPEN_METHOD] = { MANDATORY | 3, true, 1, 1 },
    [OPEN_LISTENER] = { 4, false, 1, 256 },
    [OPEN_CLIENT] = { MANDATORY | 5, true, ADDR_PACKED, ADDR_PACKED },
    [OPEN_LOCAL] = { 6, false, ADDR_PACKED, ADDR_PACKED },
    [OPEN_BINDING] = { MANDATORY | 7, false, 1, CONVERSATION_BINDING_MAX },
    [OPEN_DEADLINE] = { 8, true, 4, 4 },
    [OPEN_BYTES] = { MANDATORY | 9, true, 0, AUTH_TOKEN_MAX },
};

enum next_field { NEXT_BYTES, NEXT_FIELDS };

static const struct field_row next_rows[NEXT_FIELDS] = {
    [NEXT_BYTES] = { MANDATORY | 9, true, 0, AUTH_TOKEN_MAX },
};

enum result_field {
    RESULT_OUTCOME,
    RESULT_ANSWER,
    RESULT_USER,
    RESULT_MECHANISM,
    RESULT_ENCTYPE,
    RESULT_ACCOUNT,
    RESULT_GROUPS,
    RESULT_END,
    RESULT_PROTECT,
    RESULT_REASON,
    RESULT_FIELDS
};

static const struct field_row result_rows[RESULT_FIELDS] = {
    [RESULT_OUTCOME] = { MANDATORY | 1, true, 1, 1 },
    [RESULT_ANSWER] = { MANDATORY | 2, false, 1, AUTH_TOKEN_MAX },
    [RESULT_USER] = { MANDATORY | 3, false, 2, AUTH_NAME_MAX },
    [RESULT_MECHANISM] = { 4, false, 2, 64 },
    [RESULT_ENCTYPE] = { 5, false, 2, 64 },
    [RESULT_ACCOUNT] = { 6, false, 2, 256 },
    [RESULT_GROUPS] = { 7, false, 1, GROUPS_MAX },
    [RESULT_END] = { MANDATORY | 8, false, 8, 8 },
    [RESULT_PROTECT] = { MANDATORY | 9, false, 1, PROTECT_MAX },
    [RESULT_REASON] = { 10, false, 2, REASON_MAX },
};

/* ---- fields ---- */

static struct writer
packet_begin(enum packet_type type, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size < CONVERSATION_MAX ? size : CONVERSATION_MAX);

    writer_u16(&w, (uint16_t)type);
    writer_u16(&w, CONVERSATION_VERSION);
    return w;
}

/* A field the receiver would refuse overflows the packet: the sender learns it here. */
static void
field_put(struct writer *w, const struct field_row *row, const void *data, size_t len)
{
    if (len < row->min || len > row->max) {
        w->overflow = true;
        return;
    }
    writer_u16(w, row->tag);
    writer_u32(w, (uint32_t)len);
    writer_bytes(w, data, len);
}

static void
field_put_some(struct writer *w, const struct field_row *row, const void *data, size_t len)
{
    if (len > 0)
        field_put(w, row, data, len);
}

/* Text travels with its NUL, so that the receiver may borrow it. */
static void
field_put_text(struct writer *w, const struct field_row *row, const char *text)
{
    if (text != NULL && *text != '\0')
        field_put(w, row, text, strlen(text) + 1);
}

static void
field_put_addr(struct writer *w, const struct field_row *row, const struct addr *a)
{
    uint8_t packed[ADDR_PACKED];
    struct writer p = writer_init(packed, sizeof packed);

    writer_u8(&p, a->family);
    writer_u8(&p, 0);
    writer_u16(&p, a->port);
    writer_u32(&p, a->scope);
    writer_bytes(&p, a->ip, sizeof a->ip);
    field_put(w, row, packed, sizeof packed);
}

static int
row_of(const struct field_row *rows, size_t count, uint16_t tag)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].tag == tag)
            return (int)i;
    return -1;
}

/* One field into its span; an unknown optional one is stepped over. */
static void
field_read(struct cursor *c, const struct field_row *rows, size_t count, struct field_span *spans)
{
    const uint16_t tag = cursor_u16(c);
    const uint32_t len = cursor_u32(c);
    const uint8_t *data = cursor_bytes(c, len);

    if (!cursor_ok(c))
        return;
    const int i = row_of(rows, count, tag);

    if (i < 0) {
        if ((tag & MANDATORY) != 0)
            cursor_fail(c);
        return;
    }
    if (spans[i].data != NULL || len < rows[i].min || len > rows[i].max) {
        cursor_fail(c);
        return;
    }
    spans[i] = (struct field_span) { data, len };
}

/* All fields of a packet of the given type. 0, or -1. */
static int
packet_read(const void *data, size_t len, enum packet_type type, const struct field_row *rows,
    size_t count, struct field_span *spans)
{
    struct cursor c = cursor_init(data, len);

    if (len > CONVERSATION_MAX || cursor_u16(&c) != type || cursor_u16(&c) != CONVERSATION_VERSION)
        return -1;
    while (cursor_left(&c) > 0)
        field_read(&c, rows, count, spans);
    if (!cursor_ok(&c))
        return -1;
    for (size_t i = 0; i < count; i++)
        if (rows[i].required && spans[i].data == NULL)
            return -1;
    return 0;
}

static struct cursor
span_cursor(struct field_span span)
{
    return cursor_init(span.data, span.len);
}

/* "" when absent, NULL when the bytes are no text. */
static const char *
span_text(struct field_span span)
{
    if (span.data == NULL)
        return "";
    if (memchr(span.data, '\0', span.len) != span.data + span.len - 1)
        return NULL;
    return (const char *)span.data;
}

/* Of the given family or 0; octets that the family does not have must be zero. */
static int
span_addr(struct field_span span, struct addr *out)
{
    static const uint8_t zero[12];
    struct cursor c = span_cursor(span);

    out->family = cursor_u8(&c);
    out->pad = cursor_u8(&c);
    out->port = cursor_u16(&c);
    out->scope = cursor_u32(&c);
    cursor_copy(&c, out->ip, sizeof out->ip);
    if (!cursor_ok(&c) || out->pad != 0)
        return -1;
    if (out->family == ADDR_IPV6)
        return 0;
    return out->family == ADDR_IPV4 && memcmp(out->ip + 4, zero, sizeof zero) == 0 ? 0 : -1;
}

/* ---- open ---- */

size_t
conversation_open_encode(const struct conversation_open *in, uint8_t *out, size_t size)
{
    struct writer w = packet_begin(PACKET_OPEN, out, size);
    const uint8_t role = in->initiator ? 1 : 0;

    field_put(&w, &open_rows[OPEN_ROLE], &role, 1);
    field_put(&w, &open_rows[OPEN_SESSION], &in->session, sizeof in->session);
    field_put(&w, &open_rows[OPEN_METHOD], &in->method, 1);
    field_put_text(&w, &open_rows[OPEN_LISTENER], in->listener);
    field_put_addr(&w, &open_rows[OPEN_CLIENT], &in->client);
    if (in->local.family != ADDR_NONE)
        field_put_addr(&w, &open_rows[OPEN_LOCAL], &in->local);
    field_put_some(&w, &open_rows[OPEN_BINDING], in->binding, in->binding_len);
    field_put(&w, &open_rows[OPEN_DEADLINE], &in->deadline_ms, sizeof in->deadline_ms);
    field_put(&w, &open_rows[OPEN_BYTES], in->bytes, in->len);
    return writer_len(&w);
}

static int
open_take_text(struct field_span span, char listener[256], struct conversation_open *out)
{
    const char *text = span_text(span);

    if (text == NULL)
        return -1;
    memcpy(listener, text, strlen(text) + 1);
    out->listener = listener;
    return 0;
}

int
conversation_open_decode(const void *data, size_t len, struct conversation_open *out,
    char listener[256])
{
    struct field_span spans[OPEN_FIELDS] = { { NULL, 0 } };

    if (packet_read(data, len, PACKET_OPEN, open_rows, OPEN_FIELDS, spans) != 0)
        return -1;
    struct cursor role = span_cursor(spans[OPEN_ROLE]);
    struct cursor session = span_cursor(spans[OPEN_SESSION]);
    struct cursor method = span_cursor(spans[OPEN_METHOD]);
    struct cursor deadline = span_cursor(spans[OPEN_DEADLINE]);
    const uint8_t initiator = cursor_u8(&role);

    *out = (struct conversation_open) {
        .initiator = initiator == 1,
        .session = cursor_u64(&session),
        .method = cursor_u8(&method),
        .binding = spans[OPEN_BINDING].data,
        .binding_len = spans[OPEN_BINDING].len,
        .deadline_ms = cursor_u32(&deadline),
        .bytes = spans[OPEN_BYTES].data,
        .len = spans[OPEN_BYTES].len,
    };
    if (initiator > 1 || out->session == 0 || span_addr(spans[OPEN_CLIENT], &out->client) != 0)
        return -1;
    if (spans[OPEN_LOCAL].data != NULL && span_addr(spans[OPEN_LOCAL], &out->local) != 0)
        return -1;
    return open_take_text(spans[OPEN_LISTENER], listener, out);
}

/* ---- next ---- */

size_t
conversation_next_encode(const void *bytes, size_t len, uint8_t *out, size_t size)
{
    struct writer w = packet_begin(PACKET_NEXT, out, size);

    field_put(&w, &next_rows[NEXT_BYTES], bytes, len);
    return writer_len(&w);
}

int
conversation_next_decode(const void *data, size_t len, const uint8_t **bytes, size_t *bytes_len)
{
    struct field_span spans[NEXT_FIELDS] = { { NULL, 0 } };

    if (packet_read(data, len, PACKET_NEXT, next_rows, NEXT_FIELDS, spans) != 0)
        return -1;
    *bytes = spans[NEXT_BYTES].data;
    *bytes_len = spans[NEXT_BYTES].len;
    return 0;
}

/* ---- result ---- */

static void
result_put_identity(struct writer *w, const struct conversation_result *in)
{
    field_put_text(w, &result_rows[RESULT_USER], in->user);
    field_put_text(w, &result_rows[RESULT_MECHANISM], in->mechanism);
    field_put_text(w, &result_rows[RESULT_ENCTYPE], in->enctype);
    field_put_text(w, &result_rows[RESULT_ACCOUNT], in->account);
    field_put_some(w, &result_rows[RESULT_GROUPS], in->groups, in->groups_len);
    if (in->end != 0)
        field_put(w, &result_rows[RESULT_END], &in->end, sizeof in->end);
    field_put_some(w, &result_rows[RESULT_PROTECT], in->protect, in->protect_len);
}

size_t
conversation_result_encode(const struct conversation_result *in, uint8_t *out, size_t size)
{
    struct writer w = packet_begin(PACKET_RESULT, out, size);
    const uint8_t outcome = (uint8_t)in->outcome;

    field_put(&w, &result_rows[RESULT_OUTCOME], &outcome, 1);
    field_put_some(&w, &result_rows[RESULT_ANSWER], in->answer, in->answer_len);
    if (in->outcome == AUTH_SUCCESS)
        result_put_identity(&w, in);
    if (in->outcome == AUTH_FAILURE)
        field_put_text(&w, &result_rows[RESULT_REASON], in->reason);
    return writer_len(&w);
}

static int
result_take_texts(const struct field_span *spans, struct conversation_result *out)
{
    out->user = span_text(spans[RESULT_USER]);
    out->mechanism = span_text(spans[RESULT_MECHANISM]);
    out->enctype = span_text(spans[RESULT_ENCTYPE]);
    out->account = span_text(spans[RESULT_ACCOUNT]);
    out->reason = span_text(spans[RESULT_REASON]);
    return out->user != NULL && out->mechanism != NULL && out->enctype != NULL &&
            out->account != NULL && out->reason != NULL
        ? 0
        : -1;
}

/* An identity comes with success alone, and success with an identity. */
static bool
result_is_whole(const struct field_span *spans, const struct conversation_result *r)
{
    const bool identity = spans[RESULT_USER].data != NULL || spans[RESULT_GROUPS].data != NULL ||
        spans[RESULT_PROTECT].data != NULL || spans[RESULT_END].data != NULL;

    switch (r->outcome) {
    case AUTH_CONTINUE:
    case AUTH_FAILURE:
        return !identity;
    case AUTH_SUCCESS:
        return spans[RESULT_USER].data != NULL && r->end >= 0 &&
            (r->groups_len == 0 || r->groups[r->groups_len - 1] == '\0');
    }
    return false;
}

int
conversation_result_decode(const void *data, size_t len, struct conversation_result *out)
{
    struct field_span spans[RESULT_FIELDS] = { { NULL, 0 } };

    if (packet_read(data, len, PACKET_RESULT, result_rows, RESULT_FIELDS, spans) != 0)
        return -1;
    struct cursor outcome = span_cursor(spans[RESULT_OUTCOME]);
    struct cursor end = span_cursor(spans[RESULT_END]);

    *out = (struct conversation_result) {
        .outcome = (enum auth_outcome)cursor_u8(&outcome),
        .answer = spans[RESULT_ANSWER].data,
        .answer_len = spans[RESULT_ANSWER].len,
        .groups = spans[RESULT_GROUPS].data,
        .groups_len = spans[RESULT_GROUPS].len,
        .end = (int64_t)cursor_u64(&end),
        .protect = spans[RESULT_PROTECT].data,
        .protect_len = spans[RESULT_PROTECT].len,
    };
    if (result_take_texts(spans, out) != 0 || !result_is_whole(spans, out))
        return -1;
    return 0;
}
