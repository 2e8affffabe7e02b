/* SPDX-License-Identifier: ISC */
/*
 * The two clocks. Serves the loop, which hands time to everybody else. A clock that cannot be read
 * is a broken machine: abort.
 */
#include "lib/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t
clock_read(clockid_t id)
{
    struct timespec ts;
    if (clock_gettime(id, &ts) != 0) {
        abort();
    }
    return (int64_t)ts.tv_sec * CLOCK_SECOND_US + ts.tv_nsec / 1000;
}

struct mono
mono_read(void)
{
    return (struct mono){ clock_read(CLOCK_MONOTONIC) };
}

struct wall
wall_read(void)
{
    return (struct wall){ clock_read(CLOCK_REALTIME) };
}

struct mono
mono_add_us(struct mono t, int64_t us)
{
    int64_t sum;
    if (t.us == INT64_MAX) {
        return MONO_NEVER; /* never, and a little less, is still never */
    }
    if (__builtin_add_overflow(t.us, us, &sum)) {
        sum = us > 0 ? INT64_MAX : INT64_MIN;
    }
    return (struct mono){ sum };
}

struct mono
mono_add_seconds(struct mono t, int64_t seconds)
{
    int64_t us;
    if (__builtin_mul_overflow(seconds, CLOCK_SECOND_US, &us)) {
        us = seconds > 0 ? INT64_MAX : INT64_MIN;
    }
    return mono_add_us(t, us);
}

int64_t
mono_diff_us(struct mono a, struct mono b)
{
    int64_t diff;
    if (__builtin_sub_overflow(a.us, b.us, &diff)) {
        diff = a.us > b.us ? INT64_MAX : INT64_MIN;
    }
    return diff;
}

bool
mono_before(struct mono a, struct mono b)
{
    return a.us < b.us;
}

struct civil {
    int year;
    unsigned month;
    unsigned day;
};

/* The proleptic Gregorian date of a day counted from 1970-01-01, in eras of 400 years that begin on
   the first of March, so that the leap day comes last. */
static struct civil
civil_from_days(int64_t days)
{
    days += 719468;
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const unsigned doe = (unsigned)(days - era * 146097);
    const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const unsigned mp = (5 * doy + 2) / 153;
    const unsigned month = mp < 10 ? mp + 3 : mp - 9;
    return (struct civil){ (int)((int64_t)yoe + era * 400) + (month <= 2 ? 1 : 0), month,
        doy - (153 * mp + 2) / 5 + 1 };
}

/* Years 0000..9999, so that the text keeps its length whatever the clock says. */
#define WALL_MIN_US (INT64_C(-62167219200) * CLOCK_SECOND_US)
#define WALL_MAX_US (INT64_C(253402300800) * CLOCK_SECOND_US - 1)

size_t
wall_format(struct wall t, char text[WALL_TEXT_MAX])
{
    /* Not gmtime_r(): its first call opens /etc/localtime, which ends a sandboxed worker. */
    const int64_t us = t.us < WALL_MIN_US ? WALL_MIN_US : t.us > WALL_MAX_US ? WALL_MAX_US : t.us;
    const int64_t day_us = 86400 * CLOCK_SECOND_US;
    const int64_t days = (us >= 0 ? us : us - (day_us - 1)) / day_us;
    const int64_t rest = us - days * day_us;
    const unsigned seconds = (unsigned)(rest / CLOCK_SECOND_US);
    const struct civil d = civil_from_days(days);
    const int n =
        snprintf(text, WALL_TEXT_MAX, "%04d-%02u-%02uT%02u:%02u:%02u.%06uZ", d.year, d.month, d.day,
            seconds / 3600, seconds / 60 % 60, seconds % 60, (unsigned)(rest % CLOCK_SECOND_US));
    if (n < 0 || n >= WALL_TEXT_MAX) {
        abort();
    }
    return (size_t)n;
}
