/* SPDX-License-Identifier: ISC */
/*
 * The list files of the image in force ("@FILE" in a rule): whether one changed since it was read. Serves
 * the reload. Nothing fails: one that cannot be looked at counts as missing.
 */
#include "src/master/master_private.h"

#include <string.h>
#include <sys/stat.h>

const char *
lists_changed(struct master *m)
{
    const char *changed = NULL;

    for (size_t i = 0; i < m->config.files.count; i++) {
        struct config_file *f = &m->config.files.list[i];

        if (!f->list || !config_file_changed(f))
            continue;
        changed = f->path;
        /* Said once: a list that is refused is looked at again when it changes again. */
        if (stat(f->path, &f->st) < 0)
            memset(&f->st, 0, sizeof f->st);
    }
    return changed;
}
