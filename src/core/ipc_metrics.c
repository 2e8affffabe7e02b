/* SPDX-License-Identifier: ISC */
/* Bodies of METRICS_ASK and METRICS_TEXT. */
#include "src/core/ipc_metrics.h"

#include "src/core/ipc_private.h"

size_t
ipc_metrics_encode(enum metrics_format format, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    writer_u8(&w, (uint8_t)format);
    return writer_len(&w);
}

int
ipc_metrics_decode(const struct ipc_message *m, enum metrics_format *format)
{
    struct cursor c = cursor_init(m->body, m->len);
    uint8_t value = cursor_u8(&c);

    *format = (enum metrics_format)value;
    return value < METRICS_FORMAT_COUNT && ipc_done(&c) == 0 ? 0 : -1;
}
