/* SPDX-License-Identifier: ISC */
/*
 * Canonical host names and globs. Serves the request decoder's caller, the rules and the
 * configuration. A name that is refused is an answer; nothing here is fatal.
 */
#include "lib/base/name.h"

#include <netinet/in.h>
#include <string.h>

#define NAME_LABEL_MAX 63

static bool
name_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
name_is_hex(char c)
{
    return name_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static char
name_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* True and *addr (unmapped) when inet_pton reads exactly these bytes. */
static bool
name_is_address(const char *text, size_t len, struct addr *addr)
{
    char copy[INET6_ADDRSTRLEN];
    if (len >= sizeof(copy) || memchr(text, '\0', len) != NULL) {
        return false;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    struct addr found;
    if (addr_parse_ip(copy, &found) != 0) {
        return false;
    }
    *addr = addr_unmap(&found);
    return true;
}

/* Why this octet may not stand in a name, or NULL. */
static const char *
name_octet_why(char c)
{
    const unsigned char u = (unsigned char)c;
    if (u < 0x20 || u == 0x7f) {
        return "control character in the name";
    }
    switch (c) {
    case ' ':
        return "space in the name";
    case '\\':
        return "backslash in the name";
    case ':':
    case '[':
    case ']':
        return "colon or bracket in the name, and it is not an address";
    default:
        return NULL;
    }
}

/* Copies one label of the text to out, up to its dot or the end. Its length, or 0 with *why. */
static size_t
name_label(const char *text, size_t len, char *out, const char **why)
{
    size_t n = 0;
    while (n < len && text[n] != '.') {
        *why = name_octet_why(text[n]);
        if (*why != NULL) {
            return 0;
        }
        if (n == NAME_LABEL_MAX) {
            *why = "label longer than 63 octets";
            return 0;
        }
        out[n] = name_lower(text[n]);
        n++;
    }
    if (n == 0) {
        *why = "empty label";
    }
    return n;
}

/* "1", "0x7f", "0x": what inet_aton and some resolvers read as a number. */
static bool
name_label_is_number(const char *label, size_t len)
{
    const bool hex = len >= 2 && label[0] == '0' && label[1] == 'x';
    for (size_t i = hex ? 2 : 0; i < len; i++) {
        if (hex ? !name_is_hex(label[i]) : !name_is_digit(label[i])) {
            return false;
        }
    }
    return true;
}

/* The canonical form of len (1..253) bytes in out, or what is wrong with them. */
static const char *
name_copy(const char *text, size_t len, char *out)
{
    const char *why = NULL;
    size_t at = 0;
    for (;;) {
        const size_t n = name_label(text + at, len - at, out + at, &why);
        if (n == 0) {
            return why;
        }
        if (at + n == len) {
            out[len] = '\0';
            return name_label_is_number(out + at, n) ? "last label is a number" : NULL;
        }
        at += n;
        out[at++] = '.';
    }
}

enum name_status
name_canonical(
    const void *text, size_t len, char out[NAME_SIZE], struct addr *addr, const char **why)
{
    const char *t = text;
    *why = NULL;
    out[0] = '\0';
    if (len == 0) {
        *why = "empty name";
        return NAME_BAD;
    }
    if (name_is_address(t, len, addr)) {
        return NAME_ADDRESS;
    }
    if (t[len - 1] == '.') {
        len--;
    }
    if (len > NAME_MAX_LEN) {
        *why = "name longer than 253 octets";
        return NAME_BAD;
    }
    *why = name_copy(t, len, out);
    if (*why != NULL) {
        out[0] = '\0';
        return NAME_BAD;
    }
    return NAME_OK;
}

bool
glob_match(const char *pattern, const char *text)
{
    /* Only the last '*' can ever need to take more: what matched before it stays matched. So one
       place to return to is enough, and nothing is tried twice at the same pair of places. */
    const char *star = NULL;
    const char *resume = NULL;
    while (*text != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}
