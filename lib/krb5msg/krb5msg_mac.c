/* SPDX-License-Identifier: ISC */
/*
 * HMAC (RFC 2104) on the stack. The EVP interface of libcrypto 3.0 allocates a state for every
 * digest it begins, copied or not, and every HMAC begins two; the older functions below run the
 * same code and allocate nothing, which is why they are used here in spite of being deprecated.
 * Serves krb5msg_crypt.c and, for the bytes that pass, krb5msg_cts.c. Nothing fails.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "lib/krb5msg/krb5msg_local.h"

#include <string.h>

#define MAC_INNER 0x36
#define MAC_OUTER 0x5c

static void
mac_sha1_init(union krb5msg_digest_state *s)
{
    (void)SHA1_Init(&s->sha1);
}

static void
mac_sha1_update(union krb5msg_digest_state *s, const void *data, size_t len)
{
    (void)SHA1_Update(&s->sha1, data, len);
}

static void
mac_sha1_final(union krb5msg_digest_state *s, uint8_t *out)
{
    (void)SHA1_Final(out, &s->sha1);
}

static void
mac_sha256_init(union krb5msg_digest_state *s)
{
    (void)SHA256_Init(&s->sha256);
}

static void
mac_sha256_update(union krb5msg_digest_state *s, const void *data, size_t len)
{
    (void)SHA256_Update(&s->sha256, data, len);
}

static void
mac_sha256_final(union krb5msg_digest_state *s, uint8_t *out)
{
    (void)SHA256_Final(out, &s->sha256);
}

static void
mac_sha384_init(union krb5msg_digest_state *s)
{
    (void)SHA384_Init(&s->sha512);
}

static void
mac_sha384_update(union krb5msg_digest_state *s, const void *data, size_t len)
{
    (void)SHA384_Update(&s->sha512, data, len);
}

static void
mac_sha384_final(union krb5msg_digest_state *s, uint8_t *out)
{
    (void)SHA384_Final(out, &s->sha512);
}

const struct krb5msg_digest krb5msg_sha1 = { 20, 64, mac_sha1_init, mac_sha1_update,
    mac_sha1_final };
const struct krb5msg_digest krb5msg_sha256 = { 32, 64, mac_sha256_init,
    mac_sha256_update, mac_sha256_final };
const struct krb5msg_digest krb5msg_sha384 = { 48, 128, mac_sha384_init,
    mac_sha384_update, mac_sha384_final };

/* Begins a digest with the key's block. Every key here is shorter than the block. */
static void
mac_key_block(struct krb5msg_mac *mac, uint8_t pad)
{
    uint8_t block[KRB5MSG_DIGEST_BLOCK_MAX];
    memset(block, pad, mac->digest->block);
    for (size_t i = 0; i < mac->key_len; i++) {
        block[i] ^= mac->key[i];
    }
    mac->digest->init(&mac->state);
    mac->digest->update(&mac->state, block, mac->digest->block);
    explicit_bzero(block, sizeof(block));
}

void
krb5msg_mac_begin(struct krb5msg_mac *mac, const struct krb5msg_digest *digest, const uint8_t *key,
    size_t key_len)
{
    mac->digest = digest;
    mac->key = key;
    mac->key_len = key_len;
    mac_key_block(mac, MAC_INNER);
}

void
krb5msg_mac_update(struct krb5msg_mac *mac, const void *data, size_t len)
{
    mac->digest->update(&mac->state, data, len);
}

void
krb5msg_mac_end(struct krb5msg_mac *mac, uint8_t *out, size_t len)
{
    uint8_t whole[KRB5MSG_DIGEST_MAX];
    mac->digest->final(&mac->state, whole);
    mac_key_block(mac, MAC_OUTER);
    mac->digest->update(&mac->state, whole, mac->digest->len);
    mac->digest->final(&mac->state, whole);
    memcpy(out, whole, len);
    explicit_bzero(whole, sizeof(whole));
    explicit_bzero(&mac->state, sizeof(mac->state));
}
