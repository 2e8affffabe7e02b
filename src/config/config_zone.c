/* SPDX-License-Identifier: ISC */
/*
 * The local time zone as a table of changes. Serves config_settings.c, in the child that compiles: the
 * processes that judge time windows sit in an empty chroot and have no zone files. Out of memory sets
 * the builder's `failed`.
 */
#include <stdlib.h>
#include <time.h>

#include "src/config/config_compiler.h"

#define ZONE_YEAR INT64_C(31556952) /* seconds, on average */
#define ZONE_BEHIND 1               /* years */
#define ZONE_AHEAD 21
#define ZONE_STEP INT64_C(86400) /* no clock is changed twice within so many seconds */

struct zone {
    struct image_zone *list;
    uint32_t count;
    uint32_t room;
    bool failed;
};

static int32_t
zone_offset(int64_t when)
{
    const time_t at = (time_t)when;
    struct tm tm;
    if (localtime_r(&at, &tm) == NULL || tm.tm_gmtoff > IMAGE_ZONE_OFFSET_MAX ||
        tm.tm_gmtoff < -IMAGE_ZONE_OFFSET_MAX) {
        return 0;
    }
    return (int32_t)tm.tm_gmtoff;
}

static void
zone_add(struct zone *z, int64_t from, int32_t offset)
{
    if (z->count == z->room) {
        const uint32_t more = 2 * z->room + 64;
        struct image_zone *bigger = realloc(z->list, more * sizeof(*bigger));
        if (bigger == NULL) {
            z->failed = true;
            return;
        }
        z->list = bigger;
        z->room = more;
    }
    z->list[z->count++] = (struct image_zone){ .from = from, .offset = offset };
}

/* The first second at which the offset is no longer what it is at low; at high it is another. */
static int64_t
zone_change(int64_t low, int64_t high, int32_t offset)
{
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (zone_offset(middle) == offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

struct image_list
config_zone_write(struct config_builder *b, int64_t now)
{
    struct zone z = { .list = NULL };
    /* Whole years, so that a configuration gives the same image today and tomorrow. */
    const int64_t year = now / ZONE_YEAR;
    const int64_t end = (year + ZONE_AHEAD) * ZONE_YEAR;
    int64_t at = (year - ZONE_BEHIND) * ZONE_YEAR;
    tzset();
    int32_t offset = zone_offset(at);
    zone_add(&z, INT64_MIN, offset);
    for (; at < end && !z.failed; at += ZONE_STEP) {
        const int32_t next = zone_offset(at + ZONE_STEP);
        if (next != offset) {
            zone_add(&z, zone_change(at, at + ZONE_STEP, offset), next);
            offset = next;
        }
    }
    b->failed = b->failed || z.failed;
    const struct image_list list = config_builder_list(b, z.list, sizeof(*z.list), z.count);
    free(z.list);
    return list;
}
