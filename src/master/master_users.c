/* SPDX-License-Identifier: ISC */
/*
 * Which users the children become, and the empty folder workers are shut into. Serves master_main.c
 * when started as root; an ordinary user changes nothing. Every complaint names the key.
 */
#include "src/master/master_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWD_BUFFER 16384

int
user_find(const char *key, const char *name, struct user *out, char *error, size_t size)
{
    char buffer[PASSWD_BUFFER];
    struct passwd entry;
    struct passwd *found = NULL;
    int code = getpwnam_r(name, &entry, buffer, sizeof buffer, &found);

    if (found == NULL) {
        (void)snprintf(error, size,
            "%s = \"%s\": %s (as root the gateway needs its users: packaging/sysusers creates them)",
            key, name, code == 0 ? "there is no such user" : strerror(code));
        return -1;
    }
    if (entry.pw_uid == 0 || entry.pw_gid == 0) {
        (void)snprintf(error, size, "%s = \"%s\": is root or in root's group; an ordinary user is "
            "allowed", key, name);
        return -1;
    }
    *out = (struct user) { entry.pw_uid, entry.pw_gid };
    return 0;
}

static int
equal_users(const char *a, const char *b, char *error, size_t size)
{
    (void)snprintf(error, size,
        "%s and %s are the same user; started as root the three must differ", a, b);
    return -1;
}

int
users_resolve(struct users *u, const struct image_settings *s, const struct image *image,
    char *error, size_t size)
{
    if (!u->privileged)
        return 0;
    if (user_find("user", image_string(image, s->user), &u->worker, error, size) < 0
        || user_find("auth-user", image_string(image, s->auth_user), &u->auth, error, size) < 0
        || user_find("log-user", image_string(image, s->log_user), &u->log, error, size) < 0)
        return -1;
    if (u->worker.uid == u->auth.uid)
        return equal_users("user", "auth-user", error, size);
    if (u->worker.uid == u->log.uid)
        return equal_users("user", "log-user", error, size);
    if (u->auth.uid == u->log.uid)
        return equal_users("auth-user", "log-user", error, size);
    return 0;
}

/* A folder of root's that nobody else may write to. 0, or -1 with errno. */
static int
make_folder(const char *path)
{
    struct stat st;

    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return -1;
    if (lstat(path, &st) < 0)
        return -1;
    if (!S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return -1;
    }
    if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        errno = EPERM;
        return -1;
    }
    return 0;
}

int
users_empty_dir(const char *run_dir, char *path, size_t path_size, char *error, size_t size)
{
    int n = snprintf(path, path_size, "%s/empty", run_dir);

    if (n < 0 || (size_t)n >= path_size) {
        (void)snprintf(error, size, "%s: name too long", run_dir);
        return -1;
    }
    if (make_folder(run_dir) == 0 && make_folder(path) == 0)
        return 0;
    (void)snprintf(error, size, "%s: %s (it must be root's folder and writable by nobody else)",
        path, strerror(errno));
    return -1;
}
