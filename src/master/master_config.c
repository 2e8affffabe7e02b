/* SPDX-License-Identifier: ISC */
/*
 * The configuration, seen from the master: it reads nothing of it. A short-lived child without
 * privileges compiles the text; the master opens the files the child asks for and gets complaints
 * and the image back. A child that says anything else, or nothing for 30 s, is killed, and that is an
 * error of the configuration like another.
 */
#include "src/master/master_private.h"

#include "lib/base/fd.h"
#include "src/config/config.h"
#include "src/core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMPILE_SECONDS 30
#define COMPILE_OPENS_MAX (4 * CONFIG_INCLUDES_MAX)
#define COMPILE_OUTPUT_MAX (1024U * 1024U)

struct compilation {
    const struct master_options *options;
    int channel;
    int image_fd;
    pid_t pid;
    struct mono deadline;
    unsigned opened;
    size_t written; /* bytes of complaints */
    bool done;
    uint32_t errors;
};

/* A sealed copy, so that the child never holds the file itself. The main file may be a symbolic
   link; what it includes, or what a module names, may not. */
static int
copy_for_child(const struct compilation *c, const char *path)
{
    bool main_file = c->opened == 0; /* it is asked for first, and relative to our own folder */
    char *whole = main_file ? strdup(path) : path_beside(c->options->config, path);
    struct stat st;

    if (whole == NULL)
        return -1;
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (main_file ? 0 : O_NOFOLLOW);
    int fd = open(whole, flags);

    free(whole);
    if (fd < 0)
        return -1;
    int copy = -1;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        copy = memfd_copy("sallyport-config", fd, CONFIG_FILE_MAX);
    else
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    fd_close(&fd);
    return copy;
}

static int
send_answer(int channel, int error, int fd)
{
    struct iovec iov = { &error, sizeof error };
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        msg.msg_control = control.space;
        msg.msg_controllen = sizeof control.space;
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(cmsg), &fd, sizeof fd);
    }
    return sendmsg(channel, &msg, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static int
serve_open(struct compilation *c, const char *path)
{
    if (c->opened >= COMPILE_OPENS_MAX)
        return -1;
    int fd = copy_for_child(c, path);
    int error = fd < 0 ? errno : 0;
    int result = send_answer(c->channel, error, fd);

    c->opened++;
    fd_close(&fd);
    return result;
}

static int
serve_text(struct compilation *c, const char *text, size_t len)
{
    c->written += len;
    if (c->written > COMPILE_OUTPUT_MAX)
        return -1;
    return fd_write_all(STDERR_FILENO, text, len);
}

/* One packet of the child. packet has a NUL behind it. 0, or -1 when it makes no sense. */
static int
serve(struct compilation *c, const char *packet, size_t len)
{
    if (len < 2)
        return -1;
    switch (packet[0]) {
    case COMPILE_OPEN:
        return strlen(packet) == len ? serve_open(c, packet + 1) : -1;
    case COMPILE_TEXT:
        return serve_text(c, packet + 1, len - 1);
    case COMPILE_DONE:
        if (len != 1 + sizeof c->errors)
            return -1;
        memcpy(&c->errors, packet + 1, sizeof c->errors);
        c->done = true;
        return 0;
    default:
        return -1;
    }
}

/* Until the child's last word or its end. 0, or -1 when it has to be killed. */
static int
serve_all(struct compilation *c)
{
    char packet[COMPILE_PACKET_MAX + 1];

    for (;;) {
        int64_t left = mono_diff_us(c->deadline, mono_read()) / CLOCK_MSEC_US;
        struct pollfd p = { .fd = c->channel, .events = POLLIN };

        if (left <= 0) {
            log_error("the configuration takes longer than %d s to read", COMPILE_SECONDS);
            return -1;
        }
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        ssize_t n = recv(c->channel, packet, COMPILE_PACKET_MAX, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        packet[n] = '\0';
        if (serve(c, packet, (size_t)n) < 0)
            return -1;
    }
}

static bool
child_ended_well(struct compilation *c)
{
    int status;

    while (waitpid(c->pid, &status, 0) < 0) {
        if (errno != EINTR)
            return false;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && c->done)
        return true;
    if (WIFSIGNALED(status))
        log_error("reading the configuration failed: killed by signal %d", WTERMSIG(status));
    else
        log_error("reading the configuration failed: exit status %d", WEXITSTATUS(status));
    return false;
}

static int
child_start(struct compilation *c)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    c->pid = fork();
    if (c->pid == 0) {
        fd_close(&pair[0]);
        compile_child(c->options, pair[1], c->image_fd);
    }
    fd_close(&pair[1]);
    if (c->pid < 0) {
        fd_close(&pair[0]);
        return -1;
    }
    c->channel = pair[0];
    return 0;
}

static int
image_take(struct compilation *c, struct compiled *out)
{
    const char *why = NULL;

    if (fcntl(c->image_fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
        return -1;
    out->image = image_open(c->image_fd, &why);
    if (out->image == NULL) {
        log_error("the compiled configuration is not valid: %s", why == NULL ? "no memory" : why);
        return -1;
    }
    out->fd = fd_take(&c->image_fd);
    return 0;
}

int
config_load(const struct master_options *o, struct compiled *out)
{
    struct compilation c = { .options = o, .channel = -1 };
    int result = -1;

    c.deadline = mono_add_seconds(mono_read(), COMPILE_SECONDS);
    c.image_fd = memfd_create("sallyport-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (c.image_fd < 0 || child_start(&c) < 0) {
        log_error("cannot start the reader of the configuration: %s", strerror(errno));
        fd_close(&c.image_fd);
        return -1;
    }
    if (serve_all(&c) < 0)
        (void)kill(c.pid, SIGKILL);
    fd_close(&c.channel);
    if (child_ended_well(&c) && c.errors == 0)
        result = image_take(&c, out);
    fd_close(&c.image_fd);
    return result;
}
