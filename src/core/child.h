/* SPDX-License-Identifier: ISC */
/*
 * How every child program begins, in this order:
 *
 *     struct child child = { .role = IPC_WORKER, .program = "sallyport-worker",
 *         .handlers = table, .stop = on_stop, .orphaned = on_orphaned, .owner = &worker };
 *     child_begin(&child, argc, argv, environ);   title, channel, INIT, ring, loop
 *     ... what needs files: module folders, c-ares, the image from child.image_fd ...
 *     child_cage(&child);                         chroot, ids, no_new_privs, not dumpable
 *     sandbox_seccomp(SANDBOX_WORKER);            where the role has a filter
 *     child_ready(&child);                        READY; from here handlers are called
 *     loop_run(child.loop);
 *     child_end(&child);
 *
 * Everything that goes wrong before child_ready() returns is fatal, and so is a master that breaks
 * the table of messages.
 */
#ifndef SP_CORE_CHILD_H
#define SP_CORE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"
#include "src/core/ipc.h"
#include "src/core/loop.h"

#define CHILD_CONTROL_FD 3     /* the control channel, a SOCK_SEQPACKET end */
#define CHILD_INIT_SECONDS 10  /* INIT must have arrived by then */

struct child;
struct ring_writer;

/* Called for a message of the type from the loop, whenever it was sent: what the master sent right
   behind INIT comes with the first turn. Descriptors it wants it takes with fd_take(); the rest are
   closed after it. A table ends with a row whose handle is NULL; a message without a row is a
   violation, except PING and STOP, which child.c answers. */
struct child_handler {
    enum ipc_type type;
    void (*handle)(struct child *child, struct ipc_message *message);
};

struct child {
    /* Set by the program before child_begin(). */
    enum ipc_role role;
    const char *program;
    const struct child_handler *handlers;
    /* STOP came: end within so many seconds, 0: at once. May come again with less. */
    void (*stop)(struct child *child, uint32_t seconds);
    /* The master is gone: the channel is closed and child_send() answers EPIPE. Comes once. */
    void (*orphaned)(struct child *child);
    /* After child_want_write(): the channel takes messages again. May be NULL. */
    void (*writable)(struct child *child);
    /* The master's heartbeat came, about once a second; it is answered afterwards. May be NULL. */
    void (*beat)(struct child *child);
    void *owner;

    /* Valid after child_begin(); all of it stays the child's. */
    struct ipc_peer peer;
    struct ipc_init init;
    struct loop *loop;
    struct ring_writer *ring; /* NULL in the logger, which logs to nobody but standard error */
    int image_fd;             /* the policy image, sealed; metrics: -1 */
    int wake_fd;              /* the logger's eventfd, non-blocking */
    int table_fd;             /* worker: its session table, else -1 */
    int accepted_fd;          /* worker: the eventfd of ring_want(), non-blocking, else -1 */
    bool orphan;              /* the master is gone */

    /* Private. */
    struct loop_io io;
    bool want_write;
    char name[64]; /* label of the log: "sallyport-worker[1]" */
};

/* Title, log label, descriptor 3 as the channel and nothing open above it, SIGPIPE and the signals of
   a terminal ignored, INIT, event ring, loop. */
void child_begin(struct child *child, int argc, char **argv, char **envp);

/* chroot and ids when INIT says privileged; no_new_privs and secret_process() always. */
void child_cage(struct child *child);

/* Between child_cage() and child_ready(), for a role that needs something of the master before it is
   ready: waits for one message (fatal after CHILD_INIT_SECONDS) and calls its handler. The caller
   looks afterwards whether it was stopped or orphaned. */
void child_wait(struct child *child);

/* Sends READY, enters the state running and listens to the channel. */
void child_ready(struct child *child);

/* ipc_send() to the master: 0, or -1 with errno, EPIPE once it is gone. EAGAIN: keep the message and
   call child_want_write(). */
int child_send(struct child *child, enum ipc_type type, const void *body, size_t len) SP_MUST_USE;
void child_want_write(struct child *child);

/* Closes the channel, the ring, the loop and every descriptor left. */
void child_end(struct child *child);

#endif
