/* SPDX-License-Identifier: ISC */
/* src/session/udp_batch.c: what the kernel does not take is counted and holds up nothing else. */
#include "src/session/udp_batch.h"

#include "lib/base/fd.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static struct udp_shared *shared;
static int fd;
static struct addr here;

static int
setup(void **state)
{
    static const uint8_t ip[4] = { 127, 0, 0, 1 };
    struct sockaddr_storage ss;
    struct addr any = addr_ipv4(ip, 0);
    socklen_t len = addr_to_sockaddr(&any, &ss);

    (void)state;
    shared = udp_shared_new();
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_non_null(shared);
    assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
    len = sizeof ss;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
    here = addr_from_sockaddr((struct sockaddr *)&ss, len);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    free(shared);
    fd_close(&fd);
    return 0;
}

/* In the middle one that is too long for any datagram. */
static void
one_fails_the_others_pass(void **state)
{
    static uint8_t data[UDP_DATA];
    struct udp_outbox *o = &shared->out[UDP_IPV4];
    struct udp_sent sent = { 0, 0, 0, 0 };
    struct udp_incoming in;

    (void)state;
    memcpy(data, "abc", 3);
    udp_outbox_add(o, &here, data, 1, 1);
    udp_outbox_add(o, &here, data, UDP_DATA, UDP_DATA);
    udp_outbox_add(o, &here, data, 3, 2);
    udp_outbox_send(o, fd, &sent);
    assert_int_equal(o->count, 0);
    assert_int_equal(sent.datagrams, 2);
    assert_int_equal(sent.dropped, 1);
    assert_int_equal(sent.payload, 3);
    assert_int_equal(sent.wire, 4);
    assert_int_equal(udp_batch_receive(shared, fd), 2);
    assert_true(udp_batch_take(shared, 1, &in));
    assert_int_equal(in.len, 3);
    assert_memory_equal(in.data, "abc", 3);
    assert_true(addr_equal(&in.from, &here));
    assert_int_equal(udp_batch_receive(shared, fd), 0);
}

/* A socket that takes nothing at all: every one is counted, and it ends. */
static void
all_fail(void **state)
{
    static uint8_t data[1];
    struct udp_outbox *o = &shared->out[UDP_IPV4];
    struct udp_sent sent = { 0, 0, 0, 0 };

    (void)state;
    for (unsigned i = 0; i < UDP_BATCH; i++)
        udp_outbox_add(o, &here, data, 1, 1);
    udp_outbox_send(o, -1, &sent);
    assert_int_equal(o->count, 0);
    assert_int_equal(sent.datagrams, 0);
    assert_int_equal(sent.dropped, UDP_BATCH);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_fails_the_others_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(all_fail, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
