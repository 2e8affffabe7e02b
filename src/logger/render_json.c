/* SPDX-License-Identifier: ISC */
/* The pen of format "json" (render.h says what it writes). Serves render.c. */
#include "src/logger/render_private.h"

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

/* One row per length of a sequence: RFC 3629 without overlong forms; surrogates are looked at apart. */
static const struct {
    uint8_t mask;
    uint8_t lead;
    uint32_t least;
    uint32_t most;
} utf8_rows[] = {
    [2] = { 0xe0, 0xc0, 0x80, 0x7ff },
    [3] = { 0xf0, 0xe0, 0x800, 0xffff },
    [4] = { 0xf8, 0xf0, 0x10000, 0x10ffff },
};

/* Bytes of the valid sequence at text (2..4) with its code, or 0. */
static size_t
utf8_sequence(const uint8_t *text, size_t len, uint32_t *code)
{
    size_t n = 2;

    while (n <= 4 && (text[0] & utf8_rows[n].mask) != utf8_rows[n].lead)
        n++;
    if (n > 4 || n > len)
        return 0;
    *code = text[0] & (uint8_t)~utf8_rows[n].mask;
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (text[i] & 0x3f);
    }
    bool surrogate = *code >= 0xd800 && *code <= 0xdfff;

    return *code < utf8_rows[n].least || *code > utf8_rows[n].most || surrogate ? 0 : n;
}

static void
put_text(struct line *l, const uint8_t *text, size_t len)
{
    line_char(l, '"');
    for (size_t i = 0; i < len;) {
        uint32_t code = text[i];
        size_t n = text[i] < 0x80 ? 0 : utf8_sequence(text + i, len - i, &code);

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
