/* SPDX-License-Identifier: ISC */
/* src/client/client_dial.c: gateways with more than one address, some of which do not answer. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/base/fd.h"
#include "src/client/client_private.h"

enum { ADDRESSES = 20, FILLERS = 4 };

/* One address on loopback, of one of three kinds. */
struct place {
    int fd;
    int fillers[FILLERS];
    struct sockaddr_in sa;
    struct addrinfo ai;
};

static struct place places[ADDRESSES];
static size_t count;

static void
place_link(struct place *p)
{
    p->ai = (struct addrinfo){ .ai_family = AF_INET,
        .ai_socktype = SOCK_STREAM,
        .ai_addr = (struct sockaddr *)&p->sa,
        .ai_addrlen = sizeof p->sa };
    if (count > 0)
        places[count - 1].ai.ai_next = &p->ai;
    count++;
}

/* Bound and not listening: refuses. */
static struct place *
place_add(void)
{
    struct place *p = &places[count];
    socklen_t len = sizeof p->sa;

    *p = (struct place){ .fillers = { -1, -1, -1, -1 } };
    p->sa = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(p->fd >= 0);
    assert_int_equal(bind(p->fd, (struct sockaddr *)&p->sa, sizeof p->sa), 0);
    assert_int_equal(getsockname(p->fd, (struct sockaddr *)&p->sa, &len), 0);
    place_link(p);
    return p;
}

static struct place *
answers(void)
{
    struct place *p = place_add();

    assert_int_equal(listen(p->fd, 8), 0);
    return p;
}

/* A listener whose backlog is full drops what comes. */
static void
silent(void)
{
    struct place *p = place_add();

    assert_int_equal(listen(p->fd, 0), 0);
    for (int i = 0; i < FILLERS; i++) {
        p->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(p->fillers[i] >= 0);
        (void)connect(p->fillers[i], (struct sockaddr *)&p->sa, sizeof p->sa);
    }
}

static int
dial(int64_t seconds)
{
    return client_dial_list(&places[0].ai, mono_add_seconds(mono_read(), seconds));
}

static int
setup(void **state)
{
    (void)state;
    count = 0;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < count; i++) {
        fd_close(&places[i].fd);
        for (int j = 0; j < FILLERS; j++)
            fd_close(&places[i].fillers[j]);
    }
    return 0;
}

static void
connected_to(int fd, const struct place *p)
{
    struct sockaddr_in peer = { .sin_port = 0 };
    socklen_t len = sizeof peer;

    assert_true(fd >= 0);
    assert_int_equal(getpeername(fd, (struct sockaddr *)&peer, &len), 0);
    assert_int_equal(peer.sin_port, p->sa.sin_port);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    fd_close(&fd);
}

static void
the_first_that_answers(void **state)
{
    (void)state;
    const struct place *first = answers();

    answers();
    connected_to(dial(20), first);
}

static void
behind_some_that_refuse(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        place_add();
    connected_to(dial(20), answers());
}

static void
behind_some_that_are_silent(void **state)
{
    (void)state;
    const struct mono begin = mono_read();

    silent();
    silent();
    connected_to(dial(20), answers());
    assert_true(mono_diff_us(mono_read(), begin) >= 500 * CLOCK_MSEC_US);
    assert_true(mono_diff_us(mono_read(), begin) < 10 * CLOCK_SECOND_US);
}

static void
nobody_answers(void **state)
{
    (void)state;
    for (int i = 0; i < ADDRESSES; i++)
        place_add();
    assert_int_equal(dial(20), -1);
    assert_int_equal(errno, ECONNREFUSED);
}

static void
in_time(void **state)
{
    (void)state;
    const struct mono begin = mono_read();

    silent();
    assert_int_equal(dial(1), -1);
    assert_int_equal(errno, ETIMEDOUT);
    assert_true(mono_diff_us(mono_read(), begin) >= CLOCK_SECOND_US);
    assert_true(mono_diff_us(mono_read(), begin) < 10 * CLOCK_SECOND_US);
}

static void
descriptors_are_given_back(void **state)
{
    (void)state;
    silent();
    place_add();
    const struct place *p = answers();
    const int before = fd_count_open();

    connected_to(dial(20), p);
    assert_int_equal(fd_count_open(), before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_that_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(behind_some_that_refuse, setup, teardown),
        cmocka_unit_test_setup_teardown(behind_some_that_are_silent, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(in_time, setup, teardown),
        cmocka_unit_test_setup_teardown(descriptors_are_given_back, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
