/* SPDX-License-Identifier: ISC */
/*
 * The master's side of sallyport-metrics: its listening socket, and the texts it asks for. A text is
 * rendered at most once in METRICS_KEEP_US, however often it is asked for.
 */
#include "src/master/master_metrics.h"

#include "lib/base/fd.h"
#include "src/core/log.h"
#include "src/master/master_private.h"

#include <errno.h>
#include <string.h>

#define METRICS_KEEP_US (900 * CLOCK_MSEC_US)

bool
metrics_wanted(const struct master *m)
{
    return m->settings->metrics.family != ADDR_NONE;
}

int
metrics_listen(struct master *m)
{
    char text[ADDR_TEXT_MAX];
    struct addr bound;

    if (!metrics_wanted(m))
        return 0;
    m->metrics.listen_fd = listen_open(&m->inherited, &m->settings->metrics, false, &bound);
    if (m->metrics.listen_fd < 0) {
        addr_format(&m->settings->metrics, text);
        log_error("metrics { listen = \"%s\" }: %s", text, strerror(errno));
        return -1;
    }
    addr_format(&bound, text);
    log_info("metrics on %s", text);
    return 0;
}

void
metrics_equip(struct process *p)
{
    process_send(p, IPC_METRICS_LISTEN, NULL, 0, &p->m->metrics.listen_fd, 1);
}

/* A sealed memfd with the text of now, an empty one where it cannot be had. -1 with errno. */
static int
make_text(struct master *m, enum metrics_format format)
{
    struct buffer out = BUFFER_INIT;
    bool good = metrics_render_as(m, format, &out) == 0;

    if (!good)
        log_error("metrics: %s", strerror(errno));
    int fd = memfd_sealed("sallyport-metrics", buffer_head(&out), good ? buffer_len(&out) : 0);

    buffer_clear(&out);
    return fd;
}

static int
current_text(struct master *m, enum metrics_format format)
{
    struct metrics_kept *kept = &m->metrics.kept[format];
    struct mono now = loop_now(m->loop);

    if (kept->fd >= 0 && mono_diff_us(now, kept->made) < METRICS_KEEP_US)
        return kept->fd;
    fd_close(&kept->fd);
    kept->fd = make_text(m, format);
    kept->made = now;
    return kept->fd;
}

bool
metrics_asked(struct process *p, struct ipc_message *message)
{
    enum metrics_format format;
    uint8_t body[1];

    if (ipc_metrics_decode(message, &format) < 0)
        return false;
    int fd = current_text(p->m, format);

    /* Without one it answers its clients by itself, after a while. */
    if (fd < 0)
        log_error("metrics: %s", strerror(errno));
    else
        process_send(p, IPC_METRICS_TEXT, body, ipc_metrics_encode(format, body, sizeof body), &fd, 1);
    return true;
}
