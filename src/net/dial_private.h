/* SPDX-License-Identifier: ISC */
/* The inside of dial*.c: dial.c decides when to try what, dial_attempt.c has the sockets. */
#ifndef SP_NET_DIAL_PRIVATE_H
#define SP_NET_DIAL_PRIVATE_H

#include <stdint.h>

#include "src/net/dial.h"

struct dial_attempt {
    struct loop_io io;
    struct dial *dial;
    int fd; /* owned; -1: free */
    struct addr address;
    struct mono started;
};

enum { DIAL_IPV4, DIAL_IPV6, DIAL_FAMILIES };

struct dial {
    struct loop *loop;
    const struct dial_settings *settings;
    dial_finished *finished;
    void *ctx;
    struct loop_timer deadline;
    struct loop_timer pace; /* armed only while an address waits for its turn */
    struct loop_task task;  /* a step outside the caller's call */
    struct mono first_added;
    struct mono next_start; /* not before, while an attempt is under way */

    bool pending[DIAL_FAMILIES]; /* answers still awaited */
    bool ended;                  /* reported */
    uint8_t last_family;         /* of the last attempt */
    uint8_t started;             /* addresses tried */
    uint8_t count;
    uint8_t at[DIAL_FAMILIES]; /* where the search for the family's next address begins */

    int error; /* that stands for those failed so far */
    struct addr error_address;
    struct dial_attempt *winner;
    struct dial_attempt attempts[DIAL_ATTEMPTS_MAX];
    struct addr addresses[DIAL_ADDRESSES_MAX];
};

/* ---- dial_attempt.c ---- */

/* Begins to connect. 0, or -1 with errno (then the attempt is free). */
int dial_attempt_start(struct dial_attempt *attempt, const struct addr *address) SP_MUST_USE;
/* Removes it from the loop and closes. Harmless when free. */
void dial_attempt_close(struct dial_attempt *attempt);

/* ---- dial.c: what an attempt reports; the dial may be gone afterwards ---- */

void dial_attempt_connected(
    struct dial_attempt *attempt, const struct addr *egress, uint32_t events);
void dial_attempt_failed(struct dial_attempt *attempt, int error);

#endif
