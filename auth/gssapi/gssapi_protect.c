/* SPDX-License-Identifier: ISC */
/*
 * Message protection of RFC 1961, sections 4 and 5, on lib/krb5msg: the face, and the life of a
 * state. Serves the workers, and the client, which has no libgssapi for its messages either. Nothing
 * is fatal here: a blob that will not do is returned by name.
 */
#include "auth/gssapi/gssapi_protect_local.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/gssapi/gssapi_blob.h"

/* What a channel has around its bytes, and the least it reads at once (the hosts' contract). */
#define HEAD_MAX (GSSAPI_HEAD + KRB5MSG_HEADER_MAX)
#define TAIL_MAX KRB5MSG_TRAILER_MAX
_Static_assert(HEAD_MAX <= 64 && TAIL_MAX <= 64, "a message has no room around it");
_Static_assert(GSSAPI_MESSAGE_MAX <= 65600, "a message does not fit one read");

static const char *const words[KRB5MSG_RESULTS] = {
    [KRB5MSG_OK] = "none",
    [KRB5MSG_TRUNCATED] = "truncated-token",
    [KRB5MSG_NOT_A_TOKEN] = "not-a-wrap-token",
    [KRB5MSG_WRONG_DIRECTION] = "reflected-message",
    [KRB5MSG_WRONG_FLAGS] = "wrong-token-flags",
    [KRB5MSG_WRONG_EC] = "wrong-extra-count",
    [KRB5MSG_BAD_CHECKSUM] = "bad-checksum",
    [KRB5MSG_WRONG_HEADER] = "altered-header",
    [KRB5MSG_REPLAY] = "replayed-message",
    [KRB5MSG_OUT_OF_SEQUENCE] = "out-of-sequence-message",
    [KRB5MSG_TOO_OLD] = "stale-message",
    [KRB5MSG_TOO_LONG] = "oversized-token",
    [KRB5MSG_LIBRARY] = "cryptography-failed",
    [KRB5MSG_WRONG_ENCTYPE] = "unsupported-enctype",
    [KRB5MSG_WRONG_KEY] = "wrong-key-length",
    [KRB5MSG_NO_MEMORY] = "no-memory",
};

const char *
gssapi_word(enum krb5msg_result result)
{
    return (unsigned)result < KRB5MSG_RESULTS ? words[result] : "unknown";
}

static int
protect_start(char *error, size_t size)
{
    if (krb5msg_start())
        return 0;
    (void)snprintf(error, size,
        "libcrypto lacks an algorithm of Kerberos (AES in CBC mode, SHA-1, SHA-256, SHA-384): a FIPS "
        "provider, or its openssl.cnf, may leave it out");
    return -1;
}

static struct gssapi_protect *
state_new(const struct gssapi_context *context, const char **error)
{
    const struct krb5msg_import import = {
        .enctype = context->enctype,
        .role = context->role,
        .acceptor_subkey = context->acceptor_subkey,
        .key = context->key,
        .key_len = context->key_len,
        .send_seq = context->send_seq,
        .recv_seq = context->recv_seq,
    };
    struct gssapi_protect *p = calloc(1, sizeof *p);
    const enum krb5msg_result result = p != NULL ? krb5msg_new(&import, &p->m) : KRB5MSG_NO_MEMORY;

    if (result == KRB5MSG_OK)
        return p;
    *error = gssapi_word(result);
    free(p);
    return NULL;
}

struct gssapi_protect *
gssapi_protect_make(const void *blob, size_t len, enum krb5msg_role role, const char **error)
{
    struct gssapi_context context;
    struct gssapi_protect *p = NULL;

    if (gssapi_blob_decode(blob, len, &context) != 0)
        *error = "malformed-context";
    else if (context.role != role)
        *error = "context-of-the-other-role";
    else
        p = state_new(&context, error);
    explicit_bzero(&context, sizeof context);
    return p;
}

static void *
protect_import(const void *terms, const void *blob, size_t len, const char **error)
{
    struct gssapi_protect *p = gssapi_protect_make(blob, len, KRB5MSG_ACCEPTOR, error);

    if (p != NULL)
        p->terms = terms;
    return p;
}

static void
protect_free(void *protect)
{
    struct gssapi_protect *p = protect;

    if (p == NULL)
        return;
    krb5msg_free(&p->m);
    free(p);
}

static enum auth_protection
protect_level(const void *protect)
{
    const struct gssapi_protect *p = protect;

    return p->level;
}

static int
protect_use_datagrams(void *protect)
{
    struct gssapi_protect *p = protect;

    return krb5msg_use_window(p->m) ? 0 : -1;
}

AUTH_PROTECT_MODULE(gssapi) = {
    .version = AUTH_MODULE_VERSION,
    .name = "gssapi",
    .head = HEAD_MAX,
    .tail = TAIL_MAX,
    .message_max = GSSAPI_MESSAGE_MAX,
    .start = protect_start,
    .terms = gssapi_terms_read,
    .terms_free = free,
    .import = protect_import,
    .free = protect_free,
    .agree = gssapi_agree,
    .level = protect_level,
    .plain_max = gssapi_plain_max,
    .seal = gssapi_seal,
    .seal_stream = gssapi_seal_stream,
    .stream_tail = TAIL_MAX + (KRB5MSG_MANY - 1) * (HEAD_MAX + TAIL_MAX),
    .open = gssapi_open,
    .use_datagrams = protect_use_datagrams,
};
