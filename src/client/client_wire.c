/* SPDX-License-Identifier: ISC */
/*
 * The connection to the gateway: bytes in and out, sealed once that was agreed. Serves the steps of
 * the login and the join. What fails has been said when a status comes back.
 */
#include "src/client/client_private.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/fd.h"

enum client_status
client_wire_open(struct client_wire *w)
{
    *w = (struct client_wire){ .fd = -1, .deadline = MONO_NEVER };
    w->data = malloc(CLIENT_IN_SIZE);
    w->out = malloc(CLIENT_OUT_SIZE);
    if (w->data != NULL && w->out != NULL)
        return CLIENT_OK;
    client_wire_close(w);
    return client_fail(CLIENT_BROKEN, "out of memory");
}

static void
zero_free(uint8_t **data, size_t size)
{
    if (*data != NULL)
        explicit_bzero(*data, size);
    free(*data);
    *data = NULL;
}

void
client_wire_close(struct client_wire *w)
{
    fd_close(&w->fd);
    auth_gssapi_protect.free(w->protect);
    w->protect = NULL;
    zero_free(&w->data, CLIENT_IN_SIZE);
    zero_free(&w->out, CLIENT_OUT_SIZE);
}

int
client_wait_ms(struct mono until)
{
    if (until.us == MONO_NEVER.us)
        return -1;
    const int64_t ms = mono_diff_us(until, mono_read()) / CLOCK_MSEC_US + 1;

    return ms <= 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms;
}

/* Waits for the socket. 0: ready, or broken, which the next call will tell; -1: the deadline. */
static int
wire_wait(const struct client_wire *w, short events)
{
    for (;;) {
        struct pollfd p = { .fd = w->fd, .events = events };
        const int n = poll(&p, 1, client_wait_ms(w->deadline));

        if (n > 0)
            return 0;
        if (n == 0 && !mono_before(mono_read(), w->deadline))
            return -1;
        if (n < 0 && errno != EINTR)
            return 0;
    }
}

/* Makes room behind what has been received. An open message is a borrow into it: it stays. */
static void
wire_compact(struct client_wire *w)
{
    if (w->start == 0 || w->opened > 0)
        return;
    memmove(w->data, w->data + w->start, w->end - w->start);
    w->end -= w->start;
    w->start = 0;
}

ssize_t
client_wire_receive(struct client_wire *w)
{
    ssize_t n;

    wire_compact(w);
    do {
        n = recv(w->fd, w->data + w->end, CLIENT_IN_SIZE - w->end, 0);
    } while (n < 0 && errno == EINTR);
    if (n > 0)
        w->end += (size_t)n;
    return n;
}

static enum client_status
wire_late(const char *phase)
{
    return client_fail(CLIENT_UNREACHABLE, "the gateway did not answer in time during %s", phase);
}

enum client_status
client_wire_fill(struct client_wire *w, enum client_status status, const char *phase)
{
    for (;;) {
        if (wire_wait(w, POLLIN) != 0)
            return wire_late(phase);
        const ssize_t n = client_wire_receive(w);

        if (n > 0)
            return CLIENT_OK;
        if (n == 0)
            return client_fail(status, "the gateway ended the connection during %s", phase);
        if (errno != EAGAIN)
            return client_fail(
                status, "the connection broke during %s: %s", phase, strerror(errno));
    }
}

enum client_status
client_wire_send(struct client_wire *w, const void *data, size_t len, const char *phase)
{
    const uint8_t *at = data;

    while (len > 0) {
        const ssize_t n = send(w->fd, at, len, MSG_NOSIGNAL);

        if (n >= 0) {
            at += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN) {
            if (wire_wait(w, POLLOUT) != 0)
                return wire_late(phase);
        } else if (errno != EINTR) {
            return client_fail(
                CLIENT_BROKEN, "the connection broke during %s: %s", phase, strerror(errno));
        }
    }
    return CLIENT_OK;
}

uint8_t *
client_wire_raw(struct client_wire *w, size_t *len)
{
    *len = w->end - w->start;
    return w->data + w->start;
}

void
client_wire_consume(struct client_wire *w, size_t len)
{
    w->start += len;
}

enum auth_frame
client_wire_next(struct client_wire *w, const char **error)
{
    struct auth_opened opened;

    if (w->opened > 0)
        return AUTH_FRAME_READY;
    if (!w->sealed) {
        w->plain = w->data + w->start;
        w->plain_len = w->opened = w->end - w->start;
        return w->opened > 0 ? AUTH_FRAME_READY : AUTH_FRAME_MORE;
    }
    const enum auth_frame result =
        auth_gssapi_protect.open(w->protect, w->data + w->start, w->end - w->start, &opened);

    if (result == AUTH_FRAME_BAD)
        *error = opened.error;
    if (result != AUTH_FRAME_READY)
        return result;
    w->plain = opened.plain;
    w->plain_len = opened.plain_len;
    w->opened = opened.used;
    client_wire_used(w, 0); /* an empty message is done with at once */
    return AUTH_FRAME_READY;
}

void
client_wire_used(struct client_wire *w, size_t len)
{
    w->plain += len;
    w->plain_len -= len;
    if (w->plain_len == 0) {
        w->start += w->opened;
        w->opened = 0;
    }
}

size_t
client_wire_room(const struct client_wire *w)
{
    const size_t max = w->sealed ? auth_gssapi_protect.plain_max(w->protect) : CLIENT_OUT_PLAIN;

    return max < CLIENT_OUT_PLAIN ? max : CLIENT_OUT_PLAIN;
}

int
client_wire_seal(struct client_wire *w, size_t len, struct auth_sealed *out)
{
    uint8_t *plain = w->out + CLIENT_OUT_HEAD;

    if (w->sealed)
        return auth_gssapi_protect.seal(w->protect, plain, len, out);
    *out = (struct auth_sealed){ .data = plain, .len = len };
    return 0;
}
