/* SPDX-License-Identifier: ISC */
/* Sockets for the tests of UDP associations; see udp_rig.h. */
#include "tests/unit/udp_rig.h"

#include "lib/base/fd.h"
#include "lib/socks/socks5.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define QUIET_TURNS 20

int
udp_rig_setup(void **state)
{
    (void)state;
    session_rig_begin(UDP_CONFIG("", UDP_RULES UDP_RULE_NAMES));
    return 0;
}

int
udp_rig_socket(uint8_t host, struct addr *addr)
{
    const uint8_t ip[4] = { 127, 0, 0, host };
    struct sockaddr_storage ss;
    struct addr at = addr_ipv4(ip, 0);
    socklen_t len = addr_to_sockaddr(&at, &ss);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
    len = sizeof ss;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
    *addr = addr_from_sockaddr((struct sockaddr *)&ss, len);
    return fd;
}

void
udp_rig_send(int fd, const struct addr *to, const void *data, size_t len)
{
    struct sockaddr_storage ss;
    socklen_t size = addr_to_sockaddr(to, &ss);

    assert_int_equal(sendto(fd, data, len, 0, (struct sockaddr *)&ss, size), len);
}

size_t
udp_rig_read(int fd, void *out, size_t size, struct addr *from)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    ssize_t n = -1;

    RIG_UNTIL((n = recvfrom(fd, out, size, 0, (struct sockaddr *)&ss, &len)) >= 0) {
        assert_int_equal(errno, EAGAIN);
    }
    *from = addr_from_sockaddr((struct sockaddr *)&ss, len);
    return (size_t)n;
}

void
udp_rig_quiet(int fd)
{
    uint8_t byte;

    session_rig_turns(QUIET_TURNS);
    assert_int_equal(recv(fd, &byte, 1, 0), -1);
    assert_int_equal(errno, EAGAIN);
}

size_t
udp_rig_datagram(const struct addr *to, uint8_t fragment, const void *data, size_t len, uint8_t *out)
{
    size_t head = socks_udp_encode(fragment, to, out);

    memcpy(out + head, data, len);
    return head + len;
}

size_t
udp_rig_named(const char *name, uint16_t port, const void *data, size_t len, uint8_t *out)
{
    size_t size = strlen(name);

    memcpy(out, "\0\0\0\3", 4);
    out[4] = (uint8_t)size;
    memcpy(out + 5, name, size);
    out[5 + size] = (uint8_t)(port >> 8);
    out[6 + size] = (uint8_t)port;
    memcpy(out + 7 + size, data, len);
    return 7 + size + len;
}

uint8_t
udp_rig_ask(struct udp_client *c)
{
    uint8_t reply[12];

    c->fd = -1;
    c->tcp = session_rig_client(0, &c->id);
    session_rig_send(c->tcp, "\5\1\0\5\3\0\1\0\0\0\0\0\0", 13);
    session_rig_read(c->tcp, reply, sizeof reply);
    assert_memory_equal(reply, "\5\0\5", 3);
    c->relay = addr_ipv4(reply + 6, (uint16_t)(reply[10] << 8 | reply[11]));
    return reply[3];
}

void
udp_rig_associate(struct udp_client *c)
{
    static const uint8_t ip[4] = { 127, 0, 0, 1 };
    const struct addr here = addr_ipv4(ip, 0);

    assert_int_equal(udp_rig_ask(c), SOCKS5_SUCCEEDED);
    assert_true(addr_equal_ip(&c->relay, &here));
    assert_int_not_equal(c->relay.port, 0);
    c->fd = udp_rig_socket(1, &c->at);
}

struct session_closing
udp_rig_end(struct udp_client *c)
{
    fd_close(&c->fd);
    fd_close(&c->tcp);
    return session_rig_expect(c->id, EVENT_SESSION_END, "closed");
}

void
udp_rig_say(const struct udp_client *c, const struct addr *to, const char *text)
{
    uint8_t out[2048];

    udp_rig_send(c->fd, &c->relay, out, udp_rig_datagram(to, 0, text, strlen(text), out));
}

void
udp_rig_say_name(const struct udp_client *c, const char *name, uint16_t port, const char *text)
{
    uint8_t out[600];

    udp_rig_send(c->fd, &c->relay, out, udp_rig_named(name, port, text, strlen(text), out));
}

void
udp_rig_hear(const struct udp_client *c, const struct addr *from, const char *text)
{
    uint8_t got[2048], want[2048];
    struct addr relay;
    size_t len = udp_rig_datagram(from, 0, text, strlen(text), want);

    assert_int_equal(udp_rig_read(c->fd, got, sizeof got, &relay), len);
    assert_memory_equal(got, want, len);
    assert_true(addr_equal(&relay, &c->relay));
}

void
udp_rig_expect(int fd, struct addr *from, const char *text)
{
    uint8_t got[2048];

    assert_int_equal(udp_rig_read(fd, got, sizeof got, from), strlen(text));
    assert_memory_equal(got, text, strlen(text));
}
