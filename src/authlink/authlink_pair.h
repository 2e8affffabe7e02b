/* SPDX-License-Identifier: ISC */
/* The socket pairs of conversations: made, kept, taken again. Private to this folder. */
#ifndef SP_AUTHLINK_AUTHLINK_PAIR_H
#define SP_AUTHLINK_AUTHLINK_PAIR_H

#include "lib/base/attr.h"
#include "src/authlink/authlink.h"

/* A kept pair or a new one: c->fd is registered for reading with c->io, whose ready is set; *other is
   the caller's. 0, or -1 with errno. */
int pair_take(struct authlink_queue *q, struct authlink_conversation *c, int *other) SP_MUST_USE;

/* Takes the conversation's descriptor with its registration, and *other, if that is the end the
   conversation was opened with, its queue is still the same, and there is room. Else all stays the
   caller's. */
void pair_keep(struct authlink_conversation *c, int *other);

/* Closes those that are kept. */
void pairs_drop(struct authlink_queue *q);

#endif
