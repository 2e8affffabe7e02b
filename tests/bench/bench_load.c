/* SPDX-License-Identifier: ISC */
/*
 * Load for measuring a SOCKS 5 server from outside, and the destination it connects to. One process,
 * one epoll loop, no threads; bench.py starts as many as it wants and reads the proxy's CPU time.
 *
 *   bench_load serve                               prints its port, serves until killed
 *   bench_load sessions PROXY TARGET COUNT PARALLEL   connect, CONNECT, a byte each way, close
 *   bench_load bulk PROXY TARGET STREAMS BYTES        BYTES in all from the destination
 *   bench_load idle PROXY TARGET COUNT                opens, prints "ready", holds until stdin ends
 *
 * PROXY and TARGET are ports on 127.0.0.1. Every client command prints one line of JSON.
 */
#include "lib/base/attr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (256 * 1024)
#define EVENTS 256

/* A client connection goes through these states; a served one is in SERVE, SEND or SWALLOW. */
enum state { GREETING, REQUEST, FIRST, BULK, HELD, SERVE, SEND, SWALLOW };

struct conn {
    int fd;
    enum state state;
    size_t need;    /* bytes of the answer still awaited */
    uint64_t bytes; /* SEND: left to send; BULK, SWALLOW: left to receive */
};

struct load {
    int epoll;
    uint16_t proxy, target;
    uint64_t count, parallel, bytes;
    enum state after; /* what a session does once it is connected: FIRST, BULK or HELD */
    uint64_t begun, done, failed, held, received;
};

static uint8_t chunk[CHUNK];

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_in
loopback(uint16_t port)
{
    return (struct sockaddr_in) { .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static double
now(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
watch(int epoll, struct conn *c, int op, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.ptr = c };

    if (epoll_ctl(epoll, op, c->fd, &ev) < 0)
        die("epoll_ctl");
}

/* ---- the destination ---- */

static void
serve_close(struct conn *c)
{
    (void)close(c->fd);
    free(c);
}

static void
serve_send(int epoll, struct conn *c)
{
    for (int i = 0; i < 16 && c->bytes > 0; i++) {
        size_t len = c->bytes < CHUNK ? (size_t)c->bytes : CHUNK;
        ssize_t n = send(c->fd, chunk, len, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            serve_close(c);
            return;
        }
        c->bytes -= (uint64_t)n;
    }
    if (c->bytes == 0) {
        c->state = SERVE;
        watch(epoll, c, EPOLL_CTL_MOD, EPOLLIN);
    }
}

/* Takes what was announced, and answers one byte when all of it came. */
static void
serve_swallow(struct conn *c)
{
    ssize_t n = recv(c->fd, chunk, CHUNK, MSG_DONTWAIT | MSG_TRUNC);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || (uint64_t)n > c->bytes) {
        serve_close(c);
        return;
    }
    c->bytes -= (uint64_t)n;
    if (c->bytes > 0)
        return;
    c->state = SERVE;
    (void)send(c->fd, "u", 1, MSG_NOSIGNAL);
}

/* One byte is sent back; nine bytes starting with 'd' ask for so many bytes, with 'u' they announce
   them. */
static void
serve_read(int epoll, struct conn *c)
{
    uint8_t in[64];
    /* Nine bytes are the longest that is asked; what follows them is payload. */
    ssize_t n = recv(c->fd, in, 9, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        serve_close(c);
    } else if (n == 9 && in[0] == 'd') {
        memcpy(&c->bytes, in + 1, sizeof c->bytes);
        c->state = SEND;
        watch(epoll, c, EPOLL_CTL_MOD, EPOLLOUT);
    } else if (n == 9 && in[0] == 'u') {
        memcpy(&c->bytes, in + 1, sizeof c->bytes);
        c->state = SWALLOW;
    } else if (send(c->fd, in, (size_t)n, MSG_NOSIGNAL) != n) {
        serve_close(c);
    }
}

static void
serve_accept(int epoll, int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
        struct conn *c = fd < 0 ? NULL : calloc(1, sizeof *c);

        if (c == NULL)
            return;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        *c = (struct conn) { .fd = fd, .state = SERVE };
        watch(epoll, c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static SP_NORETURN void
serve(void)
{
    struct sockaddr_in sin = loopback(0);
    socklen_t len = sizeof sin;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct conn accepting = { .fd = listener };
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (bind(listener, (struct sockaddr *)&sin, sizeof sin) < 0 || listen(listener, 65535) < 0 ||
        getsockname(listener, (struct sockaddr *)&sin, &len) < 0)
        die("listen");
    watch(epoll, &accepting, EPOLL_CTL_ADD, EPOLLIN);
    printf("%u\n", (unsigned)ntohs(sin.sin_port));
    (void)fflush(stdout);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < n; i++) {
            struct conn *c = events[i].data.ptr;

            if (c == &accepting)
                serve_accept(epoll, listener);
            else if (c->state == SEND)
                serve_send(epoll, c);
            else if (c->state == SWALLOW)
                serve_swallow(c);
            else
                serve_read(epoll, c);
        }
    }
}

/* ---- the client ---- */

static void
client_begin(struct load *l)
{
    static const uint8_t hello[] = { 5, 1, 0 };
    struct sockaddr_in sin = loopback(l->proxy);
    struct conn *c = calloc(1, sizeof *c);
    int on = 1;

    l->begun++;
    if (c == NULL)
        die("calloc");
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&sin, sizeof sin) < 0)
        die("connect to the proxy");
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->state = GREETING;
    c->need = 2;
    watch(l->epoll, c, EPOLL_CTL_ADD, EPOLLIN);
    if (send(c->fd, hello, sizeof hello, MSG_NOSIGNAL) != sizeof hello)
        die("send");
}

static void
client_end(struct load *l, struct conn *c, bool ok)
{
    (void)close(c->fd);
    free(c);
    l->done++;
    l->failed += !ok;
    if (l->begun < l->count)
        client_begin(l);
}

static bool
client_say(struct conn *c, enum state next, size_t need, const void *data, size_t len)
{
    c->state = next;
    c->need = need;
    return send(c->fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool
client_request(struct load *l, struct conn *c)
{
    uint8_t request[10] = { 5, 1, 0, 1, 127, 0, 0, 1 };

    request[8] = (uint8_t)(l->target >> 8);
    request[9] = (uint8_t)l->target;
    return client_say(c, REQUEST, 10, request, sizeof request);
}

static bool
client_connected(struct load *l, struct conn *c)
{
    uint8_t ask[9] = { 'd' };

    if (l->after == FIRST)
        return client_say(c, FIRST, 1, "x", 1);
    if (l->after == HELD) {
        c->state = HELD;
        l->held++;
        if (l->begun < l->count)
            client_begin(l);
        return true;
    }
    c->bytes = l->bytes / l->parallel;
    memcpy(ask + 1, &c->bytes, sizeof c->bytes);
    return client_say(c, BULK, 0, ask, sizeof ask);
}

static void
client_bulk(struct load *l, struct conn *c)
{
    ssize_t n = recv(c->fd, chunk, CHUNK, MSG_DONTWAIT | MSG_TRUNC);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        client_end(l, c, false);
        return;
    }
    l->received += (uint64_t)n;
    c->bytes -= (uint64_t)n;
    if (c->bytes == 0)
        client_end(l, c, true);
}

/* The answer of this state is complete: says the next thing. */
static void
client_next(struct load *l, struct conn *c, uint8_t status)
{
    bool ok = c->state == FIRST || status == 0;

    if (ok && c->state == GREETING)
        ok = client_request(l, c);
    else if (ok && c->state == REQUEST)
        ok = client_connected(l, c);
    else {
        client_end(l, c, ok);
        return;
    }
    if (!ok)
        client_end(l, c, false);
}

static void
client_read(struct load *l, struct conn *c)
{
    uint8_t in[16];
    ssize_t n;

    if (c->state == BULK) {
        client_bulk(l, c);
        return;
    }
    n = recv(c->fd, in, c->state == HELD ? sizeof in : c->need, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || (size_t)n != c->need) {
        client_end(l, c, false);
        return;
    }
    client_next(l, c, in[1]);
}

static void
client_turn(struct load *l)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(l->epoll, events, EVENTS, 10000);

    if (n == 0) {
        fprintf(stderr, "bench_load: nothing happened for 10 s\n");
        exit(1);
    }
    for (int i = 0; i < n; i++)
        client_read(l, events[i].data.ptr);
}

static void
client_run(struct load *l)
{
    double start = now(), seconds;

    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (uint64_t i = 0; i < l->parallel && l->begun < l->count; i++)
        client_begin(l);
    while (l->done + l->held < l->count)
        client_turn(l);
    seconds = now() - start;
    if (l->after == HELD) {
        char byte;

        printf("ready %llu\n", (unsigned long long)l->held);
        (void)fflush(stdout);
        while (read(0, &byte, 1) > 0)
            ;
    }
    printf("{\"count\": %llu, \"failed\": %llu, \"bytes\": %llu, \"seconds\": %.6f}\n",
        (unsigned long long)l->count, (unsigned long long)l->failed,
        (unsigned long long)l->received, seconds);
}

static uint64_t
number(const char *text)
{
    char *end;
    uint64_t v = strtoull(text, &end, 10);

    if (*text == '\0' || *end != '\0' || v == 0) {
        fprintf(stderr, "bench_load: \"%s\" is no positive number\n", text);
        exit(2);
    }
    return v;
}

static int
client_main(int argc, char **argv)
{
    struct load l = { .after = FIRST };

    if (argc < 5)
        return 2;
    l.proxy = (uint16_t)number(argv[2]);
    l.target = (uint16_t)number(argv[3]);
    l.count = number(argv[4]);
    l.parallel = l.count;
    if (strcmp(argv[1], "sessions") == 0 && argc == 6) {
        l.parallel = number(argv[5]);
    } else if (strcmp(argv[1], "bulk") == 0 && argc == 6) {
        l.after = BULK;
        l.bytes = number(argv[5]);
    } else if (strcmp(argv[1], "idle") == 0 && argc == 5) {
        l.after = HELD;
        l.parallel = l.count < 64 ? l.count : 64;
    } else {
        return 2;
    }
    client_run(&l);
    return l.failed == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    struct rlimit limit;
    int r = 2;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        serve();
    r = client_main(argc, argv);
    if (r == 2)
        fprintf(stderr, "usage: bench_load serve | sessions PROXY TARGET COUNT PARALLEL | "
                        "bulk PROXY TARGET STREAMS BYTES | idle PROXY TARGET COUNT\n");
    return r;
}
