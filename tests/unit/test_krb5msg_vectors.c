/* SPDX-License-Identifier: ISC */
/* lib/krb5msg/krb5msg_derive.c, krb5msg_cts.c, krb5msg_mac.c and krb5msg_crypt.c against published
   values: RFC 3962 appendix B, RFC 8009 appendix A (but for empty plaintexts, which no token has), the one
   128-fold of RFC 3961 appendix A.1, and for DK with AES, of which RFC 3961 has none, those MIT
   Kerberos tests itself with. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "lib/krb5msg/krb5msg_token.h"

#define HEX_MAX 128

static size_t
hex(const char *text, uint8_t out[HEX_MAX])
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        unsigned byte = 0;
        if (*text == ' ') {
            continue;
        }
        assert_int_equal(sscanf(text, "%2x", &byte), 1);
        assert_true(n < HEX_MAX);
        out[n++] = (uint8_t)byte;
        text++;
    }
    return n;
}

#define KEY17 "42263C6E89F4FC28B8DF68EE09799F15"
#define KEY18 "FE697B52BC0D3CE14432BA036A92E65BBB52280990A2FA27883998D72AF30161"
#define KEY19 "3705D96080C17728A0E800EAB6E0D23C"
#define KEY20 "6D404D37FAF79F9DF0D33568D320669800EB4836472EA8A026D16B7182460C52"

static size_t
derive(const struct krb5msg_enctype *e, const uint8_t *key, uint32_t usage,
    enum krb5msg_purpose purpose, uint8_t *out)
{
    struct krb5msg_base base;
    assert_true(krb5msg_base_begin(&base, e, key));
    const size_t len = krb5msg_derive(&base, usage, purpose, out);
    krb5msg_base_end(&base);
    return len;
}

static void
test_derive(void **state)
{
    (void)state;
    static const struct {
        int32_t enctype;
        enum krb5msg_purpose purpose;
        const char *key;
        const char *expected;
    } rows[] = {
        { 17, KRB5MSG_FOR_CHECKSUM, KEY17, "34280A382BC92769B2DA2F9EF066854B" },
        { 17, KRB5MSG_FOR_ENCRYPTION, KEY17, "5B14FC4E250E14DDF9DCCF1AF6674F53" },
        { 17, KRB5MSG_FOR_INTEGRITY, KEY17, "4ED31063621684F09AE8D89991AF3E8F" },
        { 18, KRB5MSG_FOR_CHECKSUM, KEY18,
            "BFAB388BDCB238E9F9C98D6A878304F04D30C82556375AC507A7A852790F4674" },
        { 18, KRB5MSG_FOR_ENCRYPTION, KEY18,
            "C7CFD9CD75FE793A586A542D87E0D1396F1134A104BB1A9190B8C90ADA3DDF37" },
        { 18, KRB5MSG_FOR_INTEGRITY, KEY18,
            "97151B4C76945063E2EB0529DC067D97D7BBA90776D8126D91F34F3101AEA8BA" },
        { 19, KRB5MSG_FOR_CHECKSUM, KEY19, "B31A018A48F54776F403E9A396325DC3" },
        { 19, KRB5MSG_FOR_ENCRYPTION, KEY19, "9B197DD1E8C5609D6E67C3E37C62C72E" },
        { 19, KRB5MSG_FOR_INTEGRITY, KEY19, "9FDA0E56AB2D85E1569A688696C26A6C" },
        { 20, KRB5MSG_FOR_CHECKSUM, KEY20, "EF5718BE86CC84963D8BBB5031E9F5C4BA41F28FAF69E73D" },
        { 20, KRB5MSG_FOR_ENCRYPTION, KEY20,
            "56AB22BEE63D82D7BC5227F6773F8EA7A5EB1C825160C38312980C442E5C7E49" },
        { 20, KRB5MSG_FOR_INTEGRITY, KEY20, "69B16514E3CD8E56B82010D5C73012B622C4D00FFC23ED1F" },
    };
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        uint8_t key[HEX_MAX];
        uint8_t expected[HEX_MAX];
        uint8_t out[KRB5MSG_KEY_MAX];
        const struct krb5msg_enctype *e = krb5msg_enctype_find(rows[i].enctype);
        assert_int_equal(hex(rows[i].key, key), e->key_len);
        const size_t len = hex(rows[i].expected, expected);
        assert_int_equal(derive(e, key, 2, rows[i].purpose, out), len);
        assert_memory_equal(out, expected, len);
    }
}

/* libcrypto's KRB5KDF and KBKDF, which take the constant as it is. */
static void
derive_by_libcrypto(const struct krb5msg_enctype *e, uint8_t *key, uint8_t *constant,
    size_t constant_len, uint8_t *out, size_t len)
{
    const bool mac = e->mac_of_cipher;
    char mode[] = "counter", hmac[] = "HMAC";
    char *digest = e->number == KRB5MSG_AES256_SHA384 ? (char[]){ "SHA384" } : (char[]){ "SHA256" };
    char *cipher = e->key_len == 32 ? (char[]){ "AES-256-CBC" } : (char[]){ "AES-128-CBC" };
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, e->key_len),
        OSSL_PARAM_construct_octet_string(mac ? OSSL_KDF_PARAM_SALT : OSSL_KDF_PARAM_CONSTANT,
            constant, constant_len),
        mac ? OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, mode, 0)
            : OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_CIPHER, cipher, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, hmac, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, mac ? "KBKDF" : "KRB5KDF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    assert_non_null(ctx);
    assert_int_equal(EVP_KDF_derive(ctx, out, len, params), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

/* What the next test compares with folds as RFC 3961 appendix A.1 says: a constant of a block's length is
   taken as it is, so a word and its 128-fold give the same key. */
static void
test_fold_of_libcrypto(void **state)
{
    (void)state;
    uint8_t key[HEX_MAX];
    uint8_t fold[HEX_MAX];
    uint8_t of_word[KRB5MSG_KEY_MAX] = { 0 };
    uint8_t of_fold[KRB5MSG_KEY_MAX];
    uint8_t word[] = { 'k', 'e', 'r', 'b', 'e', 'r', 'o', 's' };
    const struct krb5msg_enctype *e = krb5msg_enctype_find(KRB5MSG_AES256_SHA1);
    (void)hex(KEY18, key);
    assert_int_equal(hex("6b65726265726f737b9b5b2b93132b93", fold), KRB5MSG_BLOCK);
    derive_by_libcrypto(e, key, word, sizeof(word), of_word, sizeof(of_word));
    derive_by_libcrypto(e, key, fold, KRB5MSG_BLOCK, of_fold, sizeof(of_fold));
    assert_memory_equal(of_word, of_fold, sizeof(of_fold));
}

/* Every usage and purpose from many keys, and usages no token has: all carries of the n-fold. */
static void
test_derive_against_libcrypto(void **state)
{
    (void)state;
    static const enum krb5msg_purpose purposes[] = { KRB5MSG_FOR_CHECKSUM, KRB5MSG_FOR_ENCRYPTION,
        KRB5MSG_FOR_INTEGRITY };
    for (uint32_t round = 0; round < 3000; round++) {
        const struct krb5msg_enctype *e = krb5msg_enctype_find(17 + (int32_t)(round % 4));
        const uint32_t usage = round < 300 ? 20 + round / 12 : round * 2654435761U;
        const enum krb5msg_purpose purpose = purposes[round / 4 % 3];
        uint8_t key[KRB5MSG_KEY_MAX], expected[KRB5MSG_KEY_MAX], out[KRB5MSG_KEY_MAX];
        uint8_t constant[5] = { (uint8_t)(usage >> 24), (uint8_t)(usage >> 16),
            (uint8_t)(usage >> 8), (uint8_t)usage, (uint8_t)purpose };
        for (size_t i = 0; i < sizeof(key); i++) {
            key[i] = (uint8_t)((round + 1) * (i + 7) * 40503U >> 5);
        }
        const size_t len = derive(e, key, usage, purpose, out);
        assert_true(len > 0);
        derive_by_libcrypto(e, key, constant, sizeof(constant), expected, len);
        assert_memory_equal(out, expected, len);
    }
}

static EVP_CIPHER_CTX *
cipher_make(int32_t enctype, const uint8_t *key, int encrypting)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    assert_non_null(cipher);
    assert_int_equal(EVP_CipherInit_ex2(cipher, krb5msg_cipher(krb5msg_enctype_find(enctype)), key,
                         NULL, encrypting, NULL),
        1);
    assert_int_equal(EVP_CIPHER_CTX_set_padding(cipher, 0), 1);
    return cipher;
}

#define CTS1 "97687268d6ecccc0c07b25e25ecfe584"
#define CTS2 "39312523a78662d5be7fcbcc98ebf5a8"
#define CTS3 "9dad8bbb96c4cdc03bc103e1a194bbd8"

static void
test_cts(void **state)
{
    (void)state;
    static const char plain[] = "I would like the General Gau's Chicken, please, and wonton soup.";
    static const char *const rows[] = {
        "c6353568f2bf8cb4d8a580362da7ff7f97",
        "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5",
        CTS2 CTS1,
        CTS1 "b3fffd940c16a18c1b5549d2f838029e39312523a78662d5be7fcbcc98ebf5",
        CTS1 CTS3 CTS2,
        CTS1 CTS2 "4807efe836ee89a526730dbc2f7bc840" CTS3,
    };
    static const uint8_t key[] = "chicken teriyaki";
    EVP_CIPHER_CTX *enc = cipher_make(17, key, 1);
    EVP_CIPHER_CTX *dec = cipher_make(17, key, 0);
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        uint8_t expected[HEX_MAX];
        const size_t len = hex(rows[i], expected);
        uint8_t *data = unit_copy(plain, len);
        assert_true(krb5msg_cts_encrypt(enc, NULL, NULL, NULL, data, len));
        assert_memory_equal(data, expected, len);
        assert_true(krb5msg_cts_decrypt(dec, NULL, data, len));
        assert_memory_equal(data, plain, len);
        free(data);
    }
    EVP_CIPHER_CTX_free(enc);
    EVP_CIPHER_CTX_free(dec);
}

/* libcrypto has CBC-CS3 itself: every length around the pieces the bulk is cut into. */
static void
test_cts_against_libcrypto(void **state)
{
    (void)state;
    struct unit_random r = UNIT_RANDOM_INIT;
    uint8_t key[32];
    unit_random_fill(&r, key, sizeof(key));
    EVP_CIPHER *theirs = EVP_CIPHER_fetch(NULL, "AES-256-CBC-CTS", NULL);
    char mode[] = "CS3";
    const OSSL_PARAM params[] = { { "cts_mode", OSSL_PARAM_UTF8_STRING, mode, 3, 0 }, { 0 } };
    const uint8_t iv[16] = { 0 };
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    EVP_CIPHER_CTX *enc = cipher_make(18, key, 1);
    EVP_CIPHER_CTX *dec = cipher_make(18, key, 0);
    for (size_t len = 17; len<2200; len += len> 100 && len < 480 ? 37 : 1) {
        uint8_t plain[2200];
        uint8_t expected[2200];
        int n = 0;
        unit_random_fill(&r, plain, len);
        assert_int_equal(EVP_EncryptInit_ex2(ctx, theirs, key, iv, params), 1);
        assert_int_equal(EVP_EncryptUpdate(ctx, expected, &n, plain, (int)len), 1);
        uint8_t *data = unit_copy(plain, len);
        assert_true(krb5msg_cts_encrypt(enc, NULL, NULL, NULL, data, len));
        assert_memory_equal(data, expected, len);
        assert_true(krb5msg_cts_decrypt(dec, NULL, data, len));
        assert_memory_equal(data, plain, len);
        free(data);
    }
    EVP_CIPHER_CTX_free(enc);
    EVP_CIPHER_CTX_free(dec);
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(theirs);
}

/* A context with the keys of usage 2, which the published values have and tokens never use. */
static void
context_make(struct krb5msg *m, int32_t enctype, const char *text)
{
    uint8_t key[HEX_MAX];
    uint8_t ke[KRB5MSG_KEY_MAX];
    memset(m, 0, sizeof(*m));
    m->enctype = krb5msg_enctype_find(enctype);
    (void)hex(text, key);
    struct krb5msg_side *s = &m->send;
    assert_true(derive(m->enctype, key, 2, KRB5MSG_FOR_CHECKSUM, s->checksum) > 0);
    assert_true(derive(m->enctype, key, 2, KRB5MSG_FOR_INTEGRITY, s->integrity) > 0);
    assert_true(derive(m->enctype, key, 2, KRB5MSG_FOR_ENCRYPTION, ke) > 0);
    s->cipher = cipher_make(enctype, ke, 1);
    m->recv = *s;
    m->recv.cipher = cipher_make(enctype, ke, 0);
}

static void
context_end(struct krb5msg *m)
{
    EVP_CIPHER_CTX_free(m->send.cipher);
    EVP_CIPHER_CTX_free(m->recv.cipher);
}

#define COUNT6 "000102030405"
#define COUNT16 COUNT6 "060708090A0B0C0D0E0F"
#define COUNT21 COUNT16 "1011121314"

static const struct {
    int32_t enctype;
    const char *key;
    const char *plain; /* with its confounder */
    const char *sealed;
} vectors[] = {
    { 19, KEY19, "7BCA285E2FD4130FB55B1A5C83BC5B24" COUNT6,
        "84D7F30754ED987BAB0BF3506BEB09CFB55402CEF7E6"
        "877CE99E247E52D16ED4421DFDF8976C" },
    { 19, KEY19, "56AB21713FF62C0A1457200F6FA9948F" COUNT16,
        "3517D640F50DDC8AD3628722B3569D2AE07493FA8263254080EA65C1008E8FC2"
        "95FB4852E7D83E1E7C48C37EEBE6B0D3" },
    { 19, KEY19, "A7A4E29A4728CE10664FB64E49AD3FAC" COUNT21,
        "720F73B18D9859CD6CCB4346115CD336C70F58EDC0C4437C5573544C31C813BCE1E6D072C1"
        "86B39A413C2F92CA9B8334A287FFCBFC" },
    { 20, KEY20, "B80D3251C1F6471494256FFE712D0B9A" COUNT6,
        "4ED7B37C2BCAC8F74F23C1CF07E62BC7B75FB3F637B9"
        "F559C7F664F69EAB7B6092237526EA0D1F61CB20D69D10F2" },
    { 20, KEY20, "53BF8A0D105265D4E276428624CE5E63" COUNT16,
        "BC47FFEC7998EB91E8115CF8D19DAC4BBBE2E163E87DD37F49BECA92027764F6"
        "8CF51F14D798C2273F35DF574D1F932E40C4FF255B36A266" },
    { 20, KEY20, "763E65367E864F02F55153C7E3B58AF1" COUNT21,
        "40013E2DF58E8751957D2878BCD2D6FE101CCFD556CB1EAE79DB3C3EE86429F2B2A602AC86"
        "FEF6ECB647D6295FAE077A1FEB517508D2C16B4192E01F62" },
};

static void
test_encrypt(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_COUNT(vectors); i++) {
        struct krb5msg m;
        uint8_t plain[HEX_MAX];
        uint8_t sealed[HEX_MAX];
        context_make(&m, vectors[i].enctype, vectors[i].key);
        const size_t len = hex(vectors[i].plain, plain);
        const size_t all = hex(vectors[i].sealed, sealed);
        assert_int_equal(all, len + m.enctype->mac_len);
        uint8_t *data = malloc(all);
        assert_non_null(data);
        memcpy(data, plain, len);
        assert_true(krb5msg_encrypt(&m, &m.send, data, len));
        assert_memory_equal(data, sealed, all);
        assert_int_equal(krb5msg_decrypt(&m, &m.recv, data, len), KRB5MSG_OK);
        assert_memory_equal(data, plain, len);
        memcpy(data, sealed, all);
        data[all - 1] ^= 1;
        assert_int_equal(krb5msg_decrypt(&m, &m.recv, data, len), KRB5MSG_BAD_CHECKSUM);
        free(data);
        context_end(&m);
    }
}

static void
test_checksum(void **state)
{
    (void)state;
    static const struct {
        int32_t enctype;
        const char *key;
        const char *expected;
    } rows[] = {
        { 19, KEY19, "D78367186643D67B411CBA9139FC1DEE" },
        { 20, KEY20, "45EE791567EEFCA37F4AC1E0222DE80D43C3BFA06699672A" },
    };
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct krb5msg m;
        uint8_t plain[HEX_MAX];
        uint8_t expected[HEX_MAX];
        uint8_t out[KRB5MSG_DIGEST_MAX];
        context_make(&m, rows[i].enctype, rows[i].key);
        const size_t len = hex(COUNT21, plain);
        assert_int_equal(hex(rows[i].expected, expected), m.enctype->mac_len);
        struct krb5msg_mac mac;
        krb5msg_mac_begin(&mac, m.enctype->digest, m.send.checksum, m.enctype->mac_key_len);
        krb5msg_mac_update(&mac, plain, len);
        krb5msg_mac_end(&mac, out, m.enctype->mac_len);
        assert_memory_equal(out, expected, m.enctype->mac_len);
        context_end(&m);
    }
}

static int
library_start(void **state)
{
    (void)state;
    return krb5msg_start() ? 0 : -1;
}

static int
library_end(void **state)
{
    (void)state;
    krb5msg_end();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derive),
        cmocka_unit_test(test_fold_of_libcrypto),
        cmocka_unit_test(test_derive_against_libcrypto),
        cmocka_unit_test(test_cts),
        cmocka_unit_test(test_cts_against_libcrypto),
        cmocka_unit_test(test_encrypt),
        cmocka_unit_test(test_checksum),
    };
    return cmocka_run_group_tests(tests, library_start, library_end);
}
