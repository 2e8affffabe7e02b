/* SPDX-License-Identifier: ISC */
/*
 * Keys from keys: DK of RFC 3961 section 5.1 (libcrypto's KRB5KDF has n-fold inside), and
 * KDF-HMAC-SHA2 of RFC 8009 section 3 (SP 800-108 in counter mode, libcrypto's KBKDF). Serves the
 * import of a context. Failures are returned.
 */
#include "lib/krb5msg/krb5msg_local.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "lib/base/cursor.h"

#define DERIVE_CONSTANT 5 /* usage number, purpose */

/* libcrypto takes parameters by pointers it does not write through. */
static OSSL_PARAM
derive_text(const char *name, const char *value)
{
    return OSSL_PARAM_construct_utf8_string(name, (char *)(uintptr_t)value, 0);
}

static OSSL_PARAM
derive_octets(const char *name, const uint8_t *value, size_t len)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)value, len);
}

static bool
derive_rfc3961(EVP_KDF_CTX *kdf, const struct krb5msg_enctype *e, const uint8_t *key,
    const uint8_t *constant, uint8_t *out, size_t len)
{
    const OSSL_PARAM params[] = {
        derive_text(OSSL_KDF_PARAM_CIPHER, e->cipher_name),
        derive_octets(OSSL_KDF_PARAM_KEY, key, e->key_len),
        derive_octets(OSSL_KDF_PARAM_CONSTANT, constant, DERIVE_CONSTANT),
        OSSL_PARAM_construct_end(),
    };
    return EVP_KDF_derive(kdf, out, len, params) == 1;
}

/* K1 = HMAC(key, 00000001 | constant | 00 | bits of the result), of which the first bytes. */
static bool
derive_rfc8009(EVP_KDF_CTX *kdf, const struct krb5msg_enctype *e, const uint8_t *key,
    const uint8_t *constant, uint8_t *out, size_t len)
{
    const OSSL_PARAM params[] = {
        derive_text(OSSL_KDF_PARAM_MODE, "counter"),
        derive_text(OSSL_KDF_PARAM_MAC, "HMAC"),
        derive_text(OSSL_KDF_PARAM_DIGEST, e->digest->name),
        derive_octets(OSSL_KDF_PARAM_KEY, key, e->key_len),
        derive_octets(OSSL_KDF_PARAM_SALT, constant, DERIVE_CONSTANT),
        OSSL_PARAM_construct_end(),
    };
    return EVP_KDF_derive(kdf, out, len, params) == 1;
}

size_t
krb5msg_derive(const struct krb5msg_enctype *e, const uint8_t *key, uint32_t usage,
    enum krb5msg_purpose purpose, uint8_t *out)
{
    uint8_t constant[DERIVE_CONSTANT];
    struct writer w = writer_init(constant, sizeof(constant));
    writer_u32_be(&w, usage);
    writer_u8(&w, (uint8_t)purpose);
    EVP_KDF_CTX *kdf = EVP_KDF_CTX_new(krb5msg_kdf(e));
    if (!writer_ok(&w) || kdf == NULL) {
        EVP_KDF_CTX_free(kdf);
        return 0;
    }
    const size_t len = purpose == KRB5MSG_FOR_ENCRYPTION ? e->key_len : e->mac_key_len;
    const bool ok = e->mac_of_cipher ? derive_rfc8009(kdf, e, key, constant, out, len)
                                     : derive_rfc3961(kdf, e, key, constant, out, len);
    EVP_KDF_CTX_free(kdf);
    return ok ? len : 0;
}
