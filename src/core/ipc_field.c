/* SPDX-License-Identifier: ISC */
/*
 * The fields that bodies of messages are made of, in host order. Texts are a length (u8, or u16 where more
 * than 255 may come) and bytes without NUL. Serves ipc_body.c and the other codecs. What no encoder would
 * have written fails the cursor.
 */
#include "src/core/ipc_private.h"

#include "lib/base/cursor.h"
#include "src/core/log.h"

#include <string.h>

static const uint8_t zeros[16];

void
ipc_put_text(struct writer *w, const char *text, size_t size, bool wide)
{
    size_t len = strnlen(text, size);

    if (len >= size)
        log_panic("text without end in a message");
    if (wide)
        writer_u16(w, (uint16_t)len);
    else
        writer_u8(w, (uint8_t)len);
    writer_bytes(w, text, len);
}

void
ipc_get_text(struct cursor *c, char *text, size_t size, bool wide)
{
    size_t len = wide ? cursor_u16(c) : cursor_u8(c);

    text[0] = '\0';
    if (len >= size) {
        cursor_fail(c);
        return;
    }
    cursor_copy(c, text, len);
    text[len] = '\0';
    if (memchr(text, '\0', len) != NULL)
        cursor_fail(c);
}

bool
ipc_get_bool(struct cursor *c)
{
    uint8_t v = cursor_u8(c);

    if (v > 1)
        cursor_fail(c);
    return v == 1;
}

void
ipc_put_addr(struct writer *w, const struct addr *a)
{
    writer_u8(w, a->family);
    writer_u8(w, 0);
    writer_u16(w, a->port);
    writer_u32(w, a->scope);
    writer_bytes(w, a->ip, sizeof a->ip);
}

void
ipc_get_addr(struct cursor *c, struct addr *a)
{
    memset(a, 0, sizeof *a);
    a->family = cursor_u8(c);
    if (cursor_u8(c) != 0)
        cursor_fail(c);
    a->port = cursor_u16(c);
    a->scope = cursor_u32(c);
    cursor_copy(c, a->ip, sizeof a->ip);
    size_t used = a->family == ADDR_IPV6 ? 16 : a->family == ADDR_IPV4 ? 4 : 0;

    if (used == 0 && a->family != ADDR_NONE)
        cursor_fail(c);
    if (memcmp(a->ip + used, zeros, sizeof a->ip - used) != 0)
        cursor_fail(c);
}

int
ipc_done(const struct cursor *c)
{
    return cursor_ok(c) && cursor_left(c) == 0 ? 0 : -1;
}
