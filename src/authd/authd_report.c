/* SPDX-License-Identifier: ISC */
/*
 * What the master is told: who authenticated or failed, which file was adopted. While reports wait no new conversation is taken,
 * which bounds them. A report that cannot be sent at all is lost with a warning: the master is then
 * about to replace us.
 */
#include "src/authd/authd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/log.h"

struct authd_report {
    struct authd_report *next;
    enum ipc_type type;
    size_t len;
    uint8_t body[];
};

/* READY is the first thing the master hears; the rest is flushed after it. */
static bool
starting(const struct authd *a)
{
    return a->child.peer.state == IPC_STARTING;
}

/* False when it must wait. */
static bool
send_now(struct authd *a, enum ipc_type type, const uint8_t *body, size_t len)
{
    if (child_send(&a->child, type, body, len) == 0)
        return true;
    if (errno == EAGAIN)
        return false;
    if (errno != EPIPE)
        log_warn("sending the master %s: %s", ipc_type_name(type), strerror(errno));
    return true;
}

static void
report_keep(struct authd *a, enum ipc_type type, const uint8_t *body, size_t len)
{
    struct authd_report *r = malloc(sizeof *r + len);

    if (r == NULL) {
        log_warn("%s could not be sent: out of memory", ipc_type_name(type));
        return;
    }
    r->next = NULL;
    r->type = type;
    r->len = len;
    memcpy(r->body, body, len);
    *a->reports_end = r;
    a->reports_end = &r->next;
    if (starting(a))
        return;
    child_want_write(&a->child);
    authd_queues_update(a);
}

void
authd_report(struct authd *a, enum ipc_type type, const uint8_t *body, size_t len)
{
    if (len == 0)
        log_panic("%s does not fit", ipc_type_name(type));
    if (starting(a) || a->reports != NULL || !send_now(a, type, body, len))
        report_keep(a, type, body, len);
}

static void
report_drop(struct authd *a)
{
    struct authd_report *r = a->reports;

    a->reports = r->next;
    if (a->reports == NULL)
        a->reports_end = &a->reports;
    free(r);
}

void
authd_reports_flush(struct authd *a)
{
    while (a->reports != NULL &&
        send_now(a, a->reports->type, a->reports->body, a->reports->len))
        report_drop(a);
    if (a->reports != NULL)
        child_want_write(&a->child);
    authd_queues_update(a);
    authd_maybe_done(a);
}

void
authd_reports_free(struct authd *a)
{
    while (a->reports != NULL)
        report_drop(a);
}
