/* SPDX-License-Identifier: ISC */
/*
 * The worker's pool of pipes for splice. The master makes them (an ordinary user may not make
 * enough) and every one belongs to the pool or to exactly one flow while bytes are in it.
 */
#ifndef SP_SESSION_PIPES_H
#define SP_SESSION_PIPES_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"

#define PIPES_MAX 512

struct pipe_pair {
    int read_fd;
    int write_fd;
    uint32_t size; /* bytes it holds when full */
};

struct pipe_pool {
    struct pipe_pair *free_list[PIPES_MAX];
    uint32_t free_count;
    uint32_t total;
};

/* Takes both descriptors over. 0, or -1 with ENOMEM or ENOBUFS (they are closed then). */
int pipes_add(struct pipe_pool *pool, int read_fd, int write_fd, uint32_t size) SP_MUST_USE;

/* An empty pipe, or NULL when all are in use: the caller copies instead. */
struct pipe_pair *pipes_take(struct pipe_pool *pool);

/* Gives an empty pipe back. Leaves NULL. */
void pipes_give(struct pipe_pool *pool, struct pipe_pair **pipe);

/* Gives back a pipe that still holds `bytes` of an ended flow: they are thrown away here. */
void pipes_drain(struct pipe_pool *pool, struct pipe_pair **pipe, size_t bytes);

/* Closes every free pipe. */
void pipes_free(struct pipe_pool *pool);

#endif
