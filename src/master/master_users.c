/* SPDX-License-Identifier: ISC */
/*
 * Which users the children become, what those see that no secret is for,
 * and the empty folder workers are shut into. Serves master_main.c
 * when started as root; an ordinary user changes nothing. Every complaint names the key.
 */
#include "src/master/master_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
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

int
outsider_find(struct outsider *out, const char *whose, const char *name, const struct user *user,
    char *error, size_t size)
{
    *out = (struct outsider) { .whose = whose, .name = name, .uid = user->uid,
        .group_count = OUTSIDER_GROUPS_MAX };
    if (getgrouplist(name, user->gid, out->groups, &out->group_count) >= 0)
        return 0;
    (void)snprintf(error, size, "%s \"%s\" is in more than %d groups", whose, name,
        OUTSIDER_GROUPS_MAX);
    return -1;
}

bool
outsider_is_member(const struct outsider *o, gid_t group)
{
    for (int i = 0; i < o->group_count; i++) {
        if (o->groups[i] == group)
            return true;
    }
    return false;
}

/* Generously: who is kept out as owner or group alone could be let in by a mode changed once. */
static bool
may_read(const struct outsider *o, const struct stat *st)
{
    return (st->st_uid == o->uid && (st->st_mode & S_IRUSR) != 0)
        || (outsider_is_member(o, st->st_gid) && (st->st_mode & S_IRGRP) != 0)
        || (st->st_mode & S_IROTH) != 0;
}

const struct outsider *
users_reader(const struct users *u, const struct stat *st)
{
    for (size_t i = 0; u != NULL && i < u->outsider_count; i++) {
        if (may_read(&u->outsiders[i], st))
            return &u->outsiders[i];
    }
    return NULL;
}

static int
equal_users(const char *a, const char *b, char *error, size_t size)
{
    (void)snprintf(error, size,
        "%s and %s are the same user; started as root the three must differ", a, b);
    return -1;
}

/* Once, at the start: a directory service that hangs must not hold up the master later. */
static int
find_outsiders(struct users *u, const struct image_settings *s, const struct image *image,
    char *error, size_t size)
{
    u->outsider_count = 0;
    if (outsider_find(&u->outsiders[0], "the workers' user", image_string(image, s->user), &u->worker,
            error, size) < 0
        || outsider_find(&u->outsiders[1], "the logger's user", image_string(image, s->log_user),
            &u->log, error, size) < 0)
        return -1;
    u->outsider_count = 2;
    return 0;
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
    return find_outsiders(u, s, image, error, size);
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
