/* SPDX-License-Identifier: ISC */
/* What ipc.c and the codecs of bodies share, and the tests look at. */
#ifndef SP_CORE_IPC_PRIVATE_H
#define SP_CORE_IPC_PRIVATE_H

#include "lib/base/cursor.h"
#include "src/core/ipc.h"

struct ipc_row {
    const char *name;
    unsigned from;   /* enum ipc_role bits */
    unsigned to;
    unsigned states; /* enum ipc_state bits */
    size_t min_len;
    size_t max_len;
    size_t min_fds;
    size_t max_fds;
};
extern const struct ipc_row ipc_table[IPC_TYPE_COUNT];

/* Bytes of one address and of one entry of SESSIONS. */
#define IPC_ADDR_LEN 24U
#define IPC_SESSION_LEN (8U + 2U + 2U * IPC_ADDR_LEN)

/* ipc_pipes_decode() without looking at the descriptors. */
int ipc_pipes_read(const struct ipc_message *m, struct ipc_pipes *out) SP_MUST_USE;

/* ---- what the codecs share (ipc_field.c) ---- */

/* Text with its length before it, in one byte or, wide, two. The array has size bytes, NUL included. */
void ipc_put_text(struct writer *w, const char *text, size_t size, bool wide);
void ipc_get_text(struct cursor *c, char *text, size_t size, bool wide);
bool ipc_get_bool(struct cursor *c);
void ipc_put_addr(struct writer *w, const struct addr *a);
void ipc_get_addr(struct cursor *c, struct addr *a);
/* 0 when all was read and nothing is left, else -1. */
int ipc_done(const struct cursor *c) SP_MUST_USE;
/* A body of session ids, none of them 0, and at most so many (ipc_body.c). */
size_t ipc_ids_encode(const uint64_t *ids, size_t count, uint8_t *out, size_t size);
int ipc_ids_decode(const struct ipc_message *m, size_t most, uint64_t *ids, size_t *count) SP_MUST_USE;

#endif
