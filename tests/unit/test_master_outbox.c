/* SPDX-License-Identifier: ISC */
/* Messages that cannot be sent at once: in order, bounded, with descriptors of their own. */
#include "lib/base/fd.h"
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static uint32_t
number(const struct ipc_message *m)
{
    uint32_t value = 0;

    assert_int_equal(ipc_u32_decode(m, &value), 0);
    return value;
}

static void
what_fits_is_sent_at_once(void **state)
{
    struct rig *r = *state;
    struct ipc_message m;

    process_send_u32(&r->workers[0], IPC_PING, 7);
    assert_int_equal(r->workers[0].outbox_count, 0);
    assert_true(rig_receive(r, 0, &m));
    assert_int_equal(number(&m), 7);
}

static void
what_does_not_fit_follows_in_order(void **state)
{
    struct rig *r = *state;
    struct ipc_message m;
    uint32_t last = 0;

    rig_fill(r, 0);
    for (uint32_t i = 1000; i < 1010; i++)
        process_send_u32(&r->workers[0], IPC_PING, i);
    assert_int_equal(r->workers[0].outbox_count, 10);
    rig_drain(r, 0);
    rig_turn(r);
    assert_int_equal(r->workers[0].outbox_count, 0);
    for (uint32_t i = 1000; i < 1010; i++) {
        assert_true(rig_receive(r, 0, &m));
        last = number(&m);
        assert_int_equal(last, i);
    }
    assert_false(rig_receive(r, 0, &m));
    /* Nothing waits, so the loop has nothing to do. */
    assert_false(r->workers[0].writable_wanted);
}

static void
a_waiting_descriptor_is_a_copy(void **state)
{
    struct rig *r = *state;
    struct ipc_message m;
    uint8_t body[8];
    size_t len = ipc_u32_encode(0, body, sizeof body);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    rig_fill(r, 0);
    process_send(&r->workers[0], IPC_QUEUE_SEND, body, len, &fd, 1);
    fd_close(&fd);
    rig_drain(r, 0);
    rig_turn(r);
    assert_true(rig_receive(r, 0, &m));
    assert_int_equal(m.type, IPC_QUEUE_SEND);
    assert_int_equal(m.fd_count, 1);
}

static void
a_deaf_child_is_killed(void **state)
{
    struct rig *r = *state;

    rig_fill(r, 0);
    for (uint32_t i = 0; i <= MASTER_OUTBOX_MAX + MASTER_CORPSES_MAX + r->m.place_count; i++)
        process_send_u32(&r->workers[0], IPC_PING, 1);
    assert_true(rig_was_killed(r, 0));
    assert_string_equal(r->workers[0].reason, "deaf");
    assert_int_equal(r->workers[0].outbox_count, 0);
}

static void
what_a_stopping_child_may_not_get_is_dropped(void **state)
{
    struct rig *r = *state;
    struct process *p = &r->workers[0];
    struct ipc_message m;
    uint8_t body[8];
    size_t len = ipc_u32_encode(0, body, sizeof body);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    rig_fill(r, 0);
    process_send_u32(p, IPC_PING, 5);
    process_send(p, IPC_QUEUE_SEND, body, len, &fd, 1);
    outbox_stopping(p);
    assert_int_equal(p->outbox_count, 1);
    process_set_phase(p, PROCESS_STOPPING);
    process_send_u32(p, IPC_STOP, 3);
    rig_drain(r, 0);
    rig_turn(r);
    assert_true(rig_receive(r, 0, &m));
    assert_int_equal(m.type, IPC_PING);
    assert_true(rig_receive(r, 0, &m));
    assert_int_equal(m.type, IPC_STOP);
    fd_close(&fd);
}

/* A child that ended in order closes its channel first; that is no reason of its own. */
static void
a_stopping_child_that_is_gone_keeps_its_reason(void **state)
{
    struct rig *r = *state;
    struct process *p = &r->workers[0];

    p->reason = "stopping";
    process_set_phase(p, PROCESS_STOPPING);
    (void)shutdown(r->theirs[0].fd, SHUT_RDWR);
    process_send_u32(p, IPC_PING, 1);
    assert_int_equal(p->phase, PROCESS_KILLED);
    assert_string_equal(p->reason, "stopping");
    assert_true(loop_timer_armed(&p->limit));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_fits_is_sent_at_once, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_follows_in_order, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_waiting_descriptor_is_a_copy, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_deaf_child_is_killed, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(what_a_stopping_child_may_not_get_is_dropped, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(a_stopping_child_that_is_gone_keeps_its_reason, rig_setup,
            rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
