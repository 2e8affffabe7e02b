/* SPDX-License-Identifier: ISC */
/*
 * Datagrams for measuring a SOCKS 5 server's UDP associations from outside, and the destination that
 * sends them back. One process, one epoll loop; bench.py reads the proxy's CPU time.
 *
 *   bench_udp serve                                     prints its port, serves until killed
 *   bench_udp echo PROXY TARGET COUNT SIZE CLIENTS WINDOW   COUNT datagrams of SIZE octets there and back
 *
 * PROXY and TARGET are ports on 127.0.0.1. CLIENTS associations keep WINDOW datagrams under way each;
 * lost ones are sent again after a pause. Prints one line of JSON.
 */
#include "lib/base/addr.h"
#include "lib/base/attr.h"
#include "lib/socks/udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define ROOM 2048
#define CLIENTS_MAX 256
#define PAUSE_MS 200
#define PAUSES_MAX 50 /* without a datagram in between: the proxy does not serve */

struct batch {
    struct mmsghdr messages[BATCH];
    struct iovec iov[BATCH];
    struct sockaddr_in from[BATCH];
    uint8_t rooms[BATCH][ROOM];
};

struct client {
    int tcp, udp;
    uint64_t under_way;
};

struct load {
    uint64_t count, sent, received, resent;
    size_t size; /* header included */
    unsigned window;
    uint8_t datagram[ROOM];
};

static struct batch batch;

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

static int
udp_socket(void)
{
    struct sockaddr_in sin = loopback(0);
    int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 4 << 20;

    if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof sin) < 0)
        die("socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return fd;
}

static void
batch_init(size_t name)
{
    for (unsigned i = 0; i < BATCH; i++) {
        batch.iov[i] = (struct iovec) { batch.rooms[i], ROOM };
        batch.messages[i].msg_hdr = (struct msghdr) { .msg_name = name > 0 ? &batch.from[i] : NULL,
            .msg_namelen = (socklen_t)name, .msg_iov = &batch.iov[i], .msg_iovlen = 1 };
    }
}

static void
serve(void)
{
    struct sockaddr_in sin;
    socklen_t len = sizeof sin;
    int fd = udp_socket();

    if (getsockname(fd, (struct sockaddr *)&sin, &len) < 0)
        die("getsockname");
    (void)printf("%u\n", ntohs(sin.sin_port));
    (void)fflush(stdout);
    for (;;) {
        batch_init(sizeof(struct sockaddr_in));
        int n = recvmmsg(fd, batch.messages, BATCH, MSG_WAITFORONE, NULL);

        for (int i = 0; i < n; i++)
            batch.iov[i].iov_len = batch.messages[i].msg_len;
        if (n > 0)
            (void)sendmmsg(fd, batch.messages, (unsigned)n, 0);
    }
}

static void
exchange(int fd, const void *out, size_t len, uint8_t *in, size_t need)
{
    if (send(fd, out, len, MSG_NOSIGNAL) != (ssize_t)len ||
        recv(fd, in, need, MSG_WAITALL) != (ssize_t)need) {
        (void)fprintf(stderr, "the proxy does not answer\n");
        exit(1);
    }
}

static void
associate(struct client *c, uint16_t proxy)
{
    struct sockaddr_in sin = loopback(proxy), own;
    socklen_t len = sizeof own;
    uint8_t request[10] = { 5, 3, 0, 1 }, in[10];

    c->tcp = socket(AF_INET, SOCK_STREAM, 0);
    c->udp = udp_socket();
    if (c->tcp < 0 || connect(c->tcp, (struct sockaddr *)&sin, sizeof sin) < 0 ||
        getsockname(c->udp, (struct sockaddr *)&own, &len) < 0)
        die("connect");
    /* Dante insists on where the datagrams will come from. */
    memcpy(request + 4, &own.sin_addr, 4);
    memcpy(request + 8, &own.sin_port, 2);
    exchange(c->tcp, "\5\1\0", 3, in, 2);
    exchange(c->tcp, request, sizeof request, in, 10);
    if (in[1] != 0) {
        (void)fprintf(stderr, "the proxy replies %u\n", in[1]);
        exit(1);
    }
    memcpy(&sin.sin_addr, in + 4, 4);
    memcpy(&sin.sin_port, in + 8, 2);
    if (connect(c->udp, (struct sockaddr *)&sin, sizeof sin) < 0)
        die("connect");
}

static void
fill(struct load *l, struct client *c)
{
    unsigned n = 0;

    for (; n < BATCH && c->under_way < l->window && l->sent < l->count; n++) {
        batch.messages[n].msg_hdr = (struct msghdr) { .msg_iov = &batch.iov[n], .msg_iovlen = 1 };
        batch.iov[n] = (struct iovec) { l->datagram, l->size };
        c->under_way++;
        l->sent++;
    }
    if (n > 0 && sendmmsg(c->udp, batch.messages, n, 0) != (int)n)
        die("sendmmsg");
}

static void
drain(struct load *l, struct client *c)
{
    batch_init(0);
    int n = recvmmsg(c->udp, batch.messages, BATCH, MSG_DONTWAIT, NULL);

    for (int i = 0; i < n; i++) {
        if (batch.messages[i].msg_len != l->size)
            die("a datagram of another size");
        l->received++;
        if (c->under_way > 0)
            c->under_way--;
    }
}

/* Nothing came for a while: what is under way is lost. */
static void
again(struct load *l, struct client *clients, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        l->resent += clients[i].under_way;
        l->sent -= clients[i].under_way;
        clients[i].under_way = 0;
        fill(l, &clients[i]);
    }
}

static void
run(struct load *l, struct client *clients, unsigned count)
{
    int epoll = epoll_create1(0);
    unsigned pauses = 0;

    for (unsigned i = 0; i < count; i++) {
        struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &clients[i] };

        if (epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].udp, &ev) < 0)
            die("epoll_ctl");
        fill(l, &clients[i]);
    }
    while (l->received < l->count) {
        struct epoll_event events[CLIENTS_MAX];
        int n = epoll_wait(epoll, events, CLIENTS_MAX, PAUSE_MS);

        for (int i = 0; i < n; i++) {
            drain(l, events[i].data.ptr);
            fill(l, events[i].data.ptr);
        }
        pauses = n > 0 ? 0 : pauses + 1;
        if (pauses > PAUSES_MAX)
            die("nothing comes back");
        if (n == 0)
            again(l, clients, count);
    }
}

static void
echo(char **argv)
{
    static struct client clients[CLIENTS_MAX];
    static const uint8_t ip[4] = { 127, 0, 0, 1 };
    struct load l = { .count = strtoull(argv[2], NULL, 10) };
    unsigned count = (unsigned)strtoul(argv[4], NULL, 10);
    struct addr target = addr_ipv4(ip, (uint16_t)strtoul(argv[1], NULL, 10));

    l.window = (unsigned)strtoul(argv[5], NULL, 10);
    l.size = socks_udp_encode(0, &target, l.datagram) + strtoul(argv[3], NULL, 10);
    if (count == 0 || count > CLIENTS_MAX || l.size > ROOM || l.window == 0) {
        (void)fprintf(stderr, "CLIENTS, SIZE or WINDOW is out of range\n");
        exit(2);
    }
    for (unsigned i = 0; i < count; i++)
        associate(&clients[i], (uint16_t)strtoul(argv[0], NULL, 10));
    run(&l, clients, count);
    (void)printf("{\"received\": %llu, \"lost\": %llu}\n", (unsigned long long)l.received,
        (unsigned long long)l.resent);
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        serve();
    if (argc != 8 || strcmp(argv[1], "echo") != 0) {
        (void)fprintf(stderr, "usage: bench_udp serve | echo PROXY TARGET COUNT SIZE CLIENTS WINDOW\n");
        return 2;
    }
    echo(argv + 2);
    return 0;
}
