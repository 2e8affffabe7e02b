/* SPDX-License-Identifier: ISC */
/* For the tests of src/core/child*.c: the test is the master, a forked process the child program. */
#ifndef SP_TESTS_UNIT_CORE_CHILD_H
#define SP_TESTS_UNIT_CORE_CHILD_H

#include "tests/unit/core_unit.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "lib/base/fd.h"
#include "src/core/child.h"
#include "src/core/ring.h"
#include "src/core/table.h"

extern char **environ;

/* The master's side. */
struct stage {
    struct ipc_peer peer;
    pid_t pid;
    int image_fd, data_fd, index_fd, wake_fd, table_fd, accepted_fd;
    char text[2048]; /* what the child wrote to standard error */
    int stderr_fd;
};

/* Starts act in a process whose descriptor 3 is the channel. */
static inline void
stage_open(struct stage *s, enum ipc_role other, void (*act)(void))
{
    int pair[2], out[2];

    memset(s, 0, sizeof *s);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    s->image_fd = memfd_fixed("image", 4096);
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    s->table_fd = table_create(4);
    s->accepted_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_int_equal(ring_create(1, &s->data_fd, &s->index_fd), 0);
    fflush(NULL);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        const struct rlimit none = { 0, 0 };

        (void)setrlimit(RLIMIT_CORE, &none);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        CHILD_CHECK(dup2(out[1], STDERR_FILENO) == STDERR_FILENO);
        if (pair[1] != CHILD_CONTROL_FD)
            CHILD_CHECK(dup2(pair[1], CHILD_CONTROL_FD) == CHILD_CONTROL_FD);
        act();
        _exit(0);
    }
    fd_close(&pair[1]);
    fd_close(&out[1]);
    s->stderr_fd = out[0];
    s->peer = (struct ipc_peer) { .fd = pair[0], .self = IPC_MASTER, .other = other,
        .state = IPC_STARTING };
}

/* Waits for the child's end: its wait status; s->text is complete then. */
static inline int
stage_close(struct stage *s)
{
    int status = 0;
    size_t len = 0;
    ssize_t n;

    while ((n = read(s->stderr_fd, s->text + len, sizeof s->text - 1 - len)) > 0)
        len += (size_t)n;
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    fd_close(&s->peer.fd);
    fd_close(&s->stderr_fd);
    fd_close(&s->image_fd);
    fd_close(&s->data_fd);
    fd_close(&s->index_fd);
    fd_close(&s->wake_fd);
    fd_close(&s->table_fd);
    fd_close(&s->accepted_fd);
    return status;
}

/* INIT with the first count of image, data, index, wake, table (image and wake for a logger). */
static inline void
stage_init(struct stage *s, const struct ipc_init *init, size_t count)
{
    uint8_t body[512];
    const int fds[] = { s->image_fd, s->data_fd, s->index_fd, s->wake_fd, s->table_fd,
        s->accepted_fd };
    const int logger_fds[] = { s->image_fd, s->wake_fd };
    size_t len = ipc_init_encode(init, body, sizeof body);

    assert_int_equal(ipc_send(&s->peer, IPC_INIT, body, len,
                         init->role == IPC_LOGGER ? logger_fds : fds, count),
        0);
}

static inline void
stage_send_u32(struct stage *s, enum ipc_type type, uint32_t value)
{
    uint8_t body[4];
    size_t len = ipc_u32_encode(value, body, sizeof body);

    assert_int_equal(ipc_send(&s->peer, type, body, len, NULL, 0), 0);
}

/* The next message, which must be of the type. */
static inline void
stage_expect(struct stage *s, enum ipc_type type, struct ipc_message *m)
{
    const char *why = NULL;

    unit_wait_readable(s->peer.fd);
    assert_int_equal(ipc_recv(&s->peer, m, &why), IPC_OK);
    assert_string_equal(ipc_type_name(m->type), ipc_type_name(type));
}

#endif
