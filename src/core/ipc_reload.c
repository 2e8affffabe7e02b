/* SPDX-License-Identifier: ISC */
/* Bodies of the messages of a reload; see ipc_field.c for the form. */
#include "src/core/ipc_reload.h"

#include "src/core/ipc_private.h"

#include <string.h>

/* ---- LISTENERS ---- */

static void
put_listeners(struct writer *w, const struct ipc_listeners *in)
{
    writer_u16(w, in->count);
    for (uint16_t i = 0; i < in->count && i < IPC_LISTENERS_MAX; i++)
        writer_u16(w, in->numbers[i]);
}

static void
get_listeners(struct cursor *c, struct ipc_listeners *out)
{
    uint64_t seen[IPC_LISTENER_NUMBERS / 64] = { 0 };

    out->count = cursor_u16(c);
    if (out->count > IPC_LISTENERS_MAX) {
        out->count = 0;
        cursor_fail(c);
    }
    for (uint16_t i = 0; i < out->count; i++) {
        uint16_t number = cursor_u16(c);

        out->numbers[i] = number;
        if (number >= IPC_LISTENER_NUMBERS || (seen[number / 64] >> (number % 64) & 1) != 0) {
            cursor_fail(c);
            return;
        }
        seen[number / 64] |= UINT64_C(1) << (number % 64);
    }
}

size_t
ipc_listeners_encode(const struct ipc_listeners *in, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    put_listeners(&w, in);
    return writer_len(&w);
}

int
ipc_listeners_decode(const struct ipc_message *m, struct ipc_listeners *out)
{
    struct cursor c = cursor_init(m->body, m->len);

    memset(out, 0, sizeof *out);
    get_listeners(&c, out);
    return ipc_done(&c);
}

/* ---- PREPARE, PREPARED, COMMIT, ABORT ---- */

static uint64_t
get_generation(struct cursor *c)
{
    uint64_t generation = cursor_u64(c);

    if (generation == 0)
        cursor_fail(c);
    return generation;
}

size_t
ipc_prepare_encode(const struct ipc_prepare *in, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    writer_u64(&w, in->generation);
    put_listeners(&w, &in->listeners);
    return writer_len(&w);
}

int
ipc_prepare_decode(const struct ipc_message *m, struct ipc_prepare *out)
{
    struct cursor c = cursor_init(m->body, m->len);

    memset(out, 0, sizeof *out);
    out->generation = get_generation(&c);
    get_listeners(&c, &out->listeners);
    return ipc_done(&c);
}

size_t
ipc_prepared_encode(const struct ipc_prepared *in, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    writer_u64(&w, in->generation);
    writer_u8(&w, in->ok);
    ipc_put_text(&w, in->error, sizeof in->error, true);
    return writer_len(&w);
}

int
ipc_prepared_decode(const struct ipc_message *m, struct ipc_prepared *out)
{
    struct cursor c = cursor_init(m->body, m->len);

    memset(out, 0, sizeof *out);
    out->generation = get_generation(&c);
    out->ok = ipc_get_bool(&c);
    ipc_get_text(&c, out->error, sizeof out->error, true);
    return ipc_done(&c);
}

size_t
ipc_generation_encode(uint64_t generation, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    writer_u64(&w, generation);
    return writer_len(&w);
}

int
ipc_generation_decode(const struct ipc_message *m, uint64_t *generation)
{
    struct cursor c = cursor_init(m->body, m->len);

    *generation = get_generation(&c);
    return ipc_done(&c);
}

/* ---- KILL, REJUDGED ---- */

size_t
ipc_kill_encode(const struct ipc_kill *in, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    for (uint16_t i = 0; i < in->count && i < IPC_KILL_MAX; i++)
        writer_u64(&w, in->ids[i]);
    return writer_len(&w);
}

int
ipc_kill_decode(const struct ipc_message *m, struct ipc_kill *out)
{
    struct cursor c = cursor_init(m->body, m->len);

    memset(out, 0, sizeof *out);
    size_t n = cursor_left(&c) / sizeof out->ids[0];

    if (n == 0 || n > IPC_KILL_MAX)
        return -1;
    for (size_t i = 0; i < n; i++) {
        out->ids[i] = cursor_u64(&c);
        if (out->ids[i] == 0)
            cursor_fail(&c);
    }
    out->count = (uint16_t)n;
    return ipc_done(&c);
}

size_t
ipc_rejudged_encode(const struct ipc_rejudged *in, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    writer_u64(&w, in->generation);
    writer_u32(&w, in->ended);
    return writer_len(&w);
}

int
ipc_rejudged_decode(const struct ipc_message *m, struct ipc_rejudged *out)
{
    struct cursor c = cursor_init(m->body, m->len);

    memset(out, 0, sizeof *out);
    out->generation = get_generation(&c);
    out->ended = cursor_u32(&c);
    return ipc_done(&c);
}
