/* SPDX-License-Identifier: ISC */
/* A module's new file on trial: all of the pool work with it, or none. */
#include "lib/base/fd.h"
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct broker_kind module_row = { IPC_FILE_MODULE, IPC_AUTH, &file_rule_secret, NULL };

/* The rig's workers become a pool whose keytab is the one brokered file. */
static int
setup(void **state)
{
    if (rig_setup(state) != 0)
        return -1;
    struct rig *r = *state;
    struct brokered *f = &r->m.broker.files[0];

    for (int i = 0; i < RIG_WORKERS; i++) {
        r->places[1 + i].role = IPC_AUTH;
        r->workers[i].peer.other = IPC_AUTH;
        r->theirs[i].self = IPC_AUTH;
    }
    *f = (struct brokered) { .row = &module_row, .option = "keytab", .path = strdup("/etc/keytab"),
        .current = memfd_sealed("old", "old", 3), .candidate = -1, .generation = 1,
        .current_generation = 1 };
    r->m.broker.count = 1;
    return f->path == NULL || f->current < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
    struct rig *r = *state;

    broker_close(&r->m);
    return rig_teardown(state);
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

/* Process i was handed the file of that generation, and nothing else. */
static void
assert_handed(struct rig *r, int i, uint32_t generation)
{
    struct ipc_message m;
    struct ipc_file file;

    assert_true(rig_receive(r, i, &m));
    assert_int_equal(m.type, IPC_FILE);
    assert_int_equal(ipc_file_decode(&m, &file), 0);
    assert_string_equal(file.option, "keytab");
    assert_int_equal(file.generation, generation);
    assert_false(rig_receive(r, i, &m));
}

static void
assert_nothing(struct rig *r, int i)
{
    struct ipc_message m;

    assert_false(rig_receive(r, i, &m));
}

static void
answer(struct rig *r, int i, uint32_t generation, bool accepted)
{
    struct ipc_file_result result = { .file = { .kind = IPC_FILE_MODULE, .generation = generation,
                                          .option = "keytab" },
        .accepted = accepted };
    uint8_t body[IPC_BODY_MAX];

    if (!accepted)
        assert_true(snprintf(result.error, sizeof result.error, "/etc/keytab: truncated") > 0);
    rig_say(r, i, IPC_FILE_RESULT, body, ipc_file_result_encode(&result, body, sizeof body));
    rig_turn(r);
}

static void
all_take_it(void **state)
{
    struct rig *r = *state;
    struct brokered *f = &r->m.broker.files[0];

    new_file(r);
    for (int i = 0; i < RIG_WORKERS; i++) {
        assert_handed(r, i, 2);
        assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD), 0);
        answer(r, i, 2, true);
    }
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD), 1);
    assert_int_equal(f->current_generation, 2);
    assert_int_equal(f->candidate, -1);
    assert_int_equal(lseek(f->current, 0, SEEK_END), 5);
    for (int i = 0; i < RIG_WORKERS; i++)
        assert_nothing(r, i);
    /* What starts later gets it at once. */
    broker_send(&r->workers[0]);
    assert_handed(r, 0, 2);
}

static void
one_refuses_it(void **state)
{
    struct rig *r = *state;
    struct brokered *f = &r->m.broker.files[0];

    new_file(r);
    for (int i = 0; i < RIG_WORKERS; i++)
        assert_handed(r, i, 2);
    answer(r, 0, 2, true);
    answer(r, 1, 2, false);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD_FAILED), 1);
    assert_nothing(r, 0);
    answer(r, 2, 2, true);
    assert_int_equal(f->current_generation, 1);
    assert_int_equal(f->candidate, -1);
    /* Those who took it get the old one back; that is nobody's success. */
    assert_handed(r, 0, 1);
    assert_nothing(r, 1);
    assert_handed(r, 2, 1);
    answer(r, 0, 1, true);
    answer(r, 2, 1, true);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD), 0);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD_FAILED), 1);
    broker_send(&r->workers[1]);
    assert_handed(r, 1, 1);
    /* The repaired one is a new trial, with nothing left of the old. */
    new_file(r);
    for (int i = 0; i < RIG_WORKERS; i++) {
        assert_handed(r, i, 3);
        answer(r, i, 3, true);
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
    answer(r, 0, 2, true);
    new_file(r);
    answer(r, 1, 2, true);
    rig_drain(r, 0);
    rig_drain(r, 1);
    rig_drain(r, 2);
    for (int i = 0; i < RIG_WORKERS; i++)
        answer(r, i, 3, false);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD_FAILED), 1);
    /* Two of them worked with the first change. */
    assert_handed(r, 0, 1);
    assert_handed(r, 1, 1);
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
    answer(r, 0, 2, true);
    answer(r, 1, 2, true);
    broker_forget(&r->workers[2]);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD_FAILED), 1);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD), 0);
    assert_int_equal(f->current_generation, 1);
    assert_handed(r, 0, 1);
    assert_handed(r, 1, 1);
    /* One without a file before it may die as it likes. */
    broker_forget(&r->workers[0]);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD_FAILED), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_take_it, setup, teardown),
        cmocka_unit_test_setup_teardown(one_refuses_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_newer_one_overtakes, setup, teardown),
        cmocka_unit_test_setup_teardown(who_dies_of_it_refuses_it, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
