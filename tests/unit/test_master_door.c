/* SPDX-License-Identifier: ISC */
/* src/master/master_door.c, and what workers may ask of the master's accounts (master_budget_ask.c,
   master_answers.c): a master with a configuration and real connections; the test is the workers, a pool
   and the clients. */
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/fd.h"

#define POOL 2 /* the last of the rig's workers */
#define PENDING 4

static char path[64];
static uint64_t seen[64]; /* ids that worker 0 was given */
static size_t seen_count;

static void
turn_end(void *ctx)
{
    limits_turn_end(ctx);
    door_turn_end(ctx);
    dispatch_flush(ctx);
}

static void
write_config(void)
{
    static const char text[] =
        "workers = 2\nmethods = { \"none\" }\nlisten \"127.0.0.1:0\" { }\n"
        "log { target = \"stderr\" }\nlimits { pending-per-client = 4 sessions-per-user = 2 failures = 3 }\n"
        "rule \"fast\" { action = \"allow\" port = 1 }\n"
        "rule \"slow\" { action = \"allow\" bandwidth = \"100k\" user-bandwidth = \"10k\" }\n";
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, text, sizeof text - 1), 0);
    fd_close(&fd);
}

static int
setup(void **state)
{
    if (rig_setup(state) != 0)
        return -1;
    struct rig *r = *state;

    assert_true(snprintf(path, sizeof path, "/tmp/sallyport-unit-%ld.conf", (long)getpid()) > 0);
    write_config();
    r->m.options.config = path;
    if (config_load(&r->m.options, &r->m.config) < 0)
        return -1;
    r->m.settings = image_settings(r->m.config.image);
    r->m.capacity.workers = 2;
    r->places[1 + POOL].role = IPC_AUTH;
    r->workers[POOL].peer.other = IPC_AUTH;
    r->theirs[POOL].self = IPC_AUTH;
    for (int i = 0; i < RIG_WORKERS; i++) {
        r->workers[i].generation = r->m.generation;
        r->workers[i].capacity = 40;
    }
    r->workers[1].bypassed = true;
    limits_init(&r->m);
    loop_set_turn_end(r->m.loop, turn_end, &r->m);
    seen_count = 0;
    if (listeners_open(&r->m) < 0)
        return -1;
    accept_poll(&r->m);
    return 0;
}

static int
teardown(void **state)
{
    struct rig *r = *state;

    accept_close(&r->m);
    for (int i = 0; i < RIG_WORKERS; i++)
        answers_free(&r->workers[i]);
    limits_close(&r->m);
    listeners_free(&r->m);
    compiled_free(&r->m.config);
    (void)unlink(path);
    return rig_teardown(state);
}

/* ---- the clients ---- */

/* Connections that have something to say, so that the kernel hands them out at once. */
static void
connect_some(struct rig *r, unsigned count)
{
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(&r->m.listeners.all->bound, &ss);

    for (; count > 0; count--) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0 && r->peer_count < SP_COUNT(r->peers));
        assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
        assert_int_equal(send(fd, "\x05", 1, MSG_NOSIGNAL), 1);
        r->peers[r->peer_count++] = fd;
    }
}

/* Notes what worker 0 was given. */
static void
receive(struct rig *r)
{
    struct ipc_session list[IPC_SESSIONS_MAX];
    struct ipc_message m;
    size_t count = 0;

    while (rig_receive(r, 0, &m)) {
        if (m.type != IPC_SESSIONS)
            continue;
        assert_int_equal(ipc_sessions_decode(&m, list, &count), 0);
        for (size_t i = 0; i < count; i++)
            seen[seen_count++] = list[i].id;
    }
}

static void
turns(struct rig *r, int count)
{
    for (; count > 0; count--) {
        rig_turn(r);
        receive(r);
    }
}

static void
wait_seen(struct rig *r, size_t count)
{
    for (int i = 0; i < 100 && seen_count < count; i++) {
        assert_int_equal(loop_turn(r->m.loop, 20), 0);
        receive(r);
    }
    turns(r, 3);
    assert_int_equal(seen_count, count);
}

static void
say_requested(struct rig *r, int i, uint64_t id)
{
    uint8_t body[8];

    rig_say(r, i, IPC_REQUESTED, body, ipc_requested_encode(&id, 1, body, sizeof body));
    turns(r, 2);
}

static bool
is_open(int fd)
{
    char c;
    ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);

    return n < 0 && errno == EAGAIN;
}

/* ---- at the door ---- */

static void
a_burst_waits_for_its_turn(void **state)
{
    struct rig *r = *state;
    const struct tally_client *c;

    connect_some(r, 12);
    wait_seen(r, PENDING);
    assert_int_equal(r->m.door.count, 8);
    for (size_t i = 0; i < 12; i++) {
        while (seen_count <= i)
            turns(r, 1);
        say_requested(r, 0, seen[i]);
        assert_int_equal(seen_count, i + 1 + PENDING < 12 ? i + 1 + PENDING : 12);
    }
    assert_int_equal(r->m.door.count, 0);
    assert_int_equal(rig_events(r, EVENT_LIMIT_REACHED), 0);
    c = sessions_get(&r->m.sessions, seen[0])->counted;
    assert_int_equal(c->sessions, 12);
    assert_int_equal(c->pending, 0);
    assert_int_equal(r->m.listeners.all->sessions, 12);
    for (size_t i = 0; i < 12; i++)
        rig_say_ended(r, 0, seen[i]);
    turns(r, 12);
    assert_int_equal(r->m.limits.tally.clients.count, 0);
    assert_int_equal(r->m.listeners.all->sessions, 0);
    assert_false(rig_was_killed(r, 0));
}

/* The silent keep their places: who waits behind them is refused in the end, told once. */
static void
patience_ends(void **state)
{
    struct rig *r = *state;

    connect_some(r, PENDING + 3);
    wait_seen(r, PENDING);
    for (size_t i = PENDING; i < PENDING + 3; i++)
        assert_true(is_open(r->peers[i]));
    for (int i = 0; i < 100 && r->m.door.count > 0; i++)
        assert_int_equal(loop_turn(r->m.loop, 50), 0);
    assert_int_equal(r->m.door.count, 0);
    receive(r);
    assert_int_equal(seen_count, PENDING);
    assert_int_equal(rig_events(r, EVENT_LIMIT_REACHED), 1);
    assert_int_equal(r->m.limits.refused[LIMIT_CLIENT_PENDING], 3);
    for (size_t i = PENDING; i < PENDING + 3; i++)
        assert_false(is_open(r->peers[i]));
    assert_int_equal(r->m.listeners.all->sessions, PENDING);
    for (size_t i = 0; i < PENDING; i++)
        rig_say_ended(r, 0, seen[i]);
    turns(r, 12);
    assert_int_equal(r->m.limits.tally.clients.count, 0);
}

static void
a_place_that_ends_is_taken(void **state)
{
    struct rig *r = *state;

    connect_some(r, PENDING + 2);
    wait_seen(r, PENDING);
    for (size_t i = 0; i < PENDING; i++) /* all at once: nothing else holds the client's count */
        rig_say_ended(r, 0, seen[i]);
    turns(r, 3);
    assert_int_equal(seen_count, PENDING + 2);
    assert_int_equal(r->m.door.count, 0);
}

static void
few_wait(void **state)
{
    struct rig *r = *state;

    r->m.door.max = 3;
    connect_some(r, PENDING + 5);
    wait_seen(r, PENDING);
    for (int i = 0; i < 100 && r->m.limits.refused[LIMIT_CLIENT_PENDING] < 2; i++)
        assert_int_equal(loop_turn(r->m.loop, 20), 0);
    assert_int_equal(r->m.door.count, 3);
    assert_int_equal(r->m.limits.refused[LIMIT_CLIENT_PENDING], 2);
    accept_pause(&r->m, PAUSE_START); /* the gateway stops: nobody waits for it */
    assert_int_equal(r->m.door.count, 0);
    assert_int_equal(r->m.limits.refused[LIMIT_CLIENT_PENDING], 5);
    assert_int_equal(r->m.listeners.all->sessions, PENDING);
}

static void
nobody_waits_for_a_listener_that_went(void **state)
{
    struct rig *r = *state;

    connect_some(r, PENDING + 1);
    wait_seen(r, PENDING);
    r->m.listeners.all->serves = false;
    rig_say_ended(r, 0, seen[0]);
    turns(r, 3);
    r->m.listeners.all->serves = true;
    assert_int_equal(seen_count, PENDING);
    assert_int_equal(r->m.door.count, 0);
    assert_int_equal(r->m.listeners.all->sessions, PENDING - 1);
}

/* ---- what workers and pools say ---- */

static void
say_login(struct rig *r, int worker, uint64_t id, bool success, const char *user)
{
    struct ipc_auth_result result = { .worker = (uint32_t)worker + 1,
        .incarnation = r->workers[worker].incarnation, .session = id, .success = success };
    uint8_t body[IPC_BODY_MAX];

    assert_true(snprintf(result.user, sizeof result.user, "%s", user) > 0);
    rig_say(r, POOL, IPC_AUTH_RESULT, body, ipc_auth_result_encode(&result, body, sizeof body));
}

static void
an_untrue_login_is_the_workers_doing(void **state)
{
    struct rig *r = *state;

    connect_some(r, 1);
    wait_seen(r, 1);
    say_login(r, 1, seen[0], false, "alice");
    turns(r, 2);
    assert_true(rig_was_killed(r, 1));
    assert_false(rig_was_killed(r, POOL));
    assert_int_equal(r->m.limits.failures, 0);
    say_login(r, 0, seen[0], false, "alice");
    rig_say_ended(r, 0, seen[0]);
    turns(r, 2);
    say_login(r, 0, seen[0], false, "alice"); /* its client was quicker */
    turns(r, 2);
    assert_int_equal(r->m.limits.failures, 2);
    assert_false(rig_was_killed(r, 0));
}

/* What a pool has said counts although it is dead. */
static void
the_last_words_of_a_pool(void **state)
{
    struct rig *r = *state;

    connect_some(r, 1);
    wait_seen(r, 1);
    say_login(r, 0, seen[0], true, "alice");
    process_kill(&r->workers[POOL], "test");
    process_read_rest(&r->workers[POOL]);
    assert_int_equal(r->m.limits.tally.users.count, 1);
    assert_int_equal(r->m.limits.tally.pending, 0);
    assert_true(sessions_get(&r->m.sessions, seen[0])->authenticated);
    assert_int_equal(r->workers[0].answers.verdict_count, 1);
}

/* ---- bandwidth ---- */

static void
say_ask(struct rig *r, uint32_t rule, uint32_t handle, uint32_t bytes, const char *user)
{
    struct ipc_budget_ask ask = { .generation = image_header(r->m.config.image)->generation,
        .rule = rule, .handle = handle, .bytes = bytes };
    uint8_t body[IPC_BODY_MAX];

    assert_true(snprintf(ask.user, sizeof ask.user, "%s", user) >= 0);
    rig_say(r, 0, IPC_BUDGET_ASK, body, ipc_budget_ask_encode(&ask, body, sizeof body));
    rig_turn(r);
}

/* The answer to the question just asked. */
static uint32_t
granted(struct rig *r, uint32_t handle)
{
    struct ipc_budget_grant list[IPC_GRANTS_MAX];
    struct ipc_message m;
    size_t count = 0;

    assert_true(rig_receive(r, 0, &m));
    assert_int_equal(m.type, IPC_BUDGET_GRANT);
    assert_int_equal(ipc_budget_grants_decode(&m, list, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(list[0].handle, handle);
    return list[0].bytes;
}

static void
more_accounts_than_there_can_be_wait(void **state)
{
    struct rig *r = *state;
    char user[16];
    uint32_t n = 0, bytes;

    say_ask(r, 1, 1, 100, "");
    assert_int_equal(granted(r, 1), 100);
    do {
        assert_true(snprintf(user, sizeof user, "u%u", (unsigned)++n) > 0);
        say_ask(r, 1, 2, 100, user);
        bytes = granted(r, 2);
    } while (bytes > 0 && n < 5000);
    assert_in_range(n, 2 * 40, 4999);
    assert_false(rig_was_killed(r, 0));
    assert_int_equal(r->workers[0].accounts, r->m.bandwidth.ledger.map.count);
    say_ask(r, 1, 1, 100, ""); /* those that are there go on */
    assert_int_equal(granted(r, 1), 100);
    ledger_forget(&r->m.bandwidth.ledger, &r->workers[0], &r->workers[0].accounts);
    sessions_set_limit(&r->m.sessions, 100000);
    limits_adopt(&r->m); /* more sessions, more accounts */
    r->workers[0].accounts = 0;
    say_ask(r, 1, 2, 100, user);
    assert_int_equal(granted(r, 2), 100);
}

/* At once half of what a quarter of a second brings. */
static void
rule_and_user_have_their_own_rates(void **state)
{
    struct rig *r = *state;

    say_ask(r, 1, 1, 1000000, "");
    assert_int_equal(granted(r, 1), 100 * 1024 / 8);
    say_ask(r, 1, 2, 1000000, "alice");
    assert_int_equal(granted(r, 2), 10 * 1024 / 8);
}

static void
a_rule_that_is_not_there_is_a_violation(void **state)
{
    struct rig *r = *state;

    say_ask(r, 0, 1, 100, ""); /* it has no limit */
    assert_int_equal(granted(r, 1), 100);
    say_ask(r, 2, 1, 100, "");
    rig_turn(r);
    assert_true(rig_was_killed(r, 0));
}

/* A worker that asks and asks, and reads nothing, costs the master little. */
static void
answers_have_an_end(void **state)
{
    struct rig *r = *state;

    for (uint32_t i = 0; i < 100000 && !rig_was_killed(r, 0); i++)
        answers_grant(&r->workers[0], i, 0);
    assert_true(rig_was_killed(r, 0));
    assert_true(r->workers[0].answers.grant_room <= 32768);
    turns(r, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_burst_waits_for_its_turn),
        TEST(patience_ends),
        TEST(a_place_that_ends_is_taken),
        TEST(few_wait),
        TEST(nobody_waits_for_a_listener_that_went),
        TEST(an_untrue_login_is_the_workers_doing),
        TEST(the_last_words_of_a_pool),
        TEST(more_accounts_than_there_can_be_wait),
        TEST(rule_and_user_have_their_own_rates),
        TEST(a_rule_that_is_not_there_is_a_violation),
        TEST(answers_have_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
