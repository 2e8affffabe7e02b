/* SPDX-License-Identifier: ISC */
/*
 * When time windows are open. Serves the verdict, and the worker, which asks every minute whether one
 * opened or closed. Pure; nothing fails.
 */
#include "src/policy/policy_time.h"

#include "src/policy/policy.h"

#define MINUTE 60
#define DAY_MINUTES 1440
#define WEEK_DAYS 7
#define EPOCH_WEEKDAY 4 /* 1 January 1970 was a Thursday */

/* Seconds east of UTC. */
static int32_t
time_offset(const struct image *image, int64_t when)
{
    const struct image_list zone = image_settings(image)->zone;
    uint32_t low = 0;
    uint32_t high = zone.count;
    if (zone.count == 0) {
        return 0;
    }
    const struct image_zone *rows = IMAGE_AT(image, zone, struct image_zone, 0);
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (rows[middle].from <= when) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return rows[low].offset;
}

/* Division that rounds down, for times before 1970. */
static int64_t
time_floor(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

struct policy_moment
policy_time_at(const struct image *image, int64_t when)
{
    const int64_t minutes = time_floor(when + time_offset(image, when), MINUTE);
    const int64_t days = time_floor(minutes, DAY_MINUTES);
    const int64_t weekday = (days % WEEK_DAYS + WEEK_DAYS + EPOCH_WEEKDAY) % WEEK_DAYS;
    return (struct policy_moment){
        .day = 1U << weekday,
        .before = 1U << (weekday + WEEK_DAYS - 1) % WEEK_DAYS,
        .minute = (uint32_t)(minutes - days * DAY_MINUTES),
    };
}

static bool
time_rule_open(const struct image *image, const struct image_rule *rule, struct policy_moment at)
{
    for (uint32_t i = 0; i < rule->times.count; i++) {
        if (policy_time_open(IMAGE_AT(image, rule->times, struct image_window, i), at)) {
            return true;
        }
    }
    return false;
}

bool
policy_time_differs(const struct image *image, int64_t before, int64_t now)
{
    const struct policy_moment then = policy_time_at(image, before);
    const struct policy_moment here = policy_time_at(image, now);
    const uint32_t count = image_header(image)->rules.count;
    if (then.day == here.day && then.minute == here.minute) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct image_rule *rule = image_rule(image, i);
        if (rule->times.count > 0 &&
            time_rule_open(image, rule, then) != time_rule_open(image, rule, here)) {
            return true;
        }
    }
    return false;
}
