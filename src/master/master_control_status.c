/* SPDX-License-Identifier: ISC */
/* How the gateway is: status and workers. Serves the control socket. Counting phases goes over the tables in
   slices, all else is at hand. */
#include "src/master/master_control_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "src/master/master_limits.h"
#include "src/master/master_reload.h"

#define SLOTS_AT_ONCE 256

struct counting {
    struct control_walk walk;
    uint64_t phases[CONTROL_PHASES];
};

static void
put_wall(struct control_writer *w, const char *name, struct wall when)
{
    char text[WALL_TEXT_MAX];

    if (wall_format(when, text) > 0)
        control_put(w, name, text);
}

/* ---- status ---- */

static const char *
state_word(const struct master *m)
{
    return m->stop != STOP_NOT ? "stopping" : draining(m) ? "draining" : m->serving ? "serving" : "starting";
}

static void
put_gateway(struct control_client *c)
{
    const struct master *m = c->m;
    const char *config = image_string(m->config.image, m->settings->config_file);

    control_put(&c->w, "section", "gateway");
    control_put(&c->w, "version", PACKAGE_VERSION);
    control_put_number(&c->w, "pid", (uint64_t)getpid());
    control_put(&c->w, "state", state_word(m));
    put_wall(&c->w, "started", m->started);
    control_put_seconds(&c->w, "uptime", loop_wall(m->loop).us - m->started.us);
    control_put(&c->w, "config", config[0] == '\0' ? "built-in" : config);
    control_put_number(&c->w, "generation", reload_generation(m));
    control_put_number(&c->w, "rules", image_header(m->config.image)->rules.count);
    control_put_end(&c->w);
}

static void
put_listeners(struct control_client *c)
{
    for (const struct listener *l = c->m->listeners.all; l != NULL; l = l->next) {
        char text[ADDR_TEXT_MAX];

        if (l->fd < 0 || addr_format(&l->bound, text) == 0)
            continue;
        control_put(&c->w, "section", "listener");
        control_put(&c->w, "name", l->name);
        control_put(&c->w, "address", text);
        control_put_number(&c->w, "sessions", l->sessions);
        control_put_end(&c->w);
    }
}

static void
put_workers(struct control_client *c)
{
    const struct master *m = c->m;
    uint64_t running = 0;
    uint64_t restarts = 0;

    for (uint32_t i = 0; i < m->capacity.workers; i++) {
        const struct process *p = m->workers[i].process;

        running += p != NULL && p->phase == PROCESS_RUNNING && !p->bypassed;
        restarts += m->workers[i].restarts;
    }
    control_put(&c->w, "section", "workers");
    control_put_number(&c->w, "configured", m->capacity.workers);
    control_put_number(&c->w, "running", running);
    control_put_number(&c->w, "restarts", restarts);
    control_put_number(&c->w, "dead_undrained", m->corpse_count);
    control_put_number(&c->w, "descriptors_lost", m->lost);
    control_put_end(&c->w);
}

static void
put_sessions(struct control_client *c)
{
    const struct master *m = c->m;

    control_put(&c->w, "section", "sessions");
    control_put_number(&c->w, "now", sessions_count(&m->sessions));
    control_put_number(&c->w, "limit", m->capacity.sessions);
    control_put_number(&c->w, "waiting", m->dispatch.waiting.count);
    control_put(&c->w, "accepting", m->acceptor.paused == 0 ? "yes" : "no");
    control_put_end(&c->w);
}

/* What is set, and what of it is in use. */
static void
put_limits(struct control_client *c)
{
    const struct image_settings *s = c->m->settings;
    struct limits_status now;
    uint64_t refused = 0;

    limits_status(c->m, &now);
    for (int i = LIMIT_NONE + 1; i < LIMIT_COUNT; i++)
        refused += now.refused[i];
    control_put(&c->w, "section", "limits");
    control_put_number(&c->w, "sessions-per-client", s->limits.sessions_per_client);
    control_put_number(&c->w, "sessions-per-user", s->limits.sessions_per_user);
    control_put_number(&c->w, "pending-per-client", s->limits.pending_per_client);
    control_put_number(&c->w, "clients", now.clients);
    control_put_number(&c->w, "users", now.users);
    control_put_number(&c->w, "pending", now.pending);
    control_put_number(&c->w, "penalties", (uint64_t)now.client_penalties + now.user_penalties);
    control_put_number(&c->w, "failures", now.failures);
    control_put_number(&c->w, "refused", refused);
    control_put_end(&c->w);
}

static void
put_reload(struct control_client *c)
{
    bool ok = true;
    const char *last = reload_last(c->m, &ok);

    control_put(&c->w, "section", "reload");
    if (last[0] != '\0') {
        control_put(&c->w, "result", ok ? "ok" : "failed");
        control_put(&c->w, "text", last);
    }
    control_put_end(&c->w);
}

static void
put_audit(struct control_client *c)
{
    static const char *const targets[] = {
        [IMAGE_LOG_SYSLOG] = "syslog", [IMAGE_LOG_STDERR] = "stderr", [IMAGE_LOG_FILE] = "file"
    };
    const struct master *m = c->m;
    const struct process *logger = m->places[0].process;
    const struct audit_state a = audit_state(m);
    const char *path = image_string(m->config.image, m->settings->log.path);

    control_put(&c->w, "section", "audit");
    control_put(&c->w, "target", targets[m->settings->log.target]);
    control_put(&c->w, "path", path[0] == '\0' ? NULL : path);
    control_put(&c->w, "required", m->settings->log.required ? "yes" : "no");
    control_put(&c->w, "logger", logger != NULL && logger->phase == PROCESS_RUNNING ? "running" : "down");
    control_put(&c->w, "state", !a.known ? "unknown" : a.stuck_since.us != 0 ? "stuck"
            : a.connected ? "connected" : "disconnected");
    if (a.stuck_since.us != 0)
        put_wall(&c->w, "stuck_since", a.stuck_since);
    control_put_number(&c->w, "waiting", a.waiting);
    control_put_number(&c->w, "lost", a.lost);
    control_put_end(&c->w);
}

static void
put_phases(struct control_client *c, const struct counting *counted)
{
    for (unsigned i = 0; i < CONTROL_PHASES; i++) {
        if (counted->phases[i] == 0)
            continue;
        control_put(&c->w, "section", "phase");
        control_put(&c->w, "name", control_phase_name(i));
        control_put_number(&c->w, "sessions", counted->phases[i]);
        control_put_end(&c->w);
    }
}

static void
counting_free(struct control_client *c)
{
    struct counting *counted = c->state;

    control_walk_end(&counted->walk);
    free(counted);
}

static bool
count_some(struct control_client *c)
{
    struct counting *counted = c->state;
    uint32_t slot;

    for (int n = 0; n < SLOTS_AT_ONCE; n++) {
        if (control_walk_next(c->m, &counted->walk, &slot) == NULL) {
            put_phases(c, counted);
            put_limits(c);
            put_audit(c);
            put_reload(c);
            control_finish(c, NULL);
            return false;
        }
        int phase = table_phase(counted->walk.table, slot);

        if (phase >= 0 && phase < CONTROL_PHASES)
            counted->phases[phase]++;
    }
    return true;
}

void
control_status(struct control_client *c)
{
    c->state = calloc(1, sizeof(struct counting));
    if (c->state == NULL) {
        control_finish(c, strerror(errno));
        return;
    }
    c->state_free = counting_free;
    put_gateway(c);
    put_listeners(c);
    put_workers(c);
    put_sessions(c);
    c->more = count_some;
}

/* ---- workers ---- */

/* Resident memory, in octets; 0: not known. */
static uint64_t
memory_of(pid_t pid)
{
    char text[128];
    uint64_t pages = 0;

    if (snprintf(text, sizeof text, "/proc/%d/statm", (int)pid) < 0)
        return 0;
    int fd = open(text, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    fd_close(&fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    if (sscanf(text, "%*s %" SCNu64, &pages) != 1)
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static const char *
process_state(const struct process *p)
{
    static const char *const words[] = {
        [PROCESS_STARTING] = "starting", [PROCESS_RUNNING] = "running", [PROCESS_STOPPING] = "stopping",
        [PROCESS_KILLED] = "killed", [PROCESS_DEAD] = "dead"
    };

    if (p == NULL)
        return "vacant";
    if (p->stopped)
        return "stopped";
    return p->bypassed && p->phase == PROCESS_RUNNING ? "silent" : words[p->phase];
}

static void
put_process(struct control_client *c, const struct place *place, const struct process *p,
    const char *state)
{
    control_put(&c->w, "role", role_name(place->role));
    control_put(&c->w, "number", p != NULL ? p->label : place->label);
    control_put(&c->w, "state", state);
    if (p != NULL) {
        control_put_number(&c->w, "pid", (uint64_t)p->pid);
        control_put_seconds(&c->w, "age", mono_diff_us(loop_now(c->m->loop), p->started));
        control_put_number(&c->w, "memory", memory_of(p->pid));
    }
    if (p != NULL && place->role == IPC_WORKER) {
        control_put_number(&c->w, "sessions", p->sessions.count);
        control_put_number(&c->w, "capacity", p->capacity);
    }
    control_put_number(&c->w, "restarts", place->restarts);
    control_put_end(&c->w);
}

void
control_workers(struct control_client *c)
{
    const struct master *m = c->m;

    for (uint32_t i = 0; i < m->place_count; i++) {
        const struct place *place = &m->places[i];

        put_process(c, place, place->process, process_state(place->process));
    }
    for (const struct process *p = m->processes; p != NULL; p = p->next) {
        if (p->place->process != p)
            put_process(c, p->place, p,
                p == p->place->successor || p->phase == PROCESS_KILLED ? process_state(p) : "draining");
    }
    control_finish(c, NULL);
}
