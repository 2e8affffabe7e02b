/* SPDX-License-Identifier: ISC */
/* Sockets of clients and destinations for the tests of UDP associations; the rest is session_rig.h. */
#ifndef SP_TESTS_UNIT_UDP_RIG_H
#define SP_TESTS_UNIT_UDP_RIG_H

#include "tests/unit/session_rig.h"

#include "lib/socks/udp.h"

#define UDP_RULES \
    "rule \"closed\" { action = \"deny\" destination = { \"10.0.0.0/8\" } }\n" \
    "rule \"here\" { action = \"allow\" destination = { \"127.0.0.1/32\" } }\n"
#define UDP_RULE_NAMES "rule \"names\" { action = \"allow\" destination = { \"*.test\" } }\n"
#define UDP_CONFIG(more, rules) \
    "methods = { \"none\" }\nlisten \"127.0.0.1:1080\" {}\n" more "\n" rules

/* For cmocka: begins with all rules above; session_rig_teardown() ends it. */
int udp_rig_setup(void **state);

/* A bound, non-blocking socket on 127.0.0.host; *addr is where. */
int udp_rig_socket(uint8_t host, struct addr *addr);
void udp_rig_send(int fd, const struct addr *to, const void *data, size_t len);
/* Turns until a datagram is there. */
size_t udp_rig_read(int fd, void *out, size_t size, struct addr *from);
/* Nothing comes in some turns. */
void udp_rig_quiet(int fd);

/* Header for the address (port included) and data. Returns the length. */
size_t udp_rig_datagram(const struct addr *to, uint8_t fragment, const void *data, size_t len,
    uint8_t *out);
/* The same for a name. */
size_t udp_rig_named(const char *name, uint16_t port, const void *data, size_t len, uint8_t *out);

struct udp_client {
    int tcp, fd;
    uint64_t id;
    struct addr at;    /* of fd */
    struct addr relay; /* BND */
};

/* Method none, then the request; the reply's code. */
uint8_t udp_rig_ask(struct udp_client *c);
/* With success, and a socket. */
void udp_rig_associate(struct udp_client *c);
/* Ends the connection; the closing record. */
struct session_closing udp_rig_end(struct udp_client *c);
void udp_rig_say(const struct udp_client *c, const struct addr *to, const char *text);
void udp_rig_say_name(const struct udp_client *c, const char *name, uint16_t port, const char *text);
/* The next datagram is this text from there. */
void udp_rig_hear(const struct udp_client *c, const struct addr *from, const char *text);
void udp_rig_expect(int fd, struct addr *from, const char *text);

#endif
