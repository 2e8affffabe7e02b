/* SPDX-License-Identifier: ISC */
/*
 * The one renderer: an audit record becomes a line of text here and nowhere else, and here alone the
 * bytes of clients are escaped. Both formats have the same keys in the same order: v time event
 * worker seq session, then the event's fields in the order of event.def; absent ones are left out.
 *
 * keyvalue: key=value separated by single spaces. A value stands bare when all of it is printable
 * ASCII without space, '"', '=' and '\'; else between double quotes, where " and \ have a backslash
 * before them, line feed and carriage return are \n and \r, and '=', every other control byte, DEL
 * and every byte from 0x80 up are \xHH. So a line is printable ASCII, and key= appears in it only
 * where the gateway put it.
 * json: one object (RFC 8259) in printable ASCII. UTF-8 becomes \uXXXX; a byte that is not part of
 * valid UTF-8 becomes \u00XX.
 */
#ifndef SP_LOGGER_RENDER_H
#define SP_LOGGER_RENDER_H

#include <stddef.h>

#include "src/config/image.h"
#include "src/core/event.h"
#include "src/logger/line.h"

/* Every record fits this, its longest values cut. */
#define RENDER_MIN 2048U

/* Appends the record to out, using at most room bytes (at least RENDER_MIN, and out has them).
   worker is the label of the process that wrote it. A record that would be longer has its text
   values cut; it and one that was cut before carry truncated=yes ("truncated":true). */
void render_event(enum image_log_format format, const struct event_view *view, const char *worker,
    struct line *out, size_t room);

#endif
