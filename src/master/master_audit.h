/* SPDX-License-Identifier: ISC */
/* What the logger said last about the audit's target, for those who show it. */
#ifndef SP_MASTER_MASTER_AUDIT_H
#define SP_MASTER_MASTER_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/clock.h"

struct master;
struct process;

struct audit_state {
    bool known;              /* a logger has said something */
    bool connected;          /* a logger runs, its target is open and did not fail */
    struct wall stuck_since; /* the target takes no records since then; 0: it does */
    uint64_t waiting;        /* records in the rings that the target has not accepted */
    uint64_t lost;           /* records that never came out, since the master began */
};

/* At most a second old, while the logger lives. */
struct audit_state audit_state(const struct master *m);

/* ---- for the master's own files ---- */

struct ipc_message;

/* What is kept: the last word of the present logger, and what those before it have lost. */
struct audit_told {
    uint32_t incarnation; /* of the logger that said it; 0: none yet */
    bool connected;
    struct wall stuck_since;
    uint64_t waiting;
    uint64_t lost_told, lost_untold;
    uint64_t lost_before;
};

/* AUDIT_STATE came. False: malformed. */
bool audit_told(struct process *logger, const struct ipc_message *message);

#endif
