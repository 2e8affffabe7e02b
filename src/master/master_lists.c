/* SPDX-License-Identifier: ISC */
/*
 * The list files of the image in force ("@FILE" in a rule): whether one changed since it was read. Serves
 * the reload. Nothing fails: one that cannot be looked at counts as missing.
 */
#include "src/master/master_private.h"

#include "src/config/image_set.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What was read for list i. NULL: nothing known. */
static struct config_file *
list_file(const struct master *m, uint32_t i)
{
    const struct image *image = m->config.image;
    char *path = path_beside(m->options.config, image_string(image, image_set(image, i)->path));
    struct config_file *f = path == NULL ? NULL : config_files_find(&m->config.files, path);

    free(path);
    return f;
}

bool
lists_has(const struct master *m, const char *path)
{
    for (uint32_t i = 0; i < m->settings->sets.count; i++) {
        const struct config_file *f = list_file(m, i);

        if (f != NULL && strcmp(f->path, path) == 0)
            return true;
    }
    return false;
}

const char *
lists_changed(struct master *m)
{
    const char *changed = NULL;

    for (uint32_t i = 0; i < m->settings->sets.count; i++) {
        struct config_file *f = list_file(m, i);

        if (f == NULL || !config_file_changed(f))
            continue;
        changed = f->path;
        /* Said once: a list that is refused is looked at again when it changes again. */
        if (stat(f->path, &f->st) < 0)
            memset(&f->st, 0, sizeof f->st);
    }
    return changed;
}
