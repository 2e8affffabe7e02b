/* SPDX-License-Identifier: ISC */
/*
 * AES-CBC with ciphertext stealing as Kerberos has it (RFC 3962 section 5, CBC-CS3): the last two
 * blocks always trade places, and the last one, maybe a part of a block, is cut. All but these two
 * is plain CBC, in pieces small enough that the MAC finds them in the first-level cache and the
 * processor overlaps the two. Serves krb5msg_crypt.c; libcrypto's failures are returned.
 */
#include "lib/krb5msg/krb5msg_local.h"

#include <string.h>

#define CTS_PIECE 512

static const uint8_t cts_iv[KRB5MSG_BLOCK];

size_t
krb5msg_cts_bulk(size_t len)
{
    return (len - 1) / KRB5MSG_BLOCK * KRB5MSG_BLOCK - KRB5MSG_BLOCK;
}

static void
cts_feed(struct krb5msg_mac *mac, const uint8_t *data, size_t len)
{
    if (mac != NULL) {
        krb5msg_mac_update(mac, data, len);
    }
}

static bool
cts_update(EVP_CIPHER_CTX *cipher, uint8_t *data, size_t len)
{
    int n = 0;
    return EVP_CipherUpdate(cipher, data, &n, data, (int)len) == 1 && (size_t)n == len;
}

/* Whole blocks, piece by piece, fed to a MAC before or after. */
static bool
cts_pieces(EVP_CIPHER_CTX *cipher, struct krb5msg_mac *before, struct krb5msg_mac *after,
    uint8_t *data, size_t len)
{
    for (size_t at = 0; at < len; at += CTS_PIECE) {
        const size_t n = len - at < CTS_PIECE ? len - at : CTS_PIECE;
        cts_feed(before, data + at, n);
        if (!cts_update(cipher, data + at, n)) {
            return false;
        }
        cts_feed(after, data + at, n);
    }
    return true;
}

bool
krb5msg_cts_encrypt(EVP_CIPHER_CTX *cipher, const uint8_t *iv, struct krb5msg_mac *of_plain,
    struct krb5msg_mac *of_cipher, uint8_t *data, size_t len)
{
    const size_t bulk = krb5msg_cts_bulk(len);
    const size_t part = len - bulk - KRB5MSG_BLOCK;
    uint8_t *tail = data + bulk;
    uint8_t two[2 * KRB5MSG_BLOCK] = { 0 };
    if (EVP_CipherInit_ex2(cipher, NULL, NULL, iv != NULL ? iv : cts_iv, -1, NULL) != 1 ||
        !cts_pieces(cipher, of_plain, of_cipher, data, bulk)) {
        return false;
    }
    cts_feed(of_plain, tail, KRB5MSG_BLOCK + part);
    memcpy(two, tail, KRB5MSG_BLOCK + part);
    if (!cts_update(cipher, two, sizeof(two))) {
        return false;
    }
    memcpy(tail, two + KRB5MSG_BLOCK, KRB5MSG_BLOCK);
    memcpy(tail + KRB5MSG_BLOCK, two, part);
    cts_feed(of_cipher, tail, KRB5MSG_BLOCK + part);
    return true;
}

static void
cts_xor(uint8_t *out, const uint8_t *with, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] ^= with[i];
    }
}

/*
 * Undoes the trade: the block that stands last but one is decrypted alone, under IV 0. Its plain
 * bytes behind the cut are the stolen ones and complete the other; those before it are the end of
 * the message. bulk and a block of CBC remain.
 */
static bool
cts_restore(EVP_CIPHER_CTX *cipher, uint8_t *tail, size_t part)
{
    uint8_t last[KRB5MSG_BLOCK];
    memcpy(last, tail, KRB5MSG_BLOCK);
    if (!cts_update(cipher, last, KRB5MSG_BLOCK)) {
        return false;
    }
    memcpy(tail, tail + KRB5MSG_BLOCK, part);
    memcpy(tail + part, last + part, KRB5MSG_BLOCK - part);
    cts_xor(last, tail, part);
    memcpy(tail + KRB5MSG_BLOCK, last, part);
    return true;
}

/* The block decrypted first stays behind as the IV of the message's first one, where it is taken
   out again: cheaper than setting the IV twice. */
bool
krb5msg_cts_decrypt(EVP_CIPHER_CTX *cipher, struct krb5msg_mac *of_plain, uint8_t *data, size_t len)
{
    const size_t bulk = krb5msg_cts_bulk(len);
    const size_t part = len - bulk - KRB5MSG_BLOCK;
    uint8_t *tail = data + bulk;
    uint8_t used[KRB5MSG_BLOCK];
    memcpy(used, tail, KRB5MSG_BLOCK);
    if (EVP_CipherInit_ex2(cipher, NULL, NULL, cts_iv, -1, NULL) != 1 ||
        !cts_restore(cipher, tail, part) || !cts_update(cipher, data, KRB5MSG_BLOCK)) {
        return false;
    }
    cts_xor(data, used, KRB5MSG_BLOCK);
    cts_feed(of_plain, data, KRB5MSG_BLOCK);
    if (!cts_pieces(cipher, NULL, of_plain, data + KRB5MSG_BLOCK, bulk)) {
        return false;
    }
    cts_feed(of_plain, tail + KRB5MSG_BLOCK, part);
    return true;
}
