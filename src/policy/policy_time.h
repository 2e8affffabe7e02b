/* SPDX-License-Identifier: ISC */
/* Time windows on the image's clock; shared by the files of src/policy. */
#ifndef SP_POLICY_TIME_H
#define SP_POLICY_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "src/config/image.h"

/* What the clock on the wall shows. */
struct policy_moment {
    uint32_t day;    /* bit of the weekday; bit 0: Sunday */
    uint32_t before; /* that of the day before */
    uint32_t minute; /* of the day */
};

/* The local time of the image's zone at so many seconds UTC. */
struct policy_moment policy_time_at(const struct image *image, int64_t when);

/* The window is open at that moment: it began today, or yesterday and goes on past midnight. */
static inline bool
policy_time_open(const struct image_window *w, struct policy_moment at)
{
    if (w->from < w->to) {
        return (w->days & at.day) != 0 && at.minute >= w->from && at.minute < w->to;
    }
    return ((w->days & at.day) != 0 && at.minute >= w->from) ||
           ((w->days & at.before) != 0 && at.minute < w->to);
}

#endif
