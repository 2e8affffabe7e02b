/* SPDX-License-Identifier: ISC */
/* What the files of lib/krb5msg share; its unit tests look in too. */
#ifndef SP_KRB5MSG_KRB5MSG_LOCAL_H
#define SP_KRB5MSG_KRB5MSG_LOCAL_H

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "lib/krb5msg/krb5msg.h"

#define KRB5MSG_BLOCK 16
#define KRB5MSG_CLEAR 16 /* the header of RFC 4121 section 4.2.6.2 */
#define KRB5MSG_DIGEST_MAX 48
#define KRB5MSG_DIGEST_BLOCK_MAX 128

/* RFC 4121 section 2. Wrap tokens use those for sealing, with and without encryption. */
enum krb5msg_usage {
    KRB5MSG_USAGE_ACCEPTOR_SEAL = 22,
    KRB5MSG_USAGE_ACCEPTOR_SIGN = 23,
    KRB5MSG_USAGE_INITIATOR_SEAL = 24,
    KRB5MSG_USAGE_INITIATOR_SIGN = 25
};

/* The last octet of the constant a key is derived with (RFC 3961 section 5.3, RFC 8009 section 5).
 */
enum krb5msg_purpose {
    KRB5MSG_FOR_CHECKSUM = 0x99,   /* Kc */
    KRB5MSG_FOR_ENCRYPTION = 0xaa, /* Ke */
    KRB5MSG_FOR_INTEGRITY = 0x55   /* Ki */
};

union krb5msg_digest_state {
    SHA_CTX sha1;
    SHA256_CTX sha256;
    SHA512_CTX sha512;
};

struct krb5msg_digest {
    uint8_t len;
    uint8_t block; /* of its input */
    void (*init)(union krb5msg_digest_state *s);
    void (*update)(union krb5msg_digest_state *s, const void *data, size_t len);
    void (*final)(union krb5msg_digest_state *s, uint8_t *out);
};

extern const struct krb5msg_digest krb5msg_sha1;
extern const struct krb5msg_digest krb5msg_sha256;
extern const struct krb5msg_digest krb5msg_sha384;

struct krb5msg_enctype {
    int32_t number;
    const char *cipher_name;
    const char *block_name; /* the same cipher, block by block */
    const struct krb5msg_digest *digest;
    uint8_t key_len;     /* protocol key and Ke */
    uint8_t mac_key_len; /* Ki and Kc */
    uint8_t mac_len;     /* HMAC, truncated */
    bool mac_of_cipher;  /* RFC 8009: encrypt, then MAC; RFC 3961: MAC of the plaintext */
};

/* The row of an enctype, or NULL. */
const struct krb5msg_enctype *krb5msg_enctype_find(int32_t number);

/* --- krb5msg_library.c: what was fetched from libcrypto; NULL before krb5msg_start() --- */
EVP_CIPHER *krb5msg_cipher(const struct krb5msg_enctype *e);
EVP_CIPHER *krb5msg_block_cipher(const struct krb5msg_enctype *e);

/* --- krb5msg_derive.c --- */

/* The protocol key other keys come from, made ready once for all of them. */
struct krb5msg_base {
    const struct krb5msg_enctype *enctype;
    const uint8_t *key;     /* a borrow of enctype->key_len bytes */
    EVP_CIPHER_CTX *cipher; /* RFC 3961 alone; libcrypto zeroes it when it is freed */
};

/* False when libcrypto failed. krb5msg_base_end() is needed either way. */
bool krb5msg_base_begin(struct krb5msg_base *base, const struct krb5msg_enctype *e,
    const uint8_t *key) SP_MUST_USE;
void krb5msg_base_end(struct krb5msg_base *base);

/* Ke, Ki or Kc of a usage. out has room for KRB5MSG_KEY_MAX. Bytes written, or 0 when libcrypto
   failed. */
size_t krb5msg_derive(struct krb5msg_base *base, uint32_t usage, enum krb5msg_purpose purpose,
    uint8_t *out) SP_MUST_USE;

/* --- krb5msg_mac.c: HMAC without allocation --- */
struct krb5msg_mac {
    const struct krb5msg_digest *digest;
    const uint8_t *key; /* a borrow */
    size_t key_len;     /* at most the digest's block */
    union krb5msg_digest_state state;
};

void krb5msg_mac_begin(struct krb5msg_mac *mac, const struct krb5msg_digest *digest,
    const uint8_t *key, size_t key_len);
void krb5msg_mac_update(struct krb5msg_mac *mac, const void *data, size_t len);
/* out gets the first len bytes, at most the digest's. Zeroes the state. */
void krb5msg_mac_end(struct krb5msg_mac *mac, uint8_t *out, size_t len);

/* --- krb5msg_cts.c: AES-CBC with ciphertext stealing, form CBC-CS3 --- */

/* Bytes before the last two blocks, the last of which may be a part of one; len is at least 17. */
size_t krb5msg_cts_bulk(size_t len);

/* In place; len is at least 17. cipher is keyed for its direction, without padding. iv: where a chain
   that began before data stands; NULL: it begins here, with 0. The MACs are fed with the plaintext
   and the ciphertext as they pass; NULL for none. */
bool krb5msg_cts_encrypt(EVP_CIPHER_CTX *cipher, const uint8_t *iv, struct krb5msg_mac *of_plain,
    struct krb5msg_mac *of_cipher, uint8_t *data, size_t len) SP_MUST_USE;
bool krb5msg_cts_decrypt(
    EVP_CIPHER_CTX *cipher, struct krb5msg_mac *of_plain, uint8_t *data, size_t len) SP_MUST_USE;

/* --- krb5msg_random.c --- */

/* A block of random bytes, never given before. False when libcrypto has none. */
bool krb5msg_random(uint8_t out[KRB5MSG_BLOCK]) SP_MUST_USE;
void krb5msg_random_end(void);

/* --- krb5msg_order.c --- */
struct krb5msg_order {
    uint64_t next;  /* one above the highest number taken */
    uint64_t *seen; /* NULL: strict order. Else a bit per number, KRB5MSG_WINDOW of them. */
};

/* Whether a verified message of this number may be taken; then take it. */
enum krb5msg_result krb5msg_order_judge(const struct krb5msg_order *o, uint64_t seq);
void krb5msg_order_take(struct krb5msg_order *o, uint64_t seq);
bool krb5msg_order_use_window(struct krb5msg_order *o) SP_MUST_USE;
void krb5msg_order_free(struct krb5msg_order *o);

/* --- krb5msg.c: the context --- */

/* A cipher with this key, without padding; NULL where libcrypto has no memory. */
EVP_CIPHER_CTX *krb5msg_keyed(EVP_CIPHER *kind, const uint8_t *key, bool encrypting);

/* One direction. The key of its cipher lies in libcrypto's memory, which zeroes it when freed. */
struct krb5msg_side {
    EVP_CIPHER_CTX *cipher;
    EVP_CIPHER_CTX *blocks;              /* the same key block by block, once many are sealed at once */
    uint8_t encryption[KRB5MSG_KEY_MAX]; /* Ke */
    uint8_t integrity[KRB5MSG_KEY_MAX]; /* Ki */
    uint8_t checksum[KRB5MSG_KEY_MAX];  /* Kc */
};

struct krb5msg {
    const struct krb5msg_enctype *enctype;
    uint64_t send_seq;
    struct krb5msg_order order;
    uint8_t send_flags; /* without Sealed */
    uint8_t recv_flags;
    struct krb5msg_side send;
    struct krb5msg_side recv;
};

/* RFC 3961's encryption with integrity, in place: data is confounder and plaintext, len bytes and
   at least 17; the MAC of e->mac_len bytes stands or comes behind it. */
bool krb5msg_encrypt(const struct krb5msg *m, const struct krb5msg_side *side, uint8_t *data,
    size_t len) SP_MUST_USE;
/* What the MAC of a message begins with. */
void krb5msg_encrypt_begin(struct krb5msg_mac *mac, const struct krb5msg *m,
    const struct krb5msg_side *side);
/* krb5msg_many.c: the same with count messages, 1..KRB5MSG_MANY; m->send.blocks is there. */
bool krb5msg_encrypt_many(const struct krb5msg *m, uint8_t *const data[], const size_t len[],
    size_t count) SP_MUST_USE;
enum krb5msg_result krb5msg_decrypt(const struct krb5msg *m, const struct krb5msg_side *side,
    uint8_t *data, size_t len) SP_MUST_USE;

#endif
