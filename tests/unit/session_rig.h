/* SPDX-License-Identifier: ISC */
/*
 * A whole session host in the test's process: image, loop, ring, table, resolver and the pool's end of
 * an authentication queue. Clients and destinations are TCP connections on loopback.
 */
#ifndef SP_TESTS_UNIT_SESSION_RIG_H
#define SP_TESTS_UNIT_SESSION_RIG_H

#include "tests/unit/config_rig.h"

#include "src/core/ring.h"
#include "src/session/session.h"

#define RIG_ENDED_MAX 64
#define RIG_ASKS_MAX 64U
#define RIG_PATIENCE_MS 15000

struct session_rig {
    struct rig config;
    struct policy_own own;
    struct authlink link;
    struct session_host host;
    struct ring_reader *reader;
    int ring_data, ring_index;
    int accepted; /* the logger's eventfd */
    struct ipc_budget_ask asks[RIG_ASKS_MAX]; /* for bandwidth */
    unsigned ask_count;
    int ask_errno; /* 0: asks are taken */
    int pool;     /* the pool's end of the queue of the method that has one */
    int listener; /* a destination */
    uint16_t port;
    int name_server; /* never answers */
    int receive_buffer; /* of clients, before they connect; 0: the kernel's */
    int descriptors;
    uint64_t next_id;
    struct {
        uint64_t id;
        uint64_t start_seq, close_seq;
        char user[256];
    } ended[RIG_ENDED_MAX];
    unsigned ended_count;
};

/* What a session's closing record says. */
struct session_closing {
    unsigned count; /* closing records of this id */
    unsigned starts;
    enum event_id event;
    uint64_t start_seq, seq;
    char reason[64];
    char detail[64];
    char user[256];
    char claimed[256];
    char protocol[16];
    char method[16];
    char destination[300];
    char start_claimed[256]; /* of session.start */
    char rule[64];
    char mechanism[64];
    char enctype[64];
    char protection[64];
    char account[64]; /* of auth.success */
    unsigned logins;  /* auth.success records */
    unsigned told;    /* session.destination records */
    uint64_t wire_up, wire_down; /* UINT64_MAX: none */
    uint64_t reply; /* UINT64_MAX: none */
    uint64_t bytes_up, bytes_down;
    uint64_t datagrams_up, datagrams_down, datagrams_dropped;
    uint64_t strangers;
    char command[16];
    struct addr address, egress;
};

extern struct session_rig rig;

/* cmocka setup and teardown: teardown checks that every session
   ended with exactly one closing record and that no descriptor and no pipe is left. */
int session_rig_setup(void **state);
int session_rig_setup_short(void **state); /* every timeout 1 s */
int session_rig_teardown(void **state);
/* For a setup of a test's own: this configuration, with one method that has a pool at most. */
void session_rig_begin(const char *config);

/* This image is in force, its listeners from this number on; no session is judged again. */
void session_rig_commit(const struct image *image, uint16_t first);

/* A client of a listener; without a configuration of its own 0 (none) or 1 (userpass). Returns its non-blocking end. */
int session_rig_client(uint16_t listener, uint64_t *id);

/* Turns until the condition holds, with a body before each turn; fails the test after
   RIG_PATIENCE_MS. */
#define RIG_UNTIL(condition) \
    for (struct mono rig_end_ = session_rig_patience(); !(condition); \
         session_rig_turn(rig_end_, #condition))
struct mono session_rig_patience(void);
void session_rig_turn(struct mono end, const char *condition);
void session_rig_turns(unsigned n);

bool session_rig_ended(uint64_t id);
struct session_closing session_rig_closing(uint64_t id);
/* The session ends, and its closing record is this event with this reason. */
struct session_closing session_rig_expect(uint64_t id, enum event_id event, const char *reason);

void session_rig_send(int fd, const void *data, size_t len);
/* Reads exactly len bytes, turning the loop meanwhile. */
void session_rig_read(int fd, void *out, size_t len);
/* The peer's end of file comes, and nothing before it. */
void session_rig_read_end(int fd);
/* The destination's end of a session's connection. */
int session_rig_accept(void);
void session_rig_reset(int *fd);

/* The pool's side of one conversation; fills name and password of the login. */
int session_rig_pool_take(char login[512]);
/* The same for any method; room for len bytes of the first message, *len becomes what it has. */
int session_rig_pool_open(uint8_t method, void *first, size_t *len);
void session_rig_pool_result(int fd, const struct conversation_result *result);
void session_rig_pool_answer(int fd, enum auth_outcome outcome, const char *user, const char *reason);

#endif
