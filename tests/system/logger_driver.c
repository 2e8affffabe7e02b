/* SPDX-License-Identifier: ISC */
/*
 * A master with a real logger and three rings for tests from outside: commands on standard input, one
 * line of answer each.
 *
 *     logger-driver SOCKET keyvalue|json
 *     start            starts a logger on the rings; answers its process id
 *     write N RATE     N records, RATE a second, over the rings in turn; answers the last seq of each
 *     kill             kill -9 of the logger
 *     stop SECONDS     ends it; answers its exit status
 */
#include "tests/unit/logger_rig.h"

#include "lib/base/clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define RINGS 3U

static struct rig_master master;
static struct rig_ring rings[RINGS];
static uint64_t last[RINGS];
static unsigned turn;

static void
start(int image_fd)
{
    char label[] = "1";

    rig_master_start(&master, image_fd, -1);
    for (uint32_t i = 0; i < RINGS; i++) {
        label[0] = (char)('1' + i);
        rig_ring_add(&master, &rings[i], i, label, getpid());
    }
    printf("%d\n", (int)master.pid);
}

/* In steps of a millisecond: as many as are due by then. */
static void
write_records(uint64_t count, uint64_t rate)
{
    struct mono begin = mono_read();
    uint64_t done = 0;

    while (done < count) {
        uint64_t us = (uint64_t)mono_diff_us(mono_read(), begin);
        uint64_t due = us * rate / (uint64_t)CLOCK_SECOND_US;

        for (; done < count && done < due; done++, turn = (turn + 1) % RINGS)
            last[turn] = rig_write(&rings[turn], 1, 200);
        (void)poll(NULL, 0, 1);
    }
    for (unsigned i = 0; i < RINGS; i++)
        printf("%llu%c", (unsigned long long)last[i], i + 1 < RINGS ? ' ' : '\n');
}

static void
stop(uint32_t seconds)
{
    rig_send_u32(&master, IPC_STOP, seconds);
    printf("%d\n", rig_reap(&master));
}

static void
obey(const char *line, int image_fd)
{
    unsigned long long count;
    unsigned long long rate;
    unsigned seconds;

    if (strcmp(line, "start\n") == 0) {
        start(image_fd);
    } else if (sscanf(line, "write %llu %llu", &count, &rate) == 2) {
        write_records(count, rate);
    } else if (strcmp(line, "kill\n") == 0) {
        rig_kill(&master);
        puts("killed");
    } else if (sscanf(line, "stop %u", &seconds) == 1) {
        stop(seconds);
    } else {
        rig_must(false, line);
    }
}

int
main(int argc, char **argv)
{
    char line[256];

    rig_must(argc == 3, "usage: logger-driver SOCKET keyvalue|json");
    int image_fd = rig_image(IMAGE_LOG_SYSLOG,
        strcmp(argv[2], "json") == 0 ? IMAGE_LOG_JSON : IMAGE_LOG_KEYVALUE, argv[1]);

    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    master.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    for (unsigned i = 0; i < RINGS; i++)
        rig_ring_open(&rings[i], master.wake_fd);
    while (fgets(line, sizeof line, stdin) != NULL)
        obey(line, image_fd);
    return EXIT_SUCCESS;
}
