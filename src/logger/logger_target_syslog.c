/* SPDX-License-Identifier: ISC */
/*
 * Target "syslog": datagrams to the daemon's socket, as syslog(3) writes them (RFC 3164), in batches
 * and without blocking. A datagram that the kernel took is not yet one that the daemon read: what
 * lies unread when a daemon ends is thrown away, silently. So a line is safe when the socket had
 * nothing unread (SIOCOUTQ) and the same daemon was alive after that, which a later send that does
 * not fail shows; an empty datagram, which daemons ignore, serves where there is nothing to send.
 * Every error of the socket means a new one, at once for a daemon that was restarted.
 */
#include "src/logger/target.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define BATCH 64

/* ---- the frame ---- */

static void
put_date(struct line *out, time_t second)
{
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
        "Sep", "Oct", "Nov", "Dec" };
    static struct {
        time_t second;
        char text[32];
        int len;
    } kept;
    struct tm tm;

    if (kept.len == 0 || kept.second != second) {
        if (localtime_r(&second, &tm) == NULL)
            tm = (struct tm) { .tm_mday = 1 };
        kept.len = snprintf(kept.text, sizeof kept.text, "%s %2d %02d:%02d:%02d ",
            months[tm.tm_mon % 12], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        kept.second = second;
    }
    if (kept.len > 0 && (size_t)kept.len < sizeof kept.text)
        line_bytes(out, kept.text, (size_t)kept.len);
}

static void
syslog_frame(struct target *t, const struct event_view *view, struct line *out)
{
    line_char(out, '<');
    line_number(out, (uint64_t)(t->settings.facility | event_table[view->id].severity));
    line_char(out, '>');
    put_date(out, (time_t)(view->time.us / CLOCK_SECOND_US));
    line_text(out, "sallyport[");
    line_number(out, (uint64_t)t->settings.pid);
    line_text(out, "]: ");
    if (t->settings.format == IMAGE_LOG_JSON)
        line_text(out, "@cee: ");
}

/* ---- the socket ---- */

static int
syslog_connect(struct target *t)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    size_t len = strlen(t->settings.path);

    if (len >= sizeof to.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(to.sun_path, t->settings.path, len);
    t->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (t->fd < 0)
        return -1;
    if (connect(t->fd, (const struct sockaddr *)&to, sizeof to) < 0) {
        fd_close(&t->fd);
        return -1;
    }
    t->fresh = true;
    return 0;
}

/* The socket failed: a new one at once, unless this one never worked. Either way what is not safe
   counts as lost. */
static enum target_result
syslog_reconnect(struct target *t)
{
    bool lost = t->sent != t->safe;
    bool hopeless = t->fresh;

    if (hopeless)
        (void)target_failed(t, TARGET_LATER);
    target_drop_fd(t);
    t->sent = t->proof = t->safe;
    if (!hopeless && syslog_connect(t) < 0) {
        (void)target_failed(t, TARGET_LATER);
        hopeless = true;
    }
    if (lost)
        return TARGET_LOST;
    return hopeless ? TARGET_LATER : TARGET_OK;
}

/* Notes how much had been sent if nothing of it lies unread. */
static void
look_at_queue(struct target *t, uint64_t least)
{
    int unread = 1;

    if (t->sent - t->proof >= least && ioctl(t->fd, SIOCOUTQ, &unread) == 0 && unread == 0)
        t->proof = t->sent;
}

/* What errno of a send means. */
static enum target_result
judge(struct target *t)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return TARGET_FULL;
    if (errno == EMSGSIZE)
        return TARGET_TOO_LONG;
    if (errno == ENOBUFS || errno == ENOMEM)
        return target_failed(t, TARGET_LATER);
    if (errno == EINTR)
        return TARGET_OK;
    return syslog_reconnect(t);
}

static enum target_result
syslog_send(struct target *t, const struct target_line *lines, size_t count, size_t *sent)
{
    struct mmsghdr messages[BATCH];
    struct iovec iov[BATCH];

    *sent = 0;
    if (t->fd < 0 && syslog_connect(t) < 0)
        return target_failed(t, TARGET_LATER);
    look_at_queue(t, BATCH);
    if (count > BATCH)
        count = BATCH;
    for (size_t i = 0; i < count; i++) {
        iov[i] = (struct iovec) { (void *)(uintptr_t)lines[i].text, lines[i].len };
        messages[i] = (struct mmsghdr) { .msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1 } };
    }
    int n = sendmmsg(t->fd, messages, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0)
        return judge(t);
    t->fresh = false;
    t->safe = t->proof;
    *sent = (size_t)n;
    target_count(t, *sent, false);
    target_works(t);
    return *sent == count ? TARGET_OK : TARGET_FULL;
}

static enum target_result
syslog_prove(struct target *t)
{
    if (t->safe == t->sent)
        return TARGET_OK;
    look_at_queue(t, 1);
    if (t->proof != t->sent)
        return TARGET_LATER;
    if (send(t->fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        enum target_result result = judge(t);

        return result == TARGET_LOST ? TARGET_LOST : TARGET_LATER;
    }
    t->safe = t->sent;
    return TARGET_OK;
}

/* rsyslog reads at most 8 KiB of a message unless told otherwise. */
const struct target_ops target_syslog = {
    .name = "syslog",
    .line_max = 8192,
    .end = "",
    .frame = syslog_frame,
    .send = syslog_send,
    .prove = syslog_prove,
};
