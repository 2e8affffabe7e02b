/* SPDX-License-Identifier: ISC */
/* REQUESTED, VERDICT and PENALTY. Serves the master, the workers and the pools. */
#include "src/core/ipc_limits.h"

#include "src/core/ipc_private.h"

#include <string.h>

#define VERDICT_LEN 9U
#define CLIENT_BITS_IPV4 32
#define CLIENT_BITS_IPV6 64

static const uint8_t zeros[16];

/* ---- REQUESTED ---- */

size_t
ipc_requested_encode(const uint64_t *ids, size_t count, uint8_t *out, size_t size)
{
    return ipc_ids_encode(ids, count, out, size);
}

int
ipc_requested_decode(const struct ipc_message *m, uint64_t *ids, size_t *count)
{
    return ipc_ids_decode(m, IPC_REQUESTED_MAX, ids, count);
}

/* ---- VERDICT ---- */

size_t
ipc_verdicts_encode(const struct ipc_verdict *list, size_t count, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    for (size_t i = 0; i < count; i++) {
        writer_u64(&w, list[i].session);
        writer_u8(&w, (uint8_t)list[i].what);
    }
    return writer_len(&w);
}

static struct ipc_verdict
get_verdict(struct cursor *c)
{
    uint64_t session = cursor_u64(c);
    uint8_t what = cursor_u8(c);

    if (session == 0 || what > IPC_VERDICT_SESSIONS)
        cursor_fail(c);
    return (struct ipc_verdict) { session, (enum ipc_verdict_what)what };
}

int
ipc_verdicts_decode(const struct ipc_message *m, struct ipc_verdict *list, size_t *count)
{
    struct cursor c = cursor_init(m->body, m->len);
    size_t n = m->len / VERDICT_LEN;

    *count = 0;
    if (n == 0 || n > IPC_VERDICTS_MAX)
        return -1;
    for (size_t i = 0; i < n; i++)
        list[i] = get_verdict(&c);
    *count = n;
    return ipc_done(&c);
}

/* ---- PENALTY ---- */

/* The family says how many bits: an IPv4 address, or the first half of an IPv6 one. */
static void
put_client(struct writer *w, const struct addr_prefix *p)
{
    writer_u8(w, p->family);
    writer_bytes(w, p->ip, sizeof p->ip);
}

static void
get_client(struct cursor *c, struct addr_prefix *p)
{
    memset(p, 0, sizeof *p);
    p->family = cursor_u8(c);
    cursor_copy(c, p->ip, sizeof p->ip);
    p->bits = p->family == ADDR_IPV4 ? CLIENT_BITS_IPV4 : CLIENT_BITS_IPV6;
    if (p->family != ADDR_IPV4 && p->family != ADDR_IPV6)
        cursor_fail(c);
    size_t used = p->bits / 8U;

    if (memcmp(p->ip + used, zeros, sizeof p->ip - used) != 0)
        cursor_fail(c);
}

size_t
ipc_penalty_encode(const struct ipc_penalty *in, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    writer_u32(&w, in->seconds);
    put_client(&w, &in->client);
    ipc_put_text(&w, in->user, sizeof in->user, true);
    return writer_len(&w);
}

int
ipc_penalty_decode(const struct ipc_message *m, struct ipc_penalty *out)
{
    struct cursor c = cursor_init(m->body, m->len);

    out->seconds = cursor_u32(&c);
    get_client(&c, &out->client);
    ipc_get_text(&c, out->user, sizeof out->user, true);
    if (out->user[0] == '\0')
        cursor_fail(&c);
    return ipc_done(&c);
}
