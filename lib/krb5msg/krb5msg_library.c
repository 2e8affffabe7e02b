/* SPDX-License-Identifier: ISC */
/*
 * The four enctypes, and what libcrypto has for them, fetched once: a fetch takes locks and a
 * search, and the first may read a file, which a worker behind its sandbox cannot. Serves whoever
 * makes contexts. A missing algorithm is the caller's to judge.
 */
#include "lib/krb5msg/krb5msg_local.h"

static const struct krb5msg_enctype krb5msg_enctypes[] = {
    { KRB5MSG_AES128_SHA1, "AES-128-CBC", "AES-128-ECB", &krb5msg_sha1, 16, 16, 12, false },
    { KRB5MSG_AES256_SHA1, "AES-256-CBC", "AES-256-ECB", &krb5msg_sha1, 32, 32, 12, false },
    { KRB5MSG_AES128_SHA256, "AES-128-CBC", "AES-128-ECB", &krb5msg_sha256, 16, 16, 16, true },
    { KRB5MSG_AES256_SHA384, "AES-256-CBC", "AES-256-ECB", &krb5msg_sha384, 32, 24, 24, true },
};

static struct {
    EVP_CIPHER *cipher[SP_COUNT(krb5msg_enctypes)];
    EVP_CIPHER *block[SP_COUNT(krb5msg_enctypes)];
    bool ready;
} krb5msg_library;

const struct krb5msg_enctype *
krb5msg_enctype_find(int32_t number)
{
    for (size_t i = 0; i < SP_COUNT(krb5msg_enctypes); i++) {
        if (krb5msg_enctypes[i].number == number) {
            return &krb5msg_enctypes[i];
        }
    }
    return NULL;
}

size_t
krb5msg_key_len(int32_t enctype)
{
    const struct krb5msg_enctype *e = krb5msg_enctype_find(enctype);
    return e != NULL ? e->key_len : 0;
}

bool
krb5msg_start(void)
{
    if (krb5msg_library.ready) {
        return true;
    }
    for (size_t i = 0; i < SP_COUNT(krb5msg_enctypes); i++) {
        const struct krb5msg_enctype *e = &krb5msg_enctypes[i];
        krb5msg_library.cipher[i] = EVP_CIPHER_fetch(NULL, e->cipher_name, NULL);
        krb5msg_library.block[i] = EVP_CIPHER_fetch(NULL, e->block_name, NULL);
        if (krb5msg_library.cipher[i] == NULL || krb5msg_library.block[i] == NULL) {
            krb5msg_end();
            return false;
        }
    }
    /* The generator opens and seeds itself at its first use: let that be now. */
    uint8_t first[KRB5MSG_BLOCK];
    krb5msg_library.ready = krb5msg_random(first);
    if (!krb5msg_library.ready) {
        krb5msg_end();
    }
    return krb5msg_library.ready;
}

void
krb5msg_end(void)
{
    for (size_t i = 0; i < SP_COUNT(krb5msg_enctypes); i++) {
        EVP_CIPHER_free(krb5msg_library.cipher[i]);
        EVP_CIPHER_free(krb5msg_library.block[i]);
        krb5msg_library.cipher[i] = NULL;
        krb5msg_library.block[i] = NULL;
    }
    krb5msg_random_end();
    krb5msg_library.ready = false;
}

EVP_CIPHER *
krb5msg_cipher(const struct krb5msg_enctype *e)
{
    return krb5msg_library.cipher[e - krb5msg_enctypes];
}

EVP_CIPHER *
krb5msg_block_cipher(const struct krb5msg_enctype *e)
{
    return krb5msg_library.block[e - krb5msg_enctypes];
}
