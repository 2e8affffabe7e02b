/* SPDX-License-Identifier: ISC */
/*
 * The configuration, seen from the master: it reads nothing of it. A short-lived child without
 * privileges compiles the text; the master opens the files the child asks for (master_config_serve.c) and
 * gets complaints and the image back. A child that says anything else, or nothing for 30 s, is killed, and
 * that is an error of the configuration like another.
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
    c->list = LIST_COPY_INIT;
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
    list_copy_end(&c->list);
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
        switch (compile_serve(c)) {
        case COMPILE_SERVED:
        case COMPILE_NOTHING:
            break;
        case COMPILE_END:
            return 0;
        case COMPILE_NONSENSE:
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
    loop_timer_cancel(c->loop, &c->list_timer);
    list_copy_end(&c->list);
    loop_io_del(c->loop, &c->io, c->channel);
    fd_close(&c->channel);
}

/* The child makes no sense, or nobody can answer it any more. */
static void
give_up(struct compilation *c)
{
    if (c->pid != 0)
        (void)kill(c->pid, SIGKILL);
    hang_up(c);
    maybe_ended(c);
}

static void
list_goes_on(struct loop_timer *timer)
{
    struct compilation *c =
        (struct compilation *)((char *)timer - offsetof(struct compilation, list_timer));

    if (compile_list_step(c) < 0)
        give_up(c);
}

static void
channel_ready(struct loop_io *io, uint32_t events)
{
    struct compilation *c = (struct compilation *)((char *)io - offsetof(struct compilation, io));
    enum compile_served result = COMPILE_SERVED;

    (void)events;
    for (int i = 0; i < COMPILE_TURN_PACKETS && result == COMPILE_SERVED; i++)
        result = compile_serve(c);
    if (result == COMPILE_SERVED || result == COMPILE_NOTHING)
        return;
    if (result == COMPILE_NONSENSE) {
        give_up(c);
        return;
    }
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
    c->list_timer = (struct loop_timer) { .expired = list_goes_on };
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
