/* SPDX-License-Identifier: ISC */
/* What a configuration was read from, and whether it is still the same. Serves reloads. Nothing fails. */
#include "src/master/master_config.h"

#include "lib/base/fd.h"

#include <stdlib.h>
#include <string.h>

void
config_files_free(struct config_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->list[i].path);
    free(files->list);
    *files = (struct config_files) { NULL, 0 };
}

void
config_files_add(struct config_files *files, struct config_file file)
{
    struct config_file *more = realloc(files->list, (files->count + 1) * sizeof *more);

    if (more == NULL) {
        free(file.path);
        return; /* it is not watched, and no more */
    }
    files->list = more;
    more[files->count++] = file;
}

bool
config_file_changed(const struct config_file *file)
{
    struct stat st = { 0 };

    /* What is missing now looks like what was missing then: all zero. */
    if (stat(file->path, &st) < 0)
        memset(&st, 0, sizeof st);
    return st.st_ino != file->st.st_ino || st.st_dev != file->st.st_dev
        || st.st_size != file->st.st_size || st.st_mtim.tv_sec != file->st.st_mtim.tv_sec
        || st.st_mtim.tv_nsec != file->st.st_mtim.tv_nsec
        || st.st_ctim.tv_sec != file->st.st_ctim.tv_sec
        || st.st_ctim.tv_nsec != file->st.st_ctim.tv_nsec;
}

void
compiled_free(struct compiled *compiled)
{
    image_close(&compiled->image);
    fd_close(&compiled->fd);
    config_files_free(&compiled->files);
}
