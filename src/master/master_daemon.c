/* SPDX-License-Identifier: ISC */
/*
 * The background and the pid-file. Serves master_main.c. The first process stays until start-up
 * succeeded, so that its exit status tells whether the gateway runs; until then complaints reach its
 * terminal. Children write to a pipe of ours, so that none of them keeps the terminal open.
 */
#include "src/master/master_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Waits for the daemon's word; its end without one is a failure it has explained itself. */
static void SP_NORETURN
wait_for_start(int fd)
{
    char ok = 0;
    ssize_t n;

    do {
        n = read(fd, &ok, 1);
    } while (n < 0 && errno == EINTR);
    _exit(n == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

void
daemon_fork(struct daemon *d)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        log_fatal("detaching: %s", strerror(errno));
    pid_t pid = fork();

    if (pid < 0)
        log_fatal("detaching: %s", strerror(errno));
    if (pid > 0) {
        fd_close(&fds[1]);
        wait_for_start(fds[0]);
    }
    fd_close(&fds[0]);
    if (setsid() < 0)
        log_fatal("detaching: %s", strerror(errno));
    /* No session leader: no terminal can become ours by accident. */
    pid = fork();
    if (pid < 0)
        log_fatal("detaching: %s", strerror(errno));
    if (pid > 0)
        _exit(EXIT_SUCCESS);
    d->status_fd = fd_take(&fds[1]);
}

static void
relay(struct loop_io *io, uint32_t events)
{
    struct daemon *d = CONTAINER(io, struct daemon, io);
    char text[4096];
    ssize_t n = read(d->output[0], text, sizeof text);

    (void)events;
    if (n > 0 && fd_write_all(STDERR_FILENO, text, (size_t)n) < 0)
        log_trace("standard error: %s", strerror(errno));
}

int
daemon_relay(struct master *m)
{
    struct daemon *d = &m->daemon;

    if (!m->options.detach)
        return 0;
    if (pipe2(d->output, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    d->io.ready = relay;
    return loop_io_add(m->loop, &d->io, d->output[0], EPOLLIN);
}

void
daemon_release(struct master *m)
{
    struct daemon *d = &m->daemon;
    char ok = 0;
    int null = -1;

    if (!m->options.detach)
        return;
    log_to_stderr(0);
    if (chdir("/") < 0)
        log_warn("chdir: %s", strerror(errno));
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
        (void)dup2(null, fd);
    fd_close(&null);
    if (fd_write_all(d->status_fd, &ok, 1) < 0)
        log_warn("the process that started us is gone");
    fd_close(&d->status_fd);
}

int
pid_file_write(struct daemon *d, const char *path)
{
    char temporary[4096];
    char text[32];
    int n = snprintf(temporary, sizeof temporary, "%s.new", path);
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    if (n < 0 || (size_t)n >= sizeof temporary || len < 0) {
        errno = ENAMETOOLONG;
        return -1;
    }
    (void)unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd < 0)
        return -1;
    int result = fd_write_all(fd, text, (size_t)len);

    fd_close(&fd);
    if (result < 0 || rename(temporary, path) < 0) {
        int saved = errno;

        (void)unlink(temporary);
        errno = saved;
        return -1;
    }
    d->pid_path = strdup(path);
    return 0;
}

void
pid_file_remove(struct daemon *d)
{
    if (d->pid_path != NULL)
        (void)unlink(d->pid_path);
    free(d->pid_path);
    d->pid_path = NULL;
}
