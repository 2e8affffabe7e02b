/* SPDX-License-Identifier: ISC */
/*
 * Bodies of the messages between our processes, field by field (ipc_field.c). Serves master and
 * children. Decoders refuse everything an encoder would not have written; the caller treats that as a
 * violation.
 */
#include "src/core/ipc_private.h"

#include "lib/base/cursor.h"

#include <string.h>

/* ---- INIT ---- */

enum { INIT_PRIVILEGED = 1, INIT_DEBUG = 2, INIT_OUT_OF_TREE = 4, INIT_PLAIN_LOG = 8,
    INIT_FLAGS = 15 };

size_t
ipc_init_encode(const struct ipc_init *in, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    writer_u8(&w, (uint8_t)in->role);
    writer_u8(&w,
        (uint8_t)((in->privileged ? INIT_PRIVILEGED : 0) | (in->debug ? INIT_DEBUG : 0)
            | (in->out_of_tree ? INIT_OUT_OF_TREE : 0) | (in->plain_log ? INIT_PLAIN_LOG : 0)));
    writer_u16(&w, in->number);
    writer_u32(&w, in->incarnation);
    writer_u32(&w, in->uid);
    writer_u32(&w, in->gid);
    writer_u32(&w, in->capacity);
    ipc_put_text(&w, in->label, sizeof in->label, false);
    ipc_put_text(&w, in->module, sizeof in->module, false);
    ipc_put_text(&w, in->chroot_dir, sizeof in->chroot_dir, false);
    return writer_len(&w);
}

int
ipc_init_decode(const struct ipc_message *m, struct ipc_init *out)
{
    struct cursor c = cursor_init(m->body, m->len);

    memset(out, 0, sizeof *out);
    out->role = (enum ipc_role)cursor_u8(&c);
    uint8_t flags = cursor_u8(&c);

    out->privileged = (flags & INIT_PRIVILEGED) != 0;
    out->debug = (flags & INIT_DEBUG) != 0;
    out->out_of_tree = (flags & INIT_OUT_OF_TREE) != 0;
    out->plain_log = (flags & INIT_PLAIN_LOG) != 0;
    out->number = cursor_u16(&c);
    out->incarnation = cursor_u32(&c);
    out->uid = cursor_u32(&c);
    out->gid = cursor_u32(&c);
    out->capacity = cursor_u32(&c);
    ipc_get_text(&c, out->label, sizeof out->label, false);
    ipc_get_text(&c, out->module, sizeof out->module, false);
    ipc_get_text(&c, out->chroot_dir, sizeof out->chroot_dir, false);
    if ((flags & ~INIT_FLAGS) != 0
        || (out->role != IPC_WORKER && out->role != IPC_AUTH && out->role != IPC_LOGGER
            && out->role != IPC_METRICS))
        cursor_fail(&c);
    return ipc_done(&c);
}

/* ---- numbers ---- */

size_t
ipc_u32_encode(uint32_t value, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    writer_u32(&w, value);
    return writer_len(&w);
}

int
ipc_u32_decode(const struct ipc_message *m, uint32_t *value)
{
    struct cursor c = cursor_init(m->body, m->len);

    *value = cursor_u32(&c);
    return ipc_done(&c);
}

static size_t
put_pair(uint32_t a, uint32_t b, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    writer_u32(&w, a);
    writer_u32(&w, b);
    return writer_len(&w);
}

static int
get_pair(const struct ipc_message *m, uint32_t *a, uint32_t *b)
{
    struct cursor c = cursor_init(m->body, m->len);

    *a = cursor_u32(&c);
    *b = cursor_u32(&c);
    return ipc_done(&c);
}

size_t
ipc_queue_receive_encode(const struct ipc_queue_receive *in, uint8_t *out, size_t size)
{
    return put_pair(in->worker, in->incarnation, out, size);
}

int
ipc_queue_receive_decode(const struct ipc_message *m, struct ipc_queue_receive *out)
{
    return get_pair(m, &out->worker, &out->incarnation);
}

size_t
ipc_pipes_encode(const struct ipc_pipes *in, uint8_t *out, size_t size)
{
    return put_pair(in->count, in->size, out, size);
}

int
ipc_pipes_read(const struct ipc_message *m, struct ipc_pipes *out)
{
    return get_pair(m, &out->count, &out->size);
}

int
ipc_pipes_decode(const struct ipc_message *m, struct ipc_pipes *out)
{
    if (ipc_pipes_read(m, out) < 0)
        return -1;
    return (uint64_t)out->count * 2 == m->fd_count + m->fd_lost ? 0 : -1;
}

/* ---- SESSIONS, ENDED ---- */

size_t
ipc_sessions_encode(const struct ipc_session *list, size_t count, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    for (size_t i = 0; i < count; i++) {
        writer_u64(&w, list[i].id);
        writer_u16(&w, list[i].listener);
        ipc_put_addr(&w, &list[i].client);
        ipc_put_addr(&w, &list[i].local);
    }
    return writer_len(&w);
}

int
ipc_sessions_decode(const struct ipc_message *m, struct ipc_session *list, size_t *count)
{
    struct cursor c = cursor_init(m->body, m->len);
    size_t n = m->len / IPC_SESSION_LEN;

    *count = 0;
    if (n == 0 || n > IPC_SESSIONS_MAX || n != m->fd_count + m->fd_lost)
        return -1;
    for (size_t i = 0; i < n; i++) {
        list[i].id = cursor_u64(&c);
        list[i].listener = cursor_u16(&c);
        ipc_get_addr(&c, &list[i].client);
        ipc_get_addr(&c, &list[i].local);
        if (list[i].id == 0)
            cursor_fail(&c);
    }
    *count = n;
    return ipc_done(&c);
}

size_t
ipc_ids_encode(const uint64_t *ids, size_t count, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    for (size_t i = 0; i < count; i++)
        writer_u64(&w, ids[i]);
    return writer_len(&w);
}

int
ipc_ids_decode(const struct ipc_message *m, size_t most, uint64_t *ids, size_t *count)
{
    struct cursor c = cursor_init(m->body, m->len);
    size_t n = m->len / sizeof *ids;

    *count = 0;
    if (n == 0 || n > most)
        return -1;
    for (size_t i = 0; i < n; i++) {
        ids[i] = cursor_u64(&c);
        if (ids[i] == 0)
            cursor_fail(&c);
    }
    *count = n;
    return ipc_done(&c);
}

size_t
ipc_ended_encode(const uint64_t *ids, size_t count, uint8_t *out, size_t size)
{
    return ipc_ids_encode(ids, count, out, size);
}

int
ipc_ended_decode(const struct ipc_message *m, uint64_t *ids, size_t *count)
{
    return ipc_ids_decode(m, IPC_ENDED_MAX, ids, count);
}

/* ---- files ---- */

static void
put_file(struct writer *w, const struct ipc_file *in)
{
    writer_u8(w, (uint8_t)in->kind);
    writer_u32(w, in->generation);
    ipc_put_text(w, in->option, sizeof in->option, false);
}

static void
get_file(struct cursor *c, struct ipc_file *out)
{
    memset(out, 0, sizeof *out);
    out->kind = (enum ipc_file_kind)cursor_u8(c);
    if (out->kind < IPC_FILE_LOG || out->kind > IPC_FILE_MODULE)
        cursor_fail(c);
    out->generation = cursor_u32(c);
    ipc_get_text(c, out->option, sizeof out->option, false);
}

size_t
ipc_file_encode(const struct ipc_file *in, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    put_file(&w, in);
    return writer_len(&w);
}

int
ipc_file_decode(const struct ipc_message *m, struct ipc_file *out)
{
    struct cursor c = cursor_init(m->body, m->len);

    get_file(&c, out);
    return ipc_done(&c);
}

size_t
ipc_file_result_encode(const struct ipc_file_result *in, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    put_file(&w, &in->file);
    writer_u8(&w, in->accepted);
    ipc_put_text(&w, in->error, sizeof in->error, true);
    return writer_len(&w);
}

int
ipc_file_result_decode(const struct ipc_message *m, struct ipc_file_result *out)
{
    struct cursor c = cursor_init(m->body, m->len);

    get_file(&c, &out->file);
    out->accepted = ipc_get_bool(&c);
    ipc_get_text(&c, out->error, sizeof out->error, true);
    return ipc_done(&c);
}

/* ---- AUTH_RESULT, RING_ADD ---- */

size_t
ipc_auth_result_encode(const struct ipc_auth_result *in, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    writer_u32(&w, in->worker);
    writer_u32(&w, in->incarnation);
    writer_u64(&w, in->session);
    writer_u8(&w, in->success);
    writer_u8(&w, in->excused);
    ipc_put_text(&w, in->user, sizeof in->user, true);
    return writer_len(&w);
}

int
ipc_auth_result_decode(const struct ipc_message *m, struct ipc_auth_result *out)
{
    struct cursor c = cursor_init(m->body, m->len);

    out->worker = cursor_u32(&c);
    out->incarnation = cursor_u32(&c);
    out->session = cursor_u64(&c);
    out->success = ipc_get_bool(&c);
    out->excused = ipc_get_bool(&c);
    ipc_get_text(&c, out->user, sizeof out->user, true);
    if (out->session == 0)
        cursor_fail(&c);
    return ipc_done(&c);
}

size_t
ipc_ring_encode(const struct ipc_ring *in, uint8_t *out, size_t size)
{
    struct writer w = writer_init(out, size);

    writer_u32(&w, in->ring);
    ipc_put_text(&w, in->label, sizeof in->label, false);
    return writer_len(&w);
}

int
ipc_ring_decode(const struct ipc_message *m, struct ipc_ring *out)
{
    struct cursor c = cursor_init(m->body, m->len);

    out->ring = cursor_u32(&c);
    ipc_get_text(&c, out->label, sizeof out->label, false);
    return ipc_done(&c);
}
