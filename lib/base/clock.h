/* SPDX-License-Identifier: ISC */
/*
 * Time as two types that cannot be mixed up: mono is for deadlines and durations (CLOCK_MONOTONIC),
 * wall is for records that people read (CLOCK_REALTIME). Both count microseconds. A process reads
 * the clock through its loop (src/core/loop.h); nobody else calls clock_gettime.
 */
#ifndef SP_BASE_CLOCK_H
#define SP_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mono {
    int64_t us;
};

struct wall {
    int64_t us;
};

#define MONO_NEVER ((struct mono) { INT64_MAX })
#define CLOCK_SECOND_US INT64_C(1000000)
#define CLOCK_MSEC_US INT64_C(1000)

/* Reads CLOCK_MONOTONIC. Cannot fail on Linux. */
struct mono mono_read(void);

/* Reads CLOCK_REALTIME. Cannot fail on Linux. */
struct wall wall_read(void);

/* t + us, saturating at MONO_NEVER; us may be negative. */
struct mono mono_add_us(struct mono t, int64_t us);

/* t + seconds, saturating at MONO_NEVER. */
struct mono mono_add_seconds(struct mono t, int64_t seconds);

/* a - b in microseconds. */
int64_t mono_diff_us(struct mono a, struct mono b);

/* True when a is earlier than b. */
bool mono_before(struct mono a, struct mono b);

#define WALL_TEXT_MAX 32
/* Writes "2026-01-31T23:59:59.123456Z" (UTC, RFC 3339; 27 characters and NUL). Returns the length. A
   time outside the years 0000 to 9999 is written as the nearest one inside. */
size_t wall_format(struct wall t, char text[WALL_TEXT_MAX]);

#endif
