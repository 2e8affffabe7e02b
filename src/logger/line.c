/* SPDX-License-Identifier: ISC */
/*
 * Text put together without printf: a busy gateway's logger makes ten thousand lines a second.
 * Serves the renderer and the targets' frames. Nothing here fails.
 */
#include "src/logger/line.h"

#include <string.h>

#define DIGITS_MAX 20U

struct line
line_init(char *out, size_t size)
{
    return (struct line) { .start = out, .at = out, .end = out + size };
}

size_t
line_len(const struct line *l)
{
    return (size_t)(l->at - l->start);
}

void
line_bytes(struct line *l, const void *data, size_t len)
{
    size_t room = (size_t)(l->end - l->at);

    if (len > room) {
        len = room;
        l->cut = true;
    }
    memcpy(l->at, data, len);
    l->at += len;
}

void
line_text(struct line *l, const char *text)
{
    line_bytes(l, text, strlen(text));
}

static void
put_digits(struct line *l, uint64_t value, unsigned width)
{
    char digits[DIGITS_MAX];
    unsigned n = DIGITS_MAX;

    do {
        digits[--n] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (n > 0 && DIGITS_MAX - n < width)
        digits[--n] = '0';
    line_bytes(l, digits + n, DIGITS_MAX - n);
}

void
line_number(struct line *l, uint64_t value)
{
    put_digits(l, value, 1);
}

void
line_padded(struct line *l, uint64_t value, unsigned width)
{
    put_digits(l, value, width);
}

void
line_hex(struct line *l, uint64_t value, unsigned width)
{
    static const char digits[] = "0123456789abcdef";

    while (width-- > 0)
        line_char(l, digits[value >> (4 * width) & 15]);
}

void
line_addr(struct line *l, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];

    if (a->family != ADDR_IPV4) {
        line_bytes(l, text, addr_format(a, text));
        return;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0)
            line_char(l, '.');
        line_number(l, a->ip[i]);
    }
    line_char(l, ':');
    line_number(l, a->port);
}
