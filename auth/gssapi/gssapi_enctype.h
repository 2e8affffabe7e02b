/* SPDX-License-Identifier: ISC */
/*
 * The encryption types of Kerberos by name, and which of them a session may have: the four of
 * lib/krb5msg. Pure; of its own because sallyportd links no OpenSSL.
 */
#ifndef SP_AUTH_GSSAPI_ENCTYPE_H
#define SP_AUTH_GSSAPI_ENCTYPE_H

#include <stddef.h>
#include <stdint.h>

/* The allowed ones for messages. */
#define GSSAPI_ENCTYPES_ALLOWED                                                                    \
    "aes256-cts-hmac-sha1-96, aes128-cts-hmac-sha1-96, aes256-cts-hmac-sha384-192, "               \
    "aes128-cts-hmac-sha256-128"

#define GSSAPI_ENCTYPES 4U
extern const int32_t gssapi_enctypes[GSSAPI_ENCTYPES];

/* The name, or NULL for a number nobody uses. */
const char *gssapi_enctype_name(int32_t enctype);
/* Bytes of a key, or 0 for an enctype that is not allowed. */
size_t gssapi_enctype_key_len(int32_t enctype);

#endif
