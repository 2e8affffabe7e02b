/* SPDX-License-Identifier: ISC */
/* UTF-8, read one character at a time (RFC 3629). Serves whoever writes text for other programs: audit, metrics,
   JSON. No I/O; nothing is fatal. */
#ifndef SP_BASE_UTF8_H
#define SP_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The octets of the well-formed character that the len octets at text begin with (1..4), *code its number. 0: there is
   none; overlong forms, surrogates and what lies beyond U+10FFFF are none. */
size_t utf8_read(const void *text, size_t len, uint32_t *code);

#endif
