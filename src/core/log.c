/* SPDX-License-Identifier: ISC */
/*
 * Diagnostics of one process, for the person who runs the gateway. Serves everybody. A line is made
 * on the stack, so that logging works without memory; control characters are replaced here, because
 * standard error may be a terminal. log_fatal exits, log_panic aborts.
 */
#include "src/core/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOG_LINE_MAX 1024

static struct {
    const char *label;
    log_sink *sink;
    void *sink_ctx;
    bool quiet;
    bool debug;
    bool in_sink; /* a sink that logs must not come back to itself */
} log_state = { .label = "sallyport" };

static const char *const severity_word[] = {
    [LOG_SEVERITY_INFO] = "",
    [LOG_SEVERITY_WARN] = "warning: ",
    [LOG_SEVERITY_ERROR] = "error: ",
    [LOG_SEVERITY_FATAL] = "fatal: ",
    [LOG_SEVERITY_PANIC] = "panic: ",
};

void
log_init(const char *label)
{
    log_state.label = label;
}

void
log_set_sink(log_sink *sink, void *ctx)
{
    log_state.sink = sink;
    log_state.sink_ctx = ctx;
}

void
log_to_stderr(int on)
{
    log_state.quiet = !on;
}

void
log_set_debug(int on)
{
    log_state.debug = on != 0;
}

int
log_debugging(void)
{
    return log_state.debug;
}

static void
replace_controls(char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c == 0x7f)
            *text = '?';
    }
}

static void
write_stderr(enum log_severity severity, const char *text)
{
    char line[LOG_LINE_MAX + 128];
    int n = snprintf(
        line, sizeof line, "%s: %s%s\n", log_state.label, severity_word[severity], text);

    if (n < 0)
        return;
    if ((size_t)n >= sizeof line) {
        n = sizeof line - 1;
        line[n - 1] = '\n';
    }
    /* One write keeps lines of several processes apart; nobody is left to tell when it fails. */
    ssize_t ignored = write(STDERR_FILENO, line, (size_t)n);
    (void)ignored;
}

static void SP_PRINTF(2, 0)
emit(enum log_severity severity, const char *fmt, va_list args)
{
    char text[LOG_LINE_MAX];
    int saved = errno;

    if (vsnprintf(text, sizeof text, fmt, args) < 0)
        text[0] = '\0';
    replace_controls(text);
    if (!log_state.quiet)
        write_stderr(severity, text);
    if (log_state.sink != NULL && !log_state.in_sink) {
        log_state.in_sink = true;
        log_state.sink(severity, text, log_state.sink_ctx);
        log_state.in_sink = false;
    }
    errno = saved;
}

/* Traces go to standard error alone: the audit trail is no place for them. */
void
log_trace(const char *fmt, ...)
{
    char text[LOG_LINE_MAX];
    va_list args;
    int saved = errno;

    if (!log_state.debug || log_state.quiet)
        return;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n >= 0) {
        replace_controls(text);
        write_stderr(LOG_SEVERITY_INFO, text);
    }
    errno = saved;
}

void
log_info(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    emit(LOG_SEVERITY_INFO, fmt, args);
    va_end(args);
}

void
log_warn(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    emit(LOG_SEVERITY_WARN, fmt, args);
    va_end(args);
}

void
log_error(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    emit(LOG_SEVERITY_ERROR, fmt, args);
    va_end(args);
}

void
log_fatal(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    emit(LOG_SEVERITY_FATAL, fmt, args);
    va_end(args);
    exit(EXIT_FAILURE);
}

static void SP_PRINTF(1, 2)
emit_panic(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    emit(LOG_SEVERITY_PANIC, fmt, args);
    va_end(args);
}

void
log_panic_at(const char *file, int line, const char *fmt, ...)
{
    char text[LOG_LINE_MAX / 2];
    va_list args;

    va_start(args, fmt);
    if (vsnprintf(text, sizeof text, fmt, args) < 0)
        text[0] = '\0';
    va_end(args);
    emit_panic("%s:%d: %s", file, line, text);
    abort();
}
