/* SPDX-License-Identifier: ISC */
/*
 * Bodies of the messages about limits: what a worker says of sessions without a login, what the master
 * answers about those with one, and which logins a pool refuses for a while. Encoders return the length,
 * decoders 0 or -1 when malformed.
 */
#ifndef SP_CORE_IPC_LIMITS_H
#define SP_CORE_IPC_LIMITS_H

#include "lib/base/addr.h"
#include "src/core/ipc.h"

/* REQUESTED: sessions of methods without a login whose request was read; only where
   limits.pending-per-client is set. ids has room for IPC_REQUESTED_MAX. */
#define IPC_REQUESTED_MAX 250
size_t ipc_requested_encode(const uint64_t *ids, size_t count, uint8_t *out, size_t size);
int ipc_requested_decode(const struct ipc_message *m, uint64_t *ids, size_t *count) SP_MUST_USE;

/* VERDICT: one entry for each login that succeeded, once limits.sessions-per-user was set in any image. */
#define IPC_VERDICTS_MAX 200
enum ipc_verdict_what {
    IPC_VERDICT_GO,      /* it may go on */
    IPC_VERDICT_SESSIONS /* its user has as many sessions as limits.sessions-per-user allows */
};
struct ipc_verdict {
    uint64_t session;
    enum ipc_verdict_what what;
};
size_t ipc_verdicts_encode(const struct ipc_verdict *list, size_t count, uint8_t *out, size_t size);
/* list has room for IPC_VERDICTS_MAX. */
int ipc_verdicts_decode(const struct ipc_message *m, struct ipc_verdict *list, size_t *count)
    SP_MUST_USE;

/* PENALTY: logins of this user from these addresses fail for so many seconds, whatever the secret says;
   0: no longer. Sent again it replaces what was said before. */
struct ipc_penalty {
    uint32_t seconds;
    struct addr_prefix client; /* /32 of IPv4 or /64 of IPv6 */
    char user[1024];           /* the claimed name, never "" */
};
size_t ipc_penalty_encode(const struct ipc_penalty *in, uint8_t *out, size_t size);
int ipc_penalty_decode(const struct ipc_message *m, struct ipc_penalty *out) SP_MUST_USE;

#endif
