/* SPDX-License-Identifier: ISC */
/*
 * When one rule's conditions hold wherever another's do. Shared by config_cover.c, which looks at all
 * pairs of rules, and config_cover_rule.c, which looks at one. "No" may mean "cannot be shown"; "yes" is
 * never wrong. Nothing fails.
 */
#ifndef SP_CONFIG_COVER_H
#define SP_CONFIG_COVER_H

#include <stdbool.h>
#include <stdint.h>

#include "src/config/image.h"

/*
 * A rule in short. When some rule A covers B, then of their marks
 *     A.has is among B.has, B.kinds among A.kinds where A has destinations, A's ports hold B's,
 *     A.protection <= B.protection, and each of B.need among A.have.
 */
enum cover_mark {
    COVER_CLIENT,
    COVER_USER,
    COVER_GROUP,
    COVER_METHOD,
    COVER_DESTINATION,
    COVER_DESTINATION_LONG, /* by more of each element */
    COVER_MARKS
};

struct cover_have { /* a rule as the earlier one */
    uint32_t has; /* IMAGE_HAS_* */
    uint8_t commands;
    uint8_t protection;
    uint8_t kinds; /* of destinations it cannot have: the complement */
    uint8_t pad;
    uint16_t low, high;
    uint64_t marks[COVER_MARKS];
};

struct cover_need { /* and as the later one */
    uint32_t lacks; /* IMAGE_HAS_* that it does not have */
    uint8_t commands;
    uint8_t protection;
    uint8_t kinds; /* of its destinations: COVER_NAMES ... */
    uint8_t pad;
    uint16_t low, high;
    uint64_t marks[COVER_MARKS];
};

#define COVER_NAMES 1U
#define COVER_PREFIXES 2U
#define COVER_SETS 4U

void cover_have(const struct image *image, const struct image_rule *r, struct cover_have *out);
void cover_need(const struct image *image, const struct image_rule *r, struct cover_need *out);

/* False: a does not cover b, or not in a way that could be shown. */
static inline bool
cover_may(const struct cover_have *a, const struct cover_need *b)
{
    uint64_t missing = 0;
    for (unsigned i = 0; i < COVER_MARKS; i++) {
        missing |= b->marks[i] & ~a->marks[i];
    }
    return missing == 0 && (a->has & b->lacks) == 0 && (b->kinds & a->kinds) == 0 &&
           (b->commands & ~(uint32_t)a->commands) == 0 && a->protection <= b->protection &&
           a->low <= b->low && a->high >= b->high;
}

/* Looks at every list. *steps counts the comparisons of elements; behind COVER_STEPS_MAX the answer is
   no. */
#define COVER_STEPS_MAX UINT64_C(60000000) /* about half a second */
bool cover_rule(const struct image *image, const struct image_rule *a, const struct image_rule *b,
    uint64_t *steps);

#endif
