/* SPDX-License-Identifier: ISC */
/*
 * negotiate: the first byte selects the protocol, the client's method list one of the listener's
 * methods (RFC 1928 section 3; ours is the order of preference).
 */
#include "src/session/session_private.h"

/* The first of the listener's methods that the client offers and some rule could accept. */
static int
choose_module(const struct session *s, const struct socks5_hello *hello)
{
    const struct session_listener *listener = s->listener;

    for (uint32_t i = 0; listener != NULL && i < listener->count; i++) {
        const struct session_terms *t = &listener->terms[i];
        uint8_t method = image_module(s->host->image, t->module)->method;

        if (socks5_hello_offers(hello, method) &&
            policy_method_useful(s->host->image, &s->slot->client, method, t->most))
            return (int)t->module;
    }
    return -1;
}

static struct session_step
refuse_methods(struct session *s)
{
    uint8_t out[SOCKS5_CHOICE_SIZE];

    socks5_choice_encode(SOCKS_METHOD_REFUSED, out);
    (void)client_send(s, out, sizeof out);
    return step_fail(s, REASON_NO_METHOD, NULL);
}

static struct session_step
accept_hello(struct session *s, const struct socks5_hello *hello)
{
    int index = choose_module(s, hello);
    uint8_t out[SOCKS5_CHOICE_SIZE];

    s->slot->protocol = SOCKS_VERSION_5;
    buffer_consume(&s->setup->in, hello->used);
    if (index < 0)
        return refuse_methods(s);
    const struct image_module *module = image_module(s->host->image, (uint32_t)index);
    const char *name = image_string(s->host->image, module->name);

    s->setup->module = (uint32_t)index;
    s->method = module->method;
    table_change_begin(s->slot);
    table_text(s->slot->method, sizeof s->slot->method, name, module->name.len);
    table_change_end(s->slot);
    socks5_choice_encode(s->method, out);
    if (client_send(s, out, sizeof out) < 0)
        return step_fail(s, REASON_CLIENT_GONE, NULL);
    return step_go(SESSION_AUTHENTICATE);
}

static struct session_step
other_version(struct session *s, uint8_t first)
{
    if (first == SOCKS_VERSION_4)
        return step_go(SESSION_SOCKS4);
    return step_fail(s, REASON_UNKNOWN_PROTOCOL, NULL);
}

static struct session_step
negotiate(struct session *s)
{
    struct buffer *in = &s->setup->in;
    struct socks5_hello hello;
    struct session_step step;

    for (;;) {
        enum socks_result r = buffer_len(in) == 0
            ? SOCKS_MORE
            : socks5_hello_decode(buffer_head(in), buffer_len(in), &hello);

        if (r == SOCKS_DONE)
            return accept_hello(s, &hello);
        if (r == SOCKS_BAD)
            return other_version(s, *buffer_head(in));
        if (!client_more(s, &step))
            return step;
    }
}

static struct session_step
negotiate_enter(struct session *s)
{
    s->setup->deadline =
        mono_add_seconds(s->accepted, (int64_t)session_timeouts(s)->negotiate);
    session_deadline(s, s->setup->deadline);
    return negotiate(s);
}

static struct session_step
negotiate_event(struct session *s, enum session_event event)
{
    if (event == SESSION_TIMER)
        return step_fail(s, REASON_CLIENT_TIMEOUT, NULL);
    return negotiate(s);
}

const struct phase_row phase_negotiate = { "negotiate", negotiate_enter, negotiate_event, NULL };
