/* SPDX-License-Identifier: ISC */
/* src/authd: the real program between a master and workers that are this test. */
#include "tests/unit/authd_rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "tests/unit/userpass_samples.h"

static const char users[] = "alice:" SAMPLE_BCRYPT_2Y "\nbob:" SAMPLE_SHA512_1000 "\n";

static const struct rig_how userpass = { .module = "userpass",
    .section = "userpass { file = \"/etc/users\" }" };
static const struct rig_how testpriv = { .module = "testpriv",
    .section = "testpriv { phrase = \"open sesame\" }" };

static struct rig rig;

static int
setup_userpass(void **state)
{
    struct ipc_file_result result;

    *state = &rig;
    rig_start(&rig, &userpass);
    rig_send_file(&rig, "file", users, true);
    rig_send_queue(&rig, 0);
    rig_send_queue(&rig, 1);
    assert_true(rig_ready(&rig));
    rig_receive_file(&rig, &result);
    assert_true(result.accepted);
    return 0;
}

static int
setup_testpriv(void **state)
{
    *state = &rig;
    rig_start(&rig, &testpriv);
    rig_send_queue(&rig, 0);
    assert_true(rig_ready(&rig));
    return 0;
}

static int
setup_nothing(void **state)
{
    *state = &rig;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    rig_end(&rig);
    return 0;
}

/* ---- logins ---- */

static void
test_success_and_failure(void **state)
{
    struct rig *r = *state;
    struct rig_login l;
    struct ipc_auth_result result;

    rig_log_in(r, 0, &l, 41, "alice", "secret");
    rig_wait_answer(r, &l);
    assert_int_equal(l.outcome, AUTH_SUCCESS);
    assert_string_equal(l.user, "alice");
    /* The master was told before the worker. */
    rig_receive_result(r, &result);
    assert_int_equal(result.worker, 1);
    assert_int_equal(result.incarnation, 100);
    assert_true(result.session == 41 && result.success);
    assert_string_equal(result.user, "alice");
    rig_log_in(r, 1, &l, 42, "alice", "wrong");
    rig_wait_answer(r, &l);
    assert_int_equal(l.outcome, AUTH_FAILURE);
    assert_string_equal(l.reason, "wrong-password");
    assert_string_equal(l.user, "");
    rig_receive_result(r, &result);
    assert_int_equal(result.worker, 2);
    assert_int_equal(result.incarnation, 101);
    assert_true(result.session == 42 && !result.success);
    assert_string_equal(result.user, "alice");
}

/* testpriv's answer to its challenge: phrase and challenge, both backwards. */
static void
respond(struct rig *r, struct rig_login *l, const char *phrase)
{
    char response[64];
    const size_t len = strlen(phrase);

    assert_int_equal(l->outcome, AUTH_CONTINUE);
    assert_true(l->answer_len == 16 && len + 16 <= sizeof response);
    for (size_t i = 0; i < len; i++)
        response[i] = phrase[len - 1 - i];
    for (size_t i = 0; i < 16; i++)
        response[len + i] = (char)l->answer[15 - i];
    assert_int_equal(authlink_next(&l->c, response, len + 16), 0);
    rig_wait_answer(r, l);
}

static void
test_two_rounds(void **state)
{
    struct rig *r = *state;
    struct rig_login l;
    struct ipc_auth_result result;

    rig_open(r, 0, &l, 5, 0x80, "ali baba", 8, RIG_DEADLINE_MS);
    rig_wait_answer(r, &l);
    respond(r, &l, "open sesame");
    assert_int_equal(l.outcome, AUTH_SUCCESS);
    assert_string_equal(l.user, "ali baba");
    assert_string_equal(l.mechanism, "backwards");
    /* One report, and that of the end. */
    rig_receive_result(r, &result);
    assert_true(result.session == 5 && result.success);
    assert_string_equal(result.user, "ali baba");
}

static void
assert_phrase(struct rig *r, const char *phrase, enum auth_outcome outcome)
{
    struct rig_login l;
    struct ipc_auth_result result;

    rig_open(r, 0, &l, 7, 0x80, "ann", 3, RIG_DEADLINE_MS);
    rig_wait_answer(r, &l);
    respond(r, &l, phrase);
    assert_int_equal(l.outcome, outcome);
    rig_receive_result(r, &result);
}

/* What a listener says in place of the section is in effect on it, and there alone. */
static void
test_settings_by_listener(void **state)
{
    const struct rig_how how = { .module = "testpriv",
        .section = "testpriv { service = { \"section\", \"more\" } }\n"
                   "listen \"127.0.0.2:0\" { service = { \"listener\" } }\n"
                   "listen \"127.0.0.3:0\" { service = { } }\n" };
    static const struct {
        const char *listener;
        const char *mechanism;
    } rows[] = {
        { "127.0.0.2:0", "listener" },
        { RIG_LISTENER, "section" },
        { "127.0.0.3:0", "backwards" }, /* given, with nothing in it: neither the section's nor a preset */
        { "127.0.0.2:0", "listener" },
    };
    struct rig *r = *state;

    rig_start(r, &how);
    rig_send_queue(r, 0);
    assert_true(rig_ready(r));
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct rig_login l;
        struct ipc_auth_result result;

        rig_open_on(r, 0, &l, rows[i].listener, 7, 0x80, "ann", 3, RIG_DEADLINE_MS);
        rig_wait_answer(r, &l);
        respond(r, &l, "open sesame");
        assert_int_equal(l.outcome, AUTH_SUCCESS);
        assert_string_equal(l.mechanism, rows[i].mechanism);
        rig_receive_result(r, &result);
    }
}

/* A login ends with the file it began with; a new one, and a refused one, are for those to come. */
static void
test_generations(void **state)
{
    const struct rig_how how = { .module = "testpriv",
        .section = "testpriv { phrase-file = \"/etc/phrase\" }" };
    struct rig *r = *state;
    struct rig_login old;
    struct ipc_auth_result logged;
    struct ipc_file_result result;

    rig_start(r, &how);
    rig_send_file(r, "phrase-file", "first", true);
    rig_send_queue(r, 0);
    assert_true(rig_ready(r));
    rig_receive_file(r, &result);
    assert_true(result.accepted);
    rig_open(r, 0, &old, 6, 0x80, "ann", 3, RIG_DEADLINE_MS);
    rig_wait_answer(r, &old);
    rig_send_file(r, "phrase-file", "second", true);
    rig_receive_file(r, &result);
    assert_true(result.accepted);
    assert_phrase(r, "first", AUTH_FAILURE);
    assert_phrase(r, "second", AUTH_SUCCESS);
    rig_send_file(r, "phrase-file", "!third", true);
    rig_receive_file(r, &result);
    assert_false(result.accepted);
    assert_phrase(r, "second", AUTH_SUCCESS);
    respond(r, &old, "first");
    assert_int_equal(old.outcome, AUTH_SUCCESS);
    rig_receive_result(r, &logged);
    assert_true(logged.session == 6 && logged.success);
    /* The old one is gone with its last login; the one in force is not. */
    assert_phrase(r, "second", AUTH_SUCCESS);
}

/* A conversation between steps occupies nothing but memory. */
static void
test_stalled_delay_nobody(void **state)
{
    static struct rig_login stalled[500];
    struct rig *r = *state;
    struct rig_login l;

    for (size_t i = 0; i < SP_COUNT(stalled); i++) {
        rig_open(r, 0, &stalled[i], i + 1, 0x80, "x", 1, RIG_DEADLINE_MS);
        /* The queue holds about 278 that were not taken yet. */
        if (i % 100 == 99)
            rig_wait_answer(r, &stalled[i]);
    }
    rig_open(r, 0, &l, 1000, 0x80, "y", 1, RIG_DEADLINE_MS);
    rig_wait_answer(r, &l);
    assert_int_equal(l.outcome, AUTH_CONTINUE);
    assert_int_equal(authlink_next(&l.c, "no", 2), 0);
    rig_wait_answer(r, &l);
    assert_int_equal(l.outcome, AUTH_FAILURE);
    for (size_t i = 0; i < SP_COUNT(stalled); i++) {
        assert_false(stalled[i].lost);
        authlink_end(&stalled[i].c);
    }
}

static void
test_deadline(void **state)
{
    struct rig *r = *state;
    struct rig_login l;

    rig_open(r, 0, &l, 1, 0x80, "x", 1, 50);
    rig_wait_answer(r, &l);
    assert_int_equal(l.outcome, AUTH_CONTINUE);
    rig_wait_answer(r, &l);
    assert_true(l.lost);
    /* It is alive and well. */
    rig_open(r, 0, &l, 2, 0x80, "x", 1, RIG_DEADLINE_MS);
    rig_wait_answer(r, &l);
    assert_int_equal(l.outcome, AUTH_CONTINUE);
    authlink_end(&l.c);
}

/* ---- hostile workers ---- */

static void
still_serves(struct rig *r, unsigned worker)
{
    struct rig_login l;
    struct ipc_auth_result result;

    rig_log_in(r, worker, &l, 9999, "bob", "secret");
    rig_wait_answer(r, &l);
    assert_int_equal(l.outcome, AUTH_SUCCESS);
    do {
        rig_receive_result(r, &result);
    } while (result.session != 9999);
}

static void
test_wrong_method(void **state)
{
    struct rig *r = *state;
    struct rig_login l;

    rig_open(r, 0, &l, 1, 1, "\005alice\006secret", 13, RIG_DEADLINE_MS);
    rig_wait_answer(r, &l);
    assert_true(l.lost);
    still_serves(r, 0);
}

/* A listener that the configuration does not have. */
static void
test_wrong_listener(void **state)
{
    static const char *const names[] = { "127.0.0.1:1", "127.0.0.1:00", "" };
    struct rig *r = *state;
    struct rig_login l;

    for (size_t i = 0; i < SP_COUNT(names); i++) {
        rig_open_on(r, 0, &l, names[i], 1, 2, "\005alice\006secret", 13, RIG_DEADLINE_MS);
        rig_wait_answer(r, &l);
        assert_true(l.lost);
    }
    still_serves(r, 0);
}

/* A pair whose one end goes down worker 0's queue, with count descriptors beside it. */
static int
hand_over(struct rig *r, size_t count, const void *first, size_t len)
{
    int pair[2];
    int fds[4];
    uint8_t byte = CONVERSATION_HANDOVER;
    struct iovec iov = { &byte, 1 };
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof fds)];
    } control = { .room = { 0 } };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    if (len > 0)
        assert_int_equal(conversation_send(pair[0], first, len), 0);
    for (size_t i = 0; i < count; i++)
        fds[i] = pair[1];
    if (count > 0) {
        msg.msg_control = control.room;
        msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *h = CMSG_FIRSTHDR(&msg);

        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(h), fds, count * sizeof(int));
    }
    assert_int_equal(sendmsg(r->workers[0].queues[0].fd, &msg, MSG_NOSIGNAL), 1);
    fd_close(&pair[1]);
    return pair[0];
}

static void
expect_closed(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char byte;

    assert_int_equal(poll(&p, 1, RIG_DEADLINE_MS), 1);
    assert_true(recv(fd, &byte, 1, MSG_DONTWAIT) <= 0);
    fd_close(&fd);
}

static void
test_malformed_packets(void **state)
{
    static uint8_t longer[CONVERSATION_MAX + 1];
    struct unit_random random = UNIT_RANDOM_INIT;
    struct rig *r = *state;

    expect_closed(hand_over(r, 1, "nonsense", 8));
    expect_closed(hand_over(r, 1, longer, sizeof longer));
    expect_closed(hand_over(r, 0, "", 0));
    for (int i = 0; i < 200; i++) {
        uint8_t noise[256];

        unit_random_fill(&random, noise, sizeof noise);
        expect_closed(hand_over(r, 1, noise, 1 + unit_random(&random) % 255));
    }
    still_serves(r, 0);
}

/* Open descriptors of the process, or -1 where only root may look. */
static int
descriptors_of(const struct rig *r)
{
    char path[64];
    int count = 0;

    assert_true(snprintf(path, sizeof path, "/proc/%d/fd", (int)r->pid) > 0);
    DIR *dir = opendir(path);

    if (dir == NULL)
        return -1;
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count;
}

/* Descriptors beyond the one are closed, and do not confuse. */
static void
test_too_many_descriptors(void **state)
{
    struct rig *r = *state;

    still_serves(r, 0);
    rig_settle(r);
    const int before = descriptors_of(r);

    for (int i = 0; i < 50; i++)
        expect_closed(hand_over(r, 4, "nonsense", 8));
    still_serves(r, 0);
    rig_settle(r);
    assert_int_equal(descriptors_of(r), before);
}

/* What is no socket at all. */
static void
test_not_a_socket(void **state)
{
    struct rig *r = *state;
    uint8_t byte = CONVERSATION_HANDOVER;
    struct iovec iov = { &byte, 1 };
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { .room = { 0 } };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room,
        .msg_controllen = sizeof control.room };
    struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
    int fds[2] = { open("/dev/null", O_RDWR | O_CLOEXEC), open("/", O_PATH | O_CLOEXEC) };

    for (size_t i = 0; i < 2; i++) {
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(h), &fds[i], sizeof(int));
        assert_int_equal(sendmsg(r->workers[0].queues[0].fd, &msg, MSG_NOSIGNAL), 1);
        fd_close(&fds[i]);
    }
    still_serves(r, 0);
}

/* OPEN beside the descriptor that is none, or too long: that conversation alone ends. */
static void
test_nonsense_beside_the_descriptor(void **state)
{
    static uint8_t longer[CONVERSATION_MAX + 1];
    struct rig *r = *state;

    for (size_t i = 0; i < 2; i++) {
        int pair[2];

        assert_int_equal(
            socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(conversation_send_passing(r->workers[0].queues[0].fd, longer,
                             i == 0 ? 9 : sizeof longer, pair[1]), 0);
        fd_close(&pair[1]);
        expect_closed(pair[0]);
    }
    still_serves(r, 0);
}

/* The worker's descriptor comes back with the last answer: the same pair serves again. */
static void
test_the_pair_comes_back(void **state)
{
    struct rig *r = *state;
    uint64_t cookie = 0;

    for (int i = 0; i < 3; i++) {
        struct ipc_auth_result result;
        struct rig_login l;

        rig_log_in(r, 0, &l, 50, "alice", i == 1 ? "wrong" : "secret");
        rig_wait_answer(r, &l);
        assert_int_equal(l.outcome, i == 1 ? AUTH_FAILURE : AUTH_SUCCESS);
        rig_receive_result(r, &result);
        assert_int_equal(r->workers[0].queues[0].pair_count, 1);
        assert_true(i == 0 || r->workers[0].queues[0].pairs[0].cookie == cookie);
        cookie = r->workers[0].queues[0].pairs[0].cookie;
    }
}

/* A conversation whose OPEN is not there yet waits for it. */
static void
test_late_open(void **state)
{
    static uint8_t packet[CONVERSATION_MAX];
    struct rig *r = *state;
    const struct conversation_open open = { .session = 3, .method = 2, .deadline_ms = 5000,
        .listener = RIG_LISTENER,
        .client = addr_ipv4((const uint8_t[4]) { 192, 0, 2, 1 }, 1),
        .bytes = (const uint8_t *)"\003bob\006secret", .len = 11 };
    int fd = hand_over(r, 1, "", 0);
    struct conversation_result result;
    struct pollfd p = { .fd = fd, .events = POLLIN };

    still_serves(r, 0);
    assert_int_equal(poll(&p, 1, 0), 0);
    const size_t len = conversation_open_encode(&open, packet, sizeof packet);

    assert_int_equal(conversation_send(fd, packet, len), 0);
    assert_int_equal(poll(&p, 1, RIG_DEADLINE_MS), 1);
    const ssize_t n = conversation_receive(fd, packet, sizeof packet);

    assert_true(n > 0);
    assert_int_equal(conversation_result_decode(packet, (size_t)n, &result), 0);
    assert_int_equal(result.outcome, AUTH_SUCCESS);
    fd_close(&fd);
}

static void
test_queue_ends(void **state)
{
    struct rig *r = *state;

    rig_close_queue(r, 0);
    still_serves(r, 1);
    rig_send_queue(r, 0);
    still_serves(r, 0);
    still_serves(r, 1);
}

/* Another process of the pool: takes the kernel's one call for a conversation and never comes. */
static void
sibling_run(int queue, int said)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
    const int epoll = epoll_create1(0);

    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, queue, &event) != 0 || write(said, "w", 1) != 1 ||
        epoll_wait(epoll, &event, 1, RIG_DEADLINE_MS) != 1 || write(said, "c", 1) != 1)
        _exit(1);
    _exit(0);
}

static bool
sibling_waits(void *ctx)
{
    const pid_t *pid = ctx;
    char path[64];
    char text[256] = "";

    assert_true(snprintf(path, sizeof path, "/proc/%d/stat", (int)*pid) > 0);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    (void)close(fd);
    return strstr(text, ") S ") != NULL;
}

static void
test_a_sibling_was_called_and_did_not_come(void **state)
{
    struct rig *r = *state;
    struct rig_login l;
    int queue[2];
    int said[2];
    char heard;

    rig_close_queue(r, 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, queue), 0);
    assert_int_equal(pipe2(said, O_CLOEXEC), 0);
    fflush(NULL);
    pid_t sibling = fork();

    assert_true(sibling >= 0);
    if (sibling == 0)
        sibling_run(queue[1], said[1]);
    fd_close(&said[1]);
    assert_int_equal(read(said[0], &heard, 1), 1);
    rig_wait(r, sibling_waits, &sibling);
    rig_send_queue_of(r, 0, queue);
    rig_settle(r);
    rig_log_in(r, 0, &l, 1, "alice", "secret");
    assert_int_equal(read(said[0], &heard, 1), 1); /* the sibling was called */
    rig_settle(r);
    rig_wait_answer(r, &l);
    assert_int_equal(l.outcome, AUTH_SUCCESS);
    fd_close(&said[0]);
    assert_int_equal(waitpid(sibling, NULL, 0), sibling);
}

/* ---- files ---- */

static enum auth_outcome
outcome_of(struct rig *r, const char *user, const char *password)
{
    struct rig_login l;
    struct ipc_auth_result result;

    rig_log_in(r, 0, &l, 1, user, password);
    rig_wait_answer(r, &l);
    rig_receive_result(r, &result);
    return l.outcome;
}

static void
test_new_file(void **state)
{
    struct rig *r = *state;
    struct ipc_file_result result;

    assert_int_equal(outcome_of(r, "alice", "secret"), AUTH_SUCCESS);
    assert_int_equal(outcome_of(r, "carol", "secret"), AUTH_FAILURE);
    /* alice is gone, carol is new: also what was remembered is. */
    rig_send_file(r, "file", "carol:" SAMPLE_SHA256 "\n", true);
    rig_receive_file(r, &result);
    assert_true(result.accepted);
    assert_string_equal(result.error, "");
    assert_int_equal(outcome_of(r, "alice", "secret"), AUTH_FAILURE);
    assert_int_equal(outcome_of(r, "carol", "secret"), AUTH_SUCCESS);
}

/* A file that comes between PREPARE and COMMIT is not forgotten with what was prepared before it. */
static void
test_new_file_before_the_commit(void **state)
{
    static const struct rig_how other = { .module = "userpass",
        .section = "userpass { file = \"/etc/users\" remember = 0 }" };
    struct rig *r = *state;
    struct ipc_file_result result;

    rig_prepare(r, 2, &other, true);
    rig_send_file(r, "file", "carol:" SAMPLE_SHA256 "\n", true);
    rig_receive_file(r, &result);
    assert_true(result.accepted);
    assert_int_equal(outcome_of(r, "carol", "secret"), AUTH_SUCCESS);
    rig_commit(r, 2);
    rig_settle(r);
    assert_int_equal(outcome_of(r, "alice", "secret"), AUTH_FAILURE);
    assert_int_equal(outcome_of(r, "carol", "secret"), AUTH_SUCCESS);
}

static void
test_bad_file_changes_nothing(void **state)
{
    struct rig *r = *state;
    struct ipc_file_result result;

    rig_send_file(r, "file", "carol:" SAMPLE_SHA256 "\nalice:" SAMPLE_APR1 "\n", true);
    rig_receive_file(r, &result);
    assert_false(result.accepted);
    assert_non_null(strstr(result.error, "/etc/users:2: user \"alice\": Apache's MD5"));
    rig_send_file(r, "file", "carol:" SAMPLE_SHA256 "\n", false);
    rig_receive_file(r, &result);
    assert_false(result.accepted);
    assert_non_null(strstr(result.error, "not sealed"));
    rig_send_file(r, "colour", "carol:" SAMPLE_SHA256 "\n", true);
    rig_receive_file(r, &result);
    assert_false(result.accepted);
    assert_non_null(strstr(result.error, "no such file"));
    assert_int_equal(outcome_of(r, "alice", "secret"), AUTH_SUCCESS);
    assert_int_equal(outcome_of(r, "carol", "secret"), AUTH_FAILURE);
}

static void
test_bad_first_file(void **state)
{
    struct rig *r = *state;

    rig_start(r, &userpass);
    rig_send_file(r, "file", "alice:" SAMPLE_DES "\n", true);
    assert_false(rig_ready(r));
    assert_int_equal(rig_wait_exit(r), 1);
    assert_non_null(strstr(r->text, "/etc/users:1: user \"alice\": DES is not accepted"));
}

static void
test_stop_before_the_file(void **state)
{
    struct rig *r = *state;

    rig_start(r, &userpass);
    rig_send_stop(r, 20);
    assert_int_equal(rig_wait_exit(r), 0);
}

static void
test_master_gone_before_the_file(void **state)
{
    struct rig *r = *state;

    rig_start(r, &userpass);
    fd_close(&r->peer.fd);
    assert_int_equal(rig_wait_exit(r), 0);
}

static void
test_open_fails_without_files(void **state)
{
    struct rig *r = *state;
    const struct rig_how how = { .module = "testpriv", .section = "testpriv { phrase = \"\" }" };

    rig_start(r, &how);
    assert_false(rig_ready(r));
    assert_int_equal(rig_wait_exit(r), 1);
    assert_non_null(strstr(r->text, "phrase: 1 to 64 characters"));
}

/* ---- the end ---- */

static void
test_stop_waits_for_conversations(void **state)
{
    struct rig *r = *state;
    struct rig_login l;

    rig_open(r, 0, &l, 1, 0x80, "x", 1, RIG_DEADLINE_MS);
    rig_wait_answer(r, &l);
    rig_send_stop(r, 600);
    assert_int_equal(authlink_next(&l.c, "no", 2), 0);
    rig_wait_answer(r, &l);
    assert_int_equal(l.outcome, AUTH_FAILURE);
    assert_int_equal(rig_wait_exit(r), 0);
}

static void
test_stop_at_once(void **state)
{
    struct rig *r = *state;
    struct rig_login l;

    rig_open(r, 0, &l, 1, 0x80, "x", 1, RIG_DEADLINE_MS);
    rig_wait_answer(r, &l);
    rig_send_stop(r, 0);
    assert_int_equal(rig_wait_exit(r), 0);
    rig_wait_answer(r, &l);
    assert_true(l.lost);
}

static void
test_orphan_serves_until_the_workers_end(void **state)
{
    struct rig *r = *state;
    struct rig_login l;

    fd_close(&r->peer.fd);
    for (int i = 0; i < 3; i++) {
        rig_log_in(r, 0, &l, 1, "bob", "secret");
        rig_wait_answer(r, &l);
        assert_int_equal(l.outcome, AUTH_SUCCESS);
    }
    rig_close_queue(r, 0);
    rig_log_in(r, 1, &l, 1, "bob", "secret");
    rig_wait_answer(r, &l);
    assert_int_equal(l.outcome, AUTH_SUCCESS);
    rig_close_queue(r, 1);
    assert_int_equal(rig_wait_exit(r), 0);
}

/* ---- bounds ---- */

/* A small limit of descriptors bounds the conversations; what is beyond waits in the queue. */
static void
test_bounded(void **state)
{
    static struct rig_login logins[40];
    struct rig *r = *state;
    const struct rig_how how = { .module = "testpriv",
        .section = "testpriv { phrase = \"open sesame\" }", .descriptors = 600 };
    unsigned answered = 0;

    rig_start(r, &how);
    rig_send_queue(r, 0);
    assert_true(rig_ready(r));
    for (size_t i = 0; i < SP_COUNT(logins); i++)
        rig_open(r, 0, &logins[i], i + 1, 0x80, "x", 1, RIG_DEADLINE_MS);
    /* 32 are taken, in the order they were sent. */
    for (size_t i = 0; i < 32; i++)
        if (logins[i].answers == 0)
            rig_wait_answer(r, &logins[i]);
    /* Two turns later the others still wait. */
    rig_settle(r);
    rig_settle(r);
    assert_int_equal(loop_turn(r->loop, 0), 0);
    for (size_t i = 0; i < SP_COUNT(logins); i++)
        answered += logins[i].answers;
    assert_int_equal(answered, 32);
    for (size_t i = 0; i < 8; i++)
        authlink_end(&logins[i].c);
    for (size_t i = 32; i < SP_COUNT(logins); i++)
        if (logins[i].answers == 0)
            rig_wait_answer(r, &logins[i]);
    for (size_t i = 8; i < SP_COUNT(logins); i++)
        authlink_end(&logins[i].c);
}

struct many {
    struct rig_login *logins;
    size_t count;
    size_t answers;
};

static bool
queue_stands(void *ctx)
{
    struct many *many = ctx;
    size_t answers = 0;

    for (size_t i = 0; i < many->count; i++)
        answers += many->logins[i].answers;
    const bool stands = answers == many->answers && answers > 0;

    many->answers = answers;
    return stands;
}

static bool
all_answered(void *ctx)
{
    struct many *many = ctx;

    (void)queue_stands(many);
    return many->answers == many->count;
}

/* A master that does not read holds up new logins, and misses nothing. */
static void
test_slow_master(void **state)
{
    static struct rig_login logins[400];
    static bool seen[SP_COUNT(logins) + 1];
    struct many many = { .logins = logins };
    struct rig *r = *state;
    struct ipc_auth_result result;

    /* The channel holds about 278 reports, and the queue as many logins. */
    while (many.count < SP_COUNT(logins)) {
        rig_log_in(r, 0, &logins[many.count], many.count + 1, "bob", "secret");
        many.count++;
        if (many.count % 100 == 0) {
            many.answers = SIZE_MAX;
            rig_wait(r, queue_stands, &many);
        }
    }
    assert_true(many.answers < many.count);
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < SP_COUNT(logins); i++) {
        rig_receive_result(r, &result);
        assert_true(result.session >= 1 && result.session <= SP_COUNT(logins));
        assert_false(seen[result.session]);
        assert_true(result.success);
        seen[result.session] = true;
    }
    rig_wait(r, all_answered, &many);
    for (size_t i = 0; i < SP_COUNT(logins); i++)
        assert_int_equal(logins[i].outcome, AUTH_SUCCESS);
}

/* ---- what is left of a password ---- */

static bool
region_has(int memory, unsigned long from, unsigned long to, const char *needle, size_t len)
{
    const size_t size = to - from;
    char *copy = malloc(size);
    bool found = false;

    assert_non_null(copy);
    const ssize_t n = pread(memory, copy, size, (off_t)from);

    if (n > 0)
        found = memmem(copy, (size_t)n, needle, len) != NULL;
    explicit_bzero(copy, size);
    free(copy);
    return found;
}

/* Counts the writable regions of the process that hold the text. */
static unsigned
regions_with(const struct rig *r, const char *needle, size_t len)
{
    char path[64];
    char line[512];
    unsigned found = 0;

    assert_true(snprintf(path, sizeof path, "/proc/%d/mem", (int)r->pid) > 0);
    int memory = open(path, O_RDONLY | O_CLOEXEC);

    if (memory < 0) {
        print_message("%s cannot be read: only root may look\n", path);
        skip();
    }
    assert_true(snprintf(path, sizeof path, "/proc/%d/maps", (int)r->pid) > 0);
    FILE *maps = fopen(path, "re");

    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long from;
        unsigned long to;
        char mode[8];

        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 && mode[0] == 'r' && mode[1] == 'w' &&
            to - from < 1UL << 30)
            found += region_has(memory, from, to, needle, len);
    }
    (void)fclose(maps);
    fd_close(&memory);
    return found;
}

static void
test_no_password_is_left(void **state)
{
    struct rig *r = *state;
    static const char wrong[] = "a-Password-nobody-else-has-17";

    if (UNIT_ASAN) {
        print_message("AddressSanitizer keeps copies of its own: not tested\n");
        skip();
    }
    assert_int_equal(outcome_of(r, "alice", wrong), AUTH_FAILURE);
    assert_int_equal(outcome_of(r, "bob", wrong), AUTH_FAILURE);
    assert_int_equal(outcome_of(r, "mallory", wrong), AUTH_FAILURE);
    rig_settle(r);
    assert_int_equal(regions_with(r, wrong, sizeof wrong - 1), 0);
    /* The eye can see: the name of the file is there. */
    assert_true(regions_with(r, "alice", 5) > 0);
}

static void
test_title(void **state)
{
    struct rig *r = *state;
    char path[64];
    char title[256] = "";

    assert_true(snprintf(path, sizeof path, "/proc/%d/cmdline", (int)r->pid) > 0);
    still_serves(r, 0);
    rig_settle(r);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(read(fd, title, sizeof title - 1) > 0);
    fd_close(&fd);
    assert_string_equal(title, "sallyport-auth: userpass 1, 0 conversations");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_success_and_failure, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_two_rounds, setup_testpriv, teardown),
        cmocka_unit_test_setup_teardown(test_settings_by_listener, setup_nothing, teardown),
        cmocka_unit_test_setup_teardown(test_generations, setup_nothing, teardown),
        cmocka_unit_test_setup_teardown(test_stalled_delay_nobody, setup_testpriv, teardown),
        cmocka_unit_test_setup_teardown(test_deadline, setup_testpriv, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_method, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_listener, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_malformed_packets, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_descriptors, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_not_a_socket, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_nonsense_beside_the_descriptor, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_the_pair_comes_back, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_late_open, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_queue_ends, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_a_sibling_was_called_and_did_not_come, setup_userpass,
            teardown),
        cmocka_unit_test_setup_teardown(test_new_file, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_new_file_before_the_commit, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_bad_file_changes_nothing, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_bad_first_file, setup_nothing, teardown),
        cmocka_unit_test_setup_teardown(test_stop_before_the_file, setup_nothing, teardown),
        cmocka_unit_test_setup_teardown(test_master_gone_before_the_file, setup_nothing, teardown),
        cmocka_unit_test_setup_teardown(test_open_fails_without_files, setup_nothing, teardown),
        cmocka_unit_test_setup_teardown(test_stop_waits_for_conversations, setup_testpriv, teardown),
        cmocka_unit_test_setup_teardown(test_stop_at_once, setup_testpriv, teardown),
        cmocka_unit_test_setup_teardown(
            test_orphan_serves_until_the_workers_end, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_bounded, setup_nothing, teardown),
        cmocka_unit_test_setup_teardown(test_slow_master, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_no_password_is_left, setup_userpass, teardown),
        cmocka_unit_test_setup_teardown(test_title, setup_userpass, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
