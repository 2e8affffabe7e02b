/* SPDX-License-Identifier: ISC */
/*
 * src/session/phase_audit.c and audit_wait.c: sessions with log.required, the test being the logger that
 * accepts records and signals. The target's answer is the index, nothing else.
 */
#include "tests/unit/session_rig.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONFIG(required) \
    "methods = { \"none\" }\n" \
    "listen \"127.0.0.1:1080\" { methods = { \"none\" } }\n" \
    "timeouts { connect = 1 }\nlog { required = " required " }\n" \
    "rule \"here\" { action = \"allow\" destination = { \"127.0.0.1/32\" } }\n"

static int
setup(void **state)
{
    (void)state;
    session_rig_begin(CONFIG("true"));
    return 0;
}

/* Up to its request, with bytes sent ahead. */
static int
asking(uint64_t *id, int *target)
{
    uint8_t request[14] = { 5, 1, 0, 1, 127, 0, 0, 1, (uint8_t)(rig.port >> 8), (uint8_t)rig.port,
        'e', 'a', 'r', 'l' };
    uint8_t in[2];
    int fd = session_rig_client(0, id);

    session_rig_send(fd, "\x05\x01\x00", 3);
    session_rig_read(fd, in, 2);
    session_rig_send(fd, request, sizeof request);
    *target = session_rig_accept();
    session_rig_turns(5);
    return fd;
}

static void
nothing_comes(int fd)
{
    uint8_t byte;

    session_rig_turns(5);
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

/* The records stay in the ring: the rig looks at them in the end. Only the index tells them accepted. */
static void
accept_records(size_t n, bool signals)
{
    uint64_t one = 1;
    struct ring_reader *logger = ring_reader_open(rig.ring_data, rig.ring_index);

    assert_non_null(logger);
    assert_true(ring_wanted(logger));
    ring_accept(logger, n);
    assert_int_equal(ring_met(logger), signals);
    assert_false(ring_met(logger)); /* once */
    ring_reader_close(&logger);
    if (signals)
        assert_int_equal(write(rig.accepted, &one, sizeof one), (ssize_t)sizeof one);
}

static void
go_on(int fd, int target)
{
    uint8_t in[10];

    session_rig_read(fd, in, sizeof in);
    assert_int_equal(in[1], 0);
    session_rig_read(target, in, 4);
    assert_memory_equal(in, "earl", 4);
}

static void
test_one_signal_serves_all(void **state)
{
    enum { SESSIONS = 5 };
    int fd[SESSIONS], target[SESSIONS];
    uint64_t id[SESSIONS];

    (void)state;
    for (int i = 0; i < SESSIONS; i++)
        fd[i] = asking(&id[i], &target[i]);
    for (int i = 0; i < SESSIONS; i++)
        nothing_comes(fd[i]);
    accept_records(3, true);
    for (int i = 0; i < 3; i++)
        go_on(fd[i], target[i]);
    nothing_comes(fd[3]);
    fd_close(&fd[3]); /* one that leaves is waited for by nobody */
    accept_records(2, true);
    go_on(fd[4], target[4]);
    for (int i = 0; i < SESSIONS; i++) {
        fd_close(&fd[i]);
        fd_close(&target[i]);
    }
}

static void
test_refused_in_time(void **state)
{
    uint8_t in[10];
    uint64_t id;
    int target, fd = asking(&id, &target);

    (void)state;
    session_rig_read(fd, in, sizeof in);
    assert_int_equal(in[1], 1);
    session_rig_read_end(target);
    session_rig_read_end(fd);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "audit-unavailable");

    assert_int_equal(c.reply, 1);
    assert_int_equal(c.starts, 1);
    fd_close(&fd);
    fd_close(&target);
}

/* One of each command waits. */
static void
each_waits(int fd[3], int *target)
{
    static const uint8_t associate[] = { 5, 3, 0, 1, 0, 0, 0, 0, 0, 0 };
    static const uint8_t bind[] = { 5, 2, 0, 1, 127, 0, 0, 1, 0, 0 };
    uint8_t in[2];
    uint64_t id;

    fd[0] = asking(&id, target);
    for (int i = 1; i < 3; i++) {
        fd[i] = session_rig_client(0, &id);
        session_rig_send(fd[i], "\x05\x01\x00", 3);
        session_rig_read(fd[i], in, 2);
        session_rig_send(fd[i], i == 1 ? associate : bind, 10);
        session_rig_turns(5);
    }
    for (int i = 0; i < 3; i++)
        nothing_comes(fd[i]);
}

static void
each_goes_on(int fd[3], int *target)
{
    uint8_t in[10];

    for (int i = 0; i < 3; i++) {
        session_rig_read(fd[i], in, sizeof in);
        assert_int_equal(in[1], 0);
        fd_close(&fd[i]);
    }
    fd_close(target);
}

/* Rules are looked at again while it waits: nothing of it is there yet. */
static void
test_judged_meanwhile(void **state)
{
    int target, fd[3];

    (void)state;
    each_waits(fd, &target);
    session_rejudge(&rig.host, 1, true);
    for (int i = 0; i < 3; i++)
        nothing_comes(fd[i]);
    accept_records(3, true);
    each_goes_on(fd, &target);
}

/* The target takes nothing, and so it is no longer required: whoever waits for it goes on. */
static void
test_required_no_longer(void **state)
{
    int target, fd[3];
    struct rig other;

    (void)state;
    each_waits(fd, &target);
    rig_later(&other, CONFIG("false"));
    session_rig_commit(other.image, 0);
    session_rejudge(&rig.host, 2, false);
    each_goes_on(fd, &target);
    assert_null(rig.host.audit.first);
    session_rig_commit(rig.config.image, 0);
    rig_free(&other);
}

/* What was accepted before anybody asked for a signal needs none. */
static void
test_accepted_at_once(void **state)
{
    struct audit_wait wait = { .accepted = NULL };
    struct ring_reader *logger = ring_reader_open(rig.ring_data, rig.ring_index);

    (void)state;
    assert_false(ring_wanted(logger)); /* nothing has been written */
    audit_wait_begin(&rig.host.audit, &wait);
    assert_ptr_equal(wait.set, &rig.host.audit);
    audit_wait_end(&wait);
    audit_wait_end(&wait);
    assert_null(rig.host.audit.first);
    session_rig_turns(2);
    assert_false(ring_wanted(logger));
    ring_reader_close(&logger);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_signal_serves_all, setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_refused_in_time, setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_judged_meanwhile, setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_required_no_longer, setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_accepted_at_once, setup, session_rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
