/* SPDX-License-Identifier: ISC */
/* Between the budgets of the session host and the master, who has the accounts. */
#include "src/worker/worker.h"

#include "src/core/ipc_budget.h"
#include "src/core/log.h"

int
worker_budget_ask(struct session_host *host, const struct ipc_budget_ask *ask)
{
    struct worker *w = (struct worker *)((char *)host - offsetof(struct worker, host));
    uint8_t body[IPC_BODY_MAX];

    return child_send(&w->child, IPC_BUDGET_ASK, body,
        ipc_budget_ask_encode(ask, body, sizeof body));
}

void
worker_budget_grant(struct child *child, struct ipc_message *m)
{
    struct worker *w = child->owner;
    struct ipc_budget_grant list[IPC_GRANTS_MAX];
    size_t count = 0;

    if (ipc_budget_grants_decode(m, list, &count) < 0)
        log_panic("malformed BUDGET_GRANT");
    budgets_grant(&w->host.budgets, list, count);
}
