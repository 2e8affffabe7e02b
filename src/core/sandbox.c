/* SPDX-License-Identifier: ISC */
/*
 * Shedding privileges and making sure they are gone. Serves every child and the configuration
 * compiler. Each failure is the caller's to treat as fatal.
 */
#include "src/core/sandbox.h"

#include "lib/base/fd.h"

#include <cap-ng.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

void
sandbox_close_from(int first)
{
    (void)close_range((unsigned)first, ~0U, 0);
}

/* 0 when the folder behind fd is empty, and closes fd; -1 with errno. */
static int
require_empty(int fd)
{
    DIR *dir = fdopendir(fd);
    const struct dirent *entry;
    int extra = 0;

    if (dir == NULL) {
        fd_close(&fd);
        return -1;
    }
    while ((entry = readdir(dir)) != NULL)
        extra += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    if (extra == 0)
        return 0;
    errno = ENOTEMPTY;
    return -1;
}

int
sandbox_chroot(const char *dir)
{
    struct stat st;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) < 0 || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        fd_close(&fd);
        errno = EPERM;
        return -1;
    }
    /* The checked folder, not whatever carries its name by now. */
    int moved = fchdir(fd);

    if (require_empty(fd) < 0 || moved < 0 || chroot(".") < 0)
        return -1;
    return chdir("/");
}

int
sandbox_no_new_privs(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int
drop_ids(uid_t uid, gid_t gid)
{
    if (setgroups(1, &gid) < 0 || setresgid(gid, gid, gid) < 0)
        return -1;
    /* The bounding set needs CAP_SETPCAP, so it goes while we are root; where a container withheld
       that capability no_new_privs alone keeps the others away. */
    capng_clear(CAPNG_SELECT_BOTH);
    (void)capng_apply(CAPNG_SELECT_BOUNDS);
    if (setresuid(uid, uid, uid) < 0)
        return -1;
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    capng_clear(CAPNG_SELECT_BOTH);
    return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : -1;
}

static bool
ids_are(uid_t uid, gid_t gid)
{
    uid_t r, e, s;
    gid_t rg, eg, sg, group;

    return getresuid(&r, &e, &s) == 0 && r == uid && e == uid && s == uid
        && getresgid(&rg, &eg, &sg) == 0 && rg == gid && eg == gid && sg == gid
        && getgroups(1, &group) == 1 && group == gid;
}

/* Whether anything that was given away can be had again. */
static bool
comes_back(uid_t uid, gid_t gid)
{
    gid_t root_group = 0;

    return setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setresuid(0, 0, 0) == 0
        || setresgid((gid_t)-1, 0, (gid_t)-1) == 0 || setgroups(1, &root_group) == 0
        || !ids_are(uid, gid);
}

static bool
has_capability(void)
{
    return capng_get_caps_process() < 0 || capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE;
}

int
sandbox_drop(uid_t uid, gid_t gid)
{
    if (uid == 0 || gid == 0 || uid == (uid_t)-1 || gid == (gid_t)-1) {
        errno = EINVAL;
        return -1;
    }
    if (drop_ids(uid, gid) < 0 || sandbox_no_new_privs() < 0)
        return -1;
    if (comes_back(uid, gid) || has_capability() || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
        errno = EPERM;
        return -1;
    }
    return 0;
}
