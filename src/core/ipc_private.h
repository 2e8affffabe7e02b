/* SPDX-License-Identifier: ISC */
/* What ipc.c and ipc_body.c share, and the tests look at. */
#ifndef SP_CORE_IPC_PRIVATE_H
#define SP_CORE_IPC_PRIVATE_H

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

#endif
