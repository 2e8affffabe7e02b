/* SPDX-License-Identifier: ISC */
/*
 * 60 LENGTH 06 LENGTH OID: the frame of an initial context token; and a1 LENGTH 30 LENGTH, with fields
 * behind it, each with a tag of its own: an answer of SPNEGO. Serves the acceptor. Every error is an
 * answer.
 */
#include "auth/gssapi/gssapi_token.h"

#include <stdint.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/cursor.h"

#define TAG_APPLICATION 0x60
#define TAG_OID 0x06
#define TAG_RESPONSE 0xa1
#define TAG_SEQUENCE 0x30
#define TAG_MIC 0xa3
#define LENGTH_LONG 0x80
#define LENGTH_OCTETS_MAX 4

static const uint8_t oid_krb5[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02 };
static const uint8_t oid_spnego[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02 };

static const struct {
    const uint8_t *oid;
    size_t len;
    enum gssapi_mechanism mechanism;
} known[] = {
    { oid_krb5, sizeof oid_krb5, GSSAPI_MECHANISM_KRB5 },
    { oid_spnego, sizeof oid_spnego, GSSAPI_MECHANISM_SPNEGO },
};

/* A DER length. */
static size_t
length_read(struct cursor *c)
{
    size_t value = cursor_u8(c);
    const size_t octets = value & (LENGTH_LONG - 1U);

    if ((value & LENGTH_LONG) == 0)
        return value;
    if (octets == 0 || octets > LENGTH_OCTETS_MAX)
        cursor_fail(c);
    value = 0;
    for (size_t i = 0; i < octets && cursor_ok(c); i++)
        value = value << 8 | cursor_u8(c);
    return value;
}

enum gssapi_mechanism
gssapi_token_mechanism(const void *token, size_t len)
{
    struct cursor c = cursor_init(token, len);

    if (cursor_u8(&c) != TAG_APPLICATION)
        return GSSAPI_MECHANISM_BAD;
    if (length_read(&c) != cursor_left(&c) || cursor_u8(&c) != TAG_OID)
        return GSSAPI_MECHANISM_BAD;
    const size_t oid_len = cursor_u8(&c);
    const uint8_t *oid = cursor_bytes(&c, oid_len);

    if (!cursor_ok(&c))
        return GSSAPI_MECHANISM_BAD;
    for (size_t i = 0; i < SP_COUNT(known); i++)
        if (known[i].len == oid_len && memcmp(known[i].oid, oid, oid_len) == 0)
            return known[i].mechanism;
    return GSSAPI_MECHANISM_OTHER;
}

/* A tag with a length that is the rest of the token. */
static bool
opens_with(struct cursor *c, uint8_t tag)
{
    return cursor_u8(c) == tag && length_read(c) == cursor_left(c) && cursor_ok(c);
}

bool
gssapi_token_has_mic(const void *token, size_t len)
{
    struct cursor c = cursor_init(token, len);

    if (!opens_with(&c, TAG_RESPONSE) || !opens_with(&c, TAG_SEQUENCE))
        return false;
    while (cursor_ok(&c) && cursor_left(&c) > 0) {
        const bool mic = cursor_u8(&c) == TAG_MIC;

        cursor_skip(&c, length_read(&c));
        if (mic)
            return cursor_ok(&c);
    }
    return false;
}
