/* SPDX-License-Identifier: ISC */
/*
 * Messages between our own processes over SOCK_SEQPACKET: one packet, one message, descriptors
 * beside it. Legality comes from one table (ipc.def). Bodies are encoded field by field through
 * lib/base/cursor.h; a body that does not decode exactly is a violation.
 */
#ifndef SP_CORE_IPC_H
#define SP_CORE_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"

enum ipc_type {
#define IPC(name, ...) IPC_##name,
#include "src/core/ipc.def"
#undef IPC
    IPC_TYPE_COUNT
};

enum ipc_role { IPC_MASTER = 1, IPC_WORKER = 2, IPC_AUTH = 4, IPC_LOGGER = 8, IPC_METRICS = 16 };
enum ipc_state { IPC_STARTING = 1, IPC_RUNNING = 2, IPC_STOPPING = 4 };

#define IPC_BODY_MAX 2048
#define IPC_FDS_MAX 62

/* One end of a control channel. state is set by ipc_set_state() alone. */
struct ipc_peer {
    int fd;                /* owned */
    enum ipc_role self;    /* who we are */
    enum ipc_role other;   /* who is at the other end */
    enum ipc_state state;
};

struct ipc_message {
    enum ipc_type type;
    size_t len;
    size_t fd_count;  /* descriptors that arrived; owned by the message until taken with fd_take */
    size_t fd_lost;   /* descriptors that did not (MSG_CTRUNC): the first fd_count entries have theirs */
    int fds[IPC_FDS_MAX];
    uint8_t body[IPC_BODY_MAX];
};

enum ipc_result {
    IPC_OK,
    IPC_AGAIN,     /* nothing there now */
    IPC_EOF,       /* the other side is gone (end of file, ECONNRESET, EPIPE) */
    IPC_VIOLATION, /* not in the table, or too long, or too many: *why names it; message is closed */
    IPC_ERROR      /* errno */
};

/* As in ipc.def, for messages to people. */
const char *ipc_type_name(enum ipc_type type);
/* Which rows of the table are legal from here on, both ways. */
void ipc_set_state(struct ipc_peer *peer, enum ipc_state state);

/* Receives without blocking. After IPC_OK the caller calls ipc_message_close() when done.
   A message that lost descriptors is IPC_OK with fd_lost set (its fd count is judged with them). */
enum ipc_result ipc_recv(struct ipc_peer *peer, struct ipc_message *message, const char **why)
    SP_MUST_USE;

/* Closes the descriptors nobody took. */
void ipc_message_close(struct ipc_message *message);

/* Sends without blocking. Descriptors stay the caller's. 0, or -1 with errno (EAGAIN: try later;
   ETOOMANYREFS: too many in flight; EPIPE: gone). Sending what the table forbids is a panic. */
int ipc_send(struct ipc_peer *peer, enum ipc_type type, const void *body, size_t len,
    const int *fds, size_t fd_count) SP_MUST_USE;

/* ---- bodies (ipc_body.c): encode returns the length, or 0 where size is too small; decode 0, or -1
   when malformed, and then *out is not to be used ---- */

#define IPC_LABEL_MAX 32

/* INIT. Descriptors in this order: image, ring data, ring index, logger's wake eventfd; for a
   worker then its session table and the eventfd that says when the ring's index advanced to what it
   waits for. The logger gets the image and the wake eventfd only, the metrics process all but the
   image. */
struct ipc_init {
    enum ipc_role role;
    uint16_t number;       /* 1.. within its role or pool */
    uint32_t incarnation;  /* counts every process the master ever started */
    bool privileged;       /* drop to uid and gid, chroot */
    bool debug;
    bool plain_log;        /* diagnostics go to standard error alone: the audit does too */
    bool out_of_tree;      /* runs from a build tree: modules beside the program */
    uid_t uid;
    gid_t gid;
    uint32_t capacity;     /* worker: most sessions at a time (slots of its table) */
    char label[IPC_LABEL_MAX];  /* worker= in events: "1", "userpass-2", "logger" */
    char module[IPC_LABEL_MAX]; /* auth: the module of its pool; else empty */
    char chroot_dir[256];       /* empty folder, "" when not privileged */
};
size_t ipc_init_encode(const struct ipc_init *in, uint8_t *out, size_t size);
int ipc_init_decode(const struct ipc_message *m, struct ipc_init *out) SP_MUST_USE;

/* PING, PONG, LOST, STOP, RING_DRAIN, RING_DRAINED, QUEUE_SEND (the index of the pool's module in
   the image): one number. */
size_t ipc_u32_encode(uint32_t value, uint8_t *out, size_t size);
int ipc_u32_decode(const struct ipc_message *m, uint32_t *value) SP_MUST_USE;

#define IPC_SESSIONS_MAX 32
struct ipc_session {
    uint64_t id;       /* never 0 */
    uint16_t listener; /* its number, as LISTENERS or PREPARE told */
    struct addr client;
    struct addr local;
};
size_t ipc_sessions_encode(const struct ipc_session *list, size_t count, uint8_t *out, size_t size);
/* list has room for IPC_SESSIONS_MAX; *count equals fd_count + fd_lost or it is malformed. An
   address may be ADDR_NONE. */
int ipc_sessions_decode(const struct ipc_message *m, struct ipc_session *list, size_t *count)
    SP_MUST_USE;

/* ENDED: session ids, none of them 0. ids has room for IPC_ENDED_MAX. */
#define IPC_ENDED_MAX 256
size_t ipc_ended_encode(const uint64_t *ids, size_t count, uint8_t *out, size_t size);
int ipc_ended_decode(const struct ipc_message *m, uint64_t *ids, size_t *count) SP_MUST_USE;

/* QUEUE_RECEIVE: which worker sends on it. */
struct ipc_queue_receive { uint32_t worker; uint32_t incarnation; };
size_t ipc_queue_receive_encode(const struct ipc_queue_receive *in, uint8_t *out, size_t size);
int ipc_queue_receive_decode(const struct ipc_message *m, struct ipc_queue_receive *out) SP_MUST_USE;

/* PIPES: how many (two descriptors each) and the bytes each holds. */
struct ipc_pipes { uint32_t count; uint32_t size; };
size_t ipc_pipes_encode(const struct ipc_pipes *in, uint8_t *out, size_t size);
int ipc_pipes_decode(const struct ipc_message *m, struct ipc_pipes *out) SP_MUST_USE;

/* The broker's files. */
enum ipc_file_kind {
    IPC_FILE_LOG = 1,      /* logger: the O_APPEND descriptor itself */
    IPC_FILE_RESOLV,       /* worker: resolv.conf, sealed copy */
    IPC_FILE_HOSTS,        /* worker: hosts, sealed copy */
    IPC_FILE_MODULE        /* auth: the file an option of the pool's module names; `option` says which */
};
struct ipc_file {
    enum ipc_file_kind kind;
    uint32_t generation;   /* counts what was sent of this file */
    char option[IPC_LABEL_MAX];
};
size_t ipc_file_encode(const struct ipc_file *in, uint8_t *out, size_t size);
int ipc_file_decode(const struct ipc_message *m, struct ipc_file *out) SP_MUST_USE;

struct ipc_file_result {
    struct ipc_file file;
    bool accepted;
    char error[512]; /* "" when accepted */
};
size_t ipc_file_result_encode(const struct ipc_file_result *in, uint8_t *out, size_t size);
int ipc_file_result_decode(const struct ipc_message *m, struct ipc_file_result *out) SP_MUST_USE;

/* AUTH_RESULT: worker and incarnation are those of the queue the conversation came through. */
struct ipc_auth_result {
    uint32_t worker;
    uint32_t incarnation;
    uint64_t session;
    bool success;
    bool excused;    /* a failure that is none of the client's doing */
    char user[1024]; /* audited name, or the claimed one of a failure */
};
size_t ipc_auth_result_encode(const struct ipc_auth_result *in, uint8_t *out, size_t size);
int ipc_auth_result_decode(const struct ipc_message *m, struct ipc_auth_result *out) SP_MUST_USE;

/* RING_ADD. Descriptors: data (read-only), index (writable), pidfd of the writer; a worker's has the
   eventfd, too, that ends its waiting for the index. */
struct ipc_ring {
    uint32_t ring; /* the writer's incarnation; the master's own ring is 0 */
    char label[IPC_LABEL_MAX];
};
size_t ipc_ring_encode(const struct ipc_ring *in, uint8_t *out, size_t size);
int ipc_ring_decode(const struct ipc_message *m, struct ipc_ring *out) SP_MUST_USE;

#endif
