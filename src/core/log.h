/* SPDX-License-Identifier: ISC */
/*
 * Diagnostics for the person who runs the gateway. Four severities with fixed meaning: warn (we go
 * on), error (this session or this attempt), fatal (the environment does not allow us to run: exit
 * status 1), panic (our own bug: says where, then aborts). Audit events are another thing: event.h.
 * Lines go to standard error as "sallyport-worker[1]: warning: ..."; once a sink is set (the event
 * ring) they go there as gateway.message records too.
 */
#ifndef SP_CORE_LOG_H
#define SP_CORE_LOG_H

#include "lib/base/attr.h"

enum log_severity { LOG_SEVERITY_INFO, LOG_SEVERITY_WARN, LOG_SEVERITY_ERROR, LOG_SEVERITY_FATAL,
    LOG_SEVERITY_PANIC };

/* label stays the caller's and must live as long as the process ("sallyportd", "worker 1"). */
void log_init(const char *label);

/* Called for each line besides standard error; NULL removes it. */
typedef void log_sink(enum log_severity severity, const char *line, void *ctx);
void log_set_sink(log_sink *sink, void *ctx);
/* 0 silences standard error (a detached daemon). */
void log_to_stderr(int on);

/* trace lines appear only after log_set_debug(1) (sallyportd -v). */
void log_set_debug(int on);
int log_debugging(void);

void log_trace(const char *fmt, ...) SP_PRINTF(1, 2);
void log_info(const char *fmt, ...) SP_PRINTF(1, 2);
void log_warn(const char *fmt, ...) SP_PRINTF(1, 2);
void log_error(const char *fmt, ...) SP_PRINTF(1, 2);
void log_fatal(const char *fmt, ...) SP_PRINTF(1, 2) SP_NORETURN SP_COLD;
#define log_panic(...) log_panic_at(__FILE__, __LINE__, __VA_ARGS__)
void log_panic_at(const char *file, int line, const char *fmt, ...)
    SP_PRINTF(3, 4) SP_NORETURN SP_COLD;

#endif
