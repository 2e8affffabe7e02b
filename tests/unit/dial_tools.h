/* SPDX-License-Identifier: ISC */
/* Peers to dial and a caller who dials them, over real sockets of the loopback. Every function fails
   the running test when it cannot do its work. */
#ifndef SP_TESTS_UNIT_DIAL_TOOLS_H
#define SP_TESTS_UNIT_DIAL_TOOLS_H

#include "tests/unit/unit.h"

#include "src/net/dial.h"

#define MS CLOCK_MSEC_US
#define PATIENCE_US (INT64_C(20) * CLOCK_SECOND_US)
#define CROWD 8

/* Of the running test: fresh from dial_setup(). */
extern struct loop *loop;
extern struct dial_settings settings;

/* A listening socket; full: it answers nobody any more, like a host behind a silent firewall. */
struct peer {
    int fd;
    struct addr address;
    int crowd[CROWD];
};

struct caller {
    struct dial *dial;
    struct mono began;
    int64_t took_us;
    unsigned calls;
    struct dial_result result;
    bool leave; /* do not take the socket */
    struct loop_io io;
    uint32_t events;
    int fd;
};

struct addr address_of(const char *text);
struct peer peer_open(const char *text, int backlog);
struct peer peer_blackhole(const char *text);
void peer_close(struct peer *p);
/* An address nobody listens at. */
struct addr peer_refusing(const char *text);

void caller_begin(struct caller *c, int64_t deadline_us);
void caller_add(struct caller *c, const struct addr *a);
void caller_more(struct caller *c, bool ipv4_pending, bool ipv6_pending);
void caller_finish(struct caller *c);
/* All of it, with all addresses known from the beginning. */
void caller_dial(struct caller *c, const struct addr *list, size_t count);
/* Ends what a success left behind. */
void caller_hang_up(struct caller *c);

void dial_turn_for(int64_t us);

/* The teardown counts the descriptors: none may be left. */
int dial_setup(void **state);
int dial_teardown(void **state);

#endif
