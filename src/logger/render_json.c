/* SPDX-License-Identifier: ISC */
/* The pen of format "json" (render.h says what it writes). Serves render.c. */
#include "src/logger/render_private.h"

#include "lib/base/utf8.h"

static void
put_open(struct line *l)
{
    line_text(l, "{\"v\":1");
}

static void
put_key(struct line *l, const char *key)
{
    line_text(l, ",\"");
    line_text(l, key);
    line_text(l, "\":");
}

static void
put_unit(struct line *l, uint32_t unit)
{
    line_text(l, "\\u");
    line_hex(l, unit, 4);
}

static void
put_code(struct line *l, uint32_t code)
{
    if (code < 0x10000) {
        put_unit(l, code);
        return;
    }
    put_unit(l, 0xd800 + ((code - 0x10000) >> 10));
    put_unit(l, 0xdc00 + ((code - 0x10000) & 0x3ff));
}

static void
put_ascii(struct line *l, uint8_t c)
{
    if (c < 0x20 || c == 0x7f) {
        put_unit(l, c);
        return;
    }
    if (c == '"' || c == '\\')
        line_char(l, '\\');
    line_char(l, (char)c);
}

static void
put_text(struct line *l, const uint8_t *text, size_t len)
{
    line_char(l, '"');
    for (size_t i = 0; i < len;) {
        uint32_t code = text[i];
        size_t n = utf8_read(text + i, len - i, &code);

        if (text[i] < 0x80)
            put_ascii(l, text[i]);
        else
            put_code(l, n > 0 ? code : text[i]);
        i += n > 0 ? n : 1;
    }
    line_char(l, '"');
}

const struct pen pen_json = {
    .open = put_open,
    .key = put_key,
    .text = put_text,
    .quote = "\"",
    .truncated = ",\"truncated\":true",
    .close = "}",
};
