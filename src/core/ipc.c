/* SPDX-License-Identifier: ISC */
/*
 * One packet in or out of a control channel, judged by the table of ipc.def. Serves master and
 * children. What the other side may not do is a violation and reported; what we may not do is a
 * panic.
 */
#include "src/core/ipc.h"

#include "lib/base/fd.h"
#include "src/core/ipc_private.h"
#include "src/core/log.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

struct ipc_head {
    uint16_t type;
    uint16_t zero;
    uint32_t len;
};

#define M IPC_MASTER
#define W IPC_WORKER
#define A IPC_AUTH
#define L IPC_LOGGER
#define X IPC_METRICS
#define S IPC_STARTING
#define R IPC_RUNNING
#define T IPC_STOPPING
#define IPC(name, from, to, states, min_len, max_len, min_fds, max_fds, sentence)                  \
    [IPC_##name] = { #name, from, to, states, min_len, max_len, min_fds, max_fds },
const struct ipc_row ipc_table[IPC_TYPE_COUNT] = {
#include "src/core/ipc.def"
};
#undef IPC
#undef M
#undef W
#undef A
#undef L
#undef X
#undef S
#undef R
#undef T

/* Aligned for the control message; one entry more than allowed, so that a surplus is seen. */
union ipc_control {
    struct cmsghdr align;
    uint8_t bytes[CMSG_SPACE(sizeof(int) * (IPC_FDS_MAX + 1))];
};

const char *
ipc_type_name(enum ipc_type type)
{
    return (unsigned)type < IPC_TYPE_COUNT ? ipc_table[type].name : "?";
}

void
ipc_set_state(struct ipc_peer *peer, enum ipc_state state)
{
    peer->state = state;
}

void
ipc_message_close(struct ipc_message *message)
{
    for (size_t i = 0; i < message->fd_count; i++)
        fd_close(&message->fds[i]);
    message->fd_count = 0;
}

/* ---- receiving ---- */

/* Descriptors that arrived become the message's; those it has no room for are closed. */
static void
take_fds(struct msghdr *hdr, struct ipc_message *m, bool *surplus)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(hdr); c != NULL; c = CMSG_NXTHDR(hdr, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (m->fd_count < IPC_FDS_MAX) {
                m->fds[m->fd_count++] = fd_take(&fd);
                continue;
            }
            *surplus = true;
            fd_close(&fd);
        }
    }
}

/* How many descriptors the sender attached, as far as the message itself tells. */
static size_t
fds_expected(const struct ipc_message *m)
{
    struct ipc_pipes pipes;

    if (m->type == IPC_SESSIONS)
        return m->len / IPC_SESSION_LEN;
    if (m->type == IPC_PIPES && ipc_pipes_read(m, &pipes) == 0)
        return (size_t)pipes.count * 2;
    return ipc_table[m->type].min_fds;
}

static const char *
judge_fds(struct ipc_message *m, bool cut)
{
    const struct ipc_row *row = &ipc_table[m->type];
    size_t expected = cut ? fds_expected(m) : m->fd_count;

    if (cut && m->fd_count >= expected)
        return "more descriptors than the message says";
    m->fd_lost = expected - m->fd_count;
    if (expected < row->min_fds)
        return "too few descriptors";
    return expected > row->max_fds ? "too many descriptors" : NULL;
}

/* NULL, or what is wrong with a packet of size bytes in all. */
static const char *
judge(const struct ipc_peer *peer, const struct ipc_head *head, size_t size)
{
    if (size < sizeof *head || head->zero != 0 || head->len != size - sizeof *head)
        return "malformed packet";
    if (head->type >= IPC_TYPE_COUNT)
        return "unknown message";
    const struct ipc_row *row = &ipc_table[head->type];

    if ((row->from & peer->other) == 0 || (row->to & peer->self) == 0)
        return "message this process may not send";
    if ((row->states & peer->state) == 0)
        return "message out of its time";
    if (head->len < row->min_len || head->len > row->max_len)
        return "wrong length";
    return NULL;
}

static enum ipc_result
recv_failed(void)
{
    if (errno == EAGAIN || errno == EINTR)
        return IPC_AGAIN;
    return errno == ECONNRESET || errno == EPIPE ? IPC_EOF : IPC_ERROR;
}

enum ipc_result
ipc_recv(struct ipc_peer *peer, struct ipc_message *message, const char **why)
{
    struct ipc_head head = { 0 };
    union ipc_control control;
    struct iovec iov[] = { { &head, sizeof head }, { message->body, sizeof message->body } };
    struct msghdr hdr = { .msg_iov = iov, .msg_iovlen = 2, .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes };
    bool surplus = false;

    message->fd_count = 0;
    message->fd_lost = 0;
    message->len = 0;
    ssize_t n = recvmsg(peer->fd, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (n < 0)
        return recv_failed();
    take_fds(&hdr, message, &surplus);
    if (n == 0) {
        ipc_message_close(message);
        return IPC_EOF;
    }
    *why = surplus ? "too many descriptors" : judge(peer, &head, (size_t)n);
    if ((hdr.msg_flags & MSG_TRUNC) != 0)
        *why = "packet too long";
    if (*why == NULL) {
        message->type = (enum ipc_type)head.type;
        message->len = head.len;
        *why = judge_fds(message, (hdr.msg_flags & MSG_CTRUNC) != 0);
    }
    if (*why == NULL)
        return IPC_OK;
    ipc_message_close(message);
    return IPC_VIOLATION;
}

/* ---- sending ---- */

static void
check_sending(const struct ipc_peer *peer, enum ipc_type type, size_t len, size_t fd_count)
{
    if ((unsigned)type >= IPC_TYPE_COUNT)
        log_panic("no such message: %d", (int)type);
    const struct ipc_row *row = &ipc_table[type];

    if ((row->from & peer->self) == 0 || (row->to & peer->other) == 0
        || (row->states & peer->state) == 0)
        log_panic("%s may not be sent from %d to %d in state %d", row->name, (int)peer->self,
            (int)peer->other, (int)peer->state);
    if (len < row->min_len || len > row->max_len || fd_count < row->min_fds
        || fd_count > row->max_fds)
        log_panic("%s with %zu bytes and %zu descriptors", row->name, len, fd_count);
}

int
ipc_send(struct ipc_peer *peer, enum ipc_type type, const void *body, size_t len, const int *fds,
    size_t fd_count)
{
    struct ipc_head head = { .type = (uint16_t)type, .len = (uint32_t)len };
    union ipc_control control;
    struct iovec iov[] = { { &head, sizeof head }, { (void *)(uintptr_t)body, len } };
    struct msghdr hdr = { .msg_iov = iov, .msg_iovlen = len > 0 ? 2 : 1 };

    check_sending(peer, type, len, fd_count);
    if (fd_count > 0) {
        memset(&control, 0, sizeof control);
        hdr.msg_control = control.bytes;
        hdr.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);

        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
    }
    return sendmsg(peer->fd, &hdr, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}
