/* SPDX-License-Identifier: ISC */
/*
 * The broker's files and the module opened with them. A generation is a set of files and what the
 * module made of it; the old one serves until the new one opened, and as long as a conversation
 * that began with it. At the start a file that is refused is fatal, later the master is told.
 */
#include "src/authd/authd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/base/fd.h"
#include "src/core/log.h"

/* ---- the module's section ---- */

static const char *
option_preset(const struct auth_secret_module *module, const char *name)
{
    for (const struct auth_option *o = module->config.options; o->name != NULL; o++)
        if (strcmp(o->name, name) == 0)
            return o->type == AUTH_OPTION_LIST ? NULL : o->preset;
    return NULL;
}

/* Whether the list has a row of the key, be it one that says there is no value. */
static bool
has_key(const struct image *image, struct image_list rows, const char *key)
{
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct image_option *row = IMAGE_AT(image, rows, struct image_option, i);

        if (strcmp(image_string(image, row->key), key) == 0)
            return true;
    }
    return false;
}

const char *
authd_option(const void *ctx, const char *name, unsigned i)
{
    const struct authd_view *view = ctx;
    const struct image *image = view->image->image;
    const struct image_module *settings = view->image->settings;
    const char *value = image_option(image, view->listener, settings, name, i);

    if (value != NULL || i > 0 || has_key(image, settings->options, name) ||
        (view->listener != NULL && has_key(image, view->listener->overrides, name)))
        return value;
    return option_preset(view->authd->module, name);
}

/* ---- generations ---- */

static struct authd_file *
file_of(struct authd_generation *g, const char *option)
{
    for (size_t i = 0; i < g->file_count; i++)
        if (strcmp(g->files[i].option, option) == 0)
            return &g->files[i];
    return NULL;
}

static void
generation_free(const struct authd *a, struct authd_generation *g)
{
    if (g->module != NULL)
        a->module->close(g->module);
    for (size_t i = 0; i < g->file_count; i++)
        fd_close(&g->files[i].fd);
    authd_image_drop(&g->image);
    free(g);
}

struct authd_generation *
authd_generation_use(struct authd_generation *g)
{
    g->users++;
    return g;
}

void
authd_generation_drop(const struct authd *a, struct authd_generation **g)
{
    struct authd_generation *dropped = *g;

    *g = NULL;
    if (dropped != NULL && --dropped->users == 0)
        generation_free(a, dropped);
}

/* Another generation with descriptors of its own for the same files. NULL with errno. */
static struct authd_generation *
generation_copy(const struct authd *a, const struct authd_generation *old, struct authd_image *image)
{
    struct authd_generation *g = calloc(1, sizeof *g);

    if (g == NULL)
        return NULL;
    g->users = 1;
    g->image = authd_image_use(image);
    for (size_t i = 0; i < old->file_count; i++) {
        struct authd_file *f = &g->files[g->file_count];

        *f = (struct authd_file) { .len = old->files[i].len };
        memcpy(f->option, old->files[i].option, sizeof f->option);
        f->fd = fcntl(old->files[i].fd, F_DUPFD_CLOEXEC, 0);
        g->file_count++;
        if (f->fd < 0) {
            generation_free(a, g);
            return NULL;
        }
    }
    return g;
}

static bool
generation_complete(const struct authd_generation *g)
{
    for (size_t i = 0; i < g->file_count; i++)
        if (g->files[i].fd < 0)
            return false;
    return true;
}

/* ---- what the module sees of the files ---- */

static int
files_descriptor(const void *ctx, const char *name)
{
    const struct authd_file *f = file_of((struct authd_generation *)(uintptr_t)ctx, name);

    return f != NULL ? f->fd : -1;
}

/* Mapped when it is asked for: what a descriptor is enough for need not be. */
static const void *
files_content(const void *ctx, const char *name, size_t *len)
{
    struct authd_file *f = file_of((struct authd_generation *)(uintptr_t)ctx, name);

    *len = 0;
    if (f == NULL)
        return NULL;
    if (f->len == 0)
        return "";
    if (f->mapped == NULL) {
        void *p = mmap(NULL, f->len, PROT_READ, MAP_SHARED, f->fd, 0);

        if (p == MAP_FAILED)
            return NULL;
        f->mapped = p;
    }
    *len = f->len;
    return f->mapped;
}

static void
files_unmap(struct authd_generation *g)
{
    for (size_t i = 0; i < g->file_count; i++) {
        if (g->files[i].mapped != NULL)
            (void)munmap(g->files[i].mapped, g->files[i].len);
        g->files[i].mapped = NULL;
    }
}

/* ---- what listeners want of the files ---- */

static bool
listener_offers(const struct authd_image *in, const struct image_listener *listener)
{
    for (uint32_t i = 0; i < listener->modules.count; i++) {
        const uint32_t index = *IMAGE_AT(in->image, listener->modules, uint32_t, i);

        if (image_module(in->image, index) == in->settings)
            return true;
    }
    return false;
}

static int
listener_check(const struct authd *a, const struct authd_image *in, struct authd_generation *g,
    const struct image_listener *listener, char *error, size_t size)
{
    const struct authd_view view = { .authd = a, .image = in, .listener = listener };
    const struct auth_config config = { .ctx = &view, .value = authd_option };

    for (size_t i = 0; i < g->file_count; i++) {
        const char *option = g->files[i].option;
        const char *path = authd_option(&view, option, 0);
        size_t len = 0;
        const void *data = files_content(g, option, &len);

        if (data != NULL && a->module->config.check_file(&config, option,
                                path != NULL ? path : option, data, len, error, size) != 0)
            return -1;
    }
    return 0;
}

/* The module looks at files with its section in mind; a listener with values of its own may want more of
   them, as -t says, too. */
static int
listeners_check(const struct authd *a, const struct authd_image *in, struct authd_generation *g,
    char *error, size_t size)
{
    const uint32_t count = image_settings(in->image)->listeners.count;

    for (uint32_t i = 0; a->module->config.check_file != NULL && i < count; i++) {
        const struct image_listener *listener = image_listener(in->image, i);

        if (listener->overrides.count > 0 && listener_offers(in, listener) &&
            listener_check(a, in, g, listener, error, size) != 0)
            return -1;
    }
    return 0;
}

int
authd_listeners_check(struct authd *a, const struct authd_image *image, char *error, size_t size)
{
    const int result = listeners_check(a, image, a->current, error, size);

    files_unmap(a->current);
    return result;
}

/* Opens the module with the generation's files and image. */
static int
generation_open(struct authd *a, struct authd_generation *g, char *error, size_t size)
{
    const struct auth_files files = {
        .ctx = g,
        .descriptor = files_descriptor,
        .content = files_content,
    };

    error[0] = '\0';
    if (listeners_check(a, g->image, g, error, size) == 0)
        g->module = a->module->open(&g->image->config, &files, error, size);
    files_unmap(g);
    if (g->module != NULL) {
        authd_image_drop(&g->image); /* a module keeps nothing of its config */
        return 0;
    }
    if (error[0] == '\0')
        (void)snprintf(error, size, "module %s cannot be opened", a->module->name);
    return -1;
}

void
authd_generation_adopt(struct authd *a, struct authd_generation **g)
{
    authd_generation_drop(a, &a->current);
    a->current = *g;
    *g = NULL;
    authd_queues_update(a);
}

/* Opens it and makes it the current one. */
static int
generation_adopt(struct authd *a, struct authd_generation *g, char *error, size_t size)
{
    if (generation_open(a, g, error, size) != 0)
        return -1;
    authd_generation_adopt(a, &g);
    return 0;
}

struct authd_generation *
authd_generation_with(struct authd *a, struct authd_image *image, char *error, size_t size)
{
    struct authd_generation *g = generation_copy(a, a->current, image);

    if (g == NULL) {
        (void)snprintf(error, size, "%s", strerror(errno));
        return NULL;
    }
    if (generation_open(a, g, error, size) == 0)
        return g;
    generation_free(a, g);
    return NULL;
}

/* ---- the start ---- */

/* The options whose value is the path of a file the broker opens. */
static int
files_expect(const struct authd *a, struct authd_generation *g, char *error, size_t size)
{
    const struct image *image = a->image->image;
    const struct image_list *rows = &a->image->settings->options;

    for (uint32_t i = 0; i < rows->count; i++) {
        const struct image_option *row = IMAGE_AT(image, *rows, struct image_option, i);
        const char *key = image_string(image, row->key);
        struct authd_file *f = &g->files[g->file_count];

        if (row->kind != IMAGE_OPTION_FILE || row->value.len == 0 || file_of(g, key) != NULL)
            continue;
        if (g->file_count >= AUTHD_FILES_MAX || row->key.len >= sizeof f->option) {
            (void)snprintf(error, size, "module %s: more than %u files, or a name too long",
                a->module->name, AUTHD_FILES_MAX);
            return -1;
        }
        *f = (struct authd_file) { .fd = -1 };
        memcpy(f->option, key, row->key.len + 1);
        g->file_count++;
    }
    return 0;
}

int
authd_files_begin(struct authd *a, char *error, size_t size)
{
    a->first = calloc(1, sizeof *a->first);
    if (a->first == NULL) {
        (void)snprintf(error, size, "out of memory");
        return -1;
    }
    a->first->users = 1;
    a->first->image = authd_image_use(a->image);
    if (files_expect(a, a->first, error, size) != 0)
        return -1;
    if (!generation_complete(a->first))
        return 0;
    if (generation_adopt(a, a->first, error, size) != 0)
        return -1;
    a->first = NULL;
    return 0;
}

void
authd_files_free(struct authd *a)
{
    authd_generation_drop(a, &a->current);
    authd_generation_drop(a, &a->first);
}

/* ---- files as they come ---- */

/* Puts the descriptor into the generation. 0, or -1 with error filled. */
static int
file_put(struct authd_generation *g, const struct ipc_file *file, int fd, char *error, size_t size)
{
    struct authd_file *f = file->kind == IPC_FILE_MODULE ? file_of(g, file->option) : NULL;
    const off_t len = memfd_check(fd, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);

    if (f == NULL || len < 0) {
        (void)snprintf(error, size, "%s: %s", file->option,
            f == NULL ? "this method has no such file" : "the master's copy is not sealed");
        fd_close(&fd);
        return -1;
    }
    fd_close(&f->fd);
    f->fd = fd;
    f->len = (size_t)len;
    return 0;
}

static int
file_adopt_first(struct authd *a, const struct ipc_file *file, int fd, char *error, size_t size)
{
    if (file_put(a->first, file, fd, error, size) != 0)
        return -1;
    if (!generation_complete(a->first))
        return 0;
    if (generation_adopt(a, a->first, error, size) != 0)
        return -1;
    a->first = NULL;
    return 0;
}

/* A new image that waits for its COMMIT was opened with the file before. */
static void
renew_next(struct authd *a)
{
    char error[512];

    if (a->next_current == NULL)
        return;
    authd_generation_drop(a, &a->next_current);
    a->next_current = authd_generation_with(a, a->next, error, sizeof error);
    if (a->next_current == NULL)
        log_fatal("%s: neither file nor configuration can be given up now", error);
}

static int
file_adopt(struct authd *a, const struct ipc_file *file, int fd, char *error, size_t size)
{
    if (a->first != NULL)
        return file_adopt_first(a, file, fd, error, size);
    struct authd_generation *g = generation_copy(a, a->current, a->image);

    if (g == NULL) {
        (void)snprintf(error, size, "%s", strerror(errno));
        fd_close(&fd);
        return -1;
    }
    if (file_put(g, file, fd, error, size) == 0 && generation_adopt(a, g, error, size) == 0) {
        renew_next(a);
        return 0;
    }
    generation_free(a, g);
    return -1;
}

void
authd_file_received(struct authd *a, struct ipc_message *m)
{
    struct ipc_file_result result = { .accepted = false };
    uint8_t body[IPC_BODY_MAX];

    if (ipc_file_decode(m, &result.file) != 0)
        log_fatal("the master's FILE is malformed");
    if (m->fd_count == 1)
        result.accepted = file_adopt(a, &result.file, fd_take(&m->fds[0]), result.error,
                              sizeof result.error) == 0;
    else
        (void)snprintf(result.error, sizeof result.error, "%s: out of descriptors",
            result.file.option);
    /* Without a first generation there is nothing to go on with. */
    if (!result.accepted && a->current == NULL)
        log_fatal("%s", result.error);
    authd_report(a, IPC_FILE_RESULT, body, ipc_file_result_encode(&result, body, sizeof body));
}
