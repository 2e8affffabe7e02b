/* SPDX-License-Identifier: ISC */
/*
 * Gateways, clients and peers for the tests of BIND. The addresses of the loopback are the hosts: .5 and
 * .6 are peers that rules allow, .7 one that may come unasked where port 2000 is asked for.
 */
#ifndef SP_TESTS_UNIT_SESSION_BIND_TOOLS_H
#define SP_TESTS_UNIT_SESSION_BIND_TOOLS_H

#include "tests/unit/session_rig.h"

#define BIND_RULES \
    "rule \"closed\" { action = \"deny\" destination = { \"10.0.0.0/8\", \"127.0.0.8/32\" } }\n" \
    "rule \"anybody\" { action = \"allow\" command = { \"bind\" } port = { \"2000\" }" \
    " destination = { \"127.0.0.7/32\" } bind-any = true }\n" \
    "rule \"peers\" { action = \"allow\" command = { \"bind\" }" \
    " destination = { \"127.0.0.5/32\", \"127.0.0.6/32\", \"::1/128\" } }\n"
/* settings: whole sections; the listener offers none. */
#define BIND_CONFIG(settings, rules) \
    "methods = { \"none\" }\nlisten \"127.0.0.1:1080\" {}\n" settings "\n" rules

/* cmocka setups, for session_rig_teardown(). */
int bind_setup(void **state);
int bind_setup_short(void **state); /* one second for connecting and for the peer */

/* A client of SOCKS 5 that has asked for a BIND with 127.0.0.host, or 0.0.0.0 for 0, as peer. */
int bind_ask(uint64_t *id, uint8_t host, uint16_t port);
/* ... with this name. */
int bind_ask_name(uint64_t *id, const char *name);
/* A reply with its address. */
struct addr bind_read_reply(int fd, uint8_t reply);
/* The client has read the first reply: where the peer is to go. */
struct addr bind_waits(uint64_t *id, int *fd, uint8_t host);

/* Somebody connects there from this address (port 0), and does not wait for it; *from becomes the whole
   of it. */
int bind_peer_from(struct addr *from, const struct addr *to);
/* The same from 127.0.0.host; from may be NULL. */
int bind_peer(uint8_t host, const struct addr *to, struct addr *from);
/* Whoever this is was turned away. */
void bind_turned_away(int *fd);
/* Nobody listens there any more. */
void bind_nobody_at(const struct addr *at);
/* Both directions work. */
void bind_relays(int client, int peer);

struct addr bind_host(uint8_t host, uint16_t port);

#endif
