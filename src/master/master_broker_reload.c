/* SPDX-License-Identifier: ISC */
/*
 * The broker's part in a reload: files that changed, files with another name, files that came and went.
 * Serves master_reload.c. What a file is refused for is the reload's answer.
 */
#include "src/master/master_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct brokered *
file_named(struct broker *b, uint32_t pool, const char *option)
{
    for (size_t i = 0; i < b->count; i++) {
        struct brokered *f = &b->files[i];

        if (f->row != NULL && f->row->kind == IPC_FILE_MODULE && f->pool == pool
            && strcmp(f->option, option) == 0)
            return f;
    }
    return NULL;
}

/* Offers what is there now under the path, if that is news. 0, or -1 with error filled. */
static int
look_again(struct master *m, struct brokered *f, const char *path, char *error, size_t size)
{
    bool renamed = strcmp(path, f->path) != 0;

    f->stays = true;
    if (!renamed && !f->again && !f->refused && !file_changed(f->row->rule, path, &f->seen)) {
        f->held = f->candidate >= 0; /* one is being judged already: it is the reload's now */
        return 0;
    }
    if (renamed && (f->next_path = strdup(path)) == NULL) {
        (void)snprintf(error, size, "%s: %s", path, strerror(errno));
        return -1;
    }
    if (!renamed)
        f->deaths = 0;
    f->again = false;
    if (broker_read(m, f, path, error, size) < 0)
        return -1;
    f->held = true;
    return 0;
}

static int
look_at_option(struct master *m, uint32_t pool, const char *option, const char *value, char *error,
    size_t size)
{
    struct brokered *f = file_named(&m->broker, pool, option);
    char *path = path_beside(m->options.config, value);
    int result = -1;

    if (path == NULL) {
        (void)snprintf(error, size, "%s: %s", value, strerror(errno));
        return -1;
    }
    if (f != NULL) {
        result = look_again(m, f, path, error, size);
    } else if ((f = broker_add(m, IPC_FILE_MODULE, pool, option, value, error, size)) != NULL) {
        f->fresh = f->stays = f->held = true;
        result = broker_read(m, f, f->path, error, size);
    }
    free(path);
    return result;
}

static int
look_at_module(struct master *m, const struct image *next, uint32_t pool, char *error, size_t size)
{
    const struct image_module *module = image_module(next, pool);

    for (uint32_t i = 0; module->has_secret && i < module->options.count; i++) {
        const struct image_option *o = IMAGE_AT(next, module->options, struct image_option, i);
        const char *path = image_string(next, o->value);

        if (o->kind == IMAGE_OPTION_FILE && path[0] != '\0'
            && look_at_option(m, pool, image_string(next, o->key), path, error, size) < 0)
            return -1;
    }
    return 0;
}

/* The files of the host: those of no module. */
static int
look_at_others(struct master *m, char *error, size_t size)
{
    for (size_t i = 0; i < m->broker.count; i++) {
        struct brokered *f = &m->broker.files[i];

        if (f->row == NULL || f->row->kind == IPC_FILE_MODULE)
            continue;
        f->stays = true;
        if (f->row->rule != NULL && look_again(m, f, f->path, error, size) < 0)
            return -1;
    }
    return 0;
}

static void
offer_all(struct master *m)
{
    for (size_t i = 0; i < m->broker.count; i++) {
        struct brokered *f = &m->broker.files[i];

        if (f->row != NULL && f->held && !f->fresh && f->waiting == 0)
            broker_offer(m, f);
    }
}

int
broker_reload_begin(struct master *m, const struct image *next, char *error, size_t size)
{
    int result = look_at_others(m, error, size);

    for (uint32_t i = 0; result == 0 && i < image_settings(next)->modules.count; i++)
        result = look_at_module(m, next, i, error, size);
    if (result == 0)
        offer_all(m);
    else
        broker_reload_end(m, false);
    return result;
}

bool
broker_reload_pending(const struct master *m)
{
    for (size_t i = 0; i < m->broker.count; i++) {
        const struct brokered *f = &m->broker.files[i];

        if (f->row != NULL && f->held && f->waiting > 0)
            return true;
    }
    return false;
}

static void
end_one(struct master *m, struct brokered *f, bool commit)
{
    bool gone = commit ? !f->stays : f->fresh;

    f->stays = false;
    if (gone) {
        broker_remove(f);
        return;
    }
    if (commit && f->next_path != NULL) {
        free(f->path);
        f->path = f->next_path;
        f->next_path = NULL;
    } else if (f->next_path != NULL) {
        /* What was seen was the other file: the next look compares this one anew. */
        free(f->next_path);
        f->next_path = NULL;
        memset(&f->seen, 0, sizeof f->seen);
    }
    if (f->held)
        broker_settle_held(m, f, commit);
}

void
broker_reload_end(struct master *m, bool commit)
{
    for (size_t i = 0; i < m->broker.count; i++) {
        struct brokered *f = &m->broker.files[i];

        if (f->row != NULL)
            end_one(m, f, commit);
    }
}
