/* SPDX-License-Identifier: ISC */
/*
 * What a new image needs beyond being adopted: a restart, which refuses it, or new processes. Serves
 * master_reload.c.
 */
#include "src/master/master_private.h"

#include "src/config/config_diff.h"
#include "src/core/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define VALUE_SHOWN 80U /* octets of a value in the answer, and a NUL */

struct comparison {
    struct reload *r;
    const struct image *before;
    bool restart;
};

static void append(char *text, size_t size, const char *fmt, ...) SP_PRINTF(3, 4);

static void
append(char *text, size_t size, const char *fmt, ...)
{
    size_t len = strlen(text);
    va_list args;

    va_start(args, fmt);
    if (vsnprintf(text + len, size - len, fmt, args) < 0)
        text[len] = '\0';
    va_end(args);
}

/* section { key = value (was value) }, without section and title where it has none. */
static void
append_key(struct comparison *c, const struct config_difference *d)
{
    struct reload *r = c->r;
    char now[VALUE_SHOWN];
    char was[VALUE_SHOWN];

    config_difference_value(r->next.image, d, now, sizeof now);
    config_difference_value(c->before, d, was, sizeof was);
    append(r->why, sizeof r->why, "%s%s%s", c->restart ? ", " : "", d->section,
        d->section[0] != '\0' ? " " : "");
    if (d->title[0] != '\0')
        append(r->why, sizeof r->why, "\"%s\" ", d->title);
    append(r->why, sizeof r->why, d->section[0] != '\0' ? "{ %s = %s (was %s) }" : "%s = %s (was %s)",
        d->key, now, was);
}

static void
differs(void *ctx, const struct config_difference *d)
{
    struct comparison *c = ctx;

    if (d->pool < MASTER_POOLS_MAX)
        c->r->touched_pools |= UINT32_C(1) << d->pool;
    else if (d->title[0] != '\0')
        c->r->touched_pools = UINT32_MAX; /* a listener has options of modules */
    if (d->change == CONFIG_RESTART) {
        append_key(c, d);
        c->restart = true;
    } else if (d->change == CONFIG_RESPAWN && d->pool < MASTER_POOLS_MAX) {
        c->r->respawn_pools |= UINT32_C(1) << d->pool;
    } else if (d->change == CONFIG_RESPAWN) {
        c->r->respawn_workers = true;
    }
}

static const char *
config_name(const struct image *image)
{
    const char *name = image_string(image, image_settings(image)->config_file);

    return name[0] != '\0' ? name : "the configuration";
}

static bool
same_listeners(const struct image *a, const struct image *b)
{
    uint32_t count = image_settings(a)->listeners.count;
    bool same = count == image_settings(b)->listeners.count;

    for (uint32_t i = 0; same && i < count; i++)
        same = strcmp(image_string(a, image_listener(a, i)->name),
                   image_string(b, image_listener(b, i)->name)) == 0;
    return same;
}

int
reload_compare(struct master *m)
{
    struct reload *r = &m->reload;
    struct comparison c = { .r = r, .before = m->config.image };

    r->respawn_workers = false;
    r->respawn_pools = 0;
    r->touched_pools = same_listeners(m->config.image, r->next.image) ? 0 : UINT32_MAX;
    (void)config_diff(m->config.image, r->next.image, differs, &c);
    if (!c.restart)
        return 0;
    append(r->why, sizeof r->why, " in %s: a change needs a restart", config_name(r->next.image));
    return -1;
}

/* ---- capacity ---- */

void
reload_adopt_capacity(struct master *m, uint64_t before)
{
    struct capacity_need need;
    uint64_t possible = 0;

    capacity_need_of(m, &need);
    struct capacity c = capacity_plan(&need);

    /* Tables have the size they were made with; those of later processes have the new one. */
    m->capacity.per_worker = c.per_worker;
    for (uint32_t i = 0; i < m->capacity.workers; i++) {
        const struct process *w = m->workers[i].process;

        possible += w != NULL ? w->capacity : c.per_worker;
    }
    m->capacity.sessions = c.sessions < possible ? c.sessions : possible;
    sessions_set_limit(&m->sessions, m->capacity.sessions);
    if (m->capacity.sessions < m->settings->limits.sessions && m->settings->limits.sessions != before)
        log_warn("limits.sessions: %" PRIu64 " are reduced to %" PRIu64
                 " by the descriptor limit or by workers that started with less; replaced ones take more",
            m->settings->limits.sessions, m->capacity.sessions);
}

/* ---- respawn ---- */

/* A pool's user is a setting of its module. */
static void
adopt_user(struct master *m, struct place *place)
{
    const struct image_module *module = image_module(m->config.image, place->pool);
    struct user user;
    char error[512];

    if (pool_user(m, m->config.image, module, &user, error, sizeof error) == 0)
        place->user = user;
    else
        log_error("%s; the pool keeps its user", error);
}

void
reload_respawn(struct master *m)
{
    struct reload *r = &m->reload;
    bool pools = false;

    for (uint32_t i = 0; i < m->place_count; i++) {
        struct place *place = &m->places[i];

        if (place->role == IPC_AUTH && (r->respawn_pools >> place->pool & 1) != 0) {
            adopt_user(m, place);
            replace_begin(place);
            pools = true;
        } else if (place->role == IPC_WORKER && r->respawn_workers) {
            replace_begin(place);
        }
    }
    (void)snprintf(r->last, sizeof r->last, "reloaded: generation %" PRIu64 " is in force%s%s%s",
        m->generation, r->respawn_workers ? "; the workers" : "",
        pools ? r->respawn_workers ? " and pools of authentication" : "; pools of authentication" : "",
        r->respawn_workers || pools ? " are being replaced" : "");
}
