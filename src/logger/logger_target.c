/* SPDX-License-Identifier: ISC */
/*
 * The table of targets and what they have in common. Serves the pump. A target that fails is spoken
 * of once on standard error and tried again with growing pauses, for ever: records wait in the rings.
 */
#include "src/logger/target.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct target_ops *const targets[] = {
    [IMAGE_LOG_SYSLOG] = &target_syslog,
    [IMAGE_LOG_STDERR] = &target_stderr,
    [IMAGE_LOG_FILE] = &target_file,
};

static void
on_writable(struct loop_io *io, uint32_t events)
{
    struct target *t = (struct target *)((char *)io - offsetof(struct target, io));

    (void)events;
    t->writable(t);
}

void
target_init(struct target *t, const struct target_settings *settings, struct loop *loop)
{
    *t = (struct target) { .ops = targets[settings->kind], .settings = *settings, .loop = loop,
        .io.ready = on_writable, .fd = -1, .retry_us = TARGET_RETRY_LEAST_US };
}

void
target_adopt(struct target *t, const struct target_settings *settings)
{
    t->settings.format = settings->format;
    t->settings.facility = settings->facility;
    t->settings.path = settings->path;
}

void
target_drop_fd(struct target *t)
{
    if (t->fd < 0)
        return;
    loop_io_del(t->loop, &t->io, t->fd);
    if (t->fd == STDERR_FILENO)
        t->fd = -1;
    else
        fd_close(&t->fd);
}

void
target_close(struct target *t)
{
    target_drop_fd(t);
}

int
target_wait(struct target *t)
{
    const uint32_t once = EPOLLOUT | EPOLLONESHOT;

    if (t->fd < 0)
        return -1;
    if (loop_io_active(&t->io))
        return loop_io_mod(t->loop, &t->io, t->fd, once);
    return loop_io_add(t->loop, &t->io, t->fd, once);
}

void
target_wait_cancel(struct target *t)
{
    if (t->fd >= 0)
        loop_io_del(t->loop, &t->io, t->fd);
}

void
target_count(struct target *t, size_t n, bool safe)
{
    t->sent += n;
    if (safe)
        t->safe = t->sent;
}

enum target_result
target_failed(struct target *t, enum target_result result)
{
    if (!t->complained)
        log_warn("log target %s %s: %s; records wait in their rings", t->ops->name,
            t->settings.path, strerror(errno));
    t->complained = true;
    t->retry_us *= 2;
    if (t->retry_us > TARGET_RETRY_MOST_US)
        t->retry_us = TARGET_RETRY_MOST_US;
    return result;
}

void
target_works(struct target *t)
{
    if (t->complained)
        log_info("log target %s %s takes records again", t->ops->name, t->settings.path);
    t->complained = false;
    t->retry_us = TARGET_RETRY_LEAST_US;
}

size_t
target_piece(
    const struct target *t, const struct target_line *lines, size_t count, const char **start)
{
    const struct target_line *last = &lines[count - 1];

    *start = lines[0].text + t->partial;
    return (size_t)(last->text + last->len - *start);
}

size_t
target_written(struct target *t, const struct target_line *lines, size_t count, size_t written)
{
    size_t n = 0;

    written += t->partial;
    while (n < count && written >= lines[n].len)
        written -= lines[n++].len;
    t->partial = written;
    target_count(t, n, true);
    return n;
}
