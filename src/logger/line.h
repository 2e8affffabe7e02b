/* SPDX-License-Identifier: ISC */
/*
 * A line of text being made in memory of the caller's: what does not fit is left out and `cut` says
 * so, so that a writer looks once at the end.
 */
#ifndef SP_LOGGER_LINE_H
#define SP_LOGGER_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"

struct line {
    char *start;
    char *at;
    char *end;
    bool cut;
};

struct line line_init(char *out, size_t size);
size_t line_len(const struct line *l);

void line_bytes(struct line *l, const void *data, size_t len);
void line_text(struct line *l, const char *text);
void line_number(struct line *l, uint64_t value);
/* In exactly width digits, zeros in front (width at most 20). */
void line_padded(struct line *l, uint64_t value, unsigned width);
void line_hex(struct line *l, uint64_t value, unsigned width);
/* "192.0.2.1:80", "[2001:db8::1]:80". */
void line_addr(struct line *l, const struct addr *a);

static inline void
line_char(struct line *l, char c)
{
    if (l->at < l->end)
        *l->at++ = c;
    else
        l->cut = true;
}

#endif
