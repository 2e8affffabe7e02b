/* SPDX-License-Identifier: ISC */
/*
 * Audit facts. Code states facts as typed fields; they travel as binary records through the
 * process's ring (ring.h) to the logger, which alone renders text and alone escapes client bytes.
 * The time is taken at event_begin(), the sequence number at event_commit().
 */
#ifndef SP_CORE_EVENT_H
#define SP_CORE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"
#include "lib/base/clock.h"

enum event_field {
#define FIELD(id, ...) FIELD_##id,
#include "src/core/event.def"
#undef FIELD
    FIELD_TOTAL /* FIELD_COUNT is the field "count" */
};

enum event_id {
#define EVENT(id, ...) EVENT_##id,
#include "src/core/event.def"
#undef EVENT
    EVENT_COUNT
};

enum field_kind { FIELD_KIND_TEXT, FIELD_KIND_ADDR, FIELD_KIND_NUMBER, FIELD_KIND_SECONDS };
enum event_class { EVENT_CLASS_SESSION, EVENT_CLASS_ALL };

struct field_row { const char *name; enum field_kind kind; const char *sentence; };
struct event_row {
    const char *name;
    int severity; /* syslog's LOG_INFO ... */
    enum event_class class;
    uint64_t fields; /* bit per enum event_field */
    const char *sentence;
};
extern const struct field_row field_table[FIELD_TOTAL];
extern const struct event_row event_table[EVENT_COUNT];

#define EVENT_RECORD_MAX 4096

/* A record being made, on the stack. A field that does not fit is cut for TEXT (and the record
   marked truncated), never left half-written. */
struct event {
    enum event_id id;
    uint64_t session; /* 0: none */
    struct wall time;
    uint64_t fields; /* bit per field it has */
    size_t len;
    bool truncated;
    uint8_t body[EVENT_RECORD_MAX - 64];
};

/* Makes e an empty record. session: 0 for none. */
void event_begin(struct event *e, enum event_id id, uint64_t session, struct wall time);
/* A field the event's row does not list, or a second one of a kind, is a panic. NULL or empty text
   adds nothing. */
void event_text(struct event *e, enum event_field field, const char *text);
void event_bytes(struct event *e, enum event_field field, const void *data, size_t len);
void event_addr(struct event *e, enum event_field field, const struct addr *a); /* ADDR_NONE: nothing */
void event_number(struct event *e, enum event_field field, uint64_t value);
void event_seconds(struct event *e, enum event_field field, int64_t microseconds);

struct ring_writer;
/* Puts the record into the ring. Returns its sequence number (counted also when the ring was full
   and the record was dropped and counted). Never blocks. */
uint64_t event_commit(struct ring_writer *ring, const struct event *e);
/* The sequence number the next event_commit() will return. */
uint64_t event_next_seq(const struct ring_writer *ring);

/* Reading a record (logger): everything is checked, since it comes from another process. */
struct event_value {
    enum event_field field;
    const uint8_t *text; /* TEXT: borrow */
    size_t text_len;
    struct addr addr;    /* ADDR */
    uint64_t number;     /* NUMBER; SECONDS in microseconds */
};
struct event_view {
    enum event_id id;
    uint64_t session;
    uint64_t seq;
    struct wall time;
    bool truncated;
    size_t count;
    struct event_value values[FIELD_TOTAL];
};
/* 0, or -1 when the bytes are no valid record (unknown event or field, field not in the row,
   repeated field, wrong length). */
int event_decode(const void *record, size_t len, struct event_view *out) SP_MUST_USE;

#endif
