/* SPDX-License-Identifier: ISC */
/* The pool of splice pipes of one worker. Running out is normal: the relay copies then. */
#include "src/session/pipes.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int
pipes_add(struct pipe_pool *pool, int read_fd, int write_fd, uint32_t size)
{
    struct pipe_pair *pipe = pool->total < PIPES_MAX ? malloc(sizeof *pipe) : NULL;

    if (pipe == NULL) {
        int error = pool->total < PIPES_MAX ? ENOMEM : ENOBUFS;

        fd_close(&read_fd);
        fd_close(&write_fd);
        errno = error;
        return -1;
    }
    *pipe = (struct pipe_pair) { read_fd, write_fd, size };
    pool->free_list[pool->free_count++] = pipe;
    pool->total++;
    return 0;
}

struct pipe_pair *
pipes_take(struct pipe_pool *pool)
{
    if (pool->free_count == 0)
        return NULL;
    return pool->free_list[--pool->free_count];
}

void
pipes_give(struct pipe_pool *pool, struct pipe_pair **pipe)
{
    pool->free_list[pool->free_count++] = *pipe;
    *pipe = NULL;
}

static void
pipe_discard(struct pipe_pool *pool, struct pipe_pair **pipe)
{
    fd_close(&(*pipe)->read_fd);
    fd_close(&(*pipe)->write_fd);
    free(*pipe);
    *pipe = NULL;
    pool->total--;
}

void
pipes_drain(struct pipe_pool *pool, struct pipe_pair **pipe, size_t bytes)
{
    uint8_t sink[16384];

    while (bytes > 0) {
        ssize_t n = read((*pipe)->read_fd, sink, bytes < sizeof sink ? bytes : sizeof sink);

        if (n <= 0) {
            /* It does not hold what we counted: never hand somebody else's bytes to a later flow. */
            pipe_discard(pool, pipe);
            return;
        }
        bytes -= (size_t)n;
    }
    pipes_give(pool, pipe);
}

void
pipes_free(struct pipe_pool *pool)
{
    while (pool->free_count > 0) {
        struct pipe_pair *pipe = pool->free_list[--pool->free_count];

        pipe_discard(pool, &pipe);
    }
}
