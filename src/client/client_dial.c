/* SPDX-License-Identifier: ISC */
/*
 * Connects to the gateway: each address of its name, a quarter of a second apart, and the first
 * that answers serves (RFC 8305 in small). Serves client_main.c. What fails has been said when a
 * status comes back.
 */
#include "src/client/client_private.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/fd.h"

#define DIAL_MAX 16
#define DIAL_APART_US (250 * CLOCK_MSEC_US)

struct dial {
    const struct addrinfo *next; /* to be tried */
    struct pollfd tried[DIAL_MAX];
    nfds_t count;
    size_t waiting;    /* of tried, those that may still answer */
    struct mono apart; /* when the next is tried although others wait */
    int error;         /* of the last that failed */
};

static enum client_status
dial_resolve(const struct client_options *o, struct addrinfo **list)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV
    };
    char port[8];

    (void)snprintf(port, sizeof port, "%u", (unsigned)o->port);
    const int result = getaddrinfo(o->host, port, &hints, list);

    if (result == 0)
        return CLIENT_OK;
    return client_fail(CLIENT_UNREACHABLE, "no address of the gateway %s: %s", o->host,
        result == EAI_SYSTEM ? strerror(errno) : gai_strerror(result));
}

/* Begins a connection to the next address. */
static void
dial_start(struct dial *d)
{
    const struct addrinfo *ai = d->next;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    d->next = ai->ai_next;
    if (fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) != 0 && errno != EINPROGRESS)
        fd_close(&fd);
    if (fd < 0) {
        d->error = errno;
        return;
    }
    d->tried[d->count++] = (struct pollfd){ .fd = fd_take(&fd), .events = POLLOUT };
    d->waiting++;
    d->apart = mono_add_us(mono_read(), DIAL_APART_US);
}

/* The descriptor that is connected, -1 while none is. */
static int
dial_look(struct dial *d)
{
    for (nfds_t i = 0; i < d->count; i++) {
        int error = 0;
        socklen_t len = sizeof error;

        if (d->tried[i].fd < 0 || d->tried[i].revents == 0)
            continue;
        if (getsockopt(d->tried[i].fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0)
            return fd_take(&d->tried[i].fd);
        d->error = error;
        fd_close(&d->tried[i].fd);
        d->waiting--;
    }
    return -1;
}

static int
dial_wait_ms(const struct dial *d, struct mono deadline)
{
    const bool more = d->next != NULL && d->count < DIAL_MAX;
    const struct mono until = more && mono_before(d->apart, deadline) ? d->apart : deadline;
    const int64_t left = mono_diff_us(until, mono_read());

    return left <= 0 ? 0 : (int)(left / CLOCK_MSEC_US) + 1;
}

/* The first that answers, or -1 with error set. */
static int
dial_any(struct dial *d, struct mono deadline)
{
    for (;;) {
        while (d->next != NULL && d->count < DIAL_MAX &&
               (d->waiting == 0 || !mono_before(mono_read(), d->apart)))
            dial_start(d);
        if (d->waiting == 0)
            return -1;
        if (!mono_before(mono_read(), deadline)) {
            d->error = ETIMEDOUT;
            return -1;
        }
        if (poll(d->tried, d->count, dial_wait_ms(d, deadline)) <= 0)
            continue;
        const int fd = dial_look(d);

        if (fd >= 0)
            return fd;
    }
}

int
client_dial_list(const struct addrinfo *list, struct mono deadline)
{
    struct dial d = { .next = list, .error = ETIMEDOUT };
    const int fd = dial_any(&d, deadline);

    for (nfds_t i = 0; i < d.count; i++)
        fd_close(&d.tried[i].fd);
    errno = d.error;
    return fd;
}

static void
dial_settle(int fd)
{
    const int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

enum client_status
client_dial(struct client_wire *w, const struct client_options *o)
{
    struct addrinfo *list = NULL;
    const enum client_status status = dial_resolve(o, &list);

    if (status != CLIENT_OK)
        return status;
    w->deadline = mono_add_seconds(mono_read(), o->timeout);
    w->fd = client_dial_list(list, w->deadline);
    const int error = errno;

    freeaddrinfo(list);
    if (w->fd < 0)
        return client_fail(CLIENT_UNREACHABLE, "cannot reach the gateway %s port %u: %s", o->host,
            (unsigned)o->port, strerror(error));
    dial_settle(w->fd);
    return CLIENT_OK;
}
