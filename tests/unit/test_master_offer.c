/* SPDX-License-Identifier: ISC */
/* A module's new file on trial: all of the pool work with it, or none. */
#include "lib/base/fd.h"
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include <unistd.h>

static int
setup(void **state)
{
    return rig_setup_pool(state, "/etc/keytab");
}

/* As after read_file(). */
static void
new_file(struct rig *r)
{
    struct brokered *f = &r->m.broker.files[0];

    fd_close(&f->candidate);
    f->candidate = memfd_sealed("new", "newer", 5);
    assert_true(f->candidate >= 0);
    f->generation++;
    f->refused = false;
    f->waiting = 0;
    broker_offer(&r->m, f);
}

static void
assert_nothing(struct rig *r, int i)
{
    struct ipc_message m;

    assert_false(rig_receive(r, i, &m));
}

static void
all_take_it(void **state)
{
    struct rig *r = *state;
    struct brokered *f = &r->m.broker.files[0];

    new_file(r);
    for (int i = 0; i < RIG_WORKERS; i++) {
        rig_assert_file(r, i, 2);
        assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD), 0);
        rig_answer_file(r, i, 2, true);
    }
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD), 1);
    assert_int_equal(f->current_generation, 2);
    assert_int_equal(f->candidate, -1);
    assert_int_equal(lseek(f->current, 0, SEEK_END), 5);
    for (int i = 0; i < RIG_WORKERS; i++)
        assert_nothing(r, i);
    /* What starts later gets it at once. */
    broker_send(&r->workers[0]);
    rig_assert_file(r, 0, 2);
}

static void
one_refuses_it(void **state)
{
    struct rig *r = *state;
    struct brokered *f = &r->m.broker.files[0];

    new_file(r);
    for (int i = 0; i < RIG_WORKERS; i++)
        rig_assert_file(r, i, 2);
    rig_answer_file(r, 0, 2, true);
    rig_answer_file(r, 1, 2, false);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD_FAILED), 1);
    assert_nothing(r, 0);
    rig_answer_file(r, 2, 2, true);
    assert_int_equal(f->current_generation, 1);
    assert_int_equal(f->candidate, -1);
    /* Those who took it get the old one back; that is nobody's success. */
    rig_assert_file(r, 0, 1);
    assert_nothing(r, 1);
    rig_assert_file(r, 2, 1);
    rig_answer_file(r, 0, 1, true);
    rig_answer_file(r, 2, 1, true);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD), 0);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD_FAILED), 1);
    broker_send(&r->workers[1]);
    rig_assert_file(r, 1, 1);
    /* The repaired one is a new trial, with nothing left of the old. */
    new_file(r);
    for (int i = 0; i < RIG_WORKERS; i++) {
        rig_assert_file(r, i, 3);
        rig_answer_file(r, i, 3, true);
    }
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD), 1);
    for (int i = 0; i < RIG_WORKERS; i++)
        assert_nothing(r, i);
}

/* The file changes again while the first change is on trial. */
static void
a_newer_one_overtakes(void **state)
{
    struct rig *r = *state;

    new_file(r);
    rig_answer_file(r, 0, 2, true);
    new_file(r);
    rig_answer_file(r, 1, 2, true);
    rig_drain(r, 0);
    rig_drain(r, 1);
    rig_drain(r, 2);
    for (int i = 0; i < RIG_WORKERS; i++)
        rig_answer_file(r, i, 3, false);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD_FAILED), 1);
    /* Two of them worked with the first change. */
    rig_assert_file(r, 0, 1);
    rig_assert_file(r, 1, 1);
    assert_nothing(r, 2);
}

static void
who_dies_of_it_refuses_it(void **state)
{
    struct rig *r = *state;
    struct brokered *f = &r->m.broker.files[0];

    new_file(r);
    for (int i = 0; i < RIG_WORKERS; i++)
        rig_drain(r, i);
    rig_answer_file(r, 0, 2, true);
    rig_answer_file(r, 1, 2, true);
    broker_forget(&r->workers[2]);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD_FAILED), 1);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD), 0);
    assert_int_equal(f->current_generation, 1);
    rig_assert_file(r, 0, 1);
    rig_assert_file(r, 1, 1);
    /* One without a file before it may die as it likes. */
    broker_forget(&r->workers[0]);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD_FAILED), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_take_it, setup, rig_teardown),
        cmocka_unit_test_setup_teardown(one_refuses_it, setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_newer_one_overtakes, setup, rig_teardown),
        cmocka_unit_test_setup_teardown(who_dies_of_it_refuses_it, setup, rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
