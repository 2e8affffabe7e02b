/* SPDX-License-Identifier: ISC */
/*
 * The configuration, seen from the master: it reads nothing of it. A short-lived child without
 * privileges compiles the text; the master opens the files the child asks for and gets complaints
 * and the image back. A child that says anything else, or nothing for 30 s, is killed, and that is an
 * error of the configuration like another.
 */
#include "src/master/master_config.h"

#include "src/master/master_parts.h"

#include "lib/base/fd.h"
#include "src/config/config.h"
#include "src/core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMPILE_SECONDS 30
#define COMPILE_OPENS_MAX (4 * CONFIG_INCLUDES_MAX)
#define COMPILE_OUTPUT_MAX (1024U * 1024U)
#define COMPILE_TURN_PACKETS 16

/* ---- what went wrong on our side ---- */

static void complain(struct compilation *c, const char *fmt, ...) SP_PRINTF(2, 3);

static void
complain(struct compilation *c, const char *fmt, ...)
{
    char line[512];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(line, sizeof line - 1, fmt, args);

    va_end(args);
    if (n < 0)
        return;
    if (c->loop == NULL) {
        log_error("%s", line);
        return;
    }
    size_t len = strlen(line);

    line[len] = '\n';
    c->text(c, line, len + 1);
}

/* ---- the child's questions ---- */

static void
remember(struct compilation *c, char *path, const struct stat *st)
{
    struct config_files *files = &c->out.files;
    struct config_file *more = realloc(files->list, (files->count + 1) * sizeof *more);

    if (more == NULL) {
        free(path);
        return; /* it is not watched, and no more */
    }
    files->list = more;
    more[files->count++] = (struct config_file) { path, *st };
}

/* A sealed copy, so that the child never holds the file itself. The main file may be a symbolic
   link; what it includes, or what a module names, may not. */
static int
copy_for_child(struct compilation *c, const char *path)
{
    bool main_file = c->opened == 0; /* it is asked for first, and relative to our own folder */
    char *whole = main_file ? strdup(path) : path_beside(c->options->config, path);
    struct stat st = { 0 };

    if (whole == NULL)
        return -1;
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (main_file ? 0 : O_NOFOLLOW);
    int fd = open(whole, flags);
    int copy = -1;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        copy = memfd_copy("sallyport-config", fd, CONFIG_FILE_MAX);
    else if (fd >= 0)
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    int saved = errno;

    fd_close(&fd);
    remember(c, whole, &st);
    errno = saved;
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
    /* One answer is under way at a time: a channel that does not take it is misused. */
    return sendmsg(channel, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -1 : 0;
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
    c->text(c, text, len);
    return 0;
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

enum served { SERVED, SERVED_NOTHING, SERVED_END, SERVED_NONSENSE };

/* The next packet, when there is one. */
static enum served
serve_next(struct compilation *c)
{
    char packet[COMPILE_PACKET_MAX + 1];
    ssize_t n = recv(c->channel, packet, COMPILE_PACKET_MAX, MSG_DONTWAIT);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return SERVED_NOTHING;
    if (n <= 0)
        return SERVED_END;
    packet[n] = '\0';
    return serve(c, packet, (size_t)n) < 0 ? SERVED_NONSENSE : SERVED;
}

/* ---- the child ---- */

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
        c->pid = 0;
        fd_close(&pair[0]);
        return -1;
    }
    c->channel = pair[0];
    return 0;
}

static int
begin(struct compilation *c)
{
    c->out = (struct compiled) { .fd = -1 };
    c->channel = -1;
    c->pid = 0;
    c->opened = 0;
    c->written = 0;
    c->done = false;
    c->errors = 0;
    c->image_fd = memfd_create("sallyport-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (c->image_fd >= 0 && child_start(c) == 0)
        return 0;
    fd_close(&c->image_fd);
    return -1;
}

static bool
child_ended_well(struct compilation *c)
{
    if (WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0 && c->done)
        return true;
    if (WIFSIGNALED(c->status))
        complain(c, "reading the configuration failed: killed by signal %d", WTERMSIG(c->status));
    else
        complain(c, "reading the configuration failed: exit status %d", WEXITSTATUS(c->status));
    return false;
}

static int
image_take(struct compilation *c)
{
    const off_t at = (off_t)offsetof(struct image_header, generation);
    const char *why = NULL;

    if (pwrite(c->image_fd, &c->generation, sizeof c->generation, at) != (ssize_t)sizeof c->generation
        || fcntl(c->image_fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)
            < 0) {
        complain(c, "the compiled configuration: %s", strerror(errno));
        return -1;
    }
    c->out.image = image_open(c->image_fd, &why);
    if (c->out.image == NULL) {
        complain(c, "the compiled configuration is not valid: %s", why == NULL ? "no memory" : why);
        return -1;
    }
    c->out.fd = fd_take(&c->image_fd);
    return 0;
}

/* The child was reaped, and all it said was read. */
static bool
finish(struct compilation *c)
{
    bool ok = child_ended_well(c) && c->errors == 0 && image_take(c) == 0;

    fd_close(&c->channel);
    fd_close(&c->image_fd);
    if (!ok)
        compiled_free(&c->out);
    return ok;
}

/* ---- the start: somebody waits ---- */

static void
text_to_stderr(struct compilation *c, const char *text, size_t len)
{
    (void)c;
    if (fd_write_all(STDERR_FILENO, text, len) < 0)
        return; /* nobody reads it */
}

/* Until the child's last word or its end. 0, or -1 when it has to be killed. */
static int
serve_all(struct compilation *c)
{
    struct mono deadline = mono_add_seconds(mono_read(), COMPILE_SECONDS);

    for (;;) {
        int64_t left = mono_diff_us(deadline, mono_read()) / CLOCK_MSEC_US;
        struct pollfd p = { .fd = c->channel, .events = POLLIN };

        if (left <= 0) {
            complain(c, "the configuration takes longer than %d s to read", COMPILE_SECONDS);
            return -1;
        }
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        switch (serve_next(c)) {
        case SERVED:
        case SERVED_NOTHING:
            break;
        case SERVED_END:
            return 0;
        case SERVED_NONSENSE:
            return -1;
        }
    }
}

int
config_load(const struct master_options *o, struct compiled *out)
{
    struct compilation c = { .options = o, .generation = 1, .text = text_to_stderr };

    if (begin(&c) < 0) {
        log_error("cannot start the reader of the configuration: %s", strerror(errno));
        return -1;
    }
    if (serve_all(&c) < 0)
        (void)kill(c.pid, SIGKILL);
    while (waitpid(c.pid, &c.status, 0) < 0 && errno == EINTR)
        ;
    if (!finish(&c))
        return -1;
    *out = c.out;
    return 0;
}

/* ---- a reload: the loop serves the child ---- */

bool
compile_runs(const struct compilation *c)
{
    return c->loop != NULL;
}

static void
maybe_ended(struct compilation *c)
{
    if (c->pid != 0 || loop_io_active(&c->io))
        return;
    loop_timer_cancel(c->loop, &c->timer);
    bool ok = finish(c);

    c->loop = NULL;
    c->ended(c, ok);
}

/* Nothing more is read from it. */
static void
hang_up(struct compilation *c)
{
    loop_io_del(c->loop, &c->io, c->channel);
    fd_close(&c->channel);
}

static void
channel_ready(struct loop_io *io, uint32_t events)
{
    struct compilation *c = (struct compilation *)((char *)io - offsetof(struct compilation, io));
    enum served result = SERVED;

    (void)events;
    for (int i = 0; i < COMPILE_TURN_PACKETS && result == SERVED; i++)
        result = serve_next(c);
    if (result == SERVED || result == SERVED_NOTHING)
        return;
    if (result == SERVED_NONSENSE && c->pid != 0)
        (void)kill(c->pid, SIGKILL);
    hang_up(c);
    maybe_ended(c);
}

static void
took_too_long(struct loop_timer *timer)
{
    struct compilation *c = (struct compilation *)((char *)timer - offsetof(struct compilation, timer));

    complain(c, "the configuration takes longer than %d s to read", COMPILE_SECONDS);
    if (c->pid != 0)
        (void)kill(c->pid, SIGKILL);
    if (loop_io_active(&c->io))
        hang_up(c);
    maybe_ended(c);
}

int
compile_begin(struct compilation *c, struct loop *loop)
{
    if (begin(c) < 0)
        return -1;
    c->loop = loop;
    c->io = (struct loop_io) { .ready = channel_ready };
    c->timer.expired = took_too_long;
    if (loop_io_add(loop, &c->io, c->channel, EPOLLIN) == 0
        && loop_timer_set(loop, &c->timer, mono_add_seconds(loop_now(loop), COMPILE_SECONDS)) == 0)
        return 0;
    int saved = errno;

    compile_cancel(c);
    errno = saved;
    return -1;
}

bool
compile_reaped(struct compilation *c, const siginfo_t *info)
{
    if (c->pid == 0 || info->si_pid != c->pid)
        return false;
    if (info->si_code != CLD_EXITED && info->si_code != CLD_KILLED && info->si_code != CLD_DUMPED)
        return true;
    c->pid = 0;
    c->status = info->si_code == CLD_EXITED ? W_EXITCODE(info->si_status, 0) : info->si_status & 0x7f;
    if (c->loop != NULL)
        maybe_ended(c);
    return true;
}

void
compile_cancel(struct compilation *c)
{
    if (c->loop == NULL)
        return;
    if (c->pid != 0)
        (void)kill(c->pid, SIGKILL);
    if (c->channel >= 0)
        hang_up(c);
    loop_timer_cancel(c->loop, &c->timer);
    fd_close(&c->image_fd);
    compiled_free(&c->out);
    c->loop = NULL;
}
