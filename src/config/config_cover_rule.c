/* SPDX-License-Identifier: ISC */
/*
 * Whether one rule covers another, list by list: each element of the later one's lists lies in an element
 * of the earlier one's. Several elements that hold one only together do not count. Serves config_cover.c.
 */
#include <string.h>

#include "lib/base/name.h"
#include "src/config/config_cover.h"

#define MARK_ALL UINT64_MAX
#define MARK_TAIL 8U /* octets at the end of a glob that its mark is made of */
#define MARK_TAIL_LONG 16U

#define FIRST(image, list, type)                                                                   \
    ((list).count > 0 ? IMAGE_AT(image, list, type, 0) : (const type *)NULL)

/* --- elements ---------------------------------------------------------------------------------- */

/* Every text that b matches, a matches. What a '*' of b stands for only a '*' of a can take, and then it
   takes whatever stands there. The ends are looked at first: most globs differ there. */
static bool
cover_glob(const struct image *image, struct image_text a, struct image_text b)
{
    const char *outer = image_string(image, a);
    const char *inner = image_string(image, b);
    for (uint32_t i = 1; i <= a.len && outer[a.len - i] != '*' && outer[a.len - i] != '?'; i++) {
        if (i > b.len || outer[a.len - i] != inner[b.len - i]) {
            return false;
        }
    }
    return glob_match(outer, inner) && (strchr(outer, '?') == NULL || strchr(inner, '*') == NULL);
}

static bool
cover_window(const struct image_window *a, const struct image_window *b)
{
    const bool wraps_a = a->to <= a->from;
    const bool wraps_b = b->to <= b->from;
    const uint32_t after = (a->days << 1 | a->days >> 6) & 0x7fU; /* days on which a's mornings are */
    if (a->days == 0x7fU && a->from == 0 && a->to == 1440) {
        return true;
    }
    if (wraps_a == wraps_b) {
        return (b->days & ~a->days) == 0 && a->from <= b->from && b->to <= a->to;
    }
    /* b within one day, in a's evenings or in its mornings. */
    return wraps_a && (((b->days & ~a->days) == 0 && b->from >= a->from) ||
                          ((b->days & ~after) == 0 && b->to <= a->to));
}

/* Counts a comparison. False when there were enough of them. */
static bool
cover_step(uint64_t *steps)
{
    return ++*steps <= COVER_STEPS_MAX;
}

/* --- lists ------------------------------------------------------------------------------------- */

static bool
cover_globs(
    const struct image *image, struct image_list a, struct image_list b, uint64_t *steps)
{
    const struct image_text *outer = FIRST(image, a, struct image_text);
    for (uint32_t i = 0; i < b.count; i++) {
        const struct image_text inner = *IMAGE_AT(image, b, struct image_text, i);
        bool found = false;
        for (uint32_t j = 0; !found && j < a.count && cover_step(steps); j++) {
            found = cover_glob(image, outer[j], inner);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static bool
cover_prefixes(
    const struct image *image, struct image_list a, struct image_list b, uint64_t *steps)
{
    const struct image_prefix *outer = FIRST(image, a, struct image_prefix);
    for (uint32_t i = 0; i < b.count; i++) {
        const struct image_prefix *inner = IMAGE_AT(image, b, struct image_prefix, i);
        bool found = false;
        for (uint32_t j = 0; !found && j < a.count && cover_step(steps); j++) {
            found = outer[j].prefix.bits <= inner->prefix.bits &&
                    addr_prefix_within(&inner->prefix, &outer[j].prefix);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

/* Groups and lists in files: the same number. */
static bool
cover_numbers(
    const struct image *image, struct image_list a, struct image_list b, uint64_t *steps)
{
    const uint32_t *numbers = FIRST(image, a, uint32_t);
    for (uint32_t i = 0; i < b.count; i++) {
        const uint32_t number = *IMAGE_AT(image, b, uint32_t, i);
        bool found = false;
        for (uint32_t j = 0; !found && j < a.count && cover_step(steps); j++) {
            found = numbers[j] == number;
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static bool
cover_methods(
    const struct image *image, struct image_list a, struct image_list b, uint64_t *steps)
{
    const uint8_t *methods = FIRST(image, a, uint8_t);
    for (uint32_t i = 0; i < b.count; i++) {
        if (!cover_step(steps) || methods == NULL || memchr(methods, *IMAGE_AT(image, b, uint8_t, i), a.count) == NULL) {
            return false;
        }
    }
    return true;
}

static bool
cover_ports(const struct image *image, struct image_list a, struct image_list b, uint64_t *steps)
{
    const struct image_ports *outer = FIRST(image, a, struct image_ports);
    for (uint32_t i = 0; i < b.count; i++) {
        const struct image_ports *inner = IMAGE_AT(image, b, struct image_ports, i);
        bool found = false;
        for (uint32_t j = 0; !found && j < a.count && cover_step(steps); j++) {
            found = outer[j].low <= inner->low && inner->high <= outer[j].high;
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static bool
cover_times(const struct image *image, struct image_list a, struct image_list b, uint64_t *steps)
{
    const struct image_window *outer = FIRST(image, a, struct image_window);
    for (uint32_t i = 0; i < b.count; i++) {
        bool found = false;
        for (uint32_t j = 0; !found && j < a.count && cover_step(steps); j++) {
            found = cover_window(&outer[j], IMAGE_AT(image, b, struct image_window, i));
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

bool
cover_rule(const struct image *image, const struct image_rule *a, const struct image_rule *b,
    uint64_t *steps)
{
    /* What it does not have, it does not ask for; of commands each rule has all that it is for. */
    const uint32_t has = a->has & ~IMAGE_HAS_COMMAND;
    if ((has & ~b->has) != 0 || a->protection > b->protection || (b->commands & ~a->commands) != 0) {
        return false;
    }
    return ((has & IMAGE_HAS_METHOD) == 0 || cover_methods(image, a->methods, b->methods, steps)) &&
           ((has & IMAGE_HAS_PORT) == 0 || cover_ports(image, a->ports, b->ports, steps)) &&
           ((has & IMAGE_HAS_TIME) == 0 || cover_times(image, a->times, b->times, steps)) &&
           ((has & IMAGE_HAS_CLIENT) == 0 || cover_prefixes(image, a->clients, b->clients, steps)) &&
           ((has & IMAGE_HAS_GROUP) == 0 || cover_numbers(image, a->groups, b->groups, steps)) &&
           ((has & IMAGE_HAS_DESTINATION) == 0 ||
               (cover_prefixes(image, a->prefixes, b->prefixes, steps) &&
                   cover_numbers(image, a->sets, b->sets, steps) &&
                   cover_globs(image, a->names, b->names, steps))) &&
           ((has & IMAGE_HAS_USER) == 0 || cover_globs(image, a->users, b->users, steps));
}

/* --- marks ------------------------------------------------------------------------------------- */

static uint64_t
mark_bit(const void *data, size_t len)
{
    const uint8_t *at = data;
    uint32_t hash = UINT32_C(2166136261); /* FNV-1a */
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ at[i]) * UINT32_C(16777619);
    }
    return UINT64_C(1) << (hash >> 26);
}

/* The bit of a glob, by its last octets, or all where there is a '*' or '?' among them: as the earlier one
   it may match anything, as the later one it needs one that does. What is no glob and short is its own
   tail. */
static uint64_t
mark_glob(const char *glob, size_t len, size_t tail)
{
    if (strcspn(glob, "*?") == len) {
        const size_t n = len < tail ? len : tail;
        return mark_bit(glob + len - n, n);
    }
    if (len < tail || strcspn(glob + len - tail, "*?") < tail) {
        return MARK_ALL;
    }
    return mark_bit(glob + len - tail, tail);
}

static uint64_t
mark_globs(const struct image *image, struct image_list list, size_t tail)
{
    uint64_t marks = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        const struct image_text *t = IMAGE_AT(image, list, struct image_text, i);
        marks |= mark_glob(image_string(image, *t), t->len, tail);
    }
    return marks;
}

/* By the first bits, so many in IPv4 and twice as many in IPv6; shorter ones hold many of those. */
static uint64_t
mark_prefixes(const struct image *image, struct image_list list, unsigned bits)
{
    uint64_t marks = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        const struct addr_prefix *p = &IMAGE_AT(image, list, struct image_prefix, i)->prefix;
        const unsigned least = p->family == ADDR_IPV4 ? bits : 2 * bits;
        marks |= p->bits >= least ? mark_bit(p->ip, least / 8) : MARK_ALL;
    }
    return marks;
}

static uint64_t
mark_numbers(const struct image *image, struct image_list list)
{
    uint64_t marks = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        marks |= mark_bit(IMAGE_AT(image, list, uint32_t, i), sizeof(uint32_t));
    }
    return marks;
}

static uint64_t
mark_methods(const struct image *image, struct image_list list)
{
    uint64_t marks = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        marks |= UINT64_C(1) << (*IMAGE_AT(image, list, uint8_t, i) & 63U);
    }
    return marks;
}

static void
mark_rule(const struct image *image, const struct image_rule *r, uint64_t marks[COVER_MARKS])
{
    const uint64_t sets = mark_numbers(image, r->sets);
    marks[COVER_CLIENT] = mark_prefixes(image, r->clients, 24);
    marks[COVER_USER] = mark_globs(image, r->users, MARK_TAIL_LONG);
    marks[COVER_GROUP] = mark_numbers(image, r->groups);
    marks[COVER_METHOD] = mark_methods(image, r->methods);
    marks[COVER_DESTINATION] =
        mark_globs(image, r->names, MARK_TAIL) | mark_prefixes(image, r->prefixes, 24) | sets;
    marks[COVER_DESTINATION_LONG] =
        mark_globs(image, r->names, MARK_TAIL_LONG) | mark_prefixes(image, r->prefixes, 32) | sets;
}

static uint8_t
mark_kinds(const struct image_rule *r)
{
    return (uint8_t)((r->names.count > 0 ? COVER_NAMES : 0) |
                     (r->prefixes.count > 0 ? COVER_PREFIXES : 0) |
                     (r->sets.count > 0 ? COVER_SETS : 0));
}

static void
mark_ports(const struct image *image, const struct image_rule *r, uint16_t *low, uint16_t *high)
{
    *low = r->ports.count > 0 ? UINT16_MAX : 0;
    *high = r->ports.count > 0 ? 0 : UINT16_MAX;
    for (uint32_t i = 0; i < r->ports.count; i++) {
        const struct image_ports *p = IMAGE_AT(image, r->ports, struct image_ports, i);
        *low = p->low < *low ? p->low : *low;
        *high = p->high > *high ? p->high : *high;
    }
}

void
cover_have(const struct image *image, const struct image_rule *r, struct cover_have *out)
{
    static const uint32_t lists[COVER_MARKS] = { IMAGE_HAS_CLIENT, IMAGE_HAS_USER, IMAGE_HAS_GROUP,
        IMAGE_HAS_METHOD, IMAGE_HAS_DESTINATION, IMAGE_HAS_DESTINATION };
    *out = (struct cover_have){ .has = r->has & ~IMAGE_HAS_COMMAND,
        .commands = (uint8_t)r->commands,
        .protection = (uint8_t)r->protection,
        .kinds = (r->has & IMAGE_HAS_DESTINATION) != 0 ? (uint8_t)~mark_kinds(r) : 0 };
    mark_ports(image, r, &out->low, &out->high);
    mark_rule(image, r, out->marks);
    for (unsigned i = 0; i < COVER_MARKS; i++) {
        out->marks[i] = (r->has & lists[i]) != 0 ? out->marks[i] : MARK_ALL;
    }
}

void
cover_need(const struct image *image, const struct image_rule *r, struct cover_need *out)
{
    *out = (struct cover_need){ .lacks = ~r->has,
        .commands = (uint8_t)r->commands,
        .protection = (uint8_t)r->protection,
        .kinds = mark_kinds(r) };
    mark_ports(image, r, &out->low, &out->high);
    mark_rule(image, r, out->marks);
}
