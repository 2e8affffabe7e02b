/* SPDX-License-Identifier: ISC */
/* Turns a process's diagnostics into gateway.message records. Serves every process with a ring. */
#include "src/core/log_event.h"

#include "src/core/event.h"
#include "src/core/log.h"

static const char *const severity_name[] = {
    [LOG_SEVERITY_INFO] = "info",
    [LOG_SEVERITY_WARN] = "warning",
    [LOG_SEVERITY_ERROR] = "error",
    [LOG_SEVERITY_FATAL] = "fatal",
    [LOG_SEVERITY_PANIC] = "panic",
};

static void
sink(enum log_severity severity, const char *line, void *ctx)
{
    struct event e;

    event_begin(&e, EVENT_GATEWAY_MESSAGE, 0, wall_read());
    event_text(&e, FIELD_SEVERITY, severity_name[severity]);
    event_text(&e, FIELD_TEXT, line);
    event_commit(ctx, &e);
}

void
log_to_ring(struct ring_writer *ring)
{
    log_set_sink(ring != NULL ? sink : NULL, ring);
}
