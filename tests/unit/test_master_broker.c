/* SPDX-License-Identifier: ISC */
/* A secret file that changes while the gateway runs: seen, judged, handed out, told once. */
#include "lib/base/fd.h"
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/sallyport-broker-XXXXXX";
static char path[64];
static char fresh[64];

static int
make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || snprintf(path, sizeof path, "%s/keytab", folder) < 0
            || snprintf(fresh, sizeof fresh, "%s/fresh", folder) < 0
        ? -1
        : 0;
}

static int
remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void
write_file(const char *name, int flags, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    fd_close(&fd);
}

static int
setup(void **state)
{
    if (rig_setup_pool(state, path) != 0)
        return -1;
    struct rig *r = *state;

    write_file(path, O_TRUNC, "old");
    return lstat(path, &r->m.broker.files[0].seen);
}

static int
teardown(void **state)
{
    (void)unlink(path);
    (void)unlink(fresh);
    return rig_teardown(state);
}

/* All of the pool take the generation. */
static void
take(struct rig *r, uint32_t generation)
{
    for (int i = 0; i < RIG_WORKERS; i++) {
        rig_assert_file(r, i, generation);
        rig_answer_file(r, i, generation, true);
    }
}

static void
assert_content(struct rig *r, const char *text)
{
    char content[32] = "";

    assert_true(pread(r->m.broker.files[0].current, content, sizeof content - 1, 0) >= 0);
    assert_string_equal(content, text);
}

static void
assert_told(struct rig *r, size_t reloaded, size_t failed)
{
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD), reloaded);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD_FAILED), failed);
}

static void
assert_nobody_is_asked(struct rig *r)
{
    struct ipc_message m;

    for (int i = 0; i < RIG_WORKERS; i++)
        assert_false(rig_receive(r, i, &m));
}

static void
what_did_not_change_is_left_alone(void **state)
{
    struct rig *r = *state;

    broker_look(&r->m, false);
    broker_look(&r->m, true);
    assert_nobody_is_asked(r);
    assert_told(r, 0, 0);
}

static void
one_put_in_its_place(void **state)
{
    struct rig *r = *state;

    write_file(fresh, O_EXCL, "new");
    assert_int_equal(rename(fresh, path), 0);
    broker_look(&r->m, false);
    take(r, 2);
    assert_told(r, 1, 0);
    assert_content(r, "new");
}

static void
one_written_in_place(void **state)
{
    struct rig *r = *state;

    write_file(path, O_APPEND, "er");
    broker_look(&r->m, false);
    take(r, 2);
    write_file(path, O_TRUNC, "short");
    broker_look(&r->m, true);
    take(r, 3);
    assert_told(r, 2, 0);
    assert_content(r, "short");
}

static void
a_wrong_mode_is_told_once_and_may_be_repaired(void **state)
{
    struct rig *r = *state;

    write_file(path, O_TRUNC, "newer");
    assert_int_equal(chmod(path, 0644), 0);
    for (int i = 0; i < 3; i++)
        broker_look(&r->m, i == 2);
    assert_nobody_is_asked(r);
    assert_told(r, 0, 1);
    assert_content(r, "old");
    assert_int_equal(chmod(path, 0600), 0);
    broker_look(&r->m, false);
    take(r, 2);
    assert_told(r, 1, 1);
    assert_content(r, "newer");
}

static void
one_that_vanishes_stays_in_force(void **state)
{
    struct rig *r = *state;

    assert_int_equal(unlink(path), 0);
    broker_look(&r->m, false);
    broker_look(&r->m, false);
    assert_nobody_is_asked(r);
    assert_told(r, 0, 1);
    /* A process that starts now gets what is in force. */
    broker_send(&r->workers[0]);
    rig_assert_file(r, 0, 1);
    write_file(path, O_EXCL, "back");
    broker_look(&r->m, false);
    take(r, 2);
    assert_told(r, 1, 1);
    assert_content(r, "back");
}

static void
a_link_in_its_place_is_refused(void **state)
{
    struct rig *r = *state;

    write_file(fresh, O_EXCL, "elsewhere");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(fresh, path), 0);
    broker_look(&r->m, false);
    assert_nobody_is_asked(r);
    assert_told(r, 0, 1);
    assert_content(r, "old");
}

/* One process died meanwhile, perhaps of something else: once more, and not for ever. */
static void
one_that_a_process_died_over_is_tried_once_more(void **state)
{
    struct rig *r = *state;

    write_file(path, O_APPEND, "er");
    for (uint32_t i = 0; i < 2; i++) {
        broker_look(&r->m, false);
        for (int k = 0; k < RIG_WORKERS; k++)
            rig_assert_file(r, k, 2 + i);
        for (int k = 1; k < RIG_WORKERS; k++)
            rig_answer_file(r, k, 2 + i, true);
        broker_forget(&r->workers[0]);
        assert_told(r, 0, 1 + i);
        for (int k = 1; k < RIG_WORKERS; k++)
            rig_assert_file(r, k, 1);
    }
    broker_look(&r->m, false);
    assert_nobody_is_asked(r);
    /* The administrator may insist. */
    broker_look(&r->m, true);
    take(r, 4);
    assert_told(r, 1, 2);
    assert_content(r, "older");
    broker_look(&r->m, true);
    assert_nobody_is_asked(r);
}

static void
one_that_was_refused_is_tried_again_on_hangup(void **state)
{
    struct rig *r = *state;

    write_file(path, O_APPEND, "er");
    broker_look(&r->m, false);
    for (int i = 0; i < RIG_WORKERS; i++) {
        rig_assert_file(r, i, 2);
        rig_answer_file(r, i, 2, false);
    }
    broker_look(&r->m, false);
    assert_nobody_is_asked(r);
    assert_told(r, 0, 1);
    broker_look(&r->m, true);
    take(r, 3);
    assert_told(r, 1, 1);
}

static void
one_that_workers_may_read_now_is_refused(void **state)
{
    struct rig *r = *state;

    r->m.users.outsiders[0] = (struct outsider) { .whose = "the workers' user", .name = "walter",
        .uid = 12345, .groups = { getegid() }, .group_count = 1 };
    r->m.users.outsider_count = 1;
    assert_int_equal(chmod(path, 0640), 0);
    broker_look(&r->m, false);
    assert_nobody_is_asked(r);
    assert_told(r, 0, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_did_not_change_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(one_put_in_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(one_written_in_place, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_wrong_mode_is_told_once_and_may_be_repaired, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_vanishes_stays_in_force, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_in_its_place_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(
            one_that_a_process_died_over_is_tried_once_more, setup, teardown),
        cmocka_unit_test_setup_teardown(
            one_that_was_refused_is_tried_again_on_hangup, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_workers_may_read_now_is_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
