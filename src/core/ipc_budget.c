/* SPDX-License-Identifier: ISC */
/* BUDGET_ASK and BUDGET_GRANT. Serves the master and the workers. */
#include "src/core/ipc_budget.h"

#include "src/core/ipc_private.h"

#define IPC_GRANT_LEN 8U

size_t
ipc_budget_ask_encode(const struct ipc_budget_ask *in, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    writer_u64(&w, in->generation);
    writer_u32(&w, in->rule);
    writer_u32(&w, in->handle);
    writer_u32(&w, in->bytes);
    ipc_put_text(&w, in->user, sizeof in->user, true);
    return writer_len(&w);
}

int
ipc_budget_ask_decode(const struct ipc_message *m, struct ipc_budget_ask *out)
{
    struct cursor c = cursor_init(m->body, m->len);

    out->generation = cursor_u64(&c);
    out->rule = cursor_u32(&c);
    out->handle = cursor_u32(&c);
    out->bytes = cursor_u32(&c);
    ipc_get_text(&c, out->user, sizeof out->user, true);
    return ipc_done(&c);
}

size_t
ipc_budget_grants_encode(const struct ipc_budget_grant *list, size_t count, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    for (size_t i = 0; i < count; i++) {
        writer_u32(&w, list[i].handle);
        writer_u32(&w, list[i].bytes);
    }
    return writer_len(&w);
}

int
ipc_budget_grants_decode(const struct ipc_message *m, struct ipc_budget_grant *list, size_t *count)
{
    struct cursor c = cursor_init(m->body, m->len);
    size_t n = m->len / IPC_GRANT_LEN;

    *count = 0;
    if (n == 0 || n > IPC_GRANTS_MAX)
        return -1;
    for (size_t i = 0; i < n; i++) {
        list[i].handle = cursor_u32(&c);
        list[i].bytes = cursor_u32(&c);
    }
    *count = n;
    return ipc_done(&c);
}
