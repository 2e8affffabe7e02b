/* SPDX-License-Identifier: ISC */
/*
 * A protect face without cryptography, for tests of what lies above one: TYPE=5A, LEN (2), the bytes
 * changed with the message's number, a checksum (4) over number and bytes. Both ends use the same.
 */
#ifndef SP_TESTS_UNIT_PROTECT_FACE_H
#define SP_TESTS_UNIT_PROTECT_FACE_H

#include "tests/unit/unit.h"

#include "auth/auth_module.h"

#define FACE_HEAD 3U
#define FACE_TAIL 4U
#define FACE_PLAIN_MAX 65500U
#define FACE_MESSAGE_MAX (FACE_HEAD + FACE_PLAIN_MAX + FACE_TAIL)

extern const struct auth_protect_module face; /* tells how long a message will be */
extern const struct auth_protect_module face_silent; /* does not */
extern unsigned face_live;                    /* states not freed */

void *face_state(void);

#endif
