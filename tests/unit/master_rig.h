/* SPDX-License-Identifier: ISC */
/*
 * A master without configuration and programs: a real loop, a real ring, and workers whose processes
 * are children that do nothing, so that killing one is real. The test speaks at the other end of
 * each channel.
 */
#ifndef SP_TESTS_UNIT_MASTER_RIG_H
#define SP_TESTS_UNIT_MASTER_RIG_H

#include "src/master/master_private.h"

#define RIG_WORKERS 3

struct rig {
    struct master m;
    struct place places[1 + RIG_WORKERS]; /* the logger's is vacant */
    struct process workers[RIG_WORKERS];
    struct ipc_peer theirs[RIG_WORKERS];
    struct ring_reader *reader;
    int peers[64]; /* client's ends of the connections made */
    size_t peer_count;
};

/* For cmocka: *state is the rig. */
int rig_setup(void **state);
int rig_teardown(void **state);

/* The same with the workers as a pool, whose one secret file, "keytab", is that of the path; "old" is
   in force, as generation 1. */
int rig_setup_pool(void **state, const char *path);
/* Process i was handed the file of that generation, and nothing else. */
void rig_assert_file(struct rig *r, int i, uint32_t generation);
/* What it made of that. */
void rig_answer_file(struct rig *r, int i, uint32_t generation, bool accepted);

/* A connection that was just accepted. */
struct session *rig_session(struct rig *r);
/* What worker i was sent; the descriptors are closed. False: nothing. */
bool rig_receive(struct rig *r, int i, struct ipc_message *out);
/* Worker i says something. */
void rig_say(struct rig *r, int i, enum ipc_type type, const void *body, size_t len);
void rig_say_ended(struct rig *r, int i, uint64_t id);
/* One turn without waiting. */
void rig_turn(struct rig *r);
/* Fills worker i's channel, so that the next message is refused. */
void rig_fill(struct rig *r, int i);
void rig_drain(struct rig *r, int i);
/* The process of worker i was killed by a signal. */
bool rig_was_killed(struct rig *r, int i);
/* How many records of the event are in the master's ring. */
size_t rig_events(struct rig *r, enum event_id id);

#endif
