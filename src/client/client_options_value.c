/* SPDX-License-Identifier: ISC */
/*
 * The values of options, and of the port behind a target. Serves client_options.c. What is wrong with one
 * is said in one line.
 */
#include "src/client/client_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
number_read(const char *text, long min, long max, long *out)
{
    char *end;

    if (*text < '0' || *text > '9')
        return -1;
    errno = 0;
    *out = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' && *out >= min && *out <= max ? 0 : -1;
}

int
client_value_port(const char *text, long min, uint16_t *out)
{
    long number;

    if (number_read(text, min, 65535, &number) != 0)
        return -1;
    *out = (uint16_t)number;
    return 0;
}

/* Splits "HOST:PORT", "[ADDR6]:PORT" and the same without port: the host alone, len bytes of it,
   and where the port begins; NULL: there is none. */
static const char *
via_split(const char *text, const char **host, size_t *len)
{
    const char *colon = strchr(text, ':');
    const char *bracket = *text == '[' ? strchr(text, ']') : NULL;

    *host = bracket != NULL ? text + 1 : text;
    if (bracket != NULL) {
        *len = (size_t)(bracket - *host);
        return bracket[1] == '\0' ? NULL : bracket[1] == ':' ? bracket + 2 : "";
    }
    if (colon != NULL && strchr(colon + 1, ':') != NULL)
        colon = NULL; /* an IPv6 address without brackets */
    *len = colon != NULL ? (size_t)(colon - text) : strlen(text);
    return colon != NULL ? colon + 1 : NULL;
}

int
client_value_via(struct client_options *o, const char *text)
{
    const char *host;
    size_t len;
    const char *port = via_split(text, &host, &len);

    if (len == 0 || len >= sizeof o->host || (port != NULL && client_value_port(port, 1, &o->port) != 0)) {
        client_fail(
            CLIENT_USAGE, "--via \"%s\": HOST, HOST:PORT or [ADDRESS]:PORT is wanted", text);
        return -1;
    }
    memcpy(o->host, host, len);
    o->host[len] = '\0';
    return 0;
}

int
client_value_auth(struct client_options *o, const char *text)
{
    static const enum socks_method methods[] = { SOCKS_METHOD_GSSAPI, SOCKS_METHOD_USERPASS,
        SOCKS_METHOD_NONE };

    for (size_t i = 0; i < SP_COUNT(methods); i++)
        if (strcmp(text, client_method_text((uint8_t)methods[i])) == 0) {
            o->auth = methods[i];
            return 0;
        }
    client_fail(CLIENT_USAGE, "--auth \"%s\": gssapi, userpass or none is wanted", text);
    return -1;
}

int
client_value_protection(struct client_options *o, const char *text)
{
    for (unsigned level = AUTH_PROTECTION_NONE; level <= AUTH_PROTECTION_SELECTIVE; level++)
        if (strcmp(text, client_level_text((enum auth_protection)level)) == 0) {
            o->protection = (enum auth_protection)level;
            return 0;
        }
    client_fail(CLIENT_USAGE,
        "--protection \"%s\": none, integrity, confidentiality or selective is wanted", text);
    return -1;
}

int
client_value_seconds(const char *option, const char *text, long min, unsigned *out)
{
    long number;

    if (number_read(text, min, CLIENT_TIMEOUT_MAX, &number) != 0) {
        client_fail(CLIENT_USAGE, "%s \"%s\": %ld to %d seconds are wanted", option, text, min,
            CLIENT_TIMEOUT_MAX);
        return -1;
    }
    *out = (unsigned)number;
    return 0;
}

int
client_value_text(const char **out, const char *option, const char *text)
{
    if (*text == '\0') {
        client_fail(CLIENT_USAGE, "%s needs a value that is not empty", option);
        return -1;
    }
    *out = text;
    return 0;
}
