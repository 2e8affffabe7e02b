/* SPDX-License-Identifier: ISC */
/*
 * A session host with many sessions that relay, without a descriptor: what walks through all of them needs
 * no more. For tests and for tests/bench.
 */
#ifndef SP_TESTS_UNIT_SESSION_CROWD_H
#define SP_TESTS_UNIT_SESSION_CROWD_H

#include "tests/unit/config_rig.h"

#include "src/core/ring.h"
#include "src/session/session_private.h"

struct crowd {
    struct session_host host;
    struct rig config;   /* of the image in force */
    struct ring_reader *reader;
    int ring_data, ring_index;
    uint64_t next_id;
    uint32_t ended;      /* how many have */
    uint32_t told;       /* REJUDGED's */
    uint32_t told_ended; /* the last one's */
    int64_t longest_us;  /* of a turn */
    int64_t longest_cpu_us; /* the same without what others of the machine took */
};

extern struct crowd crowd;

/* Room for so many sessions at a time; the configuration has one listener, of method none. */
void crowd_begin(const char *config, uint32_t room);
void crowd_end(void);
/* Another configuration is in force; nobody is judged. */
void crowd_commit(const char *config);
/* A session from this client to name (NULL: to the address), which is 192.0.2.host. Its id. */
uint64_t crowd_add(uint32_t client, const char *name, uint8_t host);
/* One turn of the loop; the ring's records are accepted. */
void crowd_turn(void);
/* Turns until nothing is walking any more. */
void crowd_walk(void);
struct session *crowd_find(uint64_t id);

#endif
