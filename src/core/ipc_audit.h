/* SPDX-License-Identifier: ISC */
/* AUDIT_STATE, the logger's word about its target, as the master keeps it for who asks. */
#ifndef SP_CORE_IPC_AUDIT_H
#define SP_CORE_IPC_AUDIT_H

#include "lib/base/clock.h"
#include "src/core/ipc.h"

struct ipc_audit_state {
    bool connected;           /* the target is open, and what was written last did not fail */
    struct wall stuck_since;  /* it takes nothing since then, connected or not; 0: it does */
    uint64_t waiting;         /* records in the rings that are not safe */
    uint64_t lost_told;       /* records lost whose audit.lost is safe, since this logger began */
    uint64_t lost_untold;     /* ... is not */
};
size_t ipc_audit_state_encode(const struct ipc_audit_state *in, uint8_t *out, size_t size);
int ipc_audit_state_decode(const struct ipc_message *m, struct ipc_audit_state *out) SP_MUST_USE;

#endif
