/* SPDX-License-Identifier: ISC */
/*
 * Keys from keys: DK of RFC 3961 section 5.1 on AES (RFC 3962), and KDF-HMAC-SHA2 of RFC 8009
 * section 3. libcrypto has both, as KRB5KDF and KBKDF, but sets up a cipher or a digest of its own
 * for each of the six keys: ten microseconds of a new session that take one here. Serves the import
 * of a context. Failures of libcrypto are returned.
 */
#include "lib/krb5msg/krb5msg_local.h"

#include <string.h>

#include "lib/base/cursor.h"

#define DERIVE_CONSTANT 5     /* octets: usage number, purpose */
#define DERIVE_FOLD_ROTATE 13 /* bits each copy is turned further, RFC 3961 section 5.1 */
#define DERIVE_FOLD_COPIES 16 /* the least common multiple of 5 and 16, in constants */
#define DERIVE_FOLD_BLOCKS 5  /* and in blocks */

/* Copies of the constant one behind another, each turned by 13 bits more to the right. */
static void
fold_copies(const uint8_t constant[DERIVE_CONSTANT], uint8_t *out)
{
    const unsigned bits = DERIVE_CONSTANT * 8;
    uint64_t turned = 0;
    for (unsigned i = 0; i < DERIVE_CONSTANT; i++) {
        turned = turned << 8 | constant[i];
    }
    for (unsigned copy = 0; copy < DERIVE_FOLD_COPIES; copy++) {
        for (unsigned i = 0; i < DERIVE_CONSTANT; i++) {
            *out++ = (uint8_t)(turned >> (bits - 8 - 8 * i));
        }
        turned = (turned >> DERIVE_FOLD_ROTATE | turned << (bits - DERIVE_FOLD_ROTATE)) &
                 (((uint64_t)1 << bits) - 1);
    }
}

/* 128-fold of the constant: the copies, a block at a time, added in ones' complement. */
static void
derive_fold(const uint8_t constant[DERIVE_CONSTANT], uint8_t out[KRB5MSG_BLOCK])
{
    uint8_t copies[DERIVE_FOLD_BLOCKS][KRB5MSG_BLOCK];
    unsigned carry = 0;
    fold_copies(constant, copies[0]);
    for (unsigned i = KRB5MSG_BLOCK; i-- > 0;) {
        for (unsigned block = 0; block < DERIVE_FOLD_BLOCKS; block++) {
            carry += copies[block][i];
        }
        out[i] = (uint8_t)carry;
        carry >>= 8;
    }
    for (unsigned i = KRB5MSG_BLOCK; carry > 0; i = i > 0 ? i : KRB5MSG_BLOCK) {
        carry += out[--i];
        out[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

/* E(constant) | E(E(constant)) | ...: the key of AES takes all its bits as they come. */
static bool
derive_rfc3961(struct krb5msg_base *base, const uint8_t *constant, uint8_t *out, size_t len)
{
    uint8_t block[KRB5MSG_BLOCK];
    bool ok = true;
    derive_fold(constant, block);
    for (size_t at = 0; ok && at < len; at += KRB5MSG_BLOCK) {
        int n = 0;
        ok = EVP_EncryptUpdate(base->cipher, block, &n, block, KRB5MSG_BLOCK) == 1 &&
             n == KRB5MSG_BLOCK;
        memcpy(out + at, block, KRB5MSG_BLOCK);
    }
    explicit_bzero(block, sizeof(block));
    return ok;
}

/* The first bytes of HMAC(key, 00000001 | constant | 00 | bits of the result). */
static void
derive_rfc8009(const struct krb5msg_base *base, const uint8_t *constant, uint8_t *out, size_t len)
{
    uint8_t input[4 + DERIVE_CONSTANT + 1 + 4];
    struct krb5msg_mac mac;
    struct writer w = writer_init(input, sizeof(input));
    writer_u32_be(&w, 1);
    writer_bytes(&w, constant, DERIVE_CONSTANT);
    writer_u8(&w, 0);
    writer_u32_be(&w, (uint32_t)(len * 8));
    krb5msg_mac_begin(&mac, base->enctype->digest, base->key, base->enctype->key_len);
    krb5msg_mac_update(&mac, input, sizeof(input));
    krb5msg_mac_end(&mac, out, len);
}

bool
krb5msg_base_begin(struct krb5msg_base *base, const struct krb5msg_enctype *e, const uint8_t *key)
{
    *base = (struct krb5msg_base){ .enctype = e, .key = key };
    if (e->mac_of_cipher) {
        return true;
    }
    base->cipher = krb5msg_keyed(krb5msg_block_cipher(e), key, true);
    return base->cipher != NULL;
}

void
krb5msg_base_end(struct krb5msg_base *base)
{
    EVP_CIPHER_CTX_free(base->cipher);
    base->cipher = NULL;
}

size_t
krb5msg_derive(
    struct krb5msg_base *base, uint32_t usage, enum krb5msg_purpose purpose, uint8_t *out)
{
    const struct krb5msg_enctype *e = base->enctype;
    const size_t len = purpose == KRB5MSG_FOR_ENCRYPTION ? e->key_len : e->mac_key_len;
    uint8_t constant[DERIVE_CONSTANT];
    struct writer w = writer_init(constant, sizeof(constant));
    writer_u32_be(&w, usage);
    writer_u8(&w, (uint8_t)purpose);
    if (e->mac_of_cipher) {
        derive_rfc8009(base, constant, out, len);
        return len;
    }
    return derive_rfc3961(base, constant, out, len) ? len : 0;
}
