/* SPDX-License-Identifier: ISC */
/* Whole sessions whose rule limits them, the test being the master that grants. What is counted is what the
   destination really got. Serves the unit tests of src/session/budget*.c. */
#ifndef SP_TESTS_UNIT_BUDGET_RIG_H
#define SP_TESTS_UNIT_BUDGET_RIG_H

#include "tests/unit/session_rig.h"

#define RIG_DATA_MOST 400000U
extern uint8_t rig_data[RIG_DATA_MOST]; /* to be sent */

/* Keys of timeouts and of the rule "slow", which lets clients reach 127.0.0.1. */
int budget_rig_begin(const char *timeouts, const char *limits);
/* For cmocka, to be ended with session_rig_teardown(): 80 KiB a second, so 10,240 bytes an ask. */
int budget_rig_setup(void **state);

/* The request of a client that may ask: the destination's end, or -1 where last is not 1. */
int rig_request(int fd, uint8_t last);
/* A session of nobody that relays: the client's end, and the destination's. */
int rig_relaying(uint64_t *id, int *target);
/* The master's answer to an ask, and the last of those. */
void rig_grant(uint32_t handle, uint32_t bytes);
const struct ipc_budget_ask *rig_last_ask(void);
/* How much has come to fd, after some turns. */
size_t rig_arrived(int fd);

#endif
