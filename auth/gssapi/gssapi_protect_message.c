/* SPDX-License-Identifier: ISC */
/*
 * Sealing and opening (RFC 1961 section 5). Serves the protecting layer of a channel, and the
 * client. A message that does not come as agreed is refused with a word, whatever is inside.
 */
#include "auth/gssapi/gssapi_protect_local.h"

#include <string.h>

#include "lib/base/cursor.h"

#define STREAM_PIECE_MIN 4096U /* a message's frame, header and trailer are 64 to 92 bytes */

/* What we send: at selective, and while we do not know what the peer wants, the stronger. */
static bool
message_conf(const struct gssapi_protect *p)
{
    return p->stage == GSSAPI_LEARN || p->level != AUTH_PROTECTION_INTEGRITY;
}

size_t
gssapi_plain_max(const void *protect)
{
    const struct gssapi_protect *p = protect;

    return krb5msg_plain_max(p->m, message_conf(p), GSSAPI_TOKEN_MAX);
}

static bool
message_sealed(const struct gssapi_protect *p)
{
    return p->stage == GSSAPI_SEALED || p->stage == GSSAPI_LEARN;
}

int
gssapi_seal(void *protect, uint8_t *plain, size_t len, struct auth_sealed *out)
{
    struct gssapi_protect *p = protect;
    const bool conf = message_conf(p);

    if (!message_sealed(p) || len > gssapi_plain_max(p))
        return -1;
    uint8_t *token = plain - krb5msg_header_len(p->m, conf);
    size_t token_len;

    if (krb5msg_wrap(p->m, conf, token, len, &token_len) != KRB5MSG_OK)
        return -1;
    out->data = token - GSSAPI_HEAD;
    out->len = GSSAPI_HEAD + token_len;
    gssapi_frame_head(GSSAPI_DATA, token_len, out->data);
    return 0;
}

/* Pieces of nearly the same length, the longer ones first. */
static size_t
stream_piece(size_t len, size_t count, size_t i)
{
    return len / count + (i < len % count ? 1 : 0);
}

/* Makes room between the pieces, from the last to the first, and lays them out as messages. */
static size_t
stream_spread(const struct gssapi_protect *p, uint8_t *plain, size_t len, size_t count,
    struct krb5msg_message *messages)
{
    const size_t header = krb5msg_header_len(p->m, true);
    const size_t around = GSSAPI_HEAD + header + krb5msg_trailer_len(p->m, true);
    size_t at = len;

    for (size_t i = count; i-- > 0;) {
        const size_t piece = stream_piece(len, count, i);
        uint8_t *place = plain + (at - piece) + i * around;

        at -= piece;
        if (i > 0)
            memmove(place, plain + at, piece);
        gssapi_frame_head(GSSAPI_DATA, around - GSSAPI_HEAD + piece, place - header - GSSAPI_HEAD);
        messages[i] = (struct krb5msg_message) { .token = place - header, .plain_len = piece };
    }
    return len + count * around;
}

/* Encryption of one message is a chain, several go side by side (krb5msg_many.c): long bytes are
   cut. Signed ones gain nothing by it. */
int
gssapi_seal_stream(void *protect, uint8_t *plain, size_t len, struct auth_sealed *out)
{
    struct gssapi_protect *p = protect;
    struct krb5msg_message messages[KRB5MSG_MANY];
    const size_t most = len / STREAM_PIECE_MIN;
    const size_t count = most < KRB5MSG_MANY ? most : KRB5MSG_MANY;

    if (count < 2 || !message_conf(p) || !message_sealed(p) || len > gssapi_plain_max(p))
        return gssapi_seal(protect, plain, len, out);
    out->data = plain - krb5msg_header_len(p->m, true) - GSSAPI_HEAD;
    out->len = stream_spread(p, plain, len, count, messages);
    return krb5msg_wrap_many(p->m, messages, count) == KRB5MSG_OK ? 0 : -1;
}

/* curl goes on bare where it does not like the answer; whoever reads the audit should see that. */
const char *
gssapi_peer_error(const struct gssapi_protect *p, const struct gssapi_frame *f, const void *data,
    size_t len)
{
    struct cursor c = cursor_init(data, len);

    if (cursor_u8(&c) == GSSAPI_SOCKS)
        return "unprotected-message";
    return f->refused && p->terms != NULL ? "refused-by-client" : f->error;
}

static enum auth_frame
open_bad(struct auth_opened *out, const char *error)
{
    out->error = error;
    return AUTH_FRAME_BAD;
}

/* NULL, or how the message breaks what was agreed: section 5 says "always" at both levels. */
static const char *
open_judge(struct gssapi_protect *p, bool conf)
{
    if (p->stage == GSSAPI_LEARN)
        gssapi_level_take(
            p, conf ? AUTH_PROTECTION_CONFIDENTIALITY : AUTH_PROTECTION_INTEGRITY);
    if (p->level == AUTH_PROTECTION_CONFIDENTIALITY && !conf)
        return "message-not-confidential";
    if (p->level == AUTH_PROTECTION_INTEGRITY && conf)
        return "confidential-message-at-integrity";
    return NULL;
}

static enum auth_frame
open_token(struct gssapi_protect *p, uint8_t *data, const struct gssapi_frame *f,
    struct auth_opened *out)
{
    struct krb5msg_plain plain;
    const enum krb5msg_result result =
        krb5msg_unwrap(p->m, data + f->token_at, f->token_len, &plain);

    if (result != KRB5MSG_OK)
        return open_bad(out, gssapi_word(result));
    const char *error = open_judge(p, plain.conf);

    if (error != NULL)
        return open_bad(out, error);
    out->used = f->used;
    out->plain = plain.data;
    out->plain_len = plain.len;
    return AUTH_FRAME_READY;
}

enum auth_frame
gssapi_open(void *protect, uint8_t *data, size_t len, struct auth_opened *out)
{
    struct gssapi_protect *p = protect;
    struct gssapi_frame f;

    *out = (struct auth_opened) { .error = NULL };
    if (!message_sealed(p))
        return open_bad(out, "nothing-agreed");
    const enum auth_frame result = gssapi_frame(GSSAPI_DATA, data, len, &f);

    if (result == AUTH_FRAME_MORE) {
        out->used = f.used;
        return result;
    }
    if (result == AUTH_FRAME_BAD)
        return open_bad(out, gssapi_peer_error(p, &f, data, len));
    if (f.token_len == 0)
        return open_bad(out, "empty-token");
    return open_token(p, data, &f, out);
}
