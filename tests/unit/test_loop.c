/* SPDX-License-Identifier: ISC */
/* src/core/loop.c: descriptors, tasks and the turn, with real sockets. */
#include "tests/unit/core_unit.h"

#include <signal.h>
#include <sys/socket.h>

#include "lib/base/fd.h"
#include "src/core/loop.h"

struct end {
    struct loop_io io;
    struct loop *loop;
    int fd;
    int peer;
    int calls;
    uint32_t events;
    struct end *victim;   /* removed by the handler */
    struct end *newcomer; /* added by the handler */
    bool drain;
};

static void
end_ready(struct loop_io *io, uint32_t events)
{
    struct end *e = (struct end *)((char *)io - offsetof(struct end, io));
    char bytes[16];

    e->calls++;
    e->events = events;
    if (e->drain)
        (void)!read(e->fd, bytes, sizeof bytes);
    if (e->victim != NULL)
        loop_io_del(e->loop, &e->victim->io, e->victim->fd);
    if (e->newcomer != NULL)
        assert_int_equal(loop_io_add(e->loop, &e->newcomer->io, e->newcomer->fd, EPOLLIN), 0);
    e->victim = e->newcomer = NULL;
}

static void
end_open(struct end *e, struct loop *loop)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    *e = (struct end) { .loop = loop, .fd = pair[0], .peer = pair[1] };
    e->io.ready = end_ready;
}

static void
end_close(struct end *e)
{
    loop_io_del(e->loop, &e->io, e->fd);
    fd_close(&e->fd);
    fd_close(&e->peer);
}

static int
setup(void **state)
{
    *state = loop_new();
    return *state == NULL;
}

static int
teardown(void **state)
{
    struct loop *loop = *state;

    loop_free(&loop);
    return loop != NULL;
}

static void
poke(struct end *e)
{
    assert_int_equal(write(e->peer, "x", 1), 1);
}

static void
test_events(void **state)
{
    struct loop *loop = *state;
    struct end e;

    end_open(&e, loop);
    assert_false(loop_io_active(&e.io));
    assert_int_equal(loop_io_add(loop, &e.io, e.fd, EPOLLIN), 0);
    assert_true(loop_io_active(&e.io));
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_int_equal(e.calls, 0);
    poke(&e);
    assert_int_equal(loop_turn(loop, -1), 0);
    assert_int_equal(e.calls, 1);
    assert_int_equal(e.events, EPOLLIN);
    assert_int_equal(loop_io_mod(loop, &e.io, e.fd, EPOLLIN | EPOLLOUT), 0);
    assert_int_equal(loop_turn(loop, -1), 0);
    assert_int_equal(e.events, EPOLLIN | EPOLLOUT);
    loop_io_del(loop, &e.io, e.fd);
    assert_false(loop_io_active(&e.io));
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_int_equal(e.calls, 2);
    loop_io_del(loop, &e.io, e.fd);
    end_close(&e);
}

static void
test_add_reports_errors(void **state)
{
    struct loop *loop = *state;
    struct loop_io io = { .ready = end_ready };

    assert_int_equal(loop_io_add(loop, &io, -1, EPOLLIN), -1);
    assert_int_equal(errno, EBADF);
    assert_false(loop_io_active(&io));
}

/* Both are ready in one turn; whichever comes first removes the other. */
static void
test_removed_in_the_same_turn(void **state)
{
    struct loop *loop = *state;
    struct end a, b;

    end_open(&a, loop);
    end_open(&b, loop);
    a.victim = &b;
    b.victim = &a;
    assert_int_equal(loop_io_add(loop, &a.io, a.fd, EPOLLIN), 0);
    assert_int_equal(loop_io_add(loop, &b.io, b.fd, EPOLLIN), 0);
    poke(&a);
    poke(&b);
    assert_int_equal(loop_turn(loop, -1), 0);
    assert_int_equal(a.calls + b.calls, 1);
    end_close(&a);
    end_close(&b);
}

/* The slot of the removed one is taken again at once: its pending event must not reach the new one. */
static void
test_slot_reused_in_the_same_turn(void **state)
{
    struct loop *loop = *state;
    struct end a, b, quiet;

    end_open(&a, loop);
    end_open(&b, loop);
    end_open(&quiet, loop);
    a.victim = &b;
    b.victim = &a;
    a.newcomer = b.newcomer = &quiet;
    assert_int_equal(loop_io_add(loop, &a.io, a.fd, EPOLLIN), 0);
    assert_int_equal(loop_io_add(loop, &b.io, b.fd, EPOLLIN), 0);
    poke(&a);
    poke(&b);
    assert_int_equal(loop_turn(loop, -1), 0);
    assert_int_equal(a.calls + b.calls, 1);
    assert_int_equal(quiet.calls, 0);
    end_close(&a);
    end_close(&b);
    end_close(&quiet);
}

/* Another holder of the open file keeps it ready: after del and close nothing may arrive. */
static void
test_passed_descriptor(void **state)
{
    struct loop *loop = *state;
    struct end a, b;

    end_open(&a, loop);
    end_open(&b, loop);
    int copy = dup(a.fd);

    assert_true(copy >= 0);
    assert_int_equal(loop_io_add(loop, &a.io, a.fd, EPOLLIN), 0);
    poke(&a);
    loop_io_del(loop, &a.io, a.fd);
    fd_close(&a.fd);
    assert_int_equal(loop_io_add(loop, &b.io, b.fd, EPOLLIN), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(loop_turn(loop, 0), 0);
    assert_int_equal(a.calls + b.calls, 0);
    fd_close(&copy);
    end_close(&a);
    end_close(&b);
}

static void
act_close_before_del(void *arg)
{
    struct end e;
    struct loop *loop = loop_new();

    (void)arg;
    end_open(&e, loop);
    CHILD_CHECK(loop_io_add(loop, &e.io, e.fd, EPOLLIN) == 0);
    close(e.fd);
    loop_io_del(loop, &e.io, e.fd);
}

static void
test_close_before_del_is_a_panic(void **state)
{
    char text[256];

    (void)state;
    unit_assert_signal(unit_fork(act_close_before_del, NULL, text, sizeof text), SIGABRT);
    assert_non_null(strstr(text, "closed before it was removed"));
}

/* More than the first table and more than one batch. */
static void
test_many(void **state)
{
    enum { COUNT = 400 };
    struct loop *loop = *state;
    struct end *ends = calloc(COUNT, sizeof *ends);

    assert_non_null(ends);
    for (int i = 0; i < COUNT; i++) {
        end_open(&ends[i], loop);
        ends[i].drain = true;
        assert_int_equal(loop_io_add(loop, &ends[i].io, ends[i].fd, EPOLLIN), 0);
        poke(&ends[i]);
    }
    for (int i = 0; i < 8; i++)
        assert_int_equal(loop_turn(loop, 0), 0);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(ends[i].calls, 1);
        end_close(&ends[i]);
    }
    free(ends);
}

/* ---- tasks ---- */

struct job {
    struct loop_task task;
    struct loop *loop;
    int calls;
    int turn;
    bool again;
    struct job *other; /* cancelled */
};

static int turn_number;

static void
job_run(struct loop_task *task)
{
    struct job *j = (struct job *)((char *)task - offsetof(struct job, task));

    j->calls++;
    j->turn = turn_number;
    if (j->again)
        loop_defer(j->loop, &j->task);
    if (j->other != NULL)
        loop_task_cancel(j->loop, &j->other->task);
}

static void
count_turn(void *ctx)
{
    (void)ctx;
    turn_number++;
}

static void
test_tasks(void **state)
{
    struct loop *loop = *state;
    struct job a = { .task.run = job_run, .loop = loop, .again = true };
    struct job b = { .task.run = job_run, .loop = loop };
    struct job c = { .task.run = job_run, .loop = loop };

    turn_number = 0;
    loop_set_turn_end(loop, count_turn, NULL);
    a.other = &c;
    loop_defer(loop, &a.task);
    loop_defer(loop, &b.task);
    loop_defer(loop, &b.task);
    loop_defer(loop, &c.task);
    assert_int_equal(loop_turn(loop, -1), 0); /* does not wait */
    assert_int_equal(a.calls, 1);
    assert_int_equal(b.calls, 1);
    assert_int_equal(c.calls, 0);
    assert_int_equal(turn_number, 1);
    a.again = false;
    assert_int_equal(loop_turn(loop, -1), 0);
    assert_int_equal(a.calls, 2);
    assert_int_equal(a.turn, 1);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_int_equal(a.calls, 2);
    loop_defer(loop, &b.task);
    loop_task_cancel(loop, &b.task);
    loop_task_cancel(loop, &b.task);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_int_equal(b.calls, 1);
    loop_set_turn_end(loop, NULL, NULL);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_int_equal(turn_number, 4);
}

static void
stop_loop(struct loop_task *task)
{
    struct job *j = (struct job *)((char *)task - offsetof(struct job, task));

    j->calls++;
    loop_stop(j->loop);
}

static void
test_run_and_stop(void **state)
{
    struct loop *loop = *state;
    struct job j = { .task.run = stop_loop, .loop = loop };

    for (int i = 1; i <= 2; i++) {
        loop_defer(loop, &j.task);
        assert_int_equal(loop_run(loop), 0);
        assert_int_equal(j.calls, i);
    }
}

static void
test_clock(void **state)
{
    struct loop *loop = *state;
    struct mono first = loop_now(loop);

    assert_true(first.us > 0);
    while (mono_read().us == first.us)
        ;
    assert_int_equal(loop_now(loop).us, first.us);
    loop_refresh(loop);
    assert_true(mono_before(first, loop_now(loop)));
    int64_t apart = wall_read().us - loop_wall(loop).us;

    assert_in_range(apart < 0 ? -apart : apart, 0, 60 * CLOCK_SECOND_US);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_events, setup, teardown),
        cmocka_unit_test_setup_teardown(test_add_reports_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removed_in_the_same_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slot_reused_in_the_same_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_passed_descriptor, setup, teardown),
        cmocka_unit_test(test_close_before_del_is_a_panic),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tasks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_run_and_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clock, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
