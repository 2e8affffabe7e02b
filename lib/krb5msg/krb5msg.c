/* SPDX-License-Identifier: ISC */
/*
 * The life of a context: derived keys and keyed cipher contexts are made here, once, so that a
 * message allocates nothing. Serves the workers' protecting layer and the client. What is wrong
 * with an import is returned by name; nothing is fatal.
 */
#include "lib/krb5msg/krb5msg_local.h"

#include "lib/base/secret.h"
#include "lib/krb5msg/krb5msg_token.h"

static const char *const krb5msg_texts[KRB5MSG_RESULTS] = {
    [KRB5MSG_OK] = "success",
    [KRB5MSG_TRUNCATED] = "truncated token",
    [KRB5MSG_NOT_A_TOKEN] = "not a wrap token",
    [KRB5MSG_WRONG_DIRECTION] = "token of our own direction",
    [KRB5MSG_WRONG_FLAGS] = "wrong token flags",
    [KRB5MSG_WRONG_EC] = "wrong extra count",
    [KRB5MSG_BAD_CHECKSUM] = "bad checksum",
    [KRB5MSG_WRONG_HEADER] = "header differs from its sealed copy",
    [KRB5MSG_REPLAY] = "replayed message",
    [KRB5MSG_OUT_OF_SEQUENCE] = "message out of sequence",
    [KRB5MSG_TOO_OLD] = "message older than the window",
    [KRB5MSG_TOO_LONG] = "message too long",
    [KRB5MSG_LIBRARY] = "cryptographic library failed",
    [KRB5MSG_WRONG_ENCTYPE] = "enctype not supported",
    [KRB5MSG_WRONG_KEY] = "wrong key length",
    [KRB5MSG_NO_MEMORY] = "out of memory",
};

const char *
krb5msg_text(enum krb5msg_result result)
{
    return (unsigned)result < KRB5MSG_RESULTS ? krb5msg_texts[result] : "unknown result";
}

EVP_CIPHER_CTX *
krb5msg_keyed(EVP_CIPHER *kind, const uint8_t *key, bool encrypting)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    if (cipher != NULL &&
        (EVP_CipherInit_ex2(cipher, kind, key, NULL, encrypting, NULL) != 1 ||
            EVP_CIPHER_CTX_set_padding(cipher, 0) != 1)) {
        EVP_CIPHER_CTX_free(cipher);
        cipher = NULL;
    }
    return cipher;
}

static bool
context_side(struct krb5msg_side *side, struct krb5msg_base *base, enum krb5msg_usage usage,
    bool encrypting)
{
    if (krb5msg_derive(base, usage, KRB5MSG_FOR_INTEGRITY, side->integrity) > 0 &&
        krb5msg_derive(base, usage, KRB5MSG_FOR_CHECKSUM, side->checksum) > 0 &&
        krb5msg_derive(base, usage, KRB5MSG_FOR_ENCRYPTION, side->encryption) > 0) {
        side->cipher =
            krb5msg_keyed(krb5msg_cipher(base->enctype), side->encryption, encrypting);
    }
    return side->cipher != NULL;
}

static bool
context_keys(struct krb5msg *m, const struct krb5msg_import *import)
{
    const bool acceptor = import->role == KRB5MSG_ACCEPTOR;
    struct krb5msg_base base;
    const bool ok =
        krb5msg_base_begin(&base, m->enctype, import->key) &&
        context_side(&m->send, &base,
            acceptor ? KRB5MSG_USAGE_ACCEPTOR_SEAL : KRB5MSG_USAGE_INITIATOR_SEAL, true) &&
        context_side(&m->recv, &base,
            acceptor ? KRB5MSG_USAGE_INITIATOR_SEAL : KRB5MSG_USAGE_ACCEPTOR_SEAL, false);
    krb5msg_base_end(&base);
    return ok;
}

static void
context_state(struct krb5msg *m, const struct krb5msg_import *import)
{
    const uint8_t subkey = import->acceptor_subkey ? TOKEN_ACCEPTOR_SUBKEY : 0;
    const bool acceptor = import->role == KRB5MSG_ACCEPTOR;
    m->send_flags = (uint8_t)(subkey | (acceptor ? TOKEN_SENT_BY_ACCEPTOR : 0));
    m->recv_flags = (uint8_t)(subkey | (acceptor ? 0 : TOKEN_SENT_BY_ACCEPTOR));
    m->send_seq = import->send_seq;
    m->order.next = import->recv_seq;
}

enum krb5msg_result
krb5msg_new(const struct krb5msg_import *import, struct krb5msg **out)
{
    *out = NULL;
    const struct krb5msg_enctype *e = krb5msg_enctype_find(import->enctype);
    if (e == NULL) {
        return KRB5MSG_WRONG_ENCTYPE;
    }
    if (import->key_len != e->key_len) {
        return KRB5MSG_WRONG_KEY;
    }
    if (krb5msg_cipher(e) == NULL) {
        return KRB5MSG_LIBRARY;
    }
    struct krb5msg *m = secret_alloc(sizeof(*m));
    if (m == NULL) {
        return KRB5MSG_NO_MEMORY;
    }
    m->enctype = e;
    context_state(m, import);
    if (!context_keys(m, import)) {
        krb5msg_free(&m);
        return KRB5MSG_LIBRARY;
    }
    *out = m;
    return KRB5MSG_OK;
}

void
krb5msg_free(struct krb5msg **m)
{
    struct krb5msg *old = *m;
    *m = NULL;
    if (old == NULL) {
        return;
    }
    EVP_CIPHER_CTX_free(old->send.blocks);
    EVP_CIPHER_CTX_free(old->send.cipher);
    EVP_CIPHER_CTX_free(old->recv.cipher);
    krb5msg_order_free(&old->order);
    secret_free(old, sizeof(*old));
}

bool
krb5msg_use_window(struct krb5msg *m)
{
    return krb5msg_order_use_window(&m->order);
}

size_t
krb5msg_header_len(const struct krb5msg *m, bool conf)
{
    (void)m; /* one block is the confounder of all four enctypes */
    return conf ? KRB5MSG_CLEAR + KRB5MSG_BLOCK : KRB5MSG_CLEAR;
}

size_t
krb5msg_trailer_len(const struct krb5msg *m, bool conf)
{
    return (conf ? KRB5MSG_CLEAR : 0U) + m->enctype->mac_len;
}

size_t
krb5msg_plain_max(const struct krb5msg *m, bool conf, size_t token_max)
{
    const size_t overhead = krb5msg_header_len(m, conf) + krb5msg_trailer_len(m, conf);
    const size_t most = token_max < KRB5MSG_TOKEN_MAX ? token_max : KRB5MSG_TOKEN_MAX;
    return most > overhead ? most - overhead : 0;
}
