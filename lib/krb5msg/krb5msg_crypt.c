/* SPDX-License-Identifier: ISC */
/*
 * Encryption with integrity: RFC 3961 section 5.3 (the MAC is of the plaintext) and RFC 8009
 * section 5 (of IV and ciphertext), and the checksum of tokens that are only signed. Serves
 * krb5msg_wrap.c and krb5msg_unwrap.c. A MAC that differs is an answer, not a
 * failure.
 */
#include "lib/krb5msg/krb5msg_token.h"

#include "lib/base/secret.h"

/* RFC 8009's MAC begins with the cipher state, which is the IV. */
void
krb5msg_encrypt_begin(struct krb5msg_mac *mac, const struct krb5msg *m,
    const struct krb5msg_side *side)
{
    static const uint8_t iv[KRB5MSG_BLOCK];
    krb5msg_mac_begin(mac, m->enctype->digest, side->integrity, m->enctype->mac_key_len);
    if (m->enctype->mac_of_cipher) {
        krb5msg_mac_update(mac, iv, sizeof(iv));
    }
}

bool
krb5msg_encrypt(const struct krb5msg *m, const struct krb5msg_side *side, uint8_t *data, size_t len)
{
    const bool of_cipher = m->enctype->mac_of_cipher;
    struct krb5msg_mac mac;
    krb5msg_encrypt_begin(&mac, m, side);
    const bool ok = krb5msg_cts_encrypt(
        side->cipher, NULL, of_cipher ? NULL : &mac, of_cipher ? &mac : NULL, data, len);
    krb5msg_mac_end(&mac, data + len, m->enctype->mac_len);
    return ok;
}

static enum krb5msg_result
crypt_compare(struct krb5msg_mac *mac, const uint8_t *received, size_t len)
{
    uint8_t expected[KRB5MSG_DIGEST_MAX];
    krb5msg_mac_end(mac, expected, len);
    return secret_equal(expected, received, len) ? KRB5MSG_OK : KRB5MSG_BAD_CHECKSUM;
}

enum krb5msg_result
krb5msg_decrypt(const struct krb5msg *m, const struct krb5msg_side *side, uint8_t *data, size_t len)
{
    struct krb5msg_mac mac;
    bool ok = true;
    krb5msg_encrypt_begin(&mac, m, side);
    if (m->enctype->mac_of_cipher) {
        krb5msg_mac_update(&mac, data, len);
    } else { /* what the MAC is of comes out of the decryption */
        ok = krb5msg_cts_decrypt(side->cipher, &mac, data, len);
    }
    const enum krb5msg_result result = crypt_compare(&mac, data + len, m->enctype->mac_len);
    if (ok && result == KRB5MSG_OK && m->enctype->mac_of_cipher) {
        ok = krb5msg_cts_decrypt(side->cipher, NULL, data, len);
    }
    return ok ? result : KRB5MSG_LIBRARY;
}

void
krb5msg_sign(const struct krb5msg *m, const struct krb5msg_side *side, const uint8_t *plain,
    size_t len, const struct krb5msg_header *h, uint8_t *out)
{
    const struct krb5msg_header covered = { .flags = h->flags, .seq = h->seq };
    uint8_t clear[KRB5MSG_CLEAR];
    struct krb5msg_mac mac;
    krb5msg_header_encode(&covered, clear);
    krb5msg_mac_begin(&mac, m->enctype->digest, side->checksum, m->enctype->mac_key_len);
    krb5msg_mac_update(&mac, plain, len);
    krb5msg_mac_update(&mac, clear, sizeof(clear));
    krb5msg_mac_end(&mac, out, m->enctype->mac_len);
}
