/* SPDX-License-Identifier: ISC */
/*
 * session.update records (log.interim): every so many seconds one for each session that has moved
 * something since the last one. One walk through a worker's sessions, spread over the interval; a session
 * keeps nothing for it but a number in its slot.
 */
#ifndef SP_SESSION_INTERIM_H
#define SP_SESSION_INTERIM_H

#include <stdint.h>

#include "src/core/loop.h"

struct session;
struct session_host;

/* A worker's; all zero when nothing is asked for. */
struct interim {
    struct session_host *host; /* NULL: never adopted anything */
    struct loop_timer timer;
    struct loop_task task;
    struct session *next;  /* the next one to be looked at; whoever leaves the list moves it on */
    int64_t interval; /* microseconds */
    struct mono round_end;
    uint32_t per_tick;
    uint32_t due;          /* may be looked at before the next tick */
};

/* Another image is in force, or the first. */
void interim_adopt(struct session_host *host);
void interim_close(struct session_host *host);

#endif
