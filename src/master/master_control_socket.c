/* SPDX-License-Identifier: ISC */
/*
 * Where the control socket is and how it gets there: its folder, a socket left behind by a gateway that was
 * killed, its mode. Serves the start, the end and -t. Nothing here is taken from somebody else: a name that
 * is no socket, or one that another gateway answers at, is an error.
 */
#include "src/master/master_control_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64
#define GROUP_BUFFER 65536
#define LOCK_TRIES 50
#define LOCK_PAUSE_MS 20

static int SP_PRINTF(4, 5)
complain(const struct control *c, char *error, size_t size, const char *fmt, ...)
{
    char what[512];
    va_list args;

    va_start(args, fmt);
    if (vsnprintf(what, sizeof what, fmt, args) < 0)
        what[0] = '\0';
    va_end(args);
    (void)snprintf(error, size, "control { socket }: %s: %s", c->path, what);
    return -1;
}

/* ---- where ---- */

/* The folder of the path, without a slash at its end. */
static void
folder_of(const char *path, char folder[CONTROL_PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);

    memcpy(folder, len == 0 ? "." : path, len == 0 ? 1 : len);
    folder[len == 0 ? 1 : len] = '\0';
}

static int
set_path(struct control *c, const char *path, char *error, size_t size)
{
    int n = snprintf(c->path, sizeof c->path, "%s", path);

    if (n >= 0 && (size_t)n < sizeof c->path)
        return 1;
    (void)snprintf(error, size, "control { socket }: %s: the name is too long; a socket's has at most %d "
        "octets", path, CONTROL_PATH_MAX - 1);
    return -1;
}

int
control_place(struct control *c, bool *preset, char *error, size_t size)
{
    const struct master *m = c->m;
    const char *name = image_string(m->config.image, m->settings->control_socket);
    char own[CONTROL_PATH_MAX];

    *preset = strcmp(name, CONTROL_DEFAULT_PATH) == 0;
    if (name[0] == '\0')
        return 0;
    if (*preset && geteuid() != 0 && access(RUNDIR, W_OK | X_OK) < 0) {
        if (control_user_path(own, sizeof own) == 0)
            return set_path(c, own, error, size);
        (void)snprintf(error, size, "control { socket }: $XDG_RUNTIME_DIR: %s", strerror(errno));
        return -1;
    }
    char *whole = path_beside(m->options.config, name);

    if (whole == NULL) {
        (void)snprintf(error, size, "control { socket }: %s", strerror(errno));
        return -1;
    }
    int result = set_path(c, whole, error, size);

    free(whole);
    return result;
}

int
control_group_find(struct control *c, char *error, size_t size)
{
    const char *name = image_string(c->m->config.image, c->m->settings->control_group);
    char *buffer = malloc(GROUP_BUFFER);
    struct group entry;
    struct group *found = NULL;
    int code = ENOMEM;

    c->has_group = name[0] != '\0';
    if (c->has_group && buffer != NULL)
        code = getgrnam_r(name, &entry, buffer, GROUP_BUFFER, &found);
    if (found != NULL)
        c->group = found->gr_gid;
    free(buffer);
    if (!c->has_group || found != NULL)
        return 0;
    (void)snprintf(error, size, "control { group = \"%s\" }: %s", name,
        code == 0 ? "there is no such group; one of the system's groups is allowed" : strerror(code));
    return -1;
}

/* ---- the folder ---- */

/* Made when it is missing and its parent is there. Who may connect is judged later: only an ordinary user's,
   without a group, is kept to that user. */
static int
make_folder(struct control *c, const char *folder)
{
    mode_t mask = umask(022);
    int result = mkdir(folder, geteuid() == 0 || c->has_group ? 0755 : 0700);
    int saved = errno;

    (void)umask(mask);
    errno = saved;
    if (result == 0)
        c->made_folder = true;
    return result == 0 || saved == EEXIST ? 0 : -1;
}

/* One gateway at a time looks what is there. Whoever can read the folder can hold this lock, so it is waited
   for no longer than a gateway needs: without it two that start in the same moment may not see each other. */
static void
lock_folder(const struct control *c)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(c->folder_fd, LOCK_EX | LOCK_NB) == 0)
            return;
        (void)poll(NULL, 0, LOCK_PAUSE_MS);
    }
    log_warn("control { socket }: %s: another process keeps its folder locked; going on without the lock",
        c->path);
}

static int
open_folder(struct control *c, char *error, size_t size)
{
    char folder[CONTROL_PATH_MAX];
    struct stat st;

    folder_of(c->path, folder);
    if (make_folder(c, folder) < 0)
        return complain(c, error, size, "its folder cannot be made: %s; name another place, or \"\" for no "
            "control socket", strerror(errno));
    c->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (c->folder_fd < 0 || fstat(c->folder_fd, &st) < 0)
        return complain(c, error, size, "its folder: %s", strerror(errno));
    if (!control_folder_safe(&st, geteuid()))
        return complain(c, error, size, "its folder belongs to user %u and has mode %04o; allowed is one of "
            "root's or of the user who starts the gateway, that nobody else may write to",
            (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
    lock_folder(c);
    return 0;
}

/* ---- what a gateway before us left ---- */

static bool
answered(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* A full backlog (EAGAIN) is somebody's, too. */
    bool yes = fd >= 0
        && (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno != ECONNREFUSED);

    fd_close(&fd);
    return yes;
}

static int
remove_stale(struct control *c, const struct sockaddr_un *address, char *error, size_t size)
{
    struct stat st;

    if (lstat(c->path, &st) < 0)
        return errno == ENOENT ? 0 : complain(c, error, size, "%s", strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return complain(c, error, size, "is there and no socket; remove it, or name another place");
    if (answered(address))
        return complain(c, error, size, "another gateway answers there; name another place");
    if (unlink(c->path) < 0)
        return complain(c, error, size, "left behind, and cannot be removed: %s", strerror(errno));
    return 0;
}

/* ---- making it ---- */

/* Who may connect is judged when they do; the mode keeps out whom it can. */
static int
set_mode(struct control *c)
{
    mode_t mode = 0666;

    if (c->has_group && chown(c->path, (uid_t)-1, c->group) == 0)
        mode = 0660;
    return chmod(c->path, mode);
}

static int
make_socket(struct control *c, const struct sockaddr_un *address)
{
    mode_t mask = umask(077);
    int result = -1;

    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd >= 0)
        result = bind(c->fd, (const struct sockaddr *)address, sizeof *address);
    (void)umask(mask);
    if (result == 0 && (lstat(c->path, &c->seen) < 0 || set_mode(c) < 0 || listen(c->fd, BACKLOG) < 0)) {
        int saved = errno;

        (void)unlink(c->path);
        errno = saved;
        result = -1;
    }
    if (result < 0)
        fd_close(&c->fd);
    return result;
}

int
control_listen(struct control *c, char *error, size_t size)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int result = -1;

    memcpy(address.sun_path, c->path, strlen(c->path) + 1);
    if (open_folder(c, error, size) == 0 && remove_stale(c, &address, error, size) == 0) {
        result = make_socket(c, &address);
        if (result < 0)
            (void)complain(c, error, size, "%s", strerror(errno));
    }
    if (c->folder_fd >= 0)
        (void)flock(c->folder_fd, LOCK_UN);
    if (result < 0)
        control_unlisten(c);
    return result;
}

void
control_unlisten(struct control *c)
{
    char folder[CONTROL_PATH_MAX];
    struct stat st;

    if (c->fd >= 0 && lstat(c->path, &st) == 0 && st.st_dev == c->seen.st_dev
        && st.st_ino == c->seen.st_ino)
        (void)unlink(c->path);
    fd_close(&c->fd);
    fd_close(&c->folder_fd);
    if (c->made_folder && geteuid() != 0) {
        folder_of(c->path, folder);
        (void)rmdir(folder); /* when nothing else is in it */
    }
    c->made_folder = false;
}
