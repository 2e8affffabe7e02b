/* SPDX-License-Identifier: ISC */
/* Reading UTF-8. Serves lib/base/utf8.h. */
#include "lib/base/utf8.h"

#include "lib/base/attr.h"

/* A row for each length of a sequence. */
static const struct {
    uint8_t mask, lead;
    uint32_t least, most;
} rows[] = {
    { 0x80, 0x00, 0, 0x7f },
    { 0xe0, 0xc0, 0x80, 0x7ff },
    { 0xf0, 0xe0, 0x800, 0xffff },
    { 0xf8, 0xf0, 0x10000, 0x10ffff },
};

size_t
utf8_read(const void *text, size_t len, uint32_t *code)
{
    const uint8_t *at = text;
    size_t n = 0;

    while (len > 0 && n < SP_COUNT(rows) && (at[0] & rows[n].mask) != rows[n].lead)
        n++;
    if (n >= SP_COUNT(rows) || n + 1 > len)
        return 0;
    uint32_t c = at[0] & (uint8_t)~rows[n].mask;

    for (size_t i = 1; i <= n; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (at[i] & 0x3f);
    }
    if (c < rows[n].least || c > rows[n].most || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *code = c;
    return n + 1;
}
