/* SPDX-License-Identifier: ISC */
/*
 * The file broker: opens every privileged file, has sealed copies handed out (master_offer.c), and
 * again when one changed. Serves the whole family. A file that cannot be read is fatal at the first
 * start only.
 */
#include "src/master/master_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_SECONDS 5
#define PATH_RESOLV "/etc/resolv.conf"
#define PATH_HOSTS "/etc/hosts"

/* Every kind of privileged file: who needs it and what it must be like. */
static const struct broker_kind kinds[] = {
    { IPC_FILE_LOG, IPC_LOGGER, NULL, NULL },
    { IPC_FILE_RESOLV, IPC_WORKER, &file_rule_resolv, PATH_RESOLV },
    { IPC_FILE_HOSTS, IPC_WORKER, &file_rule_hosts, PATH_HOSTS },
    { IPC_FILE_MODULE, IPC_AUTH, &file_rule_secret, NULL },
};

static const struct broker_kind *
kind_row(enum ipc_file_kind kind)
{
    for (size_t i = 0; i < SP_COUNT(kinds); i++) {
        if (kinds[i].kind == kind)
            return &kinds[i];
    }
    log_panic("no such kind of file: %d", (int)kind);
}

/* ---- reading ---- */

int
broker_read(const struct master *m, struct brokered *f, const char *path, char *error, size_t size)
{
    struct stat st;
    int fd;

    memset(&st, 0, sizeof st);
    if (f->row->rule == NULL)
        fd = file_open_log(path, error, size);
    else
        fd = file_copy(f->row->rule, path, &m->users, &st, error, size);
    /* What was seen and found wrong is not looked at again until it changes. */
    f->seen = st;
    if (fd < 0)
        return -1;
    fd_close(&f->candidate);
    f->candidate = fd_take(&fd);
    f->generation++;
    f->refused = false;
    f->waiting = 0;
    return 0;
}

/* One that nobody alive has heard of under another name. */
static struct brokered *
free_entry(struct broker *b)
{
    for (size_t i = 0; i < b->count; i++) {
        if (b->files[i].row == NULL)
            return &b->files[i];
    }
    return b->count < MASTER_FILES_MAX ? &b->files[b->count++] : NULL;
}

struct brokered *
broker_add(struct master *m, enum ipc_file_kind kind, uint32_t pool, const char *option,
    const char *path, char *error, size_t size)
{
    struct brokered *f = free_entry(&m->broker);
    const struct broker_kind *row = kind_row(kind);

    if (f == NULL) {
        (void)snprintf(error, size, "%s: too many files are named; %d are allowed", path,
            MASTER_FILES_MAX);
        return NULL;
    }
    *f = (struct brokered) { .row = row, .pool = pool, .current = -1, .candidate = -1,
        .path = path_beside(m->options.config, path != NULL ? path : row->path) };
    int n = snprintf(f->option, sizeof f->option, "%s", option);

    if (f->path != NULL && n >= 0 && (size_t)n < sizeof f->option)
        return f;
    (void)snprintf(error, size, "%s: %s", option, f->path == NULL ? strerror(errno) : "name too long");
    broker_remove(f);
    return NULL;
}

void
broker_remove(struct brokered *f)
{
    fd_close(&f->current);
    fd_close(&f->candidate);
    free(f->path);
    free(f->next_path);
    *f = (struct brokered) { .current = -1, .candidate = -1 };
}

static int
add_file(struct master *m, enum ipc_file_kind kind, uint32_t pool, const char *option,
    const char *path, char *error, size_t size)
{
    struct brokered *f = broker_add(m, kind, pool, option, path, error, size);

    return f == NULL ? -1 : broker_read(m, f, f->path, error, size);
}

static int
add_module_files(struct master *m, uint32_t pool, char *error, size_t size)
{
    const struct image *image = m->config.image;
    const struct image_module *module = image_module(image, pool);

    if (!module->has_secret)
        return 0;
    for (uint32_t i = 0; i < module->options.count; i++) {
        const struct image_option *o = IMAGE_AT(image, module->options, struct image_option, i);
        const char *path = image_string(image, o->value);

        if (o->kind == IMAGE_OPTION_FILE && path[0] != '\0'
            && add_file(m, IPC_FILE_MODULE, pool, image_string(image, o->key), path, error, size) < 0)
            return -1;
    }
    return 0;
}

int
broker_init(struct master *m, char *error, size_t size)
{
    const struct image_settings *s = m->settings;

    m->broker.count = 0;
    if (s->log.target == IMAGE_LOG_FILE
        && add_file(m, IPC_FILE_LOG, 0, "", image_string(m->config.image, s->log.path), error, size)
            < 0)
        return -1;
    if (add_file(m, IPC_FILE_RESOLV, 0, "", NULL, error, size) < 0
        || add_file(m, IPC_FILE_HOSTS, 0, "", NULL, error, size) < 0)
        return -1;
    for (uint32_t i = 0; i < s->modules.count; i++) {
        if (add_module_files(m, i, error, size) < 0)
            return -1;
    }
    return 0;
}

static int
check_file(const struct master *m, const char *path, char *error, size_t size)
{
    char *whole = path_beside(m->options.config, path);
    int fd = -1;

    if (whole == NULL)
        (void)snprintf(error, size, "%s", strerror(errno));
    else
        fd = file_copy(&file_rule_secret, whole, &m->users, NULL, error, size);
    int result = fd < 0 ? -1 : 0;

    fd_close(&fd);
    free(whole);
    return result;
}

int
broker_check(struct master *m, char *error, size_t size)
{
    const struct image *image = m->config.image;

    if (m->settings->log.target == IMAGE_LOG_FILE
        && file_check_log(image_string(image, m->settings->log.path), error, size) < 0)
        return -1;
    for (uint32_t i = 0; i < m->settings->modules.count; i++) {
        const struct image_module *module = image_module(image, i);

        for (uint32_t k = 0; k < module->options.count; k++) {
            const struct image_option *o = IMAGE_AT(image, module->options, struct image_option, k);
            const char *path = image_string(image, o->value);

            if (o->kind == IMAGE_OPTION_FILE && path[0] != '\0' && check_file(m, path, error, size) < 0)
                return -1;
        }
    }
    return 0;
}

/* ---- looking again ---- */

static void
look_at(struct master *m, struct brokered *f, bool hangup)
{
    char error[512] = "";
    bool is_log = f->row == NULL || f->row->rule == NULL;

    /* A reload that runs has looked at it, or will. */
    if (f->row == NULL || f->held || f->fresh)
        return;
    bool changed = !is_log && file_changed(f->row->rule, f->path, &f->seen);

    /* Who sends SIGHUP may have mended what a file was refused for elsewhere. */
    if (!changed && !f->again && !(hangup && (is_log || f->refused)))
        return;
    if (changed)
        f->deaths = 0;
    f->again = false;
    if (broker_read(m, f, f->path, error, sizeof error) == 0) {
        broker_offer(m, f);
        return;
    }
    log_warn("%s; what was read before stays in force", error);
    events_reload_failed(m, "file-refused", error);
}

void
broker_look(struct master *m, bool hangup)
{
    for (size_t i = 0; i < m->broker.count; i++)
        look_at(m, &m->broker.files[i], hangup);
}

void
broker_reopen_log(struct master *m)
{
    for (size_t i = 0; i < m->broker.count; i++) {
        struct brokered *f = &m->broker.files[i];

        if (f->row != NULL && f->row->rule == NULL)
            look_at(m, f, true);
    }
}

const struct brokered *
broker_find(const struct master *m, const char *path)
{
    for (size_t i = 0; i < m->broker.count; i++) {
        const struct brokered *f = &m->broker.files[i];

        if (f->row != NULL && strcmp(f->path, path) == 0)
            return f;
    }
    return NULL;
}

static void
look(struct loop_timer *timer)
{
    struct master *m = CONTAINER(timer, struct master, broker.timer);

    broker_start(m);
    /* A reload looks itself, and what it asked the pools about is not to change meanwhile. */
    if (m->reload.phase < RELOAD_FILES)
        broker_look(m, false);
    reload_look(m);
}

void
broker_start(struct master *m)
{
    struct mono next = mono_add_seconds(loop_now(m->loop), LOOK_SECONDS);

    m->broker.timer.expired = look;
    if (loop_timer_set(m->loop, &m->broker.timer, next) < 0)
        log_fatal("no memory for a timer");
}

void
broker_close(struct master *m)
{
    loop_timer_cancel(m->loop, &m->broker.timer);
    for (size_t i = 0; i < m->broker.count; i++)
        broker_remove(&m->broker.files[i]);
    m->broker.count = 0;
}
