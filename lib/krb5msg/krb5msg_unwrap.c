/* SPDX-License-Identifier: ISC */
/*
 * Verifies and opens wrap tokens (RFC 4121 section 4.2.4) from a peer nobody trusts. Serves whoever
 * reads from a protected channel. Everything in the header but the RRC is authentic once this
 * said so: sealed ones compare it with the copy inside, EC included, signed ones cover it.
 */
#include "lib/krb5msg/krb5msg_token.h"

#include <string.h>

#include "lib/base/secret.h"

static enum krb5msg_result
unwrap_header(const struct krb5msg *m, const uint8_t *token, size_t len, struct krb5msg_header *h)
{
    const enum krb5msg_result result = krb5msg_header_decode(token, len, h);
    if (result != KRB5MSG_OK) {
        return result;
    }
    const uint8_t wrong = h->flags ^ m->recv_flags;
    if ((wrong & TOKEN_SENT_BY_ACCEPTOR) != 0) {
        return KRB5MSG_WRONG_DIRECTION;
    }
    return (wrong & TOKEN_ACCEPTOR_SUBKEY) != 0 ? KRB5MSG_WRONG_FLAGS : KRB5MSG_OK;
}

/* body: E(confounder | plaintext | EC bytes | header with RRC 0) | MAC */
static enum krb5msg_result
unwrap_sealed(const struct krb5msg *m, const struct krb5msg_header *h, uint8_t *body, size_t len,
    struct krb5msg_plain *out)
{
    const size_t around = KRB5MSG_BLOCK + KRB5MSG_CLEAR;
    if (len < around + m->enctype->mac_len) {
        return KRB5MSG_TRUNCATED;
    }
    const size_t inside = len - m->enctype->mac_len;
    if (h->ec > inside - around) {
        return KRB5MSG_WRONG_EC;
    }
    const enum krb5msg_result result = krb5msg_decrypt(m, &m->recv, body, inside);
    if (result != KRB5MSG_OK) {
        return result;
    }
    struct krb5msg_header without_rrc = *h;
    without_rrc.rrc = 0;
    uint8_t copy[KRB5MSG_CLEAR];
    krb5msg_header_encode(&without_rrc, copy);
    if (memcmp(copy, body + inside - KRB5MSG_CLEAR, KRB5MSG_CLEAR) != 0) {
        return KRB5MSG_WRONG_HEADER;
    }
    *out = (struct krb5msg_plain){ body + KRB5MSG_BLOCK, inside - around - h->ec, true };
    return KRB5MSG_OK;
}

/* body: plaintext | checksum, whose length is EC */
static enum krb5msg_result
unwrap_signed(const struct krb5msg *m, const struct krb5msg_header *h, uint8_t *body, size_t len,
    struct krb5msg_plain *out)
{
    const size_t mac_len = m->enctype->mac_len;
    uint8_t expected[KRB5MSG_DIGEST_MAX];
    if (h->ec != mac_len) {
        return KRB5MSG_WRONG_EC;
    }
    if (len < mac_len) {
        return KRB5MSG_TRUNCATED;
    }
    krb5msg_sign(m, &m->recv, body, len - mac_len, h, expected);
    if (!secret_equal(expected, body + len - mac_len, mac_len)) {
        return KRB5MSG_BAD_CHECKSUM;
    }
    *out = (struct krb5msg_plain){ body, len - mac_len, false };
    return KRB5MSG_OK;
}

static enum krb5msg_result
unwrap_verify(const struct krb5msg *m, uint8_t *token, size_t len, struct krb5msg_header *h,
    struct krb5msg_plain *out)
{
    const enum krb5msg_result result = unwrap_header(m, token, len, h);
    if (result != KRB5MSG_OK) {
        return result;
    }
    uint8_t *body = token + KRB5MSG_CLEAR;
    const size_t body_len = len - KRB5MSG_CLEAR;
    krb5msg_rotate_left(body, body_len, h->rrc);
    return (h->flags & TOKEN_SEALED) != 0 ? unwrap_sealed(m, h, body, body_len, out)
                                          : unwrap_signed(m, h, body, body_len, out);
}

enum krb5msg_result
krb5msg_unwrap(struct krb5msg *m, uint8_t *token, size_t len, struct krb5msg_plain *out)
{
    struct krb5msg_header h;
    struct krb5msg_plain plain = { NULL, 0, false };
    *out = plain;
    if (len > KRB5MSG_TOKEN_MAX) {
        return KRB5MSG_TOO_LONG;
    }
    enum krb5msg_result result = unwrap_verify(m, token, len, &h, &plain);
    if (result == KRB5MSG_OK) {
        result = krb5msg_order_judge(&m->order, h.seq);
    }
    if (result == KRB5MSG_OK) {
        krb5msg_order_take(&m->order, h.seq);
        *out = plain;
    }
    return result;
}
