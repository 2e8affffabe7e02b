/* SPDX-License-Identifier: ISC */
/*
 * Watching the family: deaths, stopped and silent processes, and the replacement of the lost. Serves
 * the loop. A place that cannot be filled at the first start is fatal; later it is tried for ever,
 * with pauses.
 */
#include "src/master/master_private.h"

#include "src/core/log.h"
#include "src/core/title.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define TICK_US CLOCK_SECOND_US
#define AUTH_GRACE_SECONDS 5 /* beyond a step's own limit */

static void tick(struct loop_timer *timer);
static void respawn(struct loop_timer *timer);
static void limit_over(struct loop_timer *timer);

static void
tick_again(struct master *m)
{
    if (loop_timer_set(m->loop, &m->tick, mono_add_us(loop_now(m->loop), TICK_US)) < 0)
        log_fatal("no memory for a timer");
}

void
watch_init(struct master *m)
{
    for (uint32_t i = 0; i < m->place_count; i++)
        m->places[i].respawn.expired = respawn;
    m->tick.expired = tick;
    tick_again(m);
}

void
watch_limit(struct process *p, int64_t seconds)
{
    p->limit.expired = limit_over;
    if (loop_timer_set(p->m->loop, &p->limit, mono_add_seconds(loop_now(p->m->loop), seconds)) < 0)
        log_fatal("no memory for a timer");
}

/* Its phase has lasted too long: starting, stopping, or exiting. */
static void
limit_over(struct loop_timer *timer)
{
    struct process *p = CONTAINER(timer, struct process, limit);

    if (p->phase == PROCESS_STARTING) {
        log_error("%s %s was not ready after %d s", role_name(p->place->role), p->label,
            MASTER_START_SECONDS);
        process_kill(p, "start-timeout");
    } else if (p->phase == PROCESS_STOPPING) {
        process_kill(p, "stop-timeout");
    } else if (p->phase == PROCESS_KILLED) {
        /* It closed its channel and went on. */
        if (p->reason == NULL)
            p->reason = "channel";
        process_signal(p, SIGKILL);
    }
}

void
watch_started(struct process *p)
{
    watch_limit(p, MASTER_START_SECONDS);
}

void
watch_ready(struct process *p)
{
    loop_timer_cancel(p->m->loop, &p->limit);
    events_process_start(p);
    log_trace("%s %s is ready, process %d", role_name(p->place->role), p->label, (int)p->pid);
    if (p->place->role == IPC_LOGGER)
        corpse_drain_all(p);
    replace_ready(p);
    prepare_catch_up(p);
    if (p->place->role == IPC_WORKER)
        dispatch_wake(p->m);
}

bool
watch_all_running(const struct master *m, enum ipc_role role)
{
    for (uint32_t i = 0; i < m->place_count; i++) {
        const struct place *place = &m->places[i];

        if (place->role == role
            && (place->process == NULL || place->process->phase != PROCESS_RUNNING))
            return false;
    }
    return true;
}

/* ---- bypass ---- */

static void
bypass(struct process *p, bool on, const char *why)
{
    if (p->bypassed == on)
        return;
    p->bypassed = on;
    if (p->place->role == IPC_AUTH)
        return;
    if (on)
        log_warn("%s %s %s: bypassed", role_name(p->place->role), p->label, why);
    else
        log_info("%s %s answers again", role_name(p->place->role), p->label);
    if (!on && p->place->role == IPC_WORKER)
        dispatch_wake(p->m);
}

static void
bypass_judge(struct process *p, int64_t silent_us)
{
    if (p->stopped)
        bypass(p, true, "is stopped");
    else if (silent_us >= MASTER_BYPASS_SECONDS * CLOCK_SECOND_US)
        bypass(p, true, "does not answer");
    else
        bypass(p, false, NULL);
}

/* ---- heartbeat ---- */

void
watch_pong(struct process *p, uint32_t number)
{
    if (number != p->ping)
        return;
    p->ping_waiting = false;
    bypass_judge(p, 0);
}

static int64_t
patience_us(const struct process *p)
{
    int64_t seconds = MASTER_HUNG_SECONDS;

    /* An auth process may be inside a step that blocks. */
    if (p->place->role == IPC_AUTH) {
        int64_t step = image_module(p->m->config.image, p->place->pool)->step_seconds;

        if (step + AUTH_GRACE_SECONDS > seconds)
            seconds = step + AUTH_GRACE_SECONDS;
    }
    return seconds * CLOCK_SECOND_US;
}

/* True when it lived on. */
static bool
judge_silence(struct process *p, struct mono now)
{
    int64_t silent = p->ping_waiting ? mono_diff_us(now, p->ping_since) : 0;
    int64_t stopped = p->stopped ? mono_diff_us(now, p->stopped_since) : 0;

    if (stopped >= MASTER_STOPPED_SECONDS * CLOCK_SECOND_US) {
        process_kill(p, "stopped");
        return false;
    }
    if (silent >= patience_us(p)) {
        process_kill(p, "hung");
        return false;
    }
    bypass_judge(p, silent);
    return true;
}

static void
ping(struct process *p, struct mono now)
{
    if (p->ping_waiting)
        return;
    p->ping++;
    p->ping_waiting = true;
    p->ping_since = now;
    process_send_u32(p, IPC_PING, p->ping);
}

static void
set_title(struct master *m)
{
    uint32_t sessions = sessions_count(&m->sessions);

    if (m->titled == sessions + 1)
        return;
    m->titled = sessions + 1;
    title_set("master, %u sessions, %u workers", (unsigned)sessions, (unsigned)m->capacity.workers);
}

static void
tick(struct loop_timer *timer)
{
    struct master *m = CONTAINER(timer, struct master, tick);
    struct mono now = loop_now(m->loop);

    tick_again(m);
    for (struct process *p = m->processes; p != NULL; p = p->next) {
        if (!process_alive(p))
            continue;
        if (p->outbox_count > 0)
            outbox_flush(p);
        if (p->phase != PROCESS_STARTING && process_alive(p) && judge_silence(p, now))
            ping(p, now);
    }
    set_title(m);
    drain_look(m);
}

/* ---- deaths ---- */

static void
status_text(const siginfo_t *info, char *text, size_t size)
{
    if (info->si_code == CLD_EXITED)
        (void)snprintf(text, size, "exit %d", info->si_status);
    else
        (void)snprintf(text, size, "signal %d", info->si_status);
}

void
respawn_later(struct place *place, int64_t lived_us)
{
    struct master *m = place->m;
    int64_t pause = backoff_next_us(&place->backoff, lived_us);

    /* While stopping only the audit is kept alive. */
    if (m->stop != STOP_NOT && !(place->role == IPC_LOGGER && m->stop < STOP_LOGGER))
        return;
    if (loop_timer_set(m->loop, &place->respawn, mono_add_us(loop_now(m->loop), pause)) < 0)
        log_fatal("no memory for a timer");
}

static void
respawn(struct loop_timer *timer)
{
    struct place *place = CONTAINER(timer, struct place, respawn);

    if ((place->process != NULL && (!place->replace || place->successor != NULL)) || spawn(place) == 0)
        return;
    log_error("starting %s %s: %s", role_name(place->role), place->label, strerror(errno));
    respawn_later(place, 0);
}

void
watch_cancel_respawns(struct master *m)
{
    for (uint32_t i = 0; i < m->place_count; i++)
        loop_timer_cancel(m->loop, &m->places[i].respawn);
}

static void
died(struct process *p, const siginfo_t *info)
{
    struct master *m = p->m;
    struct place *place = p->place;
    int64_t lived = mono_diff_us(loop_now(m->loop), p->started);
    char status[32];

    status_text(info, status, sizeof status);
    dispatch_recall(m, p);
    process_read_rest(p);
    events_process_exit(p, status);
    if (!p->told_to_stop && m->stop == STOP_NOT) {
        place->restarts++;
        metrics_count_restart(m, p);
        log_warn("%s %s (process %d) ended: %s%s%s", role_name(place->role), p->label,
            (int)p->pid, status, p->reason != NULL ? ", reason " : "",
            p->reason != NULL ? p->reason : "");
    }
    if (!m->serving && !p->was_ready && m->stop == STOP_NOT)
        master_fail(m, "%s %s could not start: %s", role_name(place->role), p->label,
            p->reason != NULL ? p->reason : status);
    bool vacant = replace_left(p);

    corpse_make(p);
    if (vacant)
        respawn_later(place, lived);
    replace_advance(place);
    reload_process_gone(m);
    stop_advance(m);
}

static void
stopped(struct process *p, bool on)
{
    p->stopped = on;
    p->stopped_since = loop_now(p->m->loop);
    /* What it missed meanwhile is not its fault: the last question counts from now. */
    if (!on)
        p->ping_since = loop_now(p->m->loop);
    if (p->phase == PROCESS_RUNNING)
        bypass_judge(p, 0);
}

static struct process *
process_of(const struct master *m, pid_t pid)
{
    for (struct process *p = m->processes; p != NULL; p = p->next) {
        if (p->pid == pid)
            return p;
    }
    return NULL;
}

void
watch_children(struct master *m)
{
    for (;;) {
        siginfo_t info = { .si_pid = 0 };

        if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG) < 0
            || info.si_pid == 0)
            return;
        struct process *p = process_of(m, info.si_pid);

        if (p == NULL) {
            (void)compile_reaped(&m->reload.compile, &info);
            continue;
        }
        if (info.si_code == CLD_STOPPED)
            stopped(p, true);
        else if (info.si_code == CLD_CONTINUED)
            stopped(p, false);
        else if (info.si_code != CLD_TRAPPED)
            died(p, &info);
    }
}
