/* SPDX-License-Identifier: ISC */
/*
 * The login with Kerberos (RFC 1961): the context token by token, its export to the state that
 * protects messages, the level. Serves client_negotiate.c. A level weaker than the one asked for
 * ends the session: nothing has been said yet that would need protection.
 */
#include "src/client/client_private.h"

#include <string.h>

#include "auth/gssapi/gssapi_blob.h"
#include "auth/gssapi/gssapi_frame.h"
#include "auth/gssapi/gssapi_initiator.h"
#include "lib/base/secret.h"

#define LOGIN "the Kerberos login"
#define ROUNDS_MAX 16
#define ERROR_SIZE 512

static enum client_status
token_send(struct client_wire *w, const void *token, size_t len)
{
    uint8_t head[GSSAPI_HEAD];

    if (len > GSSAPI_TOKEN_MAX)
        return client_fail(CLIENT_LOGIN, "the Kerberos token has %zu bytes; SOCKS has room for %u",
            len, GSSAPI_TOKEN_MAX);
    gssapi_frame_head(GSSAPI_CONTEXT, len, head);
    const enum client_status status = client_wire_send(w, head, sizeof head, LOGIN);

    return status == CLIENT_OK ? client_wire_send(w, token, len, LOGIN) : status;
}

static enum client_status
refusal(bool refused, const char *error)
{
    return refused ? client_fail(CLIENT_LOGIN, "the gateway refused " LOGIN "; its log says why")
                   : client_fail(CLIENT_LOGIN,
                         "the gateway's message in " LOGIN " is malformed: %s", error);
}

/* Waits for a whole message with a token; f says where it is in the raw bytes. */
static enum client_status
token_wait(struct client_wire *w, struct gssapi_frame *f)
{
    for (;;) {
        size_t len;
        const uint8_t *data = client_wire_raw(w, &len);
        const enum auth_frame result = gssapi_frame(GSSAPI_CONTEXT, data, len, f);

        if (result == AUTH_FRAME_READY)
            return CLIENT_OK;
        if (result == AUTH_FRAME_BAD)
            return refusal(f->refused, f->error);
        const enum client_status status = client_wire_fill(w, CLIENT_LOGIN, LOGIN);

        if (status != CLIENT_OK)
            return status;
    }
}

/* One message each way. established: ours was the last, and the gateway's has to be empty. */
static enum client_status
token_exchange(
    struct client_wire *w, const void *token, size_t len, bool established, struct gssapi_frame *f)
{
    enum client_status status = token_send(w, token, len);

    if (status == CLIENT_OK)
        status = token_wait(w, f);
    if (status == CLIENT_OK && established && f->token_len != 0)
        status = client_fail(CLIENT_LOGIN, "the gateway goes on after the end of " LOGIN);
    return status;
}

static enum client_status
context_establish(struct client_wire *w, struct gssapi_initiator *initiator)
{
    struct gssapi_frame f = { .used = 0 };
    char error[ERROR_SIZE] = "";

    for (int round = 0; round < ROUNDS_MAX; round++) {
        size_t len;
        const uint8_t *data = client_wire_raw(w, &len);
        const void *token = NULL;
        size_t token_len = 0;
        const int done = gssapi_initiator_step(initiator, f.used > 0 ? data + f.token_at : NULL,
            f.token_len, &token, &token_len, error, sizeof error);

        if (done < 0)
            return client_fail(CLIENT_LOGIN, "%s", error);
        client_wire_consume(w, f.used);
        f.used = 0;
        if (token_len > 0) {
            const enum client_status status = token_exchange(w, token, token_len, done > 0, &f);

            if (status != CLIENT_OK)
                return status;
        }
        if (done > 0) {
            client_wire_consume(w, f.used);
            return CLIENT_OK;
        }
        if (token_len == 0)
            return client_fail(CLIENT_LOGIN, LOGIN " neither ends nor goes on");
    }
    return client_fail(CLIENT_LOGIN, LOGIN " does not end within %d rounds", ROUNDS_MAX);
}

/* From the context to the state that protects messages; the key passes through secret memory. */
static enum client_status
context_export(struct client_wire *w, struct gssapi_initiator *initiator)
{
    char error[ERROR_SIZE] = "";
    const char *word = "malformed";
    uint8_t *blob = secret_alloc(GSSAPI_BLOB_MAX);

    if (blob == NULL)
        return client_fail(CLIENT_BROKEN, "out of memory");
    const size_t len =
        gssapi_initiator_export(initiator, blob, GSSAPI_BLOB_MAX, error, sizeof error);

    if (len > 0)
        w->protect = gssapi_protect_initiator(blob, len, &word);
    secret_free(blob, GSSAPI_BLOB_MAX);
    if (len == 0)
        return client_fail(CLIENT_LOGIN, "%s", error);
    if (w->protect == NULL)
        return client_fail(CLIENT_LOGIN, LOGIN " gave a key that cannot be used: %s", word);
    return CLIENT_OK;
}

static enum client_status
context_make(struct client_wire *w, const struct client_options *o)
{
    char error[ERROR_SIZE] = "";
    enum client_status status;

    if (auth_gssapi_protect.start(error, sizeof error) != 0)
        return client_fail(CLIENT_LOGIN, "%s", error);
    struct gssapi_initiator *initiator =
        gssapi_initiator_new(o->service, o->host, error, sizeof error);

    if (initiator == NULL)
        return client_fail(CLIENT_LOGIN, "%s", error);
    status = context_establish(w, initiator);
    if (status == CLIENT_OK)
        status = context_export(w, initiator);
    gssapi_initiator_free(&initiator);
    return status;
}

/* Selective counts as integrity, the least a message of it has; who asks for it wants just that. */
bool
client_level_will_do(enum auth_protection wanted, enum auth_protection level)
{
    static const int strength[] = {
        [AUTH_PROTECTION_NONE] = 0,
        [AUTH_PROTECTION_INTEGRITY] = 1,
        [AUTH_PROTECTION_CONFIDENTIALITY] = 2,
        [AUTH_PROTECTION_SELECTIVE] = 1,
    };

    if (wanted == AUTH_PROTECTION_SELECTIVE)
        return level == wanted;
    return strength[level] >= strength[wanted];
}

static enum client_status
level_propose(struct client_wire *w, const struct client_options *o)
{
    uint8_t message[AUTH_AGREE_ROOM];
    struct auth_out out = { .data = message, .size = sizeof message };

    if (gssapi_protect_propose(w->protect, o->protection, o->nec, &out) != 0)
        return client_fail(CLIENT_BROKEN, "the protection level cannot be sealed");
    return client_wire_send(w, message, out.len, LOGIN);
}

static enum client_status
level_agree(struct client_wire *w, const struct client_options *o)
{
    enum client_status status = level_propose(w, o);
    enum auth_protection level = AUTH_PROTECTION_NONE;

    while (status == CLIENT_OK) {
        const char *error = NULL;
        size_t used;
        size_t len;
        uint8_t *data = client_wire_raw(w, &len);
        const enum auth_frame result =
            gssapi_protect_confirm(w->protect, data, len, &used, &level, &error);

        if (result == AUTH_FRAME_BAD)
            return refusal(strcmp(error, "refused") == 0, error);
        if (result == AUTH_FRAME_READY) {
            client_wire_consume(w, used);
            break;
        }
        status = client_wire_fill(w, CLIENT_LOGIN, LOGIN);
    }
    if (status == CLIENT_OK && !client_level_will_do(o->protection, level))
        return client_fail(CLIENT_LOGIN, "the gateway agrees to protection %s; %s was asked for",
            client_level_text(level), client_level_text(o->protection));
    w->sealed = status == CLIENT_OK && level != AUTH_PROTECTION_NONE;
    return status;
}

enum client_status
client_gssapi(struct client_wire *w, const struct client_options *o)
{
    const enum client_status status = context_make(w, o);

    return status == CLIENT_OK ? level_agree(w, o) : status;
}
