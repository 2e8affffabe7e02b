/* SPDX-License-Identifier: ISC */
/* src/master/master_reload.c: from the wish to the answer, with workers that the test speaks for. */
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"

#define ASKERS 10

struct ask {
    struct reload_asker asker;
    unsigned lines;
    unsigned answers;
    bool ok;
    char summary[512];
};

static char path[64];
static struct ask asks[ASKERS];
static unsigned prepares, commits, aborts;
static int refusing; /* the worker that says no; -1: none */
static int silent;   /* the worker that says nothing; -1: none */
static int walking;  /* the one that has many sessions to judge; -1: none */
static bool ending;  /* some are no longer allowed */

static void
write_config(const char *more)
{
    char text[512];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_true(snprintf(text, sizeof text,
                    "workers = 3\nmethods = { \"none\" }\nlisten \"127.0.0.1:0\" { }\n"
                    "log { target = \"stderr\" }\nrule \"all\" { action = \"allow\" }\n%s", more)
        < (int)sizeof text);
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    fd_close(&fd);
}

static void
on_text(struct reload_asker *asker, const char *line)
{
    struct ask *a = CONTAINER(asker, struct ask, asker);

    assert_null(strchr(line, '\n'));
    a->lines++;
}

static void
on_done(struct reload_asker *asker, bool ok, const char *summary)
{
    struct ask *a = CONTAINER(asker, struct ask, asker);

    a->answers++;
    a->ok = ok;
    assert_true(snprintf(a->summary, sizeof a->summary, "%s", summary) > 0);
}

static int
setup(void **state)
{
    if (rig_setup(state) != 0)
        return -1;
    struct rig *r = *state;

    assert_true(snprintf(path, sizeof path, "/tmp/sallyport-unit-%ld.conf", (long)getpid()) > 0);
    write_config("");
    r->m.options.config = path;
    if (config_load(&r->m.options, &r->m.config) < 0)
        return -1;
    r->m.settings = image_settings(r->m.config.image);
    reload_init(&r->m);
    for (int i = 0; i < RIG_WORKERS; i++)
        r->workers[i].generation = r->m.generation;
    memset(asks, 0, sizeof asks);
    for (size_t i = 0; i < ASKERS; i++)
        asks[i].asker = (struct reload_asker) { .text = on_text, .done = on_done };
    prepares = commits = aborts = 0;
    refusing = silent = walking = -1;
    ending = false;
    return listeners_open(&r->m);
}

static int
teardown(void **state)
{
    struct rig *r = *state;

    reload_cancel(&r->m, "the test is over");
    listeners_free(&r->m);
    compiled_free(&r->m.config);
    (void)unlink(path);
    return rig_teardown(state);
}

/* It ended as many sessions as its number says. */
static void
judged(struct rig *r, int i, struct ipc_message *commit)
{
    struct ipc_rejudged told = { .ended = ending ? (uint32_t)i : 0 };
    uint8_t body[IPC_BODY_MAX];

    assert_int_equal(ipc_generation_decode(commit, &told.generation), 0);
    if (r->workers[i].place->role == IPC_WORKER)
        rig_say(r, i, IPC_REJUDGED, body, ipc_rejudged_encode(&told, body, sizeof body));
}

static void
speak_for(struct rig *r, int i)
{
    struct ipc_message m;
    struct ipc_prepare prepare;
    uint8_t body[IPC_BODY_MAX];

    while (rig_receive(r, i, &m)) {
        commits += m.type == IPC_COMMIT;
        if (m.type == IPC_COMMIT && i != walking)
            judged(r, i, &m);
        aborts += m.type == IPC_ABORT;
        if (m.type != IPC_PREPARE)
            continue;
        prepares++;
        assert_int_equal(ipc_prepare_decode(&m, &prepare), 0);
        struct ipc_prepared a = { .generation = prepare.generation, .ok = i != refusing };

        if (i == refusing)
            assert_true(snprintf(a.error, sizeof a.error, "I will not") > 0);
        if (i != silent)
            rig_say(r, i, IPC_PREPARED, body, ipc_prepared_encode(&a, body, sizeof body));
    }
}

/* A turn of everybody; the compiling child is reaped as the master would. */
static void
turn(struct rig *r)
{
    siginfo_t info = { .si_pid = 0 };

    assert_int_equal(loop_turn(r->m.loop, 1), 0);
    if (r->m.reload.compile.pid > 0
        && waitid(P_PID, (id_t)r->m.reload.compile.pid, &info, WEXITED | WNOHANG) == 0
        && info.si_pid != 0)
        assert_true(compile_reaped(&r->m.reload.compile, &info));
    for (int i = 0; i < RIG_WORKERS; i++)
        speak_for(r, i);
}

static void
run(struct rig *r, const struct ask *until)
{
    for (int i = 0; i < 10000 && until->answers == 0; i++)
        turn(r);
    assert_int_equal(until->answers, 1);
}

static void
all_adopt_it(void **state)
{
    struct rig *r = *state;
    const struct image *before = r->m.config.image;

    write_config("rule \"more\" { action = \"deny\" }\n");
    reload_begin(&r->m, &asks[0].asker);
    assert_int_equal(asks[0].answers, 0);
    run(r, &asks[0]);
    turn(r);
    assert_true(asks[0].ok);
    assert_true(r->m.config.image != before);
    assert_int_equal(reload_generation(&r->m), 2);
    assert_int_equal(image_header(r->m.config.image)->generation, 2);
    assert_int_equal(prepares, RIG_WORKERS);
    assert_int_equal(commits, RIG_WORKERS);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD), 1);
}

static void
a_bad_file(void **state)
{
    struct rig *r = *state;
    const struct image *before = r->m.config.image;
    bool ok;

    write_config("bogus = 1\nrule \"x\" { }\n");
    reload_begin(&r->m, &asks[0].asker);
    run(r, &asks[0]);
    assert_false(asks[0].ok);
    assert_true(asks[0].lines >= 2);
    assert_non_null(strstr(asks[0].summary, "bogus"));
    assert_string_equal(reload_last(&r->m, &ok), asks[0].summary);
    assert_false(ok);
    assert_ptr_equal(r->m.config.image, before);
    assert_int_equal(reload_generation(&r->m), 1);
    assert_int_equal(prepares, 0);
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD_FAILED), 1);
}

static void
a_key_that_needs_a_restart(void **state)
{
    struct rig *r = *state;

    write_config("pid-file = \"/tmp/pid\"\n");
    reload_begin(&r->m, &asks[0].asker);
    run(r, &asks[0]);
    assert_false(asks[0].ok);
    assert_non_null(strstr(asks[0].summary, "pid-file"));
    assert_non_null(strstr(asks[0].summary, "a change needs a restart"));
}

static void
one_refuses(void **state)
{
    struct rig *r = *state;
    const struct image *before = r->m.config.image;

    refusing = 1;
    write_config("listen \"127.0.0.2:0\" { }\n");
    reload_begin(&r->m, &asks[0].asker);
    run(r, &asks[0]);
    turn(r);
    assert_false(asks[0].ok);
    assert_non_null(strstr(asks[0].summary, "worker 2: I will not"));
    assert_int_equal(commits, 0);
    assert_int_equal(aborts, RIG_WORKERS);
    assert_ptr_equal(r->m.config.image, before);
    assert_null(r->m.listeners.by_number[1]);
    /* The next one goes well, with a number of its own. */
    refusing = -1;
    reload_begin(&r->m, &asks[1].asker);
    run(r, &asks[1]);
    assert_true(asks[1].ok);
    assert_int_equal(reload_generation(&r->m), 3);
    assert_non_null(r->m.listeners.by_number[1]);
}

static void
ten_at_once(void **state)
{
    struct rig *r = *state;

    reload_begin(&r->m, &asks[0].asker);
    turn(r); /* it runs */
    assert_int_equal(r->m.reload.phase, RELOAD_COMPILING);
    for (size_t i = 1; i < ASKERS; i++)
        reload_begin(&r->m, &asks[i].asker);
    reload_begin(&r->m, NULL);
    reload_forget(&r->m, &asks[5].asker);
    run(r, &asks[ASKERS - 1]);
    for (size_t i = 0; i < ASKERS; i++) {
        assert_int_equal(asks[i].answers, i == 5 ? 0 : 1);
        assert_int_equal(asks[i].ok, i != 5);
    }
    assert_int_equal(reload_generation(&r->m), 3);
    assert_int_equal(prepares, 2 * RIG_WORKERS);
}

static void
the_end_answers_everybody(void **state)
{
    struct rig *r = *state;

    silent = 2;
    reload_begin(&r->m, &asks[0].asker);
    for (int i = 0; i < 10000 && prepares < RIG_WORKERS; i++)
        turn(r);
    reload_begin(&r->m, &asks[1].asker);
    reload_cancel(&r->m, "the gateway stops");
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(asks[i].answers, 1);
        assert_false(asks[i].ok);
        assert_string_equal(asks[i].summary, "the gateway stops");
    }
}

static void
none_while_it_drains(void **state)
{
    struct rig *r = *state;

    r->m.draining = true;
    reload_begin(&r->m, &asks[0].asker);
    run(r, &asks[0]);
    assert_false(asks[0].ok);
    assert_int_equal(reload_generation(&r->m), 1);
}

/* It drains in the midst of one: nothing of that comes into force, least of all its listeners. */
static void
given_up(struct rig *r, enum reload_phase phase)
{
    silent = 2;
    write_config("listen \"127.0.0.2:0\" { }\n");
    reload_begin(&r->m, &asks[0].asker);
    for (int i = 0; i < 10000 && r->m.reload.phase != phase; i++)
        turn(r);
    assert_int_equal(r->m.reload.phase, phase);
    reload_begin(&r->m, &asks[1].asker);
    r->m.draining = true;
    reload_give_up(&r->m);
    run(r, &asks[1]);
    for (int i = 0; i < 10; i++)
        turn(r);
    assert_int_equal(asks[0].answers, 1);
    assert_false(asks[0].ok || asks[1].ok);
    assert_string_equal(asks[0].summary, "not reloaded: the gateway is about to end");
    assert_int_equal(commits, 0);
    assert_int_equal(aborts, prepares);
    assert_null(r->m.listeners.by_number[1]);
    assert_int_equal(reload_generation(&r->m), 1);
}

static void
it_drains_while_it_compiles(void **state)
{
    given_up(*state, RELOAD_COMPILING);
}

static void
it_drains_while_all_are_asked(void **state)
{
    given_up(*state, RELOAD_PREPARING);
}

/* Who refuses what is no longer asked is not worse off for it. */
static void
it_stops_while_all_are_asked(void **state)
{
    struct rig *r = *state;

    silent = 2;
    reload_begin(&r->m, &asks[0].asker);
    for (int i = 0; i < 10000 && prepares < RIG_WORKERS; i++)
        turn(r);
    reload_cancel(&r->m, "the gateway stops");
    struct ipc_prepared no = { .generation = 2, .error = "no" };

    assert_true(prepare_answered(&r->workers[2], &no));
    assert_int_equal(r->workers[2].phase, PROCESS_RUNNING);
    turn(r);
    assert_int_equal(aborts, RIG_WORKERS);
}

static void
time_is_over(struct rig *r)
{
    for (int i = 0; i < 10000 && prepares < RIG_WORKERS; i++)
        turn(r);
    for (int i = 0; i < 10; i++)
        turn(r);
    assert_int_equal(asks[0].answers, 0);
    assert_int_equal(loop_timer_set(r->m.loop, &r->m.reload.timer, loop_now(r->m.loop)), 0);
}

static void
is_pool(struct rig *r, int i)
{
    r->workers[i].place->role = IPC_AUTH;
    r->workers[i].peer.other = r->theirs[i].self = IPC_AUTH;
}

/* A login that waits for a directory does not stand against other rules; its process follows. */
static void
a_busy_pool(void **state)
{
    struct rig *r = *state;

    is_pool(r, 2);
    silent = 2;
    write_config("rule \"more\" { action = \"deny\" }\n");
    reload_begin(&r->m, &asks[0].asker);
    time_is_over(r);
    run(r, &asks[0]);
    turn(r);
    assert_true(asks[0].ok);
    assert_int_equal(commits, 2);
    assert_int_equal(r->workers[2].generation, 1);
    struct ipc_prepared yes = { .generation = 2, .ok = true };

    assert_true(prepare_answered(&r->workers[2], &yes));
    turn(r);
    assert_int_equal(commits, 3);
    assert_int_equal(r->workers[2].generation, 2);
    r->workers[2].place->role = IPC_WORKER;
}

/* Nor where another one of its pool has agreed to what is new for both. */
static void
a_busy_process_of_a_pool(void **state)
{
    struct rig *r = *state;

    is_pool(r, 1);
    is_pool(r, 2);
    silent = 2;
    write_config("listen \"127.0.0.2:0\" { }\n");
    reload_begin(&r->m, &asks[0].asker);
    time_is_over(r);
    run(r, &asks[0]);
    assert_true(asks[0].ok);
    r->workers[1].place->role = r->workers[2].place->role = IPC_WORKER;
}

/* But nothing is adopted that nobody of the pool has looked at, nor without a worker. */
static void
a_busy_pool_that_has_to_look(void **state)
{
    struct rig *r = *state;

    is_pool(r, 2);
    silent = 2;
    write_config("listen \"127.0.0.2:0\" { }\n");
    reload_begin(&r->m, &asks[0].asker);
    time_is_over(r);
    run(r, &asks[0]);
    assert_false(asks[0].ok);
    assert_non_null(strstr(asks[0].summary, "did not answer in 15 s"));
    assert_int_equal(commits, 0);
    r->workers[2].place->role = IPC_WORKER;
}

static void
a_busy_worker(void **state)
{
    struct rig *r = *state;

    silent = 2;
    reload_begin(&r->m, &asks[0].asker);
    time_is_over(r);
    run(r, &asks[0]);
    assert_false(asks[0].ok);
    assert_string_equal(asks[0].summary, "not reloaded: worker 3 did not answer in 15 s");
    assert_int_equal(reload_generation(&r->m), 1);
}

static void
others_have_told(struct rig *r, uint64_t generation)
{
    for (int i = 0; i < 10000 && (r->m.generation < generation || r->m.reload.revoked < 3); i++)
        turn(r);
    assert_int_equal(r->m.reload.revoked, 3);
    assert_int_equal(asks[generation - 2].answers, 0);
}

/* Who asked hears how many sessions ended, once all workers have told; a successor is not waited for. */
static void
what_it_ended(void **state)
{
    struct rig *r = *state;
    struct ipc_rejudged late = { .generation = 2, .ended = 7 };
    bool ok;

    ending = true;
    walking = 0;
    reload_begin(&r->m, &asks[0].asker);
    others_have_told(r, 2);
    assert_int_equal(r->m.reload.phase, RELOAD_IDLE);
    judged_told(&r->workers[0], &late);
    assert_int_equal(asks[0].answers, 1);
    assert_true(asks[0].ok);
    assert_string_equal(asks[0].summary,
        "reloaded: generation 2 is in force; 10 sessions that it does not allow ended");
    assert_string_equal(reload_last(&r->m, &ok), asks[0].summary);
    ending = false;
    walking = -1;
    reload_begin(&r->m, &asks[1].asker);
    run(r, &asks[1]);
    assert_string_equal(asks[1].summary, "reloaded: generation 3 is in force");
}

/* One that dies, or takes its time, holds nobody up; nor does the end of the gateway. */
static void
who_does_not_tell(void **state)
{
    struct rig *r = *state;

    ending = true;
    walking = 0;
    reload_begin(&r->m, &asks[0].asker);
    others_have_told(r, 2);
    assert_int_equal(loop_timer_set(r->m.loop, &r->m.reload.judging_timer, loop_now(r->m.loop)), 0);
    run(r, &asks[0]);
    assert_string_equal(asks[0].summary,
        "reloaded: generation 2 is in force; 3 sessions that it does not allow ended so far");
    reload_begin(&r->m, &asks[1].asker);
    others_have_told(r, 3);
    r->workers[0].judging = false; /* as of one that is gone */
    reload_process_gone(&r->m);
    assert_int_equal(asks[1].answers, 1);
    reload_begin(&r->m, &asks[2].asker);
    reload_begin(&r->m, &asks[3].asker);
    others_have_told(r, 4);
    reload_forget(&r->m, &asks[2].asker);
    reload_cancel(&r->m, "the gateway stops");
    assert_int_equal(asks[2].answers, 0);
    assert_true(asks[3].ok);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(all_adopt_it),
        TEST(a_bad_file),
        TEST(a_key_that_needs_a_restart),
        TEST(one_refuses),
        TEST(ten_at_once),
        TEST(the_end_answers_everybody),
        TEST(none_while_it_drains),
        TEST(a_busy_pool),
        TEST(a_busy_process_of_a_pool),
        TEST(a_busy_pool_that_has_to_look),
        TEST(a_busy_worker),
        TEST(it_drains_while_it_compiles),
        TEST(it_drains_while_all_are_asked),
        TEST(it_stops_while_all_are_asked),
        TEST(what_it_ended),
        TEST(who_does_not_tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
