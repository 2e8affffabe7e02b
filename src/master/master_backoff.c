/* SPDX-License-Identifier: ISC */
/* How long a vacant place waits for its next process. Serves master_watch.c. */
#include "src/master/master_parts.h"

#define BACKOFF_FIRST_US (CLOCK_SECOND_US / 2)
#define BACKOFF_MOST_US (30 * CLOCK_SECOND_US)

int64_t
backoff_next_us(struct backoff *b, int64_t lived_us)
{
    if (lived_us >= BACKOFF_SHORT_LIFE_SECONDS * CLOCK_SECOND_US) {
        b->failures = 0;
        return 0;
    }
    int64_t pause = b->failures == 0 ? 0 : BACKOFF_FIRST_US;

    for (unsigned i = 1; i < b->failures && pause < BACKOFF_MOST_US; i++)
        pause *= 2;
    b->failures++;
    return pause < BACKOFF_MOST_US ? pause : BACKOFF_MOST_US;
}
