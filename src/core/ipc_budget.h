/* SPDX-License-Identifier: ISC */
/*
 * Bodies of the messages about bandwidth. The master keeps one account for each rule that limits it and
 * one for each user under such a rule; a worker asks before it moves bytes and moves what it was granted.
 * Encoders return the length, decoders 0 or -1 when malformed.
 */
#ifndef SP_CORE_IPC_BUDGET_H
#define SP_CORE_IPC_BUDGET_H

#include "src/core/ipc.h"

/* BUDGET_ASK. What one handle asks for replaces what it asked for before and did not get; 0 bytes: it
   wants no more. */
struct ipc_budget_ask {
    uint64_t generation; /* of the image that the rule is an index into */
    uint32_t rule;
    uint32_t handle;     /* the worker's own name for the account; it comes back in the answer */
    uint32_t bytes;      /* wanted */
    char user[1024];     /* "": the rule's own account, else that of this user under it */
};
size_t ipc_budget_ask_encode(const struct ipc_budget_ask *in, uint8_t *out, size_t size);
int ipc_budget_ask_decode(const struct ipc_message *m, struct ipc_budget_ask *out) SP_MUST_USE;

/* BUDGET_GRANT: one entry for each answer. The handle's ask is over with it, however much of it was
   granted. 0 bytes: the question was about another image than the one in force; a COMMIT came before this
   answer, so ask again. */
#define IPC_GRANTS_MAX 250
struct ipc_budget_grant {
    uint32_t handle;
    uint32_t bytes;
};
size_t ipc_budget_grants_encode(const struct ipc_budget_grant *list, size_t count, uint8_t *out,
    size_t size);
/* list has room for IPC_GRANTS_MAX. */
int ipc_budget_grants_decode(const struct ipc_message *m, struct ipc_budget_grant *list, size_t *count)
    SP_MUST_USE;

#endif
