/* SPDX-License-Identifier: ISC */
/*
 * The message with the protection level (RFC 1961 section 4.3), the same in both directions. Serves
 * the acceptor's and the initiator's side of agreeing. What is wrong with one is a word.
 */
#include "auth/gssapi/gssapi_protect_local.h"

#include "lib/base/cursor.h"

/* One octet, its token around it, the frame around that. */
#define LEVEL_MESSAGE_MAX (GSSAPI_HEAD + KRB5MSG_HEADER_MAX + 1U + KRB5MSG_TRAILER_MAX)
_Static_assert(LEVEL_MESSAGE_MAX <= AUTH_AGREE_ROOM, "the host's room for an answer is too small");

/* Always with conf_req FALSE, section 4.4. */
static const char *
level_wrap(struct gssapi_protect *p, uint8_t octet, uint8_t *token, size_t *len)
{
    token[krb5msg_header_len(p->m, false)] = octet;
    const enum krb5msg_result result = krb5msg_wrap(p->m, false, token, 1, len);

    return result == KRB5MSG_OK ? NULL : gssapi_word(result);
}

const char *
gssapi_level_put(struct gssapi_protect *p, enum auth_protection level, bool bare,
    struct auth_out *out)
{
    uint8_t message[LEVEL_MESSAGE_MAX];
    uint8_t *token = message + GSSAPI_HEAD;
    struct writer w = writer_init(out->data + out->len, out->size - out->len);
    const char *error = NULL;
    size_t len = 1;

    if (bare)
        *token = (uint8_t)level;
    else
        error = level_wrap(p, (uint8_t)level, token, &len);
    if (error != NULL)
        return error;
    gssapi_frame_head(GSSAPI_LEVEL, len, message);
    writer_bytes(&w, message, GSSAPI_HEAD + len);
    if (!writer_ok(&w))
        return "no-room";
    out->len += writer_len(&w);
    return NULL;
}

static const char *
level_judge(const uint8_t *plain, size_t len, enum auth_protection *level)
{
    struct cursor c = cursor_init(plain, len);
    const uint8_t octet = cursor_u8(&c);

    if (len != 1)
        return "malformed-level";
    if (octet >= GSSAPI_LEVELS)
        return "unknown-level";
    *level = (enum auth_protection)octet;
    return NULL;
}

/* A level that came encrypted is taken too: section 4.4 binds who makes it, and an octet that
   verified is the peer's either way. */
const char *
gssapi_level_get(struct gssapi_protect *p, uint8_t *token, size_t len, bool bare,
    enum auth_protection *level)
{
    struct krb5msg_plain plain = { token, len, false };
    const enum krb5msg_result result =
        bare ? KRB5MSG_OK : krb5msg_unwrap(p->m, token, len, &plain);

    return result == KRB5MSG_OK ? level_judge(plain.data, plain.len, level) : gssapi_word(result);
}

void
gssapi_level_take(struct gssapi_protect *p, enum auth_protection level)
{
    p->level = level;
    p->stage = level == AUTH_PROTECTION_NONE ? GSSAPI_PLAIN : GSSAPI_SEALED;
}
