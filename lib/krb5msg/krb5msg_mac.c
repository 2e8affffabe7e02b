/* SPDX-License-Identifier: ISC */
/*
 * HMAC (RFC 2104) over a digest context that is begun anew for each message. libcrypto's own HMAC, and
 * copying a digest context that has the key's block inside, allocate for every message; hashing
 * that block again costs less than either. Serves krb5msg_crypt.c.
 */
#include "lib/krb5msg/krb5msg_local.h"

#include <string.h>

#define MAC_INNER 0x36
#define MAC_OUTER 0x5c

/* Begins a digest with the key's block. Every key here is shorter than the block. */
static bool
mac_key_block(EVP_MD_CTX *md, const struct krb5msg_enctype *e, const uint8_t *key, uint8_t pad)
{
    uint8_t block[KRB5MSG_DIGEST_BLOCK_MAX];
    memset(block, pad, e->digest_block);
    for (size_t i = 0; i < e->mac_key_len; i++) {
        block[i] ^= key[i];
    }
    const bool ok =
        EVP_DigestInit_ex2(md, NULL, NULL) == 1 && EVP_DigestUpdate(md, block, e->digest_block) == 1;
    explicit_bzero(block, sizeof(block));
    return ok;
}

bool
krb5msg_mac_begin(EVP_MD_CTX *md, const struct krb5msg_enctype *e, const uint8_t *key)
{
    return mac_key_block(md, e, key, MAC_INNER);
}

bool
krb5msg_mac_end(EVP_MD_CTX *md, const struct krb5msg_enctype *e, const uint8_t *key, uint8_t *out)
{
    uint8_t digest[KRB5MSG_DIGEST_MAX];
    if (EVP_DigestFinal_ex(md, digest, NULL) != 1 || !mac_key_block(md, e, key, MAC_OUTER) ||
        EVP_DigestUpdate(md, digest, e->digest_len) != 1 ||
        EVP_DigestFinal_ex(md, digest, NULL) != 1) {
        return false;
    }
    memcpy(out, digest, e->mac_len);
    return true;
}
