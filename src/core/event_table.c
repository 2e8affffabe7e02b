/* SPDX-License-Identifier: ISC */
/* The tables of fields and events, spelled out from event.def. Serves writers, the logger and -T. */
#include "src/core/event.h"

#include <syslog.h>

#define FIELD(id, name, kind, sentence) [FIELD_##id] = { name, FIELD_KIND_##kind, sentence },
const struct field_row field_table[FIELD_TOTAL] = {
#include "src/core/event.def"
};
#undef FIELD

#define F(id) (UINT64_C(1) << FIELD_##id)
#define EVENT(id, name, severity, class, fields, sentence)                                         \
    [EVENT_##id] = { name, LOG_##severity, EVENT_CLASS_##class, fields, sentence },
const struct event_row event_table[EVENT_COUNT] = {
#include "src/core/event.def"
};
#undef EVENT
#undef F

_Static_assert(FIELD_TOTAL <= 64, "a row's fields are bits of a uint64_t");
