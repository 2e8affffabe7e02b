/* SPDX-License-Identifier: ISC */
/*
 * The end: listeners, then workers with the time timeouts.stop gives them, then the pools, the last
 * record, the logger. Serves master_signal.c. The second signal shortens every wait to a second. A
 * child that does not end in its time is killed.
 */
#include "src/master/master_control.h"
#include "src/master/master_private.h"

#include "src/core/log.h"
#include "src/core/notify.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define POOL_SECONDS 2
#define LOGGER_SECONDS 5 /* what the log target has for the last records */

void
process_stop(struct process *p, const char *reason, uint32_t seconds)
{
    if (!process_alive(p))
        return;
    if (p->phase == PROCESS_STARTING && p->place->role != IPC_LOGGER) {
        process_kill(p, reason);
        return;
    }
    outbox_stopping(p);
    p->reason = reason;
    p->told_to_stop = true;
    process_set_phase(p, PROCESS_STOPPING);
    process_send_u32(p, IPC_STOP, seconds);
    if (process_alive(p))
        watch_limit(p, (int64_t)seconds + (p->m->stop_now ? 1 : MASTER_KILL_SECONDS));
}

static void
stop_role(struct master *m, enum ipc_role role, uint32_t seconds)
{
    for (struct process *p = m->processes; p != NULL; p = p->next) {
        if (p->place->role == role)
            process_stop(p, "stopping", seconds);
    }
}

static bool
role_gone(const struct master *m, enum ipc_role role)
{
    for (const struct process *p = m->processes; p != NULL; p = p->next) {
        if (p->place->role == role)
            return false;
    }
    return true;
}

static void
stop_logger(struct master *m)
{
    struct place *place = &m->places[0];

    limits_last_words(m);
    events_gateway_stop(m, m->stop_reason);
    m->stop = STOP_LOGGER;
    loop_timer_cancel(m->loop, &place->respawn);
    if (place->process == NULL && spawn(place) < 0)
        log_warn("no logger for the last records: %s", strerror(errno));
    stop_role(m, IPC_LOGGER, m->stop_now ? 1 : LOGGER_SECONDS);
}

void
stop_advance(struct master *m)
{
    if (m->stop == STOP_WORKERS && role_gone(m, IPC_WORKER) && !corpse_reaping(m)) {
        m->stop = STOP_POOLS;
        stop_role(m, IPC_AUTH, m->stop_now ? 0 : POOL_SECONDS);
        stop_role(m, IPC_METRICS, 0);
    }
    if (m->stop == STOP_POOLS && role_gone(m, IPC_AUTH) && role_gone(m, IPC_METRICS))
        stop_logger(m);
    if (m->stop == STOP_LOGGER && role_gone(m, IPC_LOGGER)) {
        m->stop = STOP_DONE;
        loop_stop(m->loop);
    }
}

static void
first_signal(struct master *m, const char *why)
{
    uint32_t seconds = m->settings->timeouts.stop;

    log_info("%s: stopping; sessions have %u s to end, another signal ends them at once", why,
        (unsigned)seconds);
    (void)notify_send("STOPPING=1");
    m->stop = STOP_WORKERS;
    m->stop_reason = why;
    watch_cancel_respawns(m);
    reload_cancel(m, "the gateway stops");
    loop_timer_cancel(m->loop, &m->drain);
    loop_timer_cancel(m->loop, &m->broker.timer);
    accept_pause(m, PAUSE_START);
    /* What was accepted already still gets its worker. */
    dispatch_flush(m);
    listeners_close(m);
    dispatch_close(m);
    stop_role(m, IPC_WORKER, seconds);
}

static void
second_signal(struct master *m, const char *why)
{
    log_info("%s: stopping at once", why);
    m->stop_now = true;
    corpse_reap_all(m);
    if (m->stop == STOP_WORKERS)
        stop_role(m, IPC_WORKER, 0);
    else if (m->stop == STOP_POOLS)
        stop_role(m, IPC_AUTH, 0);
    else
        stop_role(m, IPC_LOGGER, 1);
}

void
stop_begin(struct master *m, const char *why)
{
    if (m->stop == STOP_NOT)
        first_signal(m, why);
    else if (!m->stop_now)
        second_signal(m, why);
    stop_advance(m);
}

void
master_fail(struct master *m, const char *fmt, ...)
{
    char text[1024];
    va_list args;

    va_start(args, fmt);
    if (vsnprintf(text, sizeof text, fmt, args) < 0)
        text[0] = '\0';
    va_end(args);
    for (const struct process *p = m->processes; p != NULL; p = p->next)
        process_signal(p, SIGKILL);
    control_close(m);
    pid_file_remove(&m->daemon);
    log_fatal("%s", text);
}
