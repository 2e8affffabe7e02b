/* SPDX-License-Identifier: ISC */
/* What a person reads. Serves every file of the client. */
#include "src/client/client_private.h"

#include <stdarg.h>
#include <stdio.h>

static void SP_PRINTF(1, 0) line_print(const char *fmt, va_list args)
{
    char text[1024];

    if (vsnprintf(text, sizeof text, fmt, args) < 0)
        text[0] = '\0';
    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' ';
    fprintf(stderr, "sallyport: %s\n", text);
}

enum client_status
client_fail(enum client_status status, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    line_print(fmt, args);
    va_end(args);
    return status;
}

void
client_note(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    line_print(fmt, args);
    va_end(args);
}

static const char *
command_unknown_text(enum socks_command command)
{
    switch (command) {
    case SOCKS_BIND:
        return "the gateway does not listen for connections";
    case SOCKS_UDP_ASSOCIATE:
        return "the gateway does not relay datagrams";
    default:
        return "the gateway does not make connections";
    }
}

const char *
client_reply_text(enum socks_command command, uint8_t reply)
{
    static const char *const texts[] = {
        [SOCKS5_SUCCEEDED] = "connected",
        [SOCKS5_GENERAL_FAILURE] = "the gateway reports a general failure",
        [SOCKS5_NOT_ALLOWED] = "refused by a rule of the gateway",
        [SOCKS5_NETWORK_UNREACHABLE] = "the gateway has no way to its network",
        [SOCKS5_HOST_UNREACHABLE] = "it cannot be reached, or its name is not known",
        [SOCKS5_CONNECTION_REFUSED] = "connection refused by the destination",
        [SOCKS5_TTL_EXPIRED] = "it is too far away (time to live expired)",
        [SOCKS5_ADDRESS_NOT_SUPPORTED] = "the gateway cannot reach addresses of this kind",
        [SOCKS4_REFUSED] = "the gateway refuses it, or it failed",
        [SOCKS4_NO_IDENTD] = "the gateway cannot ask this host who you are (ident)",
        [SOCKS4_WRONG_USER] = "this host tells the gateway another name than --user (ident)",
    };

    if (reply == SOCKS5_COMMAND_NOT_SUPPORTED)
        return command_unknown_text(command);
    if (reply >= SP_COUNT(texts) || texts[reply] == NULL)
        return "refused for a reason that is not known";
    return texts[reply];
}

const char *
client_method_text(uint8_t method)
{
    switch (method) {
    case SOCKS_METHOD_NONE:
        return "none";
    case SOCKS_METHOD_GSSAPI:
        return "gssapi";
    case SOCKS_METHOD_USERPASS:
        return "userpass";
    default:
        return "unknown";
    }
}

const char *
client_level_text(enum auth_protection level)
{
    static const char *const texts[] = {
        [AUTH_PROTECTION_NONE] = "none",
        [AUTH_PROTECTION_INTEGRITY] = "integrity",
        [AUTH_PROTECTION_CONFIDENTIALITY] = "confidentiality",
        [AUTH_PROTECTION_SELECTIVE] = "selective",
    };

    return (unsigned)level < SP_COUNT(texts) ? texts[level] : "unknown";
}
