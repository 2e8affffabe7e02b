/* SPDX-License-Identifier: ISC */
/*
 * The real sallyport-auth of the build tree, started by a test that is its master, and workers that
 * are in the test too. Everything waits for a condition with a deadline.
 */
#ifndef SP_TESTS_UNIT_AUTHD_RIG_H
#define SP_TESTS_UNIT_AUTHD_RIG_H

#include "tests/unit/unit.h"

#include <sys/types.h>

#include "src/authlink/authlink.h"
#include "src/core/ipc.h"
#include "src/core/loop.h"

#define RIG_WORKERS 2
#define RIG_DEADLINE_MS 20000

/* One login of a worker. */
struct rig_login {
    struct authlink_conversation c;
    unsigned answers;
    bool lost; /* the process is gone, or closed it */
    enum auth_outcome outcome;
    char user[256];
    char mechanism[64];
    char reason[64];
    uint8_t answer[64];
    size_t answer_len;
};

struct rig {
    pid_t pid;
    int status; /* of the process, once it ended; -1 before */
    struct ipc_peer peer;
    int image_fd, data_fd, index_fd, wake_fd;
    int stderr_fd;
    char text[4096]; /* what it wrote to standard error, once it ended */
    struct loop *loop;
    struct authlink workers[RIG_WORKERS];
    uint32_t generation; /* of the file sent last */
};

struct rig_how {
    const char *module; /* its section comes from text */
    const char *section; /* configuration: "userpass { ... }", and listeners beside RIG_LISTENER */
    unsigned descriptors; /* limit of open files; 0: as it is */
};

/* Starts the process and sends INIT; nothing else. */
void rig_start(struct rig *r, const struct rig_how *how);
/* Ends it, if it lives, and frees everything. */
void rig_end(struct rig *r);

/* A sealed copy of text as the module's file; unsealed when sealed is false. */
void rig_send_file(struct rig *r, const char *option, const char *text, bool sealed);
/* PREPARE with the image of another configuration; the answer is received. */
void rig_prepare(struct rig *r, uint64_t generation, const struct rig_how *how, bool ok);
void rig_commit(struct rig *r, uint64_t generation);
/* A new queue for worker i (0..), whose number is i + 1 and incarnation 100 + i. */
void rig_send_queue(struct rig *r, unsigned i);
/* Of this pair, both ends of which it takes: the worker's and the process's. */
void rig_send_queue_of(struct rig *r, unsigned i, int pair[2]);
void rig_close_queue(struct rig *r, unsigned i);
void rig_send_stop(struct rig *r, uint32_t seconds);
/* Waits for READY. False: the process ended instead. */
bool rig_ready(struct rig *r);

/* Waits until the process has ended what it was doing: a heartbeat, answered in a later turn. */
void rig_settle(struct rig *r);
/* The next message but PONG; fails the test when none comes. */
void rig_receive(struct rig *r, enum ipc_type type, struct ipc_message *out);
void rig_receive_result(struct rig *r, struct ipc_auth_result *out);
void rig_receive_file(struct rig *r, struct ipc_file_result *out);

#define RIG_LISTENER "127.0.0.1:0"
/* Opens a conversation from worker i, on RIG_LISTENER, or on the listener of that name. */
void rig_open_on(struct rig *r, unsigned i, struct rig_login *l, const char *listener,
    uint64_t session, uint8_t method, const void *bytes, size_t len, uint32_t deadline_ms);
void rig_open(struct rig *r, unsigned i, struct rig_login *l, uint64_t session, uint8_t method,
    const void *bytes, size_t len, uint32_t deadline_ms);
/* The same with name and password. */
void rig_log_in(struct rig *r, unsigned i, struct rig_login *l, uint64_t session, const char *user,
    const char *password);
/* Waits for one more answer, or the end. */
void rig_wait_answer(struct rig *r, struct rig_login *l);
/* Turns the loop until done() is true. */
void rig_wait(struct rig *r, bool (*done)(void *ctx), void *ctx);

/* Waits until it ended; the exit status, or 256 and the signal. */
int rig_wait_exit(struct rig *r);

#endif
