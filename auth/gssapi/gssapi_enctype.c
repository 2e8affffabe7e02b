/* SPDX-License-Identifier: ISC */
/* Names and key lengths of encryption types (RFC 3961 section 8 and its registry). Serves the
   keytab's check, acceptor and initiator. Constant data. */
#include "auth/gssapi/gssapi_enctype.h"

#include "lib/base/attr.h"
#include "lib/krb5msg/krb5msg.h"

const int32_t gssapi_enctypes[GSSAPI_ENCTYPES] = {
    KRB5MSG_AES256_SHA1,
    KRB5MSG_AES128_SHA1,
    KRB5MSG_AES256_SHA384,
    KRB5MSG_AES128_SHA256,
};

static const struct {
    int32_t enctype;
    uint8_t key_len; /* 0: not allowed */
    const char *name;
} rows[] = {
    { KRB5MSG_AES256_SHA1, 32, "aes256-cts-hmac-sha1-96" },
    { KRB5MSG_AES128_SHA1, 16, "aes128-cts-hmac-sha1-96" },
    { KRB5MSG_AES256_SHA384, 32, "aes256-cts-hmac-sha384-192" },
    { KRB5MSG_AES128_SHA256, 16, "aes128-cts-hmac-sha256-128" },
    { 1, 0, "des-cbc-crc" },
    { 2, 0, "des-cbc-md4" },
    { 3, 0, "des-cbc-md5" },
    { 16, 0, "des3-cbc-sha1" },
    { 23, 0, "arcfour-hmac" },
    { 24, 0, "arcfour-hmac-exp" },
    { 25, 0, "camellia128-cts-cmac" },
    { 26, 0, "camellia256-cts-cmac" },
};

const char *
gssapi_enctype_name(int32_t enctype)
{
    for (size_t i = 0; i < SP_COUNT(rows); i++)
        if (rows[i].enctype == enctype)
            return rows[i].name;
    return NULL;
}

size_t
gssapi_enctype_key_len(int32_t enctype)
{
    for (size_t i = 0; i < SP_COUNT(rows); i++)
        if (rows[i].enctype == enctype)
            return rows[i].key_len;
    return 0;
}
