/* SPDX-License-Identifier: ISC */
/*
 * Header and rotation of RFC 4121 tokens, without any key. Serves krb5msg_wrap.c and
 * krb5msg_unwrap.c. Bytes that are no token's are an answer; nothing is fatal.
 */
#include "lib/krb5msg/krb5msg_token.h"

#include <string.h>

#include "lib/base/cursor.h"

#define ROTATE_STACK 256

void
krb5msg_header_encode(const struct krb5msg_header *h, uint8_t out[KRB5MSG_CLEAR])
{
    struct writer w = writer_init(out, KRB5MSG_CLEAR);
    writer_u16_be(&w, TOKEN_ID_WRAP);
    writer_u8(&w, h->flags);
    writer_u8(&w, TOKEN_FILLER);
    writer_u16_be(&w, h->ec);
    writer_u16_be(&w, h->rrc);
    writer_u32_be(&w, (uint32_t)(h->seq >> 32));
    writer_u32_be(&w, (uint32_t)h->seq);
}

enum krb5msg_result
krb5msg_header_decode(const uint8_t *data, size_t len, struct krb5msg_header *out)
{
    struct cursor c = cursor_init(data, len);
    const uint16_t id = cursor_u16_be(&c);
    out->flags = cursor_u8(&c);
    const uint8_t filler = cursor_u8(&c);
    out->ec = cursor_u16_be(&c);
    out->rrc = cursor_u16_be(&c);
    out->seq = (uint64_t)cursor_u32_be(&c) << 32;
    out->seq |= cursor_u32_be(&c);
    if (!cursor_ok(&c)) {
        return KRB5MSG_TRUNCATED;
    }
    return id == TOKEN_ID_WRAP && filler == TOKEN_FILLER ? KRB5MSG_OK : KRB5MSG_NOT_A_TOKEN;
}

static void
rotate_reverse(uint8_t *data, size_t len)
{
    for (size_t i = 0, k = len; i + 1 < k; i++) {
        const uint8_t byte = data[i];
        data[i] = data[--k];
        data[k] = byte;
    }
}

/* What peers send is 0, or the length of their trailer: moved through the stack. Anything else is
   turned over three times, which needs no room. */
void
krb5msg_rotate_left(uint8_t *data, size_t len, size_t rrc)
{
    const size_t by = len > 0 ? rrc % len : 0;
    if (by == 0) {
        return;
    }
    if (by <= ROTATE_STACK) {
        uint8_t front[ROTATE_STACK];
        memcpy(front, data, by);
        memmove(data, data + by, len - by);
        memcpy(data + len - by, front, by);
        return;
    }
    rotate_reverse(data, by);
    rotate_reverse(data + by, len - by);
    rotate_reverse(data, len);
}
