/* SPDX-License-Identifier: ISC */
/*
 * Pipes for the workers' splice engine. The master makes them because an ordinary user gets few big
 * ones. Serves master_equip.c. Without pipes a worker copies, so a failure here is said and no more.
 */
#include "src/master/master_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PIPE_SIZE (1024 * 1024)
#define PIPE_LEAST 65536
#define PIPES_A_MESSAGE (IPC_FDS_MAX / 2)

/* One pipe of at least PIPE_LEAST bytes. Its size, or -1 with errno. */
static int
pipe_make(int fds[2])
{
    if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
        return -1;
    int size = fcntl(fds[0], F_SETPIPE_SZ, PIPE_SIZE);

    /* Beyond the user's share it stays as it was made, which may be a page. */
    if (size < 0)
        size = fcntl(fds[0], F_GETPIPE_SZ);
    if (size >= PIPE_LEAST)
        return size;
    fd_close(&fds[0]);
    fd_close(&fds[1]);
    errno = EPERM;
    return -1;
}

/* Sends up to `wanted` pipes of one size in one message; how many there were. */
static uint32_t
send_some(struct process *worker, uint32_t wanted)
{
    struct ipc_pipes pipes = { 0, 0 };
    uint8_t body[IPC_BODY_MAX];
    int fds[IPC_FDS_MAX];

    while (pipes.count < wanted && pipes.count < PIPES_A_MESSAGE) {
        int size = pipe_make(&fds[2 * pipes.count]);

        if (size < 0)
            break;
        if (pipes.size == 0 || (uint32_t)size < pipes.size)
            pipes.size = (uint32_t)size;
        pipes.count++;
    }
    if (pipes.count > 0) {
        size_t len = ipc_pipes_encode(&pipes, body, sizeof body);

        process_send(worker, IPC_PIPES, body, len, fds, 2 * (size_t)pipes.count);
    }
    for (uint32_t i = 0; i < 2 * pipes.count; i++)
        fd_close(&fds[i]);
    return pipes.count;
}

void
pipes_send(struct process *worker)
{
    uint32_t wanted = worker->m->capacity.pipes;
    uint32_t sent = 0;

    while (sent < wanted) {
        uint32_t n = send_some(worker, wanted - sent);

        sent += n;
        if (n < PIPES_A_MESSAGE)
            break;
    }
    if (sent < wanted)
        log_trace("worker %s: %u of %u pipes", worker->label, (unsigned)sent, (unsigned)wanted);
}
