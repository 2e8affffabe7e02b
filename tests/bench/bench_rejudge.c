/* SPDX-License-Identifier: ISC */
/*
 * How long a worker takes to judge all its sessions again after a reload, and its longest turn meanwhile:
 * sessions against rules of which the last one decides, for rules that look at the client first and for
 * rules that all look at the destination; and the same where every session has to end. Arguments: sessions,
 * rules.
 */
#include "tests/unit/session_crowd.h"

#include <stdio.h>
#include <stdlib.h>

static char *
config_of(unsigned rules, bool clients, bool allow)
{
    size_t room = 256 + (size_t)rules * 256, len;
    char *text = malloc(room);

    if (text == NULL)
        abort();
    len = (size_t)snprintf(text, room, "methods = { \"none\" }\nlisten \"127.0.0.1:1080\" {}\n");
    for (unsigned i = 1; i < rules; i++) {
        if (clients)
            len += (size_t)snprintf(text + len, room - len,
                "rule \"r%u\" { action = \"allow\" client = { \"172.16.%u.%u/32\" }"
                " destination = { \"198.51.100.0/24\" } }\n", i, i / 256, i % 256);
        else
            len += (size_t)snprintf(text + len, room - len,
                "rule \"r%u\" { action = \"allow\" destination = { \"*.site%u.example\","
                " \"www.other%u.example\", \"198.51.%u.0/24\" } port = { \"443\" } }\n", i, i, i, i % 256);
    }
    (void)snprintf(text + len, room - len,
        "rule \"last\" { action = \"%s\" destination = { \"192.0.2.0/24\" } }\n",
        allow ? "allow" : "deny");
    return text;
}

static void
row(const char *what, unsigned sessions, unsigned rules, bool clients, bool allow)
{
    char *config = config_of(rules, clients, allow);
    struct mono before;

    crowd_commit(config);
    crowd.longest_us = crowd.longest_cpu_us = 0;
    crowd.ended = 0;
    before = mono_read();
    session_rejudge(&crowd.host, 2, false);
    crowd_walk();
    (void)printf("%-36s %6u sessions %5u rules: %7.1f ms, longest turn %.2f ms (CPU %.2f), %u ended\n", what,
        sessions, rules, (double)mono_diff_us(mono_read(), before) / 1000.0,
        (double)crowd.longest_us / 1000.0, (double)crowd.longest_cpu_us / 1000.0, crowd.ended);
    free(config);
}

int
main(int argc, char **argv)
{
    unsigned sessions = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 25000;
    unsigned rules = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1000;
    char *first = config_of(1, true, true);

    crowd_begin(first, sessions);
    for (unsigned i = 0; i < sessions; i++)
        (void)crowd_add(0x0a000000U + i, i % 2 == 0 ? "www.far.example" : NULL, (uint8_t)(i % 200));
    row("rules by client, all stay", sessions, rules, true, true);
    row("rules by name and prefix, all stay", sessions, rules, false, true);
    row("rules by name and prefix, all end", sessions, rules, false, false);
    crowd_end();
    free(first);
    return 0;
}
