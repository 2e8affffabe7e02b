/* SPDX-License-Identifier: ISC */
/*
 * Name and password: from a file, the environment, or the terminal without echo; never from the
 * command line, which every user of a machine may read. Serves client_main.c, before it dials, so
 * that the gateway does not wait for somebody who types. All of it stays in memory that is zeroed.
 */
#include "src/client/client_private.h"

#include <bsd/readpassphrase.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/secret.h"

static enum client_status
user_get(struct client_secret *s, const struct client_options *o)
{
    const char *user = o->user != NULL ? o->user : getenv("SALLYPORT_USER");

    if (user == NULL || *user == '\0') {
        const struct passwd *pw = getpwuid(getuid());

        user = pw != NULL ? pw->pw_name : "";
    }
    s->user_len = strlen(user);
    if (s->user_len == 0)
        return client_fail(CLIENT_LOGIN, "this user has no login name: use --user");
    if (s->user_len >= sizeof s->user)
        return client_fail(CLIENT_LOGIN, "the name has more than 255 bytes");
    memcpy(s->user, user, s->user_len);
    return CLIENT_OK;
}

static enum client_status
password_judge(const struct client_secret *s, const char *where)
{
    if (s->password_len == 0)
        return client_fail(CLIENT_LOGIN, "%s: the password is empty", where);
    if (s->password_len > 255)
        return client_fail(CLIENT_LOGIN, "%s: the password has more than 255 bytes", where);
    return CLIENT_OK;
}

/* The first line of fd, one octet at a time: what follows is somebody else's. One of 256 and more
 * is too long. */
static int
line_read(int fd, struct client_secret *s)
{
    s->password_len = 0;
    while (s->password_len < sizeof s->password) {
        char *at = s->password + s->password_len;
        const ssize_t n = read(fd, at, 1);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0 || *at == '\n')
            break;
        s->password_len++;
    }
    return 0;
}

/* Others may not read it; a pipe (the shell's <(...)) is whose it is. */
static enum client_status
file_judge(int fd, const char *path)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return client_fail(CLIENT_LOGIN, "%s: %s", path, strerror(errno));
    if (S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return client_fail(CLIENT_LOGIN, "%s: others may use it (mode %04o): chmod 600 it", path,
            (unsigned)(st.st_mode & 07777));
    return CLIENT_OK;
}

static enum client_status
file_get(struct client_secret *s, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    enum client_status status;

    if (fd < 0)
        return client_fail(CLIENT_LOGIN, "%s: %s", path, strerror(errno));
    status = file_judge(fd, path);
    if (status == CLIENT_OK && line_read(fd, s) != 0)
        status = client_fail(CLIENT_LOGIN, "%s: %s", path, strerror(errno));
    if (status == CLIENT_OK)
        status = password_judge(s, path);
    fd_close(&fd);
    return status;
}

static enum client_status
environment_get(struct client_secret *s, char *text)
{
    s->password_len = strnlen(text, sizeof s->password);
    memcpy(s->password, text, s->password_len);
    explicit_bzero(text, strlen(text));
    return password_judge(s, "SALLYPORT_PASSWORD");
}

static enum client_status
terminal_get(struct client_secret *s)
{
    char prompt[320];

    if (snprintf(prompt, sizeof prompt, "Password of %s for the gateway: ", s->user) < 0)
        prompt[0] = '\0';
    if (readpassphrase(prompt, s->password, sizeof s->password, RPP_REQUIRE_TTY) == NULL)
        return client_fail(CLIENT_LOGIN, "%s",
            errno == EINTR
                ? "interrupted while it asked for the password" /* by a signal that is ignored */
                : "no terminal to ask for the password: use --password-file or SALLYPORT_PASSWORD");
    s->password_len = strlen(s->password);
    return password_judge(s, "the terminal");
}

struct client_secret *
client_secret_get(const struct client_options *o)
{
    struct client_secret *s = secret_alloc(sizeof *s);
    char *environment = getenv("SALLYPORT_PASSWORD");

    if (s == NULL) {
        client_fail(CLIENT_BROKEN, "out of memory");
        return NULL;
    }
    enum client_status status = user_get(s, o);

    if (status != CLIENT_OK)
        ;
    else if (o->password_file != NULL)
        status = file_get(s, o->password_file);
    else if (environment != NULL)
        status = environment_get(s, environment);
    else
        status = terminal_get(s);
    if (status != CLIENT_OK)
        client_secret_free(&s);
    return s;
}

void
client_secret_free(struct client_secret **secret)
{
    secret_free(*secret, sizeof **secret);
    *secret = NULL;
}
