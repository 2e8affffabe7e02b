/* SPDX-License-Identifier: ISC */
/*
 * Makes wrap tokens (RFC 4121 section 4.2.4). Serves whoever sends through a protected channel. The
 * only failures are libcrypto's, and a message nobody could take.
 */
#include "lib/krb5msg/krb5msg_token.h"

#include <string.h>

/* Header | confounder | plaintext | header, of which all behind the first is to be encrypted. */
static bool
wrap_around(const struct krb5msg *m, uint64_t seq, uint8_t *token, size_t plain_len)
{
    const struct krb5msg_header h = { .flags = (uint8_t)(m->send_flags | TOKEN_SEALED),
        .seq = seq };
    uint8_t *inside = token + KRB5MSG_CLEAR;
    krb5msg_header_encode(&h, token);
    memcpy(inside + KRB5MSG_BLOCK + plain_len, token, KRB5MSG_CLEAR);
    return krb5msg_random(inside);
}

static size_t
wrap_inside(size_t plain_len)
{
    return KRB5MSG_BLOCK + plain_len + KRB5MSG_CLEAR;
}

/* Header | E(confounder | plaintext | header) | MAC */
static bool
wrap_sealed(struct krb5msg *m, uint8_t *token, size_t plain_len)
{
    return wrap_around(m, m->send_seq, token, plain_len) &&
           krb5msg_encrypt(m, &m->send, token + KRB5MSG_CLEAR, wrap_inside(plain_len));
}

/* Header | plaintext | checksum(plaintext | header with EC 0) */
static void
wrap_signed(struct krb5msg *m, uint8_t *token, size_t plain_len)
{
    struct krb5msg_header h = { .flags = m->send_flags, .seq = m->send_seq };
    uint8_t *plain = token + KRB5MSG_CLEAR;
    krb5msg_sign(m, &m->send, plain, plain_len, &h, plain + plain_len);
    h.ec = m->enctype->mac_len;
    krb5msg_header_encode(&h, token);
}

enum krb5msg_result
krb5msg_wrap(struct krb5msg *m, bool conf, uint8_t *token, size_t plain_len, size_t *token_len)
{
    const size_t overhead = krb5msg_header_len(m, conf) + krb5msg_trailer_len(m, conf);
    *token_len = 0;
    if (plain_len > KRB5MSG_TOKEN_MAX - overhead) {
        return KRB5MSG_TOO_LONG;
    }
    if (!conf) {
        wrap_signed(m, token, plain_len);
    } else if (!wrap_sealed(m, token, plain_len)) {
        return KRB5MSG_LIBRARY;
    }
    m->send_seq++;
    *token_len = overhead + plain_len;
    return KRB5MSG_OK;
}

/* The cipher for many is made when there are many for the first time: most contexts never need it. */
static bool
wrap_has_blocks(struct krb5msg *m)
{
    if (m->send.blocks == NULL) {
        m->send.blocks = krb5msg_keyed(krb5msg_block_cipher(m->enctype), m->send.encryption, true);
    }
    return m->send.blocks != NULL;
}

static enum krb5msg_result
wrap_together(struct krb5msg *m, struct krb5msg_message *messages, size_t count)
{
    uint8_t *data[KRB5MSG_MANY];
    size_t len[KRB5MSG_MANY];
    for (size_t i = 0; i < count; i++) {
        struct krb5msg_message *one = &messages[i];
        if (!wrap_around(m, m->send_seq + i, one->token, one->plain_len)) {
            return KRB5MSG_LIBRARY;
        }
        data[i] = one->token + KRB5MSG_CLEAR;
        len[i] = wrap_inside(one->plain_len);
        one->token_len = KRB5MSG_CLEAR + len[i] + m->enctype->mac_len;
    }
    if (!krb5msg_encrypt_many(m, data, len, count)) {
        return KRB5MSG_LIBRARY;
    }
    m->send_seq += count;
    return KRB5MSG_OK;
}

/* At most KRB5MSG_MANY. */
static enum krb5msg_result
wrap_some(struct krb5msg *m, struct krb5msg_message *messages, size_t count)
{
    enum krb5msg_result result = KRB5MSG_OK;
    if (count > 1 && wrap_has_blocks(m)) {
        return wrap_together(m, messages, count);
    }
    for (size_t i = 0; result == KRB5MSG_OK && i < count; i++) {
        result = krb5msg_wrap(m, true, messages[i].token, messages[i].plain_len,
            &messages[i].token_len);
    }
    return result;
}

enum krb5msg_result
krb5msg_wrap_many(struct krb5msg *m, struct krb5msg_message *messages, size_t count)
{
    enum krb5msg_result result = KRB5MSG_OK;
    for (size_t i = 0; i < count; i++) {
        if (messages[i].plain_len > krb5msg_plain_max(m, true, KRB5MSG_TOKEN_MAX)) {
            return KRB5MSG_TOO_LONG;
        }
    }
    for (size_t at = 0; result == KRB5MSG_OK && at < count; at += KRB5MSG_MANY) {
        const size_t left = count - at;
        result = wrap_some(m, messages + at, left < KRB5MSG_MANY ? left : KRB5MSG_MANY);
    }
    return result;
}
