/* SPDX-License-Identifier: ISC */
/* src/master/master_corpse.c: what a dead process holds up, and for how long. */
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

static struct process logger; /* there is one, it takes nothing, and it has ended in order */

/* Worker 0 is dead and alone, its ring not drained; nobody drains it. */
static struct process *
dead_worker(struct rig *r)
{
    struct process *w = &r->workers[0];
    struct process *p = malloc(sizeof *p);

    assert_non_null(p);
    (void)loop_io_del(r->m.loop, &w->io, w->peer.fd);
    *p = *w;
    p->io = (struct loop_io) { 0 };
    p->peer.fd = -1;
    p->pidfd = dup(w->pidfd);
    assert_int_equal(ring_create(1, &p->ring_data, &p->ring_index), 0);
    for (int i = 0; i < RIG_WORKERS; i++)
        process_unlist(&r->workers[i]);
    p->next = NULL;
    r->m.processes = p;
    r->m.stop = STOP_WORKERS;
    r->m.stop_reason = "SIGTERM";
    r->places[0].process = &logger;
    r->places[1].process = p;
    corpse_make(p);
    return p;
}

static void
turns(struct rig *r)
{
    for (int i = 0; i < 5 && r->m.stop != STOP_DONE; i++)
        rig_turn(r);
}

/* Its closing records are written when the time is over, and then the end goes on: records that nobody takes
   are the logger's to give up. */
static void
the_end_does_not_wait_for_the_log_target(void **state)
{
    struct rig *r = *state;
    struct process *p = dead_worker(r);

    turns(r);
    assert_int_equal(r->m.stop, STOP_WORKERS);
    assert_true(corpse_reaping(&r->m));
    p->limit.expired(&p->limit);
    turns(r);
    assert_int_equal(r->m.stop, STOP_DONE);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_STOP), 1);
    assert_int_equal(r->m.corpse_count, 1);
    corpses_free(&r->m);
}

/* A ring that was drained ends it before the time is over. */
static void
a_drained_ring_lets_it_end(void **state)
{
    struct rig *r = *state;
    uint32_t ring = dead_worker(r)->incarnation;

    corpse_drained(&r->m, ring + 1000);
    assert_true(corpse_reaping(&r->m));
    corpse_drained(&r->m, ring);
    turns(r);
    assert_int_equal(r->m.stop, STOP_DONE);
    assert_int_equal(r->m.corpse_count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_end_does_not_wait_for_the_log_target, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_drained_ring_lets_it_end, rig_setup, rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
