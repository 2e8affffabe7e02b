/* SPDX-License-Identifier: ISC */
/*
 * The tests' DNS server (tests/system/dns_server.py) as a child of a unit test. It ends with its
 * standard input, so also when the test dies.
 */
#ifndef SP_TESTS_UNIT_DNS_CHILD_H
#define SP_TESTS_UNIT_DNS_CHILD_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct dns_child {
    pid_t pid;
    FILE *to;
    FILE *from;
    uint16_t port;
};

/* Each fails the running test when it cannot do its work. */
void dns_child_start(struct dns_child *child);
void dns_child_stop(struct dns_child *child);
/* One line of orders, as the server's own text describes them: "set www.test a=192.0.2.1". */
void dns_child_order(struct dns_child *child, const char *order);
/* Questions so far: "www.test A" or "www.test A tcp". */
int dns_child_count(struct dns_child *child, const char *what);

#endif
