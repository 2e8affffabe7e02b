/* SPDX-License-Identifier: ISC */
/* src/net/listen.c: the address of a route, ports of a range, and what accept() may say. */
#include "tests/unit/core_unit.h"

#include "lib/base/fd.h"
#include "src/core/sandbox.h"
#include "src/net/listen.h"

#include <sys/socket.h>

static const struct addr none = { .family = ADDR_NONE };
static int descriptors;

static struct addr
address(const char *text)
{
    struct addr a;

    assert_int_equal(addr_parse_ip(text, &a), 0);
    return a;
}

static int
setup(void **state)
{
    (void)state;
    descriptors = fd_count_open();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    return fd_count_open() != descriptors;
}

/* ---- the route ---- */

static void
test_route(void **state)
{
    struct addr at, peer = address("127.0.0.9"), us = address("127.0.0.1");
    struct addr egress = address("127.0.0.3");

    (void)state;
    assert_int_equal(listen_route(&peer, &none, &at), 0);
    assert_true(addr_equal(&at, &us));
    assert_int_equal(listen_route(&peer, &egress, &at), 0);
    assert_true(addr_equal(&at, &egress));
}

static void
test_no_route(void **state)
{
    struct addr at, peer = address("127.0.0.9"), foreign = address("203.0.113.200");
    struct addr broadcast = address("255.255.255.255"), six = address("::1");

    (void)state;
    assert_int_equal(listen_route(&peer, &foreign, &at), -1);
    assert_int_equal(errno, EADDRNOTAVAIL);
    assert_int_equal(listen_route(&broadcast, &none, &at), -1);
    assert_int_equal(errno, EACCES);
    assert_int_equal(listen_route(&none, &none, &at), -1);
    assert_int_equal(listen_route(&six, &peer, &at), -1);
}

/* ---- ports ---- */

static void
test_kernel_port(void **state)
{
    struct addr at = address("127.0.0.1"), other = at;
    int a = listen_open(&at, 0, 0), b = listen_open(&other, 0, 0);

    (void)state;
    assert_true(a >= 0 && b >= 0);
    assert_true(at.port > 0 && other.port > 0 && at.port != other.port);
    fd_close(&a);
    fd_close(&b);
}

/* An address of the loopback that is this process's alone, with all of its ports. */
static struct addr
own_host(void)
{
    unsigned pid = (unsigned)getpid();
    const uint8_t ip[4] = { 127, (uint8_t)(1 + (pid >> 16) % 250), (uint8_t)(pid >> 8), (uint8_t)pid };

    return addr_ipv4(ip, 0);
}

/* Every port of a range is used, each once, from a random one on; then none is left. */
static void
test_range(void **state)
{
    enum { WIDTH = 8 };
    struct addr at = own_host();
    int fds[WIDTH];
    unsigned seen = 0;

    (void)state;
    for (int i = 0; i < WIDTH; i++) {
        fds[i] = listen_open(&at, 23000, 23000 + WIDTH - 1);
        assert_true(fds[i] >= 0);
        assert_in_range(at.port, 23000, 23000 + WIDTH - 1);
        seen |= 1U << (at.port - 23000);
    }
    assert_int_equal(seen, (1U << WIDTH) - 1);
    assert_int_equal(listen_open(&at, 23000, 23000 + WIDTH - 1), -1);
    assert_int_equal(errno, EADDRINUSE);
    fd_close(&fds[3]);
    fds[3] = listen_open(&at, 23000, 23000 + WIDTH - 1);
    assert_true(fds[3] >= 0);
    for (int i = 0; i < WIDTH; i++)
        fd_close(&fds[i]);
}

static void
test_no_port(void **state)
{
    struct addr foreign = address("203.0.113.200");

    (void)state;
    assert_int_equal(listen_open(&foreign, 0, 0), -1);
    assert_int_equal(errno, EADDRNOTAVAIL);
    assert_int_equal(listen_open(&foreign, 23000, 23100), -1);
    assert_int_equal(errno, EADDRNOTAVAIL);
}

/* ---- accepting ---- */

static void
test_accept(void **state)
{
    struct addr at = address("127.0.0.1"), peer, from = address("127.0.0.9");
    struct sockaddr_storage ss;
    int door = listen_open(&at, 0, 0), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), got;

    (void)state;
    assert_int_equal(listen_accept(door, &peer), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(bind(fd, (struct sockaddr *)&ss, addr_to_sockaddr(&from, &ss)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&ss, addr_to_sockaddr(&at, &ss)), 0);
    got = listen_accept(door, &peer);
    assert_true(got >= 0);
    assert_true(addr_equal_ip(&peer, &from) && peer.port > 0);
    assert_int_equal(recv(got, &ss, 1, 0), -1);
    assert_int_equal(errno, EAGAIN);
    fd_close(&got);
    fd_close(&fd);
    fd_close(&door);
    assert_int_equal(listen_accept(door, &peer), -1);
    assert_int_equal(errno, EBADF);
}

static void
test_accept_without_descriptors(void **state)
{
    struct addr at = address("127.0.0.1"), peer;
    struct sockaddr_storage ss;
    struct rlimit old, low;
    int door = listen_open(&at, 0, 0), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), got;

    (void)state;
    assert_int_equal(connect(fd, (struct sockaddr *)&ss, addr_to_sockaddr(&at, &ss)), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = (struct rlimit) { 3, old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    got = listen_accept(door, &peer);
    assert_int_equal(got, -1);
    assert_int_equal(errno, EMFILE);
    assert_int_equal(listen_route(&at, &none, &peer), -1);
    assert_int_equal(listen_open(&peer, 0, 0), -1);
    assert_int_equal(listen_open(&peer, 23000, 23100), -1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    got = listen_accept(door, &peer); /* it waited */
    assert_true(got >= 0);
    fd_close(&got);
    fd_close(&fd);
    fd_close(&door);
}

/* ---- a worker's sandbox ---- */

static void
act_in_sandbox(void *arg)
{
    struct addr at = address("127.0.0.1"), peer = own_host();
    int fd;

    (void)arg;
    CHILD_CHECK(sandbox_no_new_privs() == 0 && sandbox_seccomp(SANDBOX_WORKER) == 0);
    CHILD_CHECK(listen_route(&at, &peer, &at) == 0);
    CHILD_CHECK((fd = listen_open(&peer, 23000, 23010)) >= 0);
    CHILD_CHECK(listen_accept(fd, &peer) < 0 && errno == EAGAIN);
    CHILD_CHECK((fd = listen_open(&at, 0, 0)) >= 0);
}

static void
test_sandbox(void **state)
{
    (void)state;
    assert_int_equal(unit_fork(act_in_sandbox, NULL, NULL, 0), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_route),
        TEST(test_no_route),
        TEST(test_kernel_port),
        TEST(test_range),
        TEST(test_no_port),
        TEST(test_accept),
        TEST(test_accept_without_descriptors),
        TEST(test_sandbox),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
