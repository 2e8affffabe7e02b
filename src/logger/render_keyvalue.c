/* SPDX-License-Identifier: ISC */
/* The pen of format "keyvalue" (render.h says what it writes). Serves render.c. */
#include "src/logger/render_private.h"

/* What a byte needs between quotes. QUOTE: it stands as it is, but not in a bare value. */
enum need { BARE, QUOTE, BACKSLASH, HEX };

static const uint8_t needs[256] = {
    [0 ... 0x1f] = HEX,
    [' '] = QUOTE,
    ['"'] = BACKSLASH,
    ['='] = HEX,
    ['\\'] = BACKSLASH,
    [0x7f ... 0xff] = HEX,
};

static void
put_open(struct line *l)
{
    line_text(l, "v=1");
}

static void
put_key(struct line *l, const char *key)
{
    line_char(l, ' ');
    line_text(l, key);
    line_char(l, '=');
}

static void
put_escaped(struct line *l, uint8_t c)
{
    line_char(l, '\\');
    if (c == '\n' || c == '\r') {
        line_char(l, c == '\n' ? 'n' : 'r');
    } else if (needs[c] == BACKSLASH) {
        line_char(l, (char)c);
    } else {
        line_char(l, 'x');
        line_hex(l, c, 2);
    }
}

static void
put_quoted(struct line *l, const uint8_t *text, size_t len)
{
    line_char(l, '"');
    for (size_t i = 0; i < len; i++) {
        if (needs[text[i]] <= QUOTE)
            line_char(l, (char)text[i]);
        else
            put_escaped(l, text[i]);
    }
    line_char(l, '"');
}

static void
put_text(struct line *l, const uint8_t *text, size_t len)
{
    size_t bare = 0;

    while (bare < len && needs[text[bare]] == BARE)
        bare++;
    if (bare == len)
        line_bytes(l, text, len);
    else
        put_quoted(l, text, len);
}

const struct pen pen_keyvalue = {
    .open = put_open,
    .key = put_key,
    .text = put_text,
    .quote = "",
    .truncated = " truncated=yes",
    .close = "",
};
