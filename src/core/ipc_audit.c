/* SPDX-License-Identifier: ISC */
/* Body of AUDIT_STATE. Serves logger and master; what does not decode is a violation. */
#include "src/core/ipc_audit.h"

#include "lib/base/cursor.h"

size_t
ipc_audit_state_encode(const struct ipc_audit_state *in, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    writer_u8(&w, in->connected);
    writer_u64(&w, (uint64_t)in->stuck_since.us);
    writer_u64(&w, in->waiting);
    writer_u64(&w, in->lost_told);
    writer_u64(&w, in->lost_untold);
    return writer_len(&w);
}

int
ipc_audit_state_decode(const struct ipc_message *m, struct ipc_audit_state *out)
{
    struct cursor c = cursor_init(m->body, m->len);
    uint8_t connected = cursor_u8(&c);

    out->connected = connected == 1;
    out->stuck_since.us = (int64_t)cursor_u64(&c);
    out->waiting = cursor_u64(&c);
    out->lost_told = cursor_u64(&c);
    out->lost_untold = cursor_u64(&c);
    return cursor_ok(&c) && cursor_left(&c) == 0 && connected <= 1 ? 0 : -1;
}
