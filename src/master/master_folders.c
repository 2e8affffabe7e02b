/* SPDX-License-Identifier: ISC */
/*
 * Folders that a module's processes write to, such as a replay cache: made by the master, since the
 * pool's user may make nothing in the run directory. Serves the start and -t. Nothing is followed or
 * given away that somebody else put there; every complaint names the option, the path and the way
 * out, and the caller makes it fatal.
 */
#include "src/master/master_parts.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FOLDER_MODE 0700
#define RUN_DIR_MODE 0755

/* One folder on its way, its name apart from where it lies. */
struct folder {
    const struct folder_rule *rule;
    const char *path;       /* as configured */
    char parent[PATH_MAX];
    char name[NAME_MAX + 1];
    int parent_fd; /* -1: there is none yet */
    char *error;
    size_t size;
};

static int SP_PRINTF(2, 3)
complain(const struct folder *f, const char *fmt, ...)
{
    char what[384];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    (void)snprintf(f->error, f->size, "%s: %s: %s", f->rule->key, f->path, what);
    return -1;
}

/* What an ordinary user can do about a place that is not his. */
static const char *
way_out(const struct folder *f)
{
    return f->rule->privileged ? "name another folder, or \"\" for none"
                               : "name a folder in a place where the user who starts the gateway may "
                                 "write, or \"\" for none";
}

/* ---- where it lies ---- */

static int
take_apart(struct folder *f)
{
    size_t len = strlen(f->path);

    while (len > 1 && f->path[len - 1] == '/')
        len--;
    const char *slash = memrchr(f->path, '/', len);

    if (f->path[0] != '/' || slash == NULL || len >= sizeof f->parent)
        return complain(f, "a folder's name begins with a slash and has less than %d bytes", PATH_MAX);
    size_t name_len = len - (size_t)(slash + 1 - f->path);
    size_t parent_len = slash == f->path ? 1 : (size_t)(slash - f->path);

    if (name_len == 0 || name_len > NAME_MAX)
        return complain(f, "is no name for a folder of its own");
    memcpy(f->name, slash + 1, name_len);
    f->name[name_len] = '\0';
    memcpy(f->parent, f->path, parent_len);
    f->parent[parent_len] = '\0';
    if (strcmp(f->name, ".") == 0 || strcmp(f->name, "..") == 0)
        return complain(f, "is no name for a folder of its own");
    return 0;
}

static bool
in_run_dir(const struct folder *f)
{
    return strcmp(f->parent, f->rule->run_dir) == 0;
}

/* Others who may rename what lies there could put a folder of their own in its place. */
static int
judge_parent(const struct folder *f)
{
    struct stat st;

    if (fstat(f->parent_fd, &st) < 0)
        return complain(f, "%s: %s", f->parent, strerror(errno));
    if ((st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0)
        return complain(f, "everybody may write to %s (mode %04o), so anybody could put another folder in "
            "its place; choose a parent that only root or its owner may write to", f->parent,
            (unsigned)(st.st_mode & 07777));
    if (f->rule->privileged && st.st_uid != 0 && st.st_uid != f->rule->owner)
        return complain(f, "%s belongs to user %u, who could put another folder in its place; choose a "
            "parent that is root's", f->parent, (unsigned)st.st_uid);
    return 0;
}

/* Opens the parent when it is there. 0 also when it is missing and may be made. */
static int
open_parent(struct folder *f)
{
    f->parent_fd = open(f->parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (f->parent_fd >= 0)
        return judge_parent(f);
    if (errno == ENOENT && in_run_dir(f))
        return 0;
    if (errno == ENOENT)
        return complain(f, "%s does not exist, and is not made: make it, or %s", f->parent, way_out(f));
    return complain(f, "%s: %s; %s", f->parent, strerror(errno), way_out(f));
}

static int
make_run_dir(struct folder *f)
{
    if (mkdir(f->parent, RUN_DIR_MODE) < 0 && errno != EEXIST)
        return complain(f, "%s cannot be made: %s; %s", f->parent, strerror(errno), way_out(f));
    return open_parent(f);
}

/* ---- one that is there ---- */

static int
judge(const struct folder *f, const struct stat *st)
{
    if (S_ISLNK(st->st_mode))
        return complain(f, "is a symbolic link, which is not allowed here; name the folder itself");
    if (!S_ISDIR(st->st_mode))
        return complain(f, "is no folder; remove it, or %s", way_out(f));
    if (st->st_uid != f->rule->owner)
        return complain(f, "belongs to user %u; user %u, whose processes write there, is allowed: remove "
            "it and it is made again, or %s", (unsigned)st->st_uid, (unsigned)f->rule->owner,
            way_out(f));
    return 0;
}

/* 1: it is there and as it must be but for its mode; 0: there is none; -1 with error filled. */
static int
look(const struct folder *f)
{
    struct stat st;

    if (f->parent_fd < 0)
        return 0;
    if (fstatat(f->parent_fd, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return judge(f, &st) < 0 ? -1 : 1;
    if (errno == ENOENT)
        return 0;
    return complain(f, "%s; %s", strerror(errno), way_out(f));
}

/* ---- making it ---- */

/* Its owner, for one just made, and its mode; of what is open, whatever carries its name by now. */
static int
put_right(const struct folder *f, int fd, bool made)
{
    struct stat st;

    if (made && f->rule->privileged && fchown(fd, f->rule->owner, f->rule->group) < 0)
        return complain(f, "cannot be given to user %u: %s", (unsigned)f->rule->owner, strerror(errno));
    if (fstat(fd, &st) < 0)
        return complain(f, "%s", strerror(errno));
    if (judge(f, &st) < 0)
        return -1;
    if ((st.st_mode & 07777) == FOLDER_MODE)
        return 0;
    if (fchmod(fd, FOLDER_MODE) < 0)
        return complain(f, "has mode %04o, and %04o cannot be set: %s", (unsigned)(st.st_mode & 07777),
            FOLDER_MODE, strerror(errno));
    if (!made)
        log_info("%s: %s had mode %04o, now %04o", f->rule->key, f->path,
            (unsigned)(st.st_mode & 07777), FOLDER_MODE);
    return 0;
}

static int
open_folder(const struct folder *f, bool made)
{
    int fd = openat(f->parent_fd, f->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return complain(f, "%s; %s", strerror(errno), way_out(f));
    int result = put_right(f, fd, made);

    fd_close(&fd);
    return result;
}

static int
make(struct folder *f)
{
    if (f->parent_fd < 0 && make_run_dir(f) < 0)
        return -1;
    if (mkdirat(f->parent_fd, f->name, FOLDER_MODE) < 0)
        return complain(f, "cannot be made: %s; %s", strerror(errno), way_out(f));
    if (open_folder(f, true) == 0)
        return 0;
    (void)unlinkat(f->parent_fd, f->name, AT_REMOVEDIR);
    return -1;
}

int
folder_make(const struct folder_rule *rule, const char *path, char *error, size_t size)
{
    struct folder f = { .rule = rule, .path = path, .parent_fd = -1, .error = error, .size = size };
    int result = -1;

    if (take_apart(&f) == 0 && open_parent(&f) == 0) {
        int there = look(&f);

        if (there >= 0)
            result = there > 0 ? open_folder(&f, false) : make(&f);
    }
    fd_close(&f.parent_fd);
    return result;
}

/* ---- looking only ---- */

/* Whether the caller could make it: root always can. */
static int
check_makable(const struct folder *f)
{
    char above[PATH_MAX];
    const char *where = f->parent;

    if (f->parent_fd < 0) { /* then it is the run directory that has to be made */
        const char *slash = strrchr(f->parent, '/');
        size_t len = slash == NULL || slash == f->parent ? 1 : (size_t)(slash - f->parent);

        memcpy(above, f->parent, len);
        above[len] = '\0';
        where = above;
    }
    if (f->rule->privileged || faccessat(AT_FDCWD, where, W_OK | X_OK, AT_EACCESS) == 0)
        return 0;
    return complain(f, "cannot be made: %s: %s; %s", where, strerror(errno), way_out(f));
}

int
folder_check(const struct folder_rule *rule, const char *path, char *error, size_t size)
{
    struct folder f = { .rule = rule, .path = path, .parent_fd = -1, .error = error, .size = size };
    int result = -1;

    if (take_apart(&f) == 0 && open_parent(&f) == 0) {
        int there = look(&f);

        if (there >= 0)
            result = there > 0 ? 0 : check_makable(&f);
    }
    fd_close(&f.parent_fd);
    return result;
}
