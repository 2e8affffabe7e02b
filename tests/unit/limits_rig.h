/* SPDX-License-Identifier: ISC */
/* The rig with limits: three failed logins bring a penalty of a minute. Serves the unit tests of limits and of
   what pools hear of penalties. */
#ifndef SP_TESTS_UNIT_LIMITS_RIG_H
#define SP_TESTS_UNIT_LIMITS_RIG_H

#include "tests/unit/master_rig.h"

/* For cmocka: *state is the rig. */
int limits_rig_setup(void **state);
int limits_rig_teardown(void **state);

/* 192.0.2.last */
struct addr rig_client(uint8_t last);
/* A connection of it as it is accepted; NULL: it was not let in. */
struct session *rig_arrive(struct rig *r, uint8_t last);
void rig_leave(struct rig *r, struct session *s);
/* What the pool says of its login. */
void rig_login(struct rig *r, struct session *s, bool success, const char *user);

#endif
