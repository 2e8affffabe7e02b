/* SPDX-License-Identifier: ISC */
/*
 * Lines of the control protocol (src/master/master_control.h): a word, if any, then NAME=VALUE, separated
 * by one TAB each, ended by a line feed. In a value a backslash stands before what would break the line:
 * \\, \t, \n, and \xHH for any other control character. Serves the master and sallyportctl. No I/O; nothing
 * is fatal.
 */
#ifndef SP_CORE_CONTROL_LINE_H
#define SP_CORE_CONTROL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"
#include "lib/base/buffer.h"

#define CONTROL_REQUEST_MAX 4096 /* octets of a request, its line feed included */
#define CONTROL_FIELDS_MAX 64
#define CONTROL_OK ".ok"       /* the last line of an answer, or */
#define CONTROL_ERROR ".error" /* this word, a TAB and what went wrong */

struct control_field {
    const char *name;
    const char *value;
};

struct control_line {
    const char *word; /* "" when the line begins with a field */
    size_t count;
    struct control_field fields[CONTROL_FIELDS_MAX];
};

/*
 * Takes apart the len octets of a line (without its line feed; line[len] is writable), in place: out points
 * into it. 0, or -1 with *why: a control character, an empty word, a name that is none or comes twice, an
 * escape that is none, too many fields.
 */
int control_line_parse(char *line, size_t len, struct control_line *out, const char **why) SP_MUST_USE;
/* The field's value, or NULL. */
const char *control_line_get(const struct control_line *line, const char *name);

/* Undoes the escapes in place. 0, or -1 when one is none (a \x00 neither). */
int control_unescape(char *text) SP_MUST_USE;

/* Writes lines. What does not fit (limit octets held in all, memory) is remembered in `failed`. */
struct control_writer {
    struct buffer *to;
    size_t limit;
    bool begun; /* something of this line is written */
    bool failed;
};

void control_put_word(struct control_writer *w, const char *word);
/* NULL: nothing at all. */
void control_put(struct control_writer *w, const char *name, const char *value);
void control_put_number(struct control_writer *w, const char *name, uint64_t value);
/* Microseconds, written as seconds with three digits behind the point; less than 0 is 0. */
void control_put_seconds(struct control_writer *w, const char *name, int64_t us);
/* The line feed. */
void control_put_end(struct control_writer *w);
/* The whole last line, its line feed included: CONTROL_ERROR with this text, or CONTROL_OK for NULL. */
void control_put_last(struct control_writer *w, const char *error);

#endif
