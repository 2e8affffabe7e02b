/* SPDX-License-Identifier: ISC */
/*
 * Opening a privileged file: what it must be like, and its sealed copy. Serves master_broker.c. Every
 * complaint names the file, what is wrong and what is allowed. The bytes are not looked at.
 */
#include "src/master/master_parts.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WRITABLE_BY_OTHERS (S_IWGRP | S_IWOTH)
#define SECRET_MODE 0640
#define LOG_MODE 0640
#define COPY_TRIES 3 /* of a file that is written meanwhile */

const struct file_rule file_rule_secret = { .what = "secret file", .max = 64U * 1024 * 1024,
    .secret = true, .forbidden = 07777 & ~(mode_t)SECRET_MODE };
/* Not secret, and often a link into a resolver's own folder. */
const struct file_rule file_rule_resolv = { .what = "resolver configuration", .max = 64U * 1024,
    .forbidden = S_IWOTH, .follow = true, .any_owner = true, .may_be_missing = true };
const struct file_rule file_rule_hosts = { .what = "hosts file", .max = 4U * 1024 * 1024,
    .forbidden = S_IWOTH, .follow = true, .may_be_missing = true };

char *
path_beside(const char *main_file, const char *path)
{
    const char *slash = main_file == NULL ? NULL : strrchr(main_file, '/');
    char *whole = NULL;

    if (path[0] == '/' || slash == NULL)
        return strdup(path);
    if (asprintf(&whole, "%.*s/%s", (int)(slash - main_file), main_file, path) < 0) {
        errno = ENOMEM;
        return NULL;
    }
    return whole;
}

static int SP_PRINTF(3, 4)
complain(char *error, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(error, size, fmt, args);
    va_end(args);
    return -1;
}

static const char *
errno_text(const struct file_rule *rule)
{
    return errno == ELOOP && (rule == NULL || !rule->follow) ? "is a symbolic link, which is not allowed here"
                                           : strerror(errno);
}

static int
judge_readers(const char *path, const struct users *users, int fd, const struct stat *st,
    char *error, size_t size)
{
    const struct outsider *reader = users_reader(users, st);
    const struct outsider *listed = users_acl_reader(users, fd);

    if (reader == NULL && listed == NULL)
        return 0;
    if (reader == NULL)
        return complain(error, size, "%s: readable by %s \"%s\": its access control list says so; "
            "setfacl -b removes it", path, listed->whose, listed->name);
    return complain(error, size, "%s: readable by %s \"%s\": it has mode %04o and group %u; at most "
        "0640 is allowed, and no group that user is in", path, reader->whose, reader->name,
        (unsigned)(st->st_mode & 07777), (unsigned)st->st_gid);
}

static int
judge(const struct file_rule *rule, const char *path, const struct users *users, int fd,
    const struct stat *st, char *error, size_t size)
{
    if (!S_ISREG(st->st_mode))
        return complain(error, size, "%s: is not a regular file", path);
    if (!rule->any_owner && st->st_uid != 0 && st->st_uid != geteuid())
        return complain(error, size, "%s: belongs to user %u; root or the user who starts the gateway "
            "is allowed", path, (unsigned)st->st_uid);
    if (rule->secret && judge_readers(path, users, fd, st, error, size) < 0)
        return -1;
    if ((st->st_mode & rule->forbidden) != 0)
        return complain(error, size, "%s: has mode %04o; at most %04o is allowed for a %s", path,
            (unsigned)(st->st_mode & 07777), (unsigned)(07777 & ~rule->forbidden), rule->what);
    if ((uint64_t)st->st_size > rule->max)
        return complain(error, size, "%s: has %lld bytes; at most %zu are allowed", path,
            (long long)st->st_size, rule->max);
    return 0;
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size
        && same_time(&a->st_mtim, &b->st_mtim) && same_time(&a->st_ctim, &b->st_ctim);
}

/* True when nobody wrote to it or replaced its mode since st was taken. */
static bool
is_unchanged(int fd, const struct stat *st)
{
    struct stat after;

    return fstat(fd, &after) == 0 && same_file(&after, st);
}

static int
copy_open(const struct file_rule *rule, const char *path, const struct users *users, int fd,
    struct stat *st, char *error, size_t size)
{
    for (int i = 0; i < COPY_TRIES; i++) {
        if (fstat(fd, st) < 0)
            return complain(error, size, "%s: %s", path, strerror(errno));
        if (judge(rule, path, users, fd, st, error, size) < 0)
            return -1;
        int copy = lseek(fd, 0, SEEK_SET) < 0 ? -1 : memfd_copy("sallyport-file", fd, rule->max);

        if (copy < 0)
            return complain(error, size, "%s: %s", path, strerror(errno));
        if (is_unchanged(fd, st))
            return copy;
        fd_close(&copy);
    }
    memset(st, 0, sizeof *st); /* looked at again */
    return complain(error, size, "%s: is being written; a file that is replaced as a whole (rename) "
        "is read at once", path);
}

static int
open_file(const struct file_rule *rule, const char *path)
{
    return open(path,
        O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (rule->follow ? 0 : O_NOFOLLOW));
}

/* Why it could not be opened; st tells what was seen all the same. */
static void
complain_closed(const struct file_rule *rule, const char *path, struct stat *st, char *error,
    size_t size)
{
    bool denied = errno == EACCES;

    (void)complain(error, size, "%s: %s", path, errno_text(rule));
    if ((rule->follow ? stat(path, st) : lstat(path, st)) < 0)
        memset(st, 0, sizeof *st);
    else if (denied)
        (void)complain(error, size, "%s: belongs to user %u and has mode %04o: user %u may not read it",
            path, (unsigned)st->st_uid, (unsigned)(st->st_mode & 07777), (unsigned)geteuid());
}

int
file_copy(const struct file_rule *rule, const char *path, const struct users *users, struct stat *st,
    char *error, size_t size)
{
    struct stat unused;
    int fd = open_file(rule, path);

    if (st == NULL)
        st = &unused;
    memset(st, 0, sizeof *st);
    if (fd < 0 && errno == ENOENT && rule->may_be_missing)
        return memfd_sealed("sallyport-file", "", 0);
    if (fd < 0) {
        complain_closed(rule, path, st, error, size);
        return -1;
    }
    int copy = copy_open(rule, path, users, fd, st, error, size);

    fd_close(&fd);
    return copy;
}

static int
open_log(const char *path, int flags, char *error, size_t size)
{
    struct stat st;
    int fd = open(path,
        O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags, LOG_MODE);

    if (fd < 0)
        return complain(error, size, "%s: %s", path, errno_text(NULL));
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
        && (st.st_uid == 0 || st.st_uid == geteuid()) && (st.st_mode & WRITABLE_BY_OTHERS) == 0)
        return fd;
    fd_close(&fd);
    return complain(error, size, "%s: a log must be a regular file of root's or of the user who starts "
        "the gateway, and not writable by group or others", path);
}

int
file_open_log(const char *path, char *error, size_t size)
{
    return open_log(path, O_CREAT, error, size);
}

void
file_end_line(int log)
{
    char path[64], last = '\n';
    struct stat st;

    /* What is open for appending alone cannot be read. */
    if (fstat(log, &st) < 0 || st.st_size == 0 ||
        snprintf(path, sizeof path, "/proc/self/fd/%d", log) >= (int)sizeof path)
        return;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return;
    if (pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n' && write(log, "\n", 1) < 0)
        log_warn("%s: its last line has no end: %s", path, strerror(errno));
    fd_close(&fd);
}

int
file_check_log(const char *path, char *error, size_t size)
{
    /* Who may not write to it is not the one who starts the gateway. */
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) < 0
        && (errno == ENOENT || errno == EACCES))
        return 0;
    int fd = open_log(path, 0, error, size);
    int result = fd < 0 ? -1 : 0;

    fd_close(&fd);
    return result;
}

bool
file_changed(const struct file_rule *rule, const char *path, const struct stat *seen)
{
    struct stat st;
    int result = rule->follow ? stat(path, &st) : lstat(path, &st);

    if (result < 0)
        memset(&st, 0, sizeof st);
    return !same_file(&st, seen);
}
