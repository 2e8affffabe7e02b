/* SPDX-License-Identifier: ISC */
/*
 * Makes wrap tokens (RFC 4121 section 4.2.4). Serves whoever sends through a protected channel. The
 * only failures are libcrypto's, and a message nobody could take.
 */
#include "lib/krb5msg/krb5msg_token.h"

#include <string.h>

/* Header | E(confounder | plaintext | header) | MAC */
static bool
wrap_sealed(struct krb5msg *m, uint8_t *token, size_t plain_len)
{
    const struct krb5msg_header h = { .flags = (uint8_t)(m->send_flags | TOKEN_SEALED),
        .seq = m->send_seq };
    uint8_t *inside = token + KRB5MSG_CLEAR;
    uint8_t *copy = inside + KRB5MSG_BLOCK + plain_len;
    krb5msg_header_encode(&h, token);
    memcpy(copy, token, KRB5MSG_CLEAR);
    return krb5msg_random(inside) &&
           krb5msg_encrypt(m, &m->send, inside, KRB5MSG_BLOCK + plain_len + KRB5MSG_CLEAR);
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
