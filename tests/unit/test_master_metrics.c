/* SPDX-License-Identifier: ISC */
/* The master's sum: what workers count, what it counts itself, and what the dead had counted. */
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

struct counting {
    struct rig *rig;
    struct stats *writers[RIG_WORKERS];
    char *text;
};

static void
give_table(struct counting *c, int i)
{
    struct process *p = &c->rig->workers[i];

    p->table_fd = table_create(1);
    assert_true(p->table_fd >= 0);
    c->writers[i] = stats_open_writer(p->table_fd, TABLE_STATS_AT);
    assert_non_null(c->writers[i]);
    metrics_attach(p);
    assert_non_null(p->stats);
}

static int
setup(void **state)
{
    struct counting *c = calloc(1, sizeof *c);
    void *rig = NULL;

    assert_non_null(c);
    assert_int_equal(rig_setup(&rig), 0);
    c->rig = rig;
    c->rig->m.metrics.listen_fd = -1;
    for (unsigned i = 0; i < METRICS_FORMAT_COUNT; i++)
        c->rig->m.metrics.kept[i].fd = -1;
    metrics_init(&c->rig->m);
    for (int i = 0; i < RIG_WORKERS; i++)
        give_table(c, i);
    *state = c;
    return 0;
}

static int
teardown(void **state)
{
    struct counting *c = *state;
    void *rig = c->rig;

    for (int i = 0; i < RIG_WORKERS; i++) {
        stats_close(&c->writers[i]);
        metrics_absorb(&c->rig->workers[i]);
    }
    metrics_free(&c->rig->m);
    free(c->text);
    free(c);
    return rig_teardown(&rig);
}

static void
render(struct counting *c)
{
    struct buffer out = BUFFER_INIT;

    assert_int_equal(metrics_render(&c->rig->m, &out), 0);
    free(c->text);
    c->text = strndup((const char *)buffer_head(&out), buffer_len(&out));
    assert_non_null(c->text);
    buffer_clear(&out);
}

static void
has(struct counting *c, const char *part)
{
    render(c);
    if (strstr(c->text, part) == NULL)
        fail_msg("%s does not stand in:\n%s", part, c->text);
}

static void
deny(struct counting *c, int worker, const char *rule, uint64_t n)
{
    struct stats *s = c->writers[worker];

    stats_add(s, STATS_DENIALS, STATS_AT(stats_name(s, STATS_SET_RULE, rule), STATS_BY_RULE), n);
}

/* What a dead worker had counted stays, under its names, and its successor's comes on top. */
static void
test_the_dead_count_on(void **state)
{
    struct counting *c = *state;
    struct process *p = &c->rig->workers[1];

    deny(c, 0, "b", 1);
    deny(c, 1, "a", 10);
    deny(c, 1, "b", 100);
    deny(c, 2, "c", 1000);
    stats_observe(c->writers[1], STATS_CONNECT_TIME, STATS_AT(STATS_SUCCESS), 700);
    has(c, "sallyport_requests_denied_total{rule=\"b\",reason=\"rule\"} 101\n");
    metrics_absorb(p);
    assert_null(p->stats);
    metrics_absorb(p); /* once */
    has(c, "sallyport_requests_denied_total{rule=\"b\",reason=\"rule\"} 101\n");
    has(c, "sallyport_requests_denied_total{rule=\"a\",reason=\"rule\"} 10\n");
    has(c, "sallyport_connect_duration_seconds_sum{result=\"success\"} 0.000700\n");
    stats_close(&c->writers[1]);
    fd_close(&p->table_fd);
    give_table(c, 1);
    deny(c, 1, "a", 5);
    has(c, "sallyport_requests_denied_total{rule=\"a\",reason=\"rule\"} 15\n");
    has(c, "sallyport_requests_denied_total{rule=\"c\",reason=\"rule\"} 1000\n");
}

/* More names than there is room for: who was counted as "(other)" stays there, who had a name keeps it. */
static void
test_names_stay_where_they_are(void **state)
{
    struct counting *c = *state;
    char name[32];

    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof name, "first %d", i);
        deny(c, 0, name, 1);
    }
    render(c);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof name, "second %d", i);
        deny(c, 1, name, 1);
    }
    has(c, "rule=\"second 23\",reason=\"rule\"} 1\n");
    has(c, "rule=\"(other)\",reason=\"rule\"} 976\n");
    metrics_absorb(&c->rig->workers[0]);
    metrics_absorb(&c->rig->workers[1]);
    has(c, "rule=\"second 23\",reason=\"rule\"} 1\n");
    has(c, "rule=\"first 999\",reason=\"rule\"} 1\n");
    has(c, "rule=\"(other)\",reason=\"rule\"} 976\n");
}

static void
test_the_masters_own(void **state)
{
    struct counting *c = *state;
    struct master *m = &c->rig->m;

    metrics_count_restart(m, &c->rig->workers[0]);
    metrics_count_refused(m, "descriptors");
    metrics_count_refused(m, "sessions");
    metrics_count_refused(m, "sessions");
    metrics_count_lost_session(m);
    metrics_count_reload(m, false);
    metrics_count_file(m, true);
    (void)rig_session(c->rig);
    has(c, "sallyport_process_restarts_total{role=\"worker\"} 1\n");
    has(c, "sallyport_limits_reached_total{limit=\"descriptors\"} 1\n");
    has(c, "sallyport_limits_reached_total{limit=\"sessions\"} 2\n");
    has(c, "sallyport_sessions_ended_total{reason=\"worker-lost\"} 1\n");
    has(c, "sallyport_config_reloads_total{subject=\"configuration\",result=\"failure\"} 1\n");
    has(c, "sallyport_config_reloads_total{subject=\"file\",result=\"success\"} 1\n");
    has(c, "sallyport_config_last_reload_successful 0\n");
    has(c, "sallyport_sessions_active 1\n");
    has(c, "sallyport_workers 3\n");
    metrics_count_reload(m, true);
    has(c, "sallyport_config_last_reload_successful 1\n");
}

/* sallyport-metrics, and what it asks. */
struct asking {
    struct process asker;
    struct ipc_peer theirs;
    struct ipc_message question;
};

static void
asking_init(struct counting *c, struct asking *a)
{
    int pair[2];

    memset(a, 0, sizeof *a);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    a->asker = (struct process) { .m = &c->rig->m, .place = &c->rig->places[1], .phase = PROCESS_RUNNING,
        .peer = { .fd = pair[0], .self = IPC_MASTER, .other = IPC_METRICS, .state = IPC_RUNNING } };
    a->theirs = (struct ipc_peer) { .fd = pair[1], .self = IPC_METRICS, .other = IPC_MASTER,
        .state = IPC_RUNNING };
    a->question.type = IPC_METRICS_ASK;
    a->question.len = ipc_metrics_encode(METRICS_CLASSIC, a->question.body, sizeof a->question.body);
}

static void
asking_end(struct asking *a)
{
    fd_close(&a->asker.peer.fd);
    fd_close(&a->theirs.fd);
}

/* The octets of the text that is answered; *inode is the file it came in. */
static off_t
asked(struct asking *a, ino_t *inode)
{
    enum metrics_format format;
    struct ipc_message m;
    const char *why = NULL;
    struct stat st;

    assert_true(metrics_asked(&a->asker, &a->question));
    assert_int_equal(ipc_recv(&a->theirs, &m, &why), IPC_OK);
    assert_int_equal(ipc_metrics_decode(&m, &format), 0);
    assert_int_equal(format, METRICS_CLASSIC);
    assert_int_equal(m.fd_count, 1);
    assert_int_equal(fstat(m.fds[0], &st), 0);
    assert_true(memfd_check(m.fds[0], 0) == st.st_size);
    ipc_message_close(&m);
    *inode = st.st_ino;
    return st.st_size;
}

/* Many questions within a second are one text. */
static void
test_questions(void **state)
{
    struct asking a;
    ino_t first, inode;

    asking_init(*state, &a);
    assert_true(asked(&a, &first) > 1000);
    for (int i = 0; i < 3; i++) {
        assert_true(asked(&a, &inode) > 1000);
        assert_true(inode == first);
    }
    a.question.body[0] = METRICS_FORMAT_COUNT;
    assert_false(metrics_asked(&a.asker, &a.question));
    asking_end(&a);
}

/* There is an answer all the same, and a good one when it can be had again. */
static void
test_a_text_that_fails(void **state)
{
    struct counting *c = *state;
    struct metrics_sum *sum = &c->rig->m.metrics;
    struct buffer out = BUFFER_INIT;
    struct asking a;
    ino_t inode;

    asking_init(c, &a);
    sum->limit = 1000;
    assert_int_equal(metrics_render(&c->rig->m, &out), -1);
    assert_int_equal(errno, ENOBUFS);
    buffer_clear(&out);
    assert_int_equal(asked(&a, &inode), 0);
    sum->limit = METRICS_TEXT_MAX;
    sum->kept[METRICS_CLASSIC].made = mono_add_seconds(loop_now(c->rig->m.loop), -1);
    assert_true(asked(&a, &inode) > 1000);
    has(c, "# EOF\n");
    asking_end(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_dead_count_on, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_stay_where_they_are, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_masters_own, setup, teardown),
        cmocka_unit_test_setup_teardown(test_questions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_text_that_fails, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
