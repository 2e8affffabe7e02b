/* SPDX-License-Identifier: ISC */
/*
 * Encryption with integrity: RFC 3961 section 5.3 (the MAC is of the plaintext) and RFC 8009
 * section 5 (of IV and ciphertext), and the checksum of tokens that are only signed. Serves
 * krb5msg_wrap.c and krb5msg_unwrap.c. A MAC that differs is an answer, not a
 * failure.
 */
#include "lib/krb5msg/krb5msg_token.h"

#include <string.h>

#include "lib/base/secret.h"

/* RFC 8009's MAC begins with the cipher state, which is the IV. */
static bool
crypt_begin(const struct krb5msg *m, const struct krb5msg_side *side)
{
    static const uint8_t iv[KRB5MSG_BLOCK];
    return krb5msg_mac_begin(m->md, m->enctype, side->integrity) &&
        (!m->enctype->mac_of_cipher || EVP_DigestUpdate(m->md, iv, sizeof(iv)) == 1);
}

bool
krb5msg_encrypt(const struct krb5msg *m, const struct krb5msg_side *side, uint8_t *data, size_t len)
{
    const bool of_cipher = m->enctype->mac_of_cipher;
    return crypt_begin(m, side) &&
        krb5msg_cts_encrypt(
            side->cipher, of_cipher ? NULL : m->md, of_cipher ? m->md : NULL, data, len) &&
        krb5msg_mac_end(m->md, m->enctype, side->integrity, data + len);
}

static enum krb5msg_result
crypt_compare(const struct krb5msg *m, const struct krb5msg_side *side, const uint8_t *mac)
{
    uint8_t expected[KRB5MSG_DIGEST_MAX];
    if (!krb5msg_mac_end(m->md, m->enctype, side->integrity, expected)) {
        return KRB5MSG_LIBRARY;
    }
    return secret_equal(expected, mac, m->enctype->mac_len) ? KRB5MSG_OK : KRB5MSG_BAD_CHECKSUM;
}

/* RFC 3961: what the MAC is of comes out of the decryption. */
static enum krb5msg_result
crypt_open_then_verify(
    const struct krb5msg *m, const struct krb5msg_side *side, uint8_t *data, size_t len)
{
    if (!krb5msg_cts_decrypt(side->cipher, m->md, data, len)) {
        return KRB5MSG_LIBRARY;
    }
    return crypt_compare(m, side, data + len);
}

/* RFC 8009: nothing is decrypted before it verified. */
static enum krb5msg_result
crypt_verify_then_open(
    const struct krb5msg *m, const struct krb5msg_side *side, uint8_t *data, size_t len)
{
    if (EVP_DigestUpdate(m->md, data, len) != 1) {
        return KRB5MSG_LIBRARY;
    }
    const enum krb5msg_result result = crypt_compare(m, side, data + len);
    if (result == KRB5MSG_OK && !krb5msg_cts_decrypt(side->cipher, NULL, data, len)) {
        return KRB5MSG_LIBRARY;
    }
    return result;
}

enum krb5msg_result
krb5msg_decrypt(const struct krb5msg *m, const struct krb5msg_side *side, uint8_t *data, size_t len)
{
    if (!crypt_begin(m, side)) {
        return KRB5MSG_LIBRARY;
    }
    return m->enctype->mac_of_cipher ? crypt_verify_then_open(m, side, data, len)
                                     : crypt_open_then_verify(m, side, data, len);
}

bool
krb5msg_sign(const struct krb5msg *m, const struct krb5msg_side *side, const uint8_t *plain,
    size_t len, const struct krb5msg_header *h, uint8_t *out)
{
    const struct krb5msg_header covered = { .flags = h->flags, .seq = h->seq };
    uint8_t clear[KRB5MSG_CLEAR];
    krb5msg_header_encode(&covered, clear);
    return krb5msg_mac_begin(m->md, m->enctype, side->checksum) &&
        EVP_DigestUpdate(m->md, plain, len) == 1 &&
        EVP_DigestUpdate(m->md, clear, sizeof(clear)) == 1 &&
        krb5msg_mac_end(m->md, m->enctype, side->checksum, out);
}
