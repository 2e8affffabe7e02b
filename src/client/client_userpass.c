/* SPDX-License-Identifier: ISC */
/* The login with user name and password (RFC 1929). Serves client_negotiate.c. */
#include "src/client/client_private.h"

#include "lib/base/secret.h"
#include "lib/socks/userpass.h"

static enum client_status
userpass_send(struct client_wire *w, const struct client_secret *secret)
{
    uint8_t *message = secret_alloc(USERPASS_MESSAGE_MAX);

    if (message == NULL)
        return client_fail(CLIENT_BROKEN, "out of memory");
    const size_t len = userpass_encode(
        secret->user, secret->user_len, secret->password, secret->password_len, message);
    const enum client_status status = client_wire_send(w, message, len, "the login");

    secret_free(message, USERPASS_MESSAGE_MAX);
    return status;
}

enum client_status
client_userpass(struct client_wire *w, const struct client_secret *secret)
{
    enum client_status status = userpass_send(w, secret);

    while (status == CLIENT_OK) {
        struct userpass_status answer;
        size_t len;
        const uint8_t *data = client_wire_raw(w, &len);
        const enum socks_result result = userpass_status_decode(data, len, &answer);

        if (result == SOCKS_BAD)
            return client_fail(CLIENT_LOGIN, "the gateway's answer to the login is malformed");
        if (result == SOCKS_DONE) {
            client_wire_consume(w, answer.used);
            return answer.status == USERPASS_SUCCESS
                       ? CLIENT_OK
                       : client_fail(CLIENT_LOGIN,
                             "the gateway refused the name or the password of %s", secret->user);
        }
        status = client_wire_fill(w, CLIENT_LOGIN, "the login");
    }
    return status;
}
