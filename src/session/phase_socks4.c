/* SPDX-License-Identifier: ISC */
/*
 * socks4: reads the one request of SOCKS 4 and 4A. It carries a claim and no proof: the session is of
 * method none, or of method ident once the client's host has confirmed the claim. Where socks4.enabled is
 * false, or the listener's methods hold neither, the request is read all the same: the record says who
 * asked and the client gets its answer.
 */
#include "src/session/session_private.h"

#include <string.h>

#define NONE "none"

/* The index of method none where the listener has it and some rule could accept it from this client, or
   SETUP_NO_MODULE. */
static uint32_t
find_none(const struct session *s)
{
    const struct image *image = s->host->image;
    const struct session_listener *listener = s->listener;

    for (uint32_t i = 0; listener != NULL && i < listener->count; i++) {
        const struct session_terms *t = &listener->terms[i];

        if (image_module(image, t->module)->method == SOCKS_METHOD_NONE
            && policy_method_useful(image, &s->slot->client, SOCKS_METHOD_NONE, t->most))
            return t->module;
    }
    return SETUP_NO_MODULE;
}

static void
set_method(struct session *s, uint8_t method, const char *name, size_t len)
{
    s->method = method;
    table_change_begin(s->slot);
    table_text(s->slot->method, sizeof s->slot->method, name, len);
    table_change_end(s->slot);
}

bool
session_take_none(struct session *s)
{
    uint32_t index = find_none(s);

    if (index == SETUP_NO_MODULE)
        return false;
    s->setup->module = index;
    set_method(s, SOCKS_METHOD_NONE, NONE, sizeof NONE - 1);
    return true;
}

/* The listener asks, and some rule could accept the answer. */
static bool
take_ident(struct session *s)
{
    if (s->listener == NULL || !s->listener->ident
        || !policy_method_useful(
            s->host->image, &s->slot->client, IMAGE_METHOD_IDENT, IMAGE_PROTECTION_NONE))
        return false;
    set_method(s, IMAGE_METHOD_IDENT, "ident", 5);
    return true;
}

static void
note_request(struct session *s, const struct socks4_request *request)
{
    struct table_slot *slot = s->slot;

    table_change_begin(slot);
    if (request->named)
        slot->protocol = TABLE_SOCKS4A;
    slot->claims = request->user_len > 0;
    table_text(slot->user, sizeof slot->user, request->user, request->user_len);
    table_change_end(slot);
}

static struct session_step
accept_request(struct session *s, const struct socks4_request *request)
{
    struct session_step step;
    bool ask;

    note_request(s, request);
    buffer_consume(&s->setup->in, request->used);
    if (image_settings(s->host->image)->socks4.enabled == 0)
        return step_refuse(s, REASON_UNSUPPORTED_PROTOCOL, SOCKS5_NOT_ALLOWED, NULL);
    ask = take_ident(s);
    if (!ask && !session_take_none(s))
        return step_refuse(s, REASON_NO_METHOD, SOCKS5_NOT_ALLOWED, NULL);
    if (request->error != NULL)
        return step_refuse(s, strcmp(request->error, "name") == 0 ? REASON_BAD_NAME : REASON_BAD_COMMAND,
            SOCKS5_COMMAND_NOT_SUPPORTED, request->error);
    step = session_request(s, request->command, &request->addr, request->name, request->name_len);
    return ask && step.kind == SESSION_GO ? step_go(SESSION_IDENT) : step;
}

static struct session_step
read_request(struct session *s)
{
    struct buffer *in = &s->setup->in;
    struct socks4_request request;
    struct session_step step;

    for (;;) {
        enum socks_result r = socks4_request_decode(buffer_head(in), buffer_len(in), &request);

        if (r == SOCKS_DONE)
            return accept_request(s, &request);
        if (r == SOCKS_BAD)
            return step_refuse(s, REASON_MALFORMED, SOCKS5_GENERAL_FAILURE, request.error);
        if (!client_more(s, &step))
            return step;
    }
}

static struct session_step
socks4_enter(struct session *s)
{
    s->slot->protocol = SOCKS_VERSION_4;
    s->setup->module = SETUP_NO_MODULE;
    session_deadline(s, s->setup->deadline);
    return read_request(s);
}

static struct session_step
socks4_event(struct session *s, enum session_event event)
{
    if (event == SESSION_TIMER) /* a NUL that never came, as like as not */
        return step_refuse(s, REASON_CLIENT_TIMEOUT, SOCKS5_GENERAL_FAILURE, NULL);
    return read_request(s);
}

const struct phase_row phase_socks4 = { "socks4", socks4_enter, socks4_event, NULL };
