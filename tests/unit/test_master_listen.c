/* SPDX-License-Identifier: ISC */
/* The three places a listening socket comes from, and what is done to it. */
#include "lib/base/fd.h"
#include "src/master/master_parts.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct addr
parse(const char *text)
{
    struct addr a;

    assert_int_equal(addr_parse(text, &a), 0);
    return a;
}

static int
option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;

    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

/* A plain listening socket of somebody else's. */
static int
foreign_listener(struct addr *addr)
{
    struct addr any = parse("127.0.0.1:0");
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(&any, &ss);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
    assert_int_equal(listen(fd, 5), 0);
    len = sizeof ss;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
    *addr = addr_from_sockaddr((struct sockaddr *)&ss, len);
    return fd;
}

static void
a_new_socket_tells_its_real_port(void **state)
{
    struct inherited none = { .count = 0 };
    struct addr any = parse("127.0.0.1:0");
    struct addr bound;
    int fd = listen_open(&none, &any, false, &bound);

    (void)state;
    assert_true(fd >= 0);
    assert_true(bound.port != 0);
    assert_true(addr_equal_ip(&bound, &any));
    assert_int_equal(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
    assert_int_not_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    assert_int_not_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    assert_int_not_equal(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
    assert_int_not_equal(option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
    assert_int_not_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    assert_int_not_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    fd_close(&fd);
}

static void
ipv6_listens_to_ipv6_only(void **state)
{
    struct inherited none = { .count = 0 };
    struct addr any = parse("[::1]:0");
    struct addr bound;
    int fd = listen_open(&none, &any, false, &bound);

    (void)state;
    if (fd < 0 && (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT)) {
        print_message("this host has no IPv6: not tested\n");
        skip();
    }
    assert_true(fd >= 0);
    assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    fd_close(&fd);
}

static void
a_taken_port_is_an_error(void **state)
{
    struct inherited none = { .count = 0 };
    struct addr addr;
    struct addr bound;
    int other = foreign_listener(&addr);

    (void)state;
    assert_int_equal(listen_open(&none, &addr, false, &bound), -1);
    assert_int_equal(errno, EADDRINUSE);
    fd_close(&other);
}

static void
an_earlier_masters_socket_is_used_once(void **state)
{
    struct inherited in;
    struct addr addr;
    struct addr bound;
    char text[32];
    int other = foreign_listener(&addr);

    (void)state;
    assert_true(snprintf(text, sizeof text, "%d,", other) > 0);
    assert_int_equal(setenv("SALLYPORT_INHERIT", text, 1), 0);
    inherited_collect(&in);
    assert_null(getenv("SALLYPORT_INHERIT"));
    assert_int_equal(in.count, 1);
    int fd = listen_open(&in, &addr, false, &bound);

    assert_int_equal(fd, other);
    assert_true(addr_equal(&addr, &bound));
    assert_int_not_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    assert_int_not_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    /* The second one of that address has to be bound, which the first prevents. */
    assert_int_equal(listen_open(&in, &addr, false, &bound), -1);
    inherited_close(&in);
    fd_close(&fd);
}

static void
a_descriptor_named_twice_is_one_socket(void **state)
{
    struct inherited in;
    struct addr addr;
    char text[32];
    int other = foreign_listener(&addr);

    (void)state;
    assert_true(snprintf(text, sizeof text, "%d,%d", other, other) > 0);
    assert_int_equal(setenv("SALLYPORT_INHERIT", text, 1), 0);
    inherited_collect(&in);
    assert_int_equal(in.count, 1);
    inherited_close(&in);
    assert_int_equal(fcntl(other, F_GETFD), -1);
}

/* "[::]" is IPv6 alone, always. */
static void
a_socket_for_both_families_is_refused(void **state)
{
    struct inherited in;
    struct addr any = parse("[::]:0");
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(&any, &ss);
    char text[32];

    (void)state;
    for (int only = 0; only <= 1; only++) {
        int fd = socket(AF_INET6, SOCK_STREAM, 0);

        if (fd < 0 && errno == EAFNOSUPPORT) {
            print_message("this host has no IPv6: not tested\n");
            skip();
        }
        assert_true(fd >= 0);
        assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only), 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
        assert_int_equal(listen(fd, 5), 0);
        assert_true(snprintf(text, sizeof text, "%d", fd) > 0);
        assert_int_equal(setenv("SALLYPORT_INHERIT", text, 1), 0);
        inherited_collect(&in);
        assert_int_equal(in.count, only);
        inherited_close(&in);
    }
}

static void
unwanted_and_unfit_descriptors_are_closed(void **state)
{
    struct inherited in;
    struct addr addr;
    char text[64];
    int pair[2];
    int other = foreign_listener(&addr);

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_true(snprintf(text, sizeof text, "%d,x,-1,%d", pair[0], other) > 0);
    assert_int_equal(setenv("SALLYPORT_INHERIT", text, 1), 0);
    inherited_collect(&in);
    assert_int_equal(in.count, 1);
    assert_int_equal(fcntl(pair[0], F_GETFD), -1);
    inherited_close(&in);
    assert_int_equal(fcntl(other, F_GETFD), -1);
    fd_close(&pair[1]);
}

/* The service manager's sockets stand from descriptor 3 on, so a child of our own collects them. */
static int
collect_as(const char *pid_text, int other)
{
    char own[32];
    struct inherited in;

    if (snprintf(own, sizeof own, "%ld", (long)getpid()) < 0 || dup2(other, 3) != 3)
        return 100;
    setenv("LISTEN_PID", pid_text != NULL ? pid_text : own, 1);
    setenv("LISTEN_FDS", "1", 1);
    inherited_collect(&in);
    if (getenv("LISTEN_FDS") != NULL || getenv("LISTEN_PID") != NULL)
        return 101;
    return (int)in.count;
}

static int
in_child(const char *pid_text, int other)
{
    int status = -1;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(collect_as(pid_text, other));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
the_service_managers_sockets_are_for_one_process(void **state)
{
    struct addr addr;
    int other = foreign_listener(&addr);

    (void)state;
    assert_int_equal(in_child(NULL, other), 1);
    assert_int_equal(in_child("1", other), 0);
    assert_int_equal(in_child("", other), 0);
    assert_int_equal(in_child("12x", other), 0);
    fd_close(&other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_socket_tells_its_real_port),
        cmocka_unit_test(ipv6_listens_to_ipv6_only),
        cmocka_unit_test(a_taken_port_is_an_error),
        cmocka_unit_test(an_earlier_masters_socket_is_used_once),
        cmocka_unit_test(a_descriptor_named_twice_is_one_socket),
        cmocka_unit_test(a_socket_for_both_families_is_refused),
        cmocka_unit_test(unwanted_and_unfit_descriptors_are_closed),
        cmocka_unit_test(the_service_managers_sockets_are_for_one_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
