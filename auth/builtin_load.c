/* SPDX-License-Identifier: ISC */
/*
 * Loading shared modules. Serves the configuration's compiler, the workers and the auth processes,
 * each before its privileges are dropped. Nothing is fatal here: the caller gets a text.
 */
#include "auth/builtin_load.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/auth_module.h"
#include "lib/base/fd.h"

#define NAME_LENGTH_MAX 31

void
auth_error(char *error, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    const int n = vsnprintf(error, size, fmt, args);
    va_end(args);
    if (n < 0 && size > 0)
        error[0] = '\0';
}

bool
auth_name_valid(const char *name)
{
    const size_t len = strlen(name);

    return len > 0 && len <= NAME_LENGTH_MAX &&
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* Whoever may write here runs code in our processes: root, or the user we run as. */
static int
owner_check(int fd, const char *path, mode_t kind, char *error, size_t size)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        auth_error(error, size, "%s: %s", path, strerror(errno));
        return -1;
    }
    if ((st.st_mode & S_IFMT) != kind) {
        auth_error(error, size, "%s: must be a %s", path,
            kind == S_IFDIR ? "folder" : "regular file");
        return -1;
    }
    if (st.st_uid != 0 && st.st_uid != geteuid()) {
        auth_error(error, size, "%s: belongs to user %u; must belong to %s", path,
            (unsigned)st.st_uid, geteuid() == 0 ? "root" : "root or to the user of the gateway");
        return -1;
    }
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        auth_error(error, size, "%s: mode %04o; must not be writable by group or others", path,
            (unsigned)(st.st_mode & 07777));
        return -1;
    }
    return 0;
}

/* Folder and file are what they must be. The path itself is loaded afterwards: who could exchange it
   in between is who may write it, and that was just checked. */
static int
object_check(const char *dir, const char *file, const char *path, bool *missing, char *error,
    size_t size)
{
    int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int object = -1;
    int result = -1;

    if (folder < 0) {
        *missing = errno == ENOENT;
        auth_error(error, size, "%s: %s", dir, strerror(errno));
        return -1;
    }
    if (owner_check(folder, dir, S_IFDIR, error, size) == 0) {
        object = openat(folder, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (object < 0) {
            *missing = errno == ENOENT;
            auth_error(error, size, "%s: %s", path,
                errno == ELOOP ? "must not be a symbolic link" : strerror(errno));
        } else {
            result = owner_check(object, path, S_IFREG, error, size);
        }
    }
    fd_close(&object);
    fd_close(&folder);
    return result;
}

static const void *
object_open(const char *path, const char *symbol, char *error, size_t size)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *why = handle == NULL ? dlerror() : NULL;

    if (handle == NULL) {
        auth_error(error, size, "%s: %s", path, why != NULL ? why : "cannot be loaded");
        return NULL;
    }
    const void *face = dlsym(handle, symbol);

    if (face == NULL) {
        auth_error(error, size, "%s: has no symbol %s: not a module of this face", path, symbol);
        (void)dlclose(handle);
    }
    return face;
}

const void *
auth_object_load(const char *name, const char *face, const char *dir, const char *symbol,
    bool *missing, char *error, size_t size)
{
    char file[64];
    char path[PATH_MAX];

    *missing = false;
    const int n = snprintf(file, sizeof file, "%s-%s.so", name, face);
    const int m = snprintf(path, sizeof path, "%s/%s", dir, file);

    if (n < 0 || (size_t)n >= sizeof file || m < 0 || (size_t)m >= sizeof path) {
        auth_error(error, size, "module folder %s: name too long", dir);
        return NULL;
    }
    if (object_check(dir, file, path, missing, error, size) != 0)
        return NULL;
    return object_open(path, symbol, error, size);
}

const void *
auth_face_load(const char *name, const char *face, const char *dir, const char *symbol, char *error,
    size_t size)
{
    bool missing = false;

    if (!auth_name_valid(name)) {
        auth_error(error, size, "\"%s\" is no name of an authentication method", name);
        return NULL;
    }
    const void *found = auth_object_load(name, face, dir, symbol, &missing, error, size);

    if (found == NULL && missing)
        auth_error(error, size, "method \"%s\" has no %s face: not built in, and no %s/%s-%s.so", name,
            face, dir, name, face);
    return found;
}

bool
auth_version_fits(const char *name, uint32_t version, char *error, size_t size)
{
    if (version == AUTH_MODULE_VERSION)
        return true;
    auth_error(error, size, "module %s: interface version %u; this program has %u", name,
        (unsigned)version, AUTH_MODULE_VERSION);
    return false;
}
