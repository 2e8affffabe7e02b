/* SPDX-License-Identifier: ISC */
/*
 * One line of a list file: a name, "*." and a name, an address or a prefix, in the form that look-ups
 * need. Serves config_set_read.c. A line that is none of them is an answer.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/name.h"
#include "src/config/config_set.h"

#define SET_FIRST_ROOM 64U

void
config_set_free(struct config_set *s)
{
    free(s->texts);
    free(s->four);
    free(s->six);
    *s = (struct config_set){ .path = s->path };
}

uint32_t
config_set_entries(const struct config_set *s)
{
    return s->names + s->four_count + s->six_count;
}

/* Room for one element more in an array of *size; the array, or NULL with `failed`. */
static void *
set_grow(struct config_set *s, void *array, uint32_t count, uint32_t *size, size_t element)
{
    if (count < *size) {
        return array;
    }
    const uint32_t more = *size > 0 ? 2 * *size : SET_FIRST_ROOM;
    void *grown = realloc(array, more * element);
    if (grown == NULL) {
        s->failed = true;
        return NULL;
    }
    *size = more;
    return grown;
}

static void
set_add_prefix(struct config_set *s, const struct addr_prefix *p)
{
    if (p->family == ADDR_IPV4) {
        uint32_t ip;
        uint64_t *four = set_grow(s, s->four, s->four_count, &s->four_size, sizeof(*four));
        if (four != NULL) {
            memcpy(&ip, p->ip, sizeof(ip));
            s->four = four;
            s->four[s->four_count++] = (uint64_t)be32toh(ip) << 8 | p->bits;
        }
        return;
    }
    struct config_set_prefix6 *six = set_grow(s, s->six, s->six_count, &s->six_size, sizeof(*six));
    if (six != NULL) {
        s->six = six;
        memset(&six[s->six_count], 0, sizeof(*six));
        memcpy(six[s->six_count].ip, p->ip, sizeof(p->ip));
        six[s->six_count].ip[0] = be64toh(six[s->six_count].ip[0]);
        six[s->six_count].ip[1] = be64toh(six[s->six_count].ip[1]);
        six[s->six_count++].bits = p->bits;
    }
}

/* dot: in front of a suffix. */
static void
set_add_text(struct config_set *s, bool dot, const char *name)
{
    const size_t len = strlen(name) + 1;
    const size_t need = s->text_len + dot + len;
    if (need > s->text_size) {
        char *texts = realloc(s->texts, 2 * need);
        if (texts == NULL) {
            s->failed = true;
            return;
        }
        s->texts = texts;
        s->text_size = 2 * need;
    }
    if (dot) {
        s->texts[s->text_len++] = '.';
    }
    memcpy(s->texts + s->text_len, name, len);
    s->text_len += len;
    s->names++;
}

static const char *
set_quote(const char *text, size_t len, char quoted[CONFIG_QUOTE_MAX])
{
    char copy[CONFIG_QUOTE_MAX];
    const size_t n = len < sizeof(copy) - 1 ? len : sizeof(copy) - 1;
    memcpy(copy, text, n);
    copy[n] = '\0';
    return config_quote(copy, quoted);
}

static bool
set_wrong(const char *text, size_t len, const char *why, struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    config_value_error(e,
        "%s: %s; allowed are a name, \"*.DOMAIN\", \"ADDR\" and \"ADDR/BITS\", one a line",
        set_quote(text, len, quoted), why);
    return false;
}

static bool
set_prefix(struct config_set *s, const char *text, size_t len, struct config_error_text *e)
{
    char copy[ADDR_TEXT_MAX];
    struct addr_prefix p;
    struct image_prefix wrong;
    if (len >= sizeof(copy)) {
        return set_wrong(text, len, "no prefix", e);
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (addr_prefix_parse(copy, &p) == 0) {
        set_add_prefix(s, &p);
        return true;
    }
    return config_value_prefix(copy, &wrong, e);
}

/* Why these octets stand in no name (what name_canonical() lets pass is more), or NULL. */
static const char *
set_name_why(const char *text, size_t len)
{
    static const bool allowed[256] = { ['a' ... 'z'] = true, ['A' ... 'Z'] = true,
        ['0' ... '9'] = true, ['-'] = true, ['_'] = true, ['.'] = true, [0x80 ... 0xff] = true };
    for (size_t i = 0; i < len; i++) {
        if (!allowed[(unsigned char)text[i]]) {
            return text[i] == '*' ? "\"*\" stands only in front, with a dot behind it"
                   : text[i] == ' ' || text[i] == '\t'
                       ? "two words"
                       : "names have letters, digits and - _ .";
        }
    }
    return NULL;
}

static bool
set_name(struct config_set *s, const char *text, size_t len, struct config_error_text *e)
{
    const bool suffix = len > 2 && text[0] == '*' && text[1] == '.';
    const char *name = suffix ? text + 2 : text;
    const size_t name_len = suffix ? len - 2 : len;
    char canonical[NAME_SIZE];
    struct addr a;
    const char *why = set_name_why(name, name_len);
    if (why != NULL) {
        return set_wrong(text, len, why, e);
    }
    switch (name_canonical(name, name_len, canonical, &a, &why)) {
    case NAME_OK:
        set_add_text(s, suffix, canonical);
        return true;
    case NAME_ADDRESS:
        return suffix ? set_wrong(text, len, "nothing is below an address", e)
                      : set_prefix(s, text, len, e);
    case NAME_BAD:
        break;
    }
    return set_wrong(text, len, why, e);
}

static bool
set_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

bool
config_set_line(struct config_set *s, const char *line, size_t len, struct config_error_text *e)
{
    const char *comment = memchr(line, '#', len);
    const char *end = comment != NULL ? comment : line + len;
    while (end > line && set_is_blank(end[-1])) {
        end--;
    }
    while (line < end && set_is_blank(*line)) {
        line++;
    }
    len = (size_t)(end - line);
    if (len == 0) {
        return true;
    }
    if (memchr(line, '/', len) != NULL || memchr(line, ':', len) != NULL) {
        return set_prefix(s, line, len, e);
    }
    return set_name(s, line, len, e);
}
