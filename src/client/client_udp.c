/* SPDX-License-Identifier: ISC */
/*
 * An association: what is read from standard input goes out as datagrams, what answers is written
 * to standard output. Serves client_main.c. It ends some time after the end of input, or with the
 * connection to the gateway.
 */
#include "src/client/client_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/client/client_output.h"

/* The wire's buffer of received bytes has served: one half holds input, the other an answer. */
#define HALF (CLIENT_IN_SIZE / 2)

struct udp {
    struct client_wire *w;
    const struct client_options *o;
    struct client_datagram datagram;
    struct client_output output;
    uint8_t *in; /* in[start..end): read, and not sent yet */
    size_t start, end;
    bool input_ended;
    uint8_t *answer; /* what is still to be written */
    size_t answer_len;
    struct mono deadline; /* once input has ended */
    bool over;            /* that, or nobody reads standard output any more */
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

/* --- standard input --- */

/* The next datagram's bytes at start, and what they take of the input with their newline; 0: there
   is none yet. */
static size_t
piece_find(const struct udp *u, size_t *len)
{
    const size_t left = u->end - u->start;
    const uint8_t *line = left > 0 && u->o->lines ? memchr(u->in + u->start, '\n', left) : NULL;

    *len = line != NULL ? (size_t)(line - (u->in + u->start)) : left;
    if (line != NULL)
        return *len + 1;
    return !u->o->lines || u->input_ended || left > u->datagram.room ? left : 0;
}

static void
wait_begin(struct udp *u)
{
    if (u->input_ended)
        u->deadline = mono_add_seconds(mono_read(), u->o->wait);
}

/* Without lines what one read() gives is one datagram. */
static enum client_status
input_read(struct udp *u)
{
    memmove(u->in, u->in + u->start, u->end - u->start);
    u->end -= u->start;
    u->start = 0;
    const size_t room = u->o->lines ? HALF - u->end : u->datagram.room;
    const ssize_t n = read(STDIN_FILENO, u->in + u->end, room);

    if (n < 0)
        return later() ? CLIENT_OK : broke("standard input");
    u->end += (size_t)n;
    u->input_ended = n == 0;
    wait_begin(u);
    return CLIENT_OK;
}

static enum client_status
piece_send(struct udp *u)
{
    size_t len;
    const size_t used = piece_find(u, &len);

    if (used == 0)
        return CLIENT_OK;
    if (len > u->datagram.room)
        return client_fail(CLIENT_USAGE, "a line of more than %zu bytes does not fit a datagram",
            u->datagram.room);
    const enum client_status status = client_datagram_send(&u->datagram, u->in + u->start, len);

    u->start += used;
    wait_begin(u);
    return status;
}

/* --- answers --- */

static enum client_status
answer_write(struct udp *u)
{
    while (u->answer_len > 0 && !u->over) {
        const ssize_t n = client_output_write(&u->output, u->answer, u->answer_len);

        if (n >= 0) {
            u->answer += n;
            u->answer_len -= (size_t)n;
        } else if (errno == EPIPE || errno == ECONNRESET) {
            u->over = true;
        } else {
            return later() ? CLIENT_OK : broke("standard output");
        }
    }
    return CLIENT_OK;
}

static enum client_status
answer_read(struct udp *u)
{
    uint8_t *data;
    const enum client_status status =
        client_datagram_receive(&u->datagram, u->w->data + HALF, HALF - 1, &data, &u->answer_len);

    if (status != CLIENT_OK || data == NULL) {
        u->answer_len = 0;
        return status;
    }
    u->answer = data;
    if (u->o->lines)
        data[u->answer_len++] = '\n';
    wait_begin(u);
    return answer_write(u);
}

/* --- the connection --- */

/* Nothing is expected of it but its end. */
static enum client_status
connection_read(const struct client_wire *w)
{
    uint8_t bytes[512];
    const ssize_t n = recv(w->fd, bytes, sizeof bytes, 0);

    if (n == 0)
        return client_fail(CLIENT_BROKEN, "the gateway ended the association");
    return n > 0 || later() ? CLIENT_OK : broke("the connection broke");
}

/* --- all of it --- */

enum { UDP_INPUT, UDP_CONNECTION, UDP_DATAGRAM, UDP_OUTPUT, UDP_FDS };

static int
udp_wants(const struct udp *u, struct pollfd p[UDP_FDS])
{
    size_t len;
    const bool more = piece_find(u, &len) > 0;
    const bool writes = u->answer_len > 0;

    p[UDP_INPUT] =
        (struct pollfd){ .fd = u->input_ended || more ? -1 : STDIN_FILENO, .events = POLLIN };
    p[UDP_CONNECTION] = (struct pollfd){ .fd = u->w->fd, .events = POLLIN };
    p[UDP_DATAGRAM] = (struct pollfd){ .fd = writes ? -1 : u->datagram.fd, .events = POLLIN };
    p[UDP_OUTPUT] = (struct pollfd){ .fd = writes ? u->output.fd : -1, .events = POLLOUT };
    return more ? 0 : writes ? -1 : client_wait_ms(u->deadline);
}

/* Answers before the next datagram, one of each a turn: neither side's queue runs over for long. */
static enum client_status
udp_turn(struct udp *u)
{
    struct pollfd p[UDP_FDS];
    enum client_status status = CLIENT_OK;

    if (poll(p, UDP_FDS, udp_wants(u, p)) < 0)
        return errno == EINTR ? CLIENT_OK : broke("poll");
    if (p[UDP_CONNECTION].revents != 0)
        status = connection_read(u->w);
    if (status == CLIENT_OK && p[UDP_OUTPUT].revents != 0)
        status = answer_write(u);
    if (status == CLIENT_OK && p[UDP_DATAGRAM].revents != 0)
        status = answer_read(u);
    if (status == CLIENT_OK && p[UDP_INPUT].revents != 0)
        status = input_read(u);
    if (status == CLIENT_OK)
        status = piece_send(u);
    if (u->answer_len == 0 && u->start == u->end && !mono_before(mono_read(), u->deadline))
        u->over = true;
    return status;
}

enum client_status
client_udp(
    struct client_wire *w, const struct client_options *o, const struct socks5_answer *answer)
{
    struct udp u = { .w = w, .o = o, .in = w->data, .deadline = MONO_NEVER };

    client_output_init(&u.output, STDOUT_FILENO);
    enum client_status status = client_datagram_open(&u.datagram, w, o, answer);

    while (status == CLIENT_OK && !u.over)
        status = udp_turn(&u);
    if (u.datagram.dropped > 0)
        client_note("datagrams dropped: %lu, the last one: %s", u.datagram.dropped, u.datagram.why);
    client_datagram_close(&u.datagram);
    return status;
}
