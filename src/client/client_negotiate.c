/* SPDX-License-Identifier: ISC */
/*
 * The greeting and the login. Serves client_main.c. One method is offered, so that nobody between
 * us and the gateway can choose a weaker one.
 */
#include "src/client/client_private.h"

static enum client_status
choice_judge(const struct client_options *o, uint8_t method)
{
    if (method == o->auth)
        return CLIENT_OK;
    if (method == SOCKS_METHOD_REFUSED)
        return client_fail(CLIENT_LOGIN, "the gateway does not accept the method %s from here",
            client_method_text((uint8_t)o->auth));
    return client_fail(
        CLIENT_LOGIN, "the gateway wants the method %u, which was not offered", (unsigned)method);
}

static enum client_status
choice_read(struct client_wire *w, const struct client_options *o)
{
    for (;;) {
        struct socks5_choice choice;
        size_t len;
        const uint8_t *data = client_wire_raw(w, &len);
        const enum socks_result result = socks5_choice_decode(data, len, &choice);

        if (result == SOCKS_BAD)
            return client_fail(
                CLIENT_UNREACHABLE, "%s port %u is no SOCKS 5 gateway", o->host, (unsigned)o->port);
        if (result == SOCKS_DONE) {
            client_wire_consume(w, choice.used);
            return choice_judge(o, choice.method);
        }
        const enum client_status status = client_wire_fill(w, CLIENT_UNREACHABLE, "the greeting");

        if (status != CLIENT_OK)
            return status;
    }
}

enum client_status
client_negotiate(
    struct client_wire *w, const struct client_options *o, const struct client_secret *secret)
{
    const uint8_t method = (uint8_t)o->auth;
    uint8_t hello[SOCKS5_HELLO_MAX];
    enum client_status status =
        client_wire_send(w, hello, socks5_hello_encode(&method, 1, hello), "the greeting");

    if (status == CLIENT_OK)
        status = choice_read(w, o);
    if (status != CLIENT_OK)
        return status;
    switch (o->auth) {
    case SOCKS_METHOD_GSSAPI:
        return client_gssapi(w, o);
    case SOCKS_METHOD_USERPASS:
        return client_userpass(w, secret);
    default:
        return CLIENT_OK;
    }
}
