/* SPDX-License-Identifier: ISC */
/* See session_bind_tools.h. */
#include "tests/unit/session_bind_tools.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <sys/socket.h>

int
bind_setup(void **state)
{
    (void)state;
    session_rig_begin(BIND_CONFIG("", BIND_RULES));
    return 0;
}

int
bind_setup_short(void **state)
{
    (void)state;
    session_rig_begin(BIND_CONFIG("timeouts { connect = 1 bind = 1 }", BIND_RULES));
    return 0;
}

struct addr
bind_host(uint8_t host, uint16_t port)
{
    const uint8_t ip[4] = { 127, 0, 0, host };

    return addr_ipv4(ip, port);
}

/* ---- the client ---- */

static int
ask(uint64_t *id, const void *destination, size_t len, uint16_t port)
{
    static const uint8_t head[] = { 5, 1, 0, 5, 2, 0 };
    uint8_t out[300], choice[2];
    int fd = session_rig_client(0, id);

    assert_true(sizeof head + len + 2 <= sizeof out);
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, destination, len);
    out[sizeof head + len] = (uint8_t)(port >> 8);
    out[sizeof head + len + 1] = (uint8_t)port;
    session_rig_send(fd, out, sizeof head + len + 2);
    session_rig_read(fd, choice, sizeof choice);
    assert_memory_equal(choice, "\x05\x00", 2);
    return fd;
}

int
bind_ask(uint64_t *id, uint8_t host, uint16_t port)
{
    const uint8_t destination[5] = { 1, host > 0 ? 127 : 0, 0, 0, host };

    return ask(id, destination, sizeof destination, port);
}

int
bind_ask_name(uint64_t *id, const char *name)
{
    uint8_t destination[260] = { 3, (uint8_t)strlen(name) };

    memcpy(destination + 2, name, strlen(name));
    return ask(id, destination, 2 + strlen(name), 21);
}

struct addr
bind_read_reply(int fd, uint8_t reply)
{
    uint8_t head[4], rest[18];

    session_rig_read(fd, head, sizeof head);
    assert_int_equal(head[0], 5);
    assert_int_equal(head[1], reply);
    assert_true(head[3] == 1 || head[3] == 4);
    size_t size = head[3] == 1 ? 4 : 16;

    session_rig_read(fd, rest, size + 2);
    uint16_t port = (uint16_t)(rest[size] << 8 | rest[size + 1]);

    return size == 4 ? addr_ipv4(rest, port) : addr_ipv6(rest, port);
}

struct addr
bind_waits(uint64_t *id, int *fd, uint8_t host)
{
    *fd = bind_ask(id, host, 21);
    struct addr at = bind_read_reply(*fd, 0);

    assert_true(at.port > 0 && !addr_is_zero(&at));
    assert_false(session_rig_ended(*id));
    return at;
}

/* ---- the peers ---- */

int
bind_peer_from(struct addr *from, const struct addr *to)
{
    struct sockaddr_storage ss;
    int family = from->family == ADDR_IPV6 ? AF_INET6 : AF_INET;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t len = addr_to_sockaddr(from, &ss);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
    len = addr_to_sockaddr(to, &ss);
    assert_true(connect(fd, (struct sockaddr *)&ss, len) == 0 || errno == EINPROGRESS);
    len = sizeof ss;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
    *from = addr_from_sockaddr((struct sockaddr *)&ss, len);
    return fd;
}

int
bind_peer(uint8_t host, const struct addr *to, struct addr *from)
{
    struct addr a = bind_host(host, 0);
    int fd = bind_peer_from(&a, to);

    if (from != NULL)
        *from = a;
    return fd;
}

void
bind_turned_away(int *fd)
{
    uint8_t byte;
    ssize_t n = -1;

    RIG_UNTIL((n = recv(*fd, &byte, 1, 0)) >= 0 || (errno != EAGAIN && errno != ENOTCONN)) {
    }
    assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
    fd_close(fd);
}

void
bind_nobody_at(const struct addr *at)
{
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(at, &ss);
    int fd = socket(at->family == ADDR_IPV6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), -1);
    assert_int_equal(errno, ECONNREFUSED);
    fd_close(&fd);
}

void
bind_relays(int client, int peer)
{
    char got[8];

    session_rig_send(client, "RETR a", 6);
    session_rig_read(peer, got, 6);
    assert_memory_equal(got, "RETR a", 6);
    session_rig_send(peer, "content", 7);
    session_rig_read(client, got, 7);
    assert_memory_equal(got, "content", 7);
}
