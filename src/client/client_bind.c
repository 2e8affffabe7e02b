/* SPDX-License-Identifier: ISC */
/*
 * What follows the first reply to BIND: telling the person where the gateway listens, and waiting
 * for the second. Serves client_main.c. How long a peer is waited for is the gateway's business.
 */
#include "src/client/client_private.h"

#include <stdio.h>

#define WAIT "the wait for the peer"
#define BOUND_TEXT_MAX 300

static void
bound_format(
    const struct client_wire *w, const struct socks5_answer *answer, char text[BOUND_TEXT_MAX])
{
    const struct addr bound = client_bound(w, answer);
    char ip[ADDR_TEXT_MAX];

    if (bound.family != ADDR_NONE)
        (void)addr_format(&bound, ip);
    if (bound.family != ADDR_NONE)
        (void)snprintf(text, BOUND_TEXT_MAX, "%s", ip);
    else
        (void)snprintf(text, BOUND_TEXT_MAX, "%.*s:%u", (int)answer->name_len,
            (const char *)answer->name, (unsigned)bound.port);
}

enum client_status
client_bind(
    struct client_wire *w, const struct client_options *o, const struct socks5_answer *first)
{
    struct socks5_answer second;
    char text[BOUND_TEXT_MAX];

    bound_format(w, first, text);
    client_note("listening on %s", text);
    w->deadline = MONO_NEVER;
    const enum client_status status = client_answer(w, o, &second, WAIT);

    if (status != CLIENT_OK)
        return status;
    if (second.reply != SOCKS5_SUCCEEDED)
        return client_fail(CLIENT_REFUSED, "%s: nobody connected (reply %u)", o->target_text,
            (unsigned)second.reply);
    bound_format(w, &second, text);
    client_note("connected by %s", text);
    return CLIENT_OK;
}
