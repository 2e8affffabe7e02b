/* SPDX-License-Identifier: ISC */
/*
 * Keeps what the logger says about its target. A logger counts from its own start; what one had lost
 * and not told is told, and counted, by its successor, which finds it in the rings' indices.
 */
#include "src/master/master_private.h"

#include "src/core/ipc_audit.h"

bool
audit_told(struct process *logger, const struct ipc_message *message)
{
    struct audit_told *a = &logger->m->audit;
    struct ipc_audit_state said;

    if (ipc_audit_state_decode(message, &said) < 0)
        return false;
    if (a->incarnation != logger->incarnation) {
        a->lost_before += a->lost_told;
        a->incarnation = logger->incarnation;
    }
    a->connected = said.connected;
    a->stuck_since = said.stuck_since;
    a->waiting = said.waiting;
    a->lost_told = said.lost_told;
    a->lost_untold = said.lost_untold;
    return true;
}

struct audit_state
audit_state(const struct master *m)
{
    const struct audit_told *a = &m->audit;
    const struct process *logger = master_logger(m);

    return (struct audit_state) {
        .known = a->incarnation != 0,
        .connected = a->connected && logger != NULL && logger->incarnation == a->incarnation,
        .stuck_since = a->stuck_since,
        .waiting = a->waiting,
        .lost = a->lost_before + a->lost_told + a->lost_untold,
    };
}
