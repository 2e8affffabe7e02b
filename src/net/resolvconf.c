/* SPDX-License-Identifier: ISC */
/* Reads a resolv.conf. Serves the resolver. Nothing in such a file is an error: resolv.conf(5). */
#include "src/net/resolvconf.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define DNS_PORT 53

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static const char *
skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

/* The address of a "nameserver" line, which begins with that word; false for any other line. */
static bool
line_server(const char *at, const char *end, struct addr *out)
{
    static const char keyword[] = "nameserver";
    const size_t keyword_len = sizeof keyword - 1;
    char text[ADDR_TEXT_MAX];
    size_t len = 0;

    if ((size_t)(end - at) <= keyword_len || memcmp(at, keyword, keyword_len) != 0
        || !is_blank(at[keyword_len]))
        return false;
    for (at = skip_blanks(at + keyword_len, end); at < end && !is_blank(*at); at++) {
        if (len + 1 >= sizeof text)
            return false;
        text[len++] = *at;
    }
    text[len] = '\0';
    if (addr_parse_ip(text, out) < 0)
        return false;
    out->port = DNS_PORT;
    return true;
}

size_t
resolvconf_parse(const void *text, size_t len, struct addr *out, size_t max)
{
    static const uint8_t loopback[4] = { 127, 0, 0, 1 };
    const char *at = text;
    const char *end = len > 0 ? at + len : at;
    size_t count = 0;

    while (at < end && count < max) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline != NULL ? newline : end;

        if (line_server(at, stop, &out[count]))
            count++;
        at = newline != NULL ? newline + 1 : end;
    }
    if (count == 0)
        out[count++] = addr_ipv4(loopback, DNS_PORT);
    return count;
}
