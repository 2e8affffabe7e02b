/* SPDX-License-Identifier: ISC */
/*
 * Joins standard input and output to the target until both directions ended; each end is carried
 * through by itself. Serves client_main.c. A message of the gateway that was refused, and a
 * connection that broke, end it at once.
 */
#include "src/client/client_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/client/client_output.h"

struct join {
    struct client_wire *w;
    struct client_output output;
    struct auth_sealed up; /* of w->out, what is still to be sent */
    bool input_ended;      /* end of file on standard input */
    bool shut;             /* and told to the gateway */
    bool peer_ended;       /* end of file from the gateway */
    int error;             /* what broke the way up; the way down may still have something */
    bool abandoned;        /* nobody reads standard output any more, or the connection is gone */
};

static enum client_status
broke(const char *what)
{
    return client_fail(CLIENT_BROKEN, "%s: %s", what, strerror(errno));
}

static bool
later(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* --- up: standard input to the gateway --- */

/* A target that has heard enough says so before it resets: what it said is still to be read. */
static void
up_break(struct join *j)
{
    j->error = errno;
    j->up.len = 0;
    j->input_ended = j->shut = true;
}

static void
up_send(struct join *j)
{
    if (j->up.len > 0) {
        const ssize_t n = send(j->w->fd, j->up.data, j->up.len, MSG_NOSIGNAL);

        if (n < 0 && !later())
            up_break(j);
        if (n < 0)
            return;
        j->up.data += n;
        j->up.len -= (size_t)n;
    }
    if (j->up.len == 0 && j->input_ended && !j->shut) {
        (void)shutdown(j->w->fd, SHUT_WR); /* a connection that is gone tells when it is read */
        j->shut = true;
    }
}

static enum client_status
up_read(struct join *j)
{
    const ssize_t n = read(STDIN_FILENO, j->w->out + CLIENT_OUT_HEAD, client_wire_room(j->w));

    if (n < 0)
        return later() ? CLIENT_OK : broke("standard input");
    if (n == 0)
        j->input_ended = true;
    else if (client_wire_seal(j->w, (size_t)n, &j->up) != 0)
        return client_fail(CLIENT_BROKEN, "a message cannot be sealed");
    up_send(j);
    return CLIENT_OK;
}

/* --- down: the gateway to standard output --- */

static enum client_status
down_end(struct join *j)
{
    size_t left;

    (void)client_wire_raw(j->w, &left);
    if (left > 0 && j->error == 0)
        return client_fail(CLIENT_BROKEN, "the connection ended inside a message");
    client_output_end(&j->output);
    return CLIENT_OK;
}

/* What is open; then what else has arrived, message by message, until output takes no more. */
static enum client_status
down_write(struct join *j)
{
    struct client_wire *w = j->w;

    for (;;) {
        const char *error = NULL;
        const enum auth_frame result = client_wire_next(w, &error);

        if (result == AUTH_FRAME_BAD)
            return client_fail(
                CLIENT_BROKEN, "the gateway's message violates the protection: %s", error);
        if (result == AUTH_FRAME_MORE)
            return j->peer_ended ? down_end(j) : CLIENT_OK;
        if (w->plain_len == 0)
            continue;
        const ssize_t n = client_output_write(&j->output, w->plain, w->plain_len);

        if (n >= 0) {
            client_wire_used(w, (size_t)n);
        } else if (errno == EPIPE || errno == ECONNRESET) {
            j->abandoned = true;
            return CLIENT_OK;
        } else {
            return later() ? CLIENT_OK : broke("standard output");
        }
    }
}

static enum client_status
down_read(struct join *j)
{
    const ssize_t n = client_wire_receive(j->w);

    if (n < 0)
        return later() ? CLIENT_OK : broke("the connection broke");
    if (n == 0)
        j->peer_ended = true;
    return down_write(j);
}

/* --- both --- */

enum { JOIN_INPUT, JOIN_GATEWAY, JOIN_OUTPUT, JOIN_FDS };

static void
join_wants(const struct join *j, struct pollfd p[JOIN_FDS])
{
    const bool pending = j->w->opened > 0;
    const bool reads = !j->peer_ended && !pending;
    const bool writes = j->up.len > 0;

    p[JOIN_INPUT] =
        (struct pollfd){ .fd = j->input_ended || writes ? -1 : STDIN_FILENO, .events = POLLIN };
    /* After the gateway's end nothing is asked of it but whether it is gone altogether. */
    p[JOIN_GATEWAY] = (struct pollfd){ .fd = reads || writes || j->output.fd < 0 ? j->w->fd : -1,
        .events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)) };
    p[JOIN_OUTPUT] = (struct pollfd){ .fd = pending ? j->output.fd : -1, .events = POLLOUT };
}

/* The gateway ended and then reset: something of ours did not arrive. */
static void
peer_gone(struct join *j)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (getsockopt(j->w->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error == 0)
        error = ECONNRESET;
    j->error = error;
    j->abandoned = true;
}

static enum client_status
join_gateway(struct join *j, short events)
{
    enum client_status status = CLIENT_OK;

    if (j->up.len > 0 && (events & (POLLOUT | POLLERR | POLLHUP)) != 0)
        up_send(j);
    else if (j->peer_ended && (events & (POLLERR | POLLHUP)) != 0)
        peer_gone(j);
    if (!j->peer_ended && j->w->opened == 0 && (events & (POLLIN | POLLERR | POLLHUP)) != 0)
        status = down_read(j);
    return status;
}

static enum client_status
join_turn(struct join *j)
{
    struct pollfd p[JOIN_FDS];
    enum client_status status = CLIENT_OK;

    join_wants(j, p);
    if (poll(p, JOIN_FDS, -1) < 0)
        return errno == EINTR ? CLIENT_OK : broke("poll");
    if (p[JOIN_OUTPUT].revents != 0)
        status = down_write(j);
    if (status == CLIENT_OK && p[JOIN_GATEWAY].revents != 0)
        status = join_gateway(j, p[JOIN_GATEWAY].revents);
    if (status == CLIENT_OK && p[JOIN_INPUT].revents != 0)
        status = up_read(j);
    return status;
}

enum client_status
client_join(struct client_wire *w)
{
    struct join j = { .w = w };

    client_output_init(&j.output, STDOUT_FILENO);
    enum client_status status = down_write(&j); /* what stood behind the reply */

    while (status == CLIENT_OK && !j.abandoned && !(j.shut && j.output.fd < 0))
        status = join_turn(&j);
    if (status != CLIENT_OK || j.error == 0)
        return status;
    errno = j.error;
    return broke("the connection broke");
}
