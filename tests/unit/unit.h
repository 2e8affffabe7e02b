/* SPDX-License-Identifier: ISC */
/* What every unit test includes: cmocka with the headers it wants first, and a random source that
   gives the same row on every run, so that a failure can be repeated. */
#ifndef SP_TESTS_UNIT_UNIT_H
#define SP_TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/base/attr.h"

/* Some system calls are not made, or not the same, under AddressSanitizer. */
#if defined(__SANITIZE_ADDRESS__)
#define UNIT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNIT_ASAN 1
#endif
#endif
#ifndef UNIT_ASAN
#define UNIT_ASAN 0
#endif

struct unit_random {
    uint64_t state;
};

#define UNIT_RANDOM_INIT ((struct unit_random){ UINT64_C(0x9e3779b97f4a7c15) })

static inline uint64_t
unit_random(struct unit_random *r)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return r->state * UINT64_C(0x2545f4914f6cdd1d) >> 8;
}

static inline void
unit_random_fill(struct unit_random *r, void *out, size_t len)
{
    uint8_t *at = out;
    for (size_t i = 0; i < len; i++) {
        at[i] = (uint8_t)unit_random(r);
    }
}

/* A heap copy of exactly len bytes, so that a sanitizer sees the first byte read behind it. */
static inline uint8_t *
unit_copy(const void *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    return copy;
}

#endif
