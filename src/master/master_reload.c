/* SPDX-License-Identifier: ISC */
/*
 * Reload, from the wish to the answer: compile, compare, open listeners and files, ask everybody, then all
 * adopt it or none. Serves SIGHUP, the control socket and the watch over list files. Each phase ends in
 * step(), which runs from the loop; none of them waits. Nothing that goes wrong changes what is in force.
 */
#include "src/master/master_private.h"

#include "src/core/log.h"
#include "src/core/notify.h"
#include "src/master/master_limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PHASE_SECONDS 15 /* for the pools to judge files, then for everybody to look at the image; longer than
                            a process that hangs is let live */
#define TEXT_MAX (1024U * 1024U + 4096U)
#define LINES_LOGGED 50
#define ABOUT_TO_END "the gateway is about to end"

/* ---- the end of one ---- */

/* As the compiler writes them (config_message.c). */
static bool
is_warning(const char *line)
{
    return strstr(line, ": warning: ") != NULL;
}

/* What the compiler said, line by line; the first line that is no warning is why it was refused. */
static void
tell_text(struct reload *r, bool ok)
{
    const char *at = (const char *)buffer_head(&r->text);
    size_t left = buffer_len(&r->text);
    char line[2048];

    for (unsigned count = 0; left > 0; count++) {
        const char *end = memchr(at, '\n', left);
        size_t len = end != NULL ? (size_t)(end - at) : left;
        size_t cut = len < sizeof line ? len : sizeof line - 1;

        memcpy(line, at, cut);
        line[cut] = '\0';
        askers_say(r->askers, line);
        if (count < LINES_LOGGED && (ok || is_warning(line)))
            log_warn("%s", line);
        else if (count < LINES_LOGGED)
            log_error("%s", line);
        if (r->why[0] == '\0' && !is_warning(line))
            (void)snprintf(r->why, sizeof r->why, "%.*s", (int)sizeof r->why - 1, line);
        len += end != NULL;
        at += len;
        left -= len;
    }
    buffer_clear(&r->text);
}

static void
finish(struct master *m, bool ok)
{
    struct reload *r = &m->reload;
    struct reload_asker *askers = r->askers;

    r->phase = RELOAD_IDLE;
    r->askers = NULL;
    r->last_ok = ok;
    loop_timer_cancel(m->loop, &r->timer);
    compiled_free(&r->next);
    if (notify_send("READY=1") < 0)
        log_warn("telling the service manager: %s", strerror(errno));
    if (ok)
        judged_begin(m, askers);
    else
        askers_answer(&askers, false, r->last);
    if (r->wanted)
        loop_defer(m->loop, &r->task);
}

/* Everything is as it was. reason is a word of gateway.reload-failed. */
static void
fail(struct master *m, const char *reason)
{
    struct reload *r = &m->reload;

    if (r->phase == RELOAD_PREPARING)
        prepare_abort(m);
    if (r->phase == RELOAD_FILES || r->phase == RELOAD_PREPARING) {
        broker_reload_end(m, false);
        listeners_abandon(m);
    }
    tell_text(r, false);
    (void)snprintf(r->last, sizeof r->last, "not reloaded: %s", r->why);
    log_error("%s; generation %" PRIu64 " stays in force", r->last, m->generation);
    events_reload_failed(m, reason, r->why);
    finish(m, false);
}

static void
commit(struct master *m)
{
    struct reload *r = &m->reload;
    struct compiled old = m->config;

    /* What was accepted before is handed out before; what nobody can take now waits. */
    listeners_last_call(m);
    dispatch_flush(m);
    m->config = r->next;
    m->settings = image_settings(m->config.image);
    m->generation = r->generation;
    r->next = (struct compiled) { .fd = -1 };
    listeners_adopt(m, m->config.image);
    prepare_commit(m);
    broker_reload_end(m, true);
    reload_adopt_capacity(m, image_settings(old.image)->limits.sessions);
    limits_adopt(m);
    compiled_free(&old);
    tell_text(r, true);
    reload_respawn(m);
    log_info("%s", r->last);
    events_reload(m, m->generation, strchr(r->last, ';') != NULL ? r->last : NULL);
    dispatch_wake(m);
    finish(m, true);
}

/* ---- from phase to phase ---- */

static void
phase_begin(struct master *m, enum reload_phase phase)
{
    struct reload *r = &m->reload;

    r->phase = phase;
    if (loop_timer_set(m->loop, &r->timer, mono_add_seconds(loop_now(m->loop), PHASE_SECONDS)) < 0)
        log_fatal("no memory for a timer");
    loop_defer(m->loop, &r->task);
}

/* The image is there: what can be refused without asking anybody is refused now. */
static void
compare(struct master *m)
{
    struct reload *r = &m->reload;

    if (reload_compare(m) < 0) {
        fail(m, "restart-needed");
        return;
    }
    if (folders_provide(m, r->next.image, true, r->why, sizeof r->why) < 0) {
        fail(m, "file-refused");
        return;
    }
    if (listeners_prepare(m, r->next.image, r->why, sizeof r->why) < 0) {
        fail(m, "listen");
        return;
    }
    if (broker_reload_begin(m, r->next.image, r->why, sizeof r->why) < 0) {
        listeners_abandon(m);
        fail(m, "file-refused");
        return;
    }
    phase_begin(m, RELOAD_FILES);
}

static void
compile_text(struct compilation *c, const char *text, size_t len)
{
    struct reload *r = CONTAINER(c, struct reload, compile);

    if (buffer_append(&r->text, text, len, TEXT_MAX) < 0)
        log_warn("a complaint about the configuration was lost: %s", strerror(errno));
}

static void
compile_ended(struct compilation *c, bool ok)
{
    struct reload *r = CONTAINER(c, struct reload, compile);
    struct master *m = CONTAINER(r, struct master, reload);

    if (!ok) {
        fail(m, "config");
        return;
    }
    r->next = c->out;
    c->out = (struct compiled) { .fd = -1 };
    compare(m);
}

static void
tell_manager(struct master *m)
{
    char text[96];
    int n = snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, loop_now(m->loop).us);

    if (n < 0 || (size_t)n >= sizeof text || notify_send(text) < 0)
        log_warn("telling the service manager: %s", strerror(errno));
}

static void
begin(struct master *m)
{
    struct reload *r = &m->reload;

    r->askers = r->waiting;
    r->waiting = NULL;
    r->wanted = r->refused = false;
    r->why[0] = '\0';
    r->phase = RELOAD_COMPILING;
    r->generation = ++r->tries;
    tell_manager(m);
    log_info("%s: reading the configuration again", r->cause);
    if (m->draining || m->stop != STOP_NOT) {
        (void)snprintf(r->why, sizeof r->why, "%s", ABOUT_TO_END);
        fail(m, "stopping");
        return;
    }
    r->compile.options = &m->options;
    r->compile.generation = r->generation;
    r->compile.text = compile_text;
    r->compile.ended = compile_ended;
    if (compile_begin(&r->compile, m->loop) == 0)
        return;
    (void)snprintf(r->why, sizeof r->why, "cannot start the reader of the configuration: %s",
        strerror(errno));
    fail(m, "config");
}

static void
step(struct loop_task *task)
{
    struct master *m = CONTAINER(task, struct master, reload.task);
    struct reload *r = &m->reload;

    if (r->phase == RELOAD_IDLE && r->wanted && m->serving)
        begin(m);
    else if (r->phase >= RELOAD_FILES && r->refused)
        fail(m, r->phase == RELOAD_FILES ? "file-refused" : "refused");
    else if (r->phase == RELOAD_FILES && !broker_reload_pending(m)) {
        phase_begin(m, RELOAD_PREPARING);
        prepare_begin(m);
    } else if (r->phase == RELOAD_PREPARING && prepare_settled(m)) {
        if ((r->asked & ~r->agreed) == 0) {
            commit(m);
            return;
        }
        reload_refused(m, "processes ended while they looked at the new configuration");
    }
}

static void
took_too_long(struct loop_timer *timer)
{
    struct master *m = CONTAINER(timer, struct master, reload.timer);
    const struct reload *r = &m->reload;
    const char *role = "", *who = "somebody";

    if (r->phase == RELOAD_PREPARING && !r->refused && prepare_followers(m)) {
        reload_process_gone(m);
        return;
    }

    for (const struct process *p = m->processes; p != NULL; p = p->next) {
        if (r->phase == RELOAD_FILES ? p->files_waiting == 0
                                     : p->asked != r->generation || p->agreed || !process_alive(p))
            continue;
        role = role_name(p->place->role);
        who = p->label;
    }
    char why[128];

    (void)snprintf(why, sizeof why, "%s %s did not answer in %d s", role, who, PHASE_SECONDS);
    reload_refused(m, why);
}

/* ---- what others tell ---- */

void
reload_init(struct master *m)
{
    struct reload *r = &m->reload;

    m->generation = r->tries = 1;
    r->compile.channel = r->compile.image_fd = r->compile.out.fd = r->next.fd = -1;
    r->text = BUFFER_INIT;
    r->task.run = step;
    r->timer.expired = took_too_long;
}

void
reload_start(struct master *m)
{
    if (m->reload.wanted)
        loop_defer(m->loop, &m->reload.task);
}

void
reload_files_settled(struct master *m)
{
    if (m->reload.phase == RELOAD_FILES)
        loop_defer(m->loop, &m->reload.task);
}

void
reload_process_gone(struct master *m)
{
    judged_look(m);
    if (m->reload.phase >= RELOAD_FILES)
        loop_defer(m->loop, &m->reload.task);
}

void
reload_refused(struct master *m, const char *why)
{
    struct reload *r = &m->reload;

    if (r->phase < RELOAD_FILES || r->refused)
        return;
    r->refused = true;
    (void)snprintf(r->why, sizeof r->why, "%s", why);
    loop_defer(m->loop, &r->task);
}

void
reload_cancel(struct master *m, const char *why)
{
    struct reload *r = &m->reload;

    compile_cancel(&r->compile);
    loop_task_cancel(m->loop, &r->task);
    loop_timer_cancel(m->loop, &r->timer);
    if (r->phase == RELOAD_PREPARING)
        prepare_abort(m); /* an answer that comes now is of no matter */
    if (r->phase >= RELOAD_FILES)
        broker_reload_end(m, false);
    r->phase = RELOAD_IDLE;
    r->wanted = false;
    buffer_clear(&r->text);
    compiled_free(&r->next);
    judged_end(m);
    askers_answer(&r->askers, false, why);
    askers_answer(&r->waiting, false, why);
}

void
reload_give_up(struct master *m)
{
    struct reload *r = &m->reload;

    if (r->phase == RELOAD_IDLE)
        return;
    compile_cancel(&r->compile);
    loop_task_cancel(m->loop, &r->task);
    (void)snprintf(r->why, sizeof r->why, "%s", ABOUT_TO_END);
    fail(m, "stopping");
}
