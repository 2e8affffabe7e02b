/* SPDX-License-Identifier: ISC */
/*
 * The watch over the list files of the image in force ("@FILE" in a rule): one that changed since it was
 * read is a reload. Nothing fails: one that cannot be looked at counts as missing.
 */
#include "src/master/master_private.h"

#include "src/core/log.h"

#include <string.h>
#include <sys/stat.h>

/* One that changed since it was read, or since this was asked; NULL: none. */
static const char *
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

/* Main file and includes are read again when somebody says so: they may be half written. */
static bool
text_changed(const struct master *m)
{
    for (size_t i = 0; i < m->config.files.count; i++) {
        const struct config_file *f = &m->config.files.list[i];

        if (!f->list && config_file_changed(f) && broker_find(m, f->path) == NULL)
            return true;
    }
    return false;
}

void
reload_look(struct master *m)
{
    struct reload *r = &m->reload;
    const char *changed = r->phase == RELOAD_IDLE && !r->wanted ? lists_changed(m) : NULL;

    if (changed == NULL)
        return;
    if (text_changed(m)) {
        log_warn("%s changed, and so did the configuration: reload to adopt both", changed);
        return;
    }
    reload_want(m, NULL, changed);
}
