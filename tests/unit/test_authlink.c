/* SPDX-License-Identifier: ISC */
/* src/authlink/authlink.c and conversation_io.c: a worker's side and a pool in the same process. */
#include "tests/unit/unit.h"

#include "src/authlink/authlink.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/fd.h"

/* The worker, its one conversation and what came of it; the pool's end of the queue. */
static struct {
    struct loop *loop;
    struct authlink link;
    struct authlink_conversation c;
    int queue; /* the pool's end */
    int descriptors;
    unsigned answers;
    enum auth_outcome outcome;
    char user[64];
    size_t answer_len;
    char why[64];
} t;

static void
answered(struct authlink_conversation *c, const struct conversation_result *result, const char *why)
{
    assert_ptr_equal(c, &t.c);
    t.answers++;
    if (result == NULL) {
        assert_true(why != NULL && strlen(why) < sizeof t.why);
        memcpy(t.why, why, strlen(why) + 1);
        assert_null(c->link);
        return;
    }
    assert_null(why);
    t.outcome = result->outcome;
    t.answer_len = result->answer_len;
    if (result->user != NULL)
        memcpy(t.user, result->user, strlen(result->user) + 1);
    assert_true((c->link != NULL) == (result->outcome == AUTH_CONTINUE));
}

static int
setup(void **state)
{
    int pair[2];

    (void)state;
    memset(&t, 0, sizeof t);
    t.descriptors = fd_count_open();
    t.loop = loop_new();
    assert_non_null(t.loop);
    authlink_init(&t.link, t.loop);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    t.queue = pair[1];
    assert_int_equal(authlink_set_queue(&t.link, 3, pair[0]), 0);
    t.c.answered = answered;
    return 0;
}

/* Whatever a test did, no descriptor is left. */
static int
teardown(void **state)
{
    (void)state;
    authlink_end(&t.c);
    authlink_close(&t.link);
    fd_close(&t.queue);
    loop_free(&t.loop);
    assert_int_equal(fd_count_open(), t.descriptors);
    return 0;
}

static struct conversation_open
sample(const void *bytes, size_t len)
{
    return (struct conversation_open) {
        .session = 7,
        .method = 2,
        .listener = "127.0.0.1:1080",
        .client = addr_ipv4((const uint8_t[4]) { 127, 0, 0, 1 }, 1),
        .deadline_ms = 1000,
        .bytes = bytes,
        .len = len,
    };
}

/* The pool takes a conversation from the queue. */
static int
pool_take(void)
{
    uint8_t byte = 0;
    struct iovec iov = { &byte, 1 };
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room,
        .msg_controllen = sizeof control.room };
    int fd;

    assert_int_equal(recvmsg(t.queue, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC), 1);
    assert_int_equal(byte, CONVERSATION_HANDOVER);
    assert_non_null(CMSG_FIRSTHDR(&msg));
    assert_int_equal(CMSG_FIRSTHDR(&msg)->cmsg_type, SCM_RIGHTS);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof fd);
    return fd;
}

static void
pool_answer(int fd, enum auth_outcome outcome)
{
    static uint8_t packet[CONVERSATION_MAX];
    const struct conversation_result result = { .outcome = outcome, .user = "alice",
        .answer = (const uint8_t *)"token", .answer_len = 5, .reason = "wrong-password" };
    const size_t len = conversation_result_encode(&result, packet, sizeof packet);

    assert_true(len > 0);
    assert_int_equal(conversation_send(fd, packet, len), 0);
}

static void
turn(void)
{
    const unsigned before = t.answers;

    for (int i = 0; i < 10 && t.answers == before; i++)
        assert_int_equal(loop_turn(t.loop, 100), 0);
    assert_int_equal(t.answers, before + 1);
}

static bool
all_zero(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] != 0)
            return false;
    return true;
}

static void
test_success(void **state)
{
    static uint8_t packet[CONVERSATION_MAX];
    const struct conversation_open open = sample("\005alice\006secret", 13);
    struct conversation_open got;
    char listener[256];

    (void)state;
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    /* The password is not left where it was encoded. */
    assert_true(all_zero(t.link.sending, CONVERSATION_MAX));
    int fd = pool_take();
    const ssize_t n = conversation_receive(fd, packet, sizeof packet);

    /* OPEN is there as soon as the conversation is. */
    assert_true(n > 0);
    assert_int_equal(conversation_open_decode(packet, (size_t)n, &got, listener), 0);
    assert_int_equal(got.len, 13);
    assert_true(got.session == 7);
    pool_answer(fd, AUTH_SUCCESS);
    turn();
    assert_int_equal(t.outcome, AUTH_SUCCESS);
    assert_string_equal(t.user, "alice");
    assert_int_equal(t.answer_len, 5);
    assert_true(all_zero(t.link.receiving, CONVERSATION_MAX));
    assert_int_equal(authlink_next(&t.c, "x", 1), -1);
    assert_int_equal(errno, ENOTCONN);
    /* The worker's end is closed by now. */
    assert_int_equal(conversation_receive(fd, packet, sizeof packet), 0);
    fd_close(&fd);
}

static void
test_two_rounds(void **state)
{
    static uint8_t packet[CONVERSATION_MAX];
    const struct conversation_open open = sample("name", 4);
    const uint8_t *bytes;
    size_t bytes_len;

    (void)state;
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    int fd = pool_take();

    assert_true(conversation_receive(fd, packet, sizeof packet) > 0);
    pool_answer(fd, AUTH_CONTINUE);
    turn();
    assert_int_equal(t.outcome, AUTH_CONTINUE);
    assert_int_equal(authlink_next(&t.c, "response", 8), 0);
    assert_true(all_zero(t.link.sending, CONVERSATION_MAX));
    const ssize_t n = conversation_receive(fd, packet, sizeof packet);

    assert_int_equal(conversation_next_decode(packet, (size_t)n, &bytes, &bytes_len), 0);
    assert_int_equal(bytes_len, 8);
    pool_answer(fd, AUTH_FAILURE);
    turn();
    assert_int_equal(t.outcome, AUTH_FAILURE);
    fd_close(&fd);
}

static void
test_pool_dies(void **state)
{
    const struct conversation_open open = sample("x", 1);

    (void)state;
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    int fd = pool_take();

    fd_close(&fd);
    turn();
    assert_string_equal(t.why, "the auth process is gone");
    /* Also when it was never taken. */
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    fd_close(&t.queue);
    turn();
    assert_string_equal(t.why, "the auth process is gone");
    /* Something unread was lost with it: the kernel says so once. */
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), -1);
    assert_int_equal(errno, EPIPE);
}

static void
test_answer_before_death(void **state)
{
    const struct conversation_open open = sample("x", 1);
    static uint8_t packet[CONVERSATION_MAX];

    (void)state;
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    int fd = pool_take();

    assert_true(conversation_receive(fd, packet, sizeof packet) > 0);
    pool_answer(fd, AUTH_SUCCESS);
    fd_close(&fd);
    turn();
    assert_int_equal(t.outcome, AUTH_SUCCESS);
}

static void
test_malformed_answer(void **state)
{
    static uint8_t longer[CONVERSATION_MAX + 1];
    const struct conversation_open open = sample("x", 1);

    (void)state;
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    int fd = pool_take();

    assert_int_equal(conversation_send(fd, "nonsense", 8), 0);
    turn();
    assert_string_equal(t.why, "malformed answer of the auth process");
    fd_close(&fd);
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    fd = pool_take();
    assert_int_equal(conversation_send(fd, longer, sizeof longer), 0);
    turn();
    assert_int_equal(t.answers, 2);
    assert_true(all_zero(t.link.receiving, CONVERSATION_MAX));
    fd_close(&fd);
}

static void
test_long_messages(void **state)
{
    static uint8_t token[120 * 1024];
    static uint8_t packet[CONVERSATION_MAX];
    const struct conversation_open open = sample(token, sizeof token);
    const struct conversation_result result = { .outcome = AUTH_CONTINUE, .answer = token,
        .answer_len = sizeof token };

    (void)state;
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    int fd = pool_take();

    assert_true(conversation_receive(fd, packet, sizeof packet) > (ssize_t)sizeof token);
    assert_int_equal(conversation_send(fd, packet,
                         conversation_result_encode(&result, packet, sizeof packet)), 0);
    turn();
    assert_int_equal(t.answer_len, sizeof token);
    assert_int_equal(authlink_next(&t.c, token, sizeof token), 0);
    assert_true(conversation_receive(fd, packet, sizeof packet) > (ssize_t)sizeof token);
    fd_close(&fd);
}

/* A socket buffer smaller than the packet is made larger. */
static void
test_small_socket_buffer(void **state)
{
    static uint8_t packet[100 * 1024];
    static uint8_t got[CONVERSATION_MAX];
    const int small = 4096;
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    assert_int_equal(send(pair[0], packet, sizeof packet, MSG_DONTWAIT | MSG_NOSIGNAL), -1);
    assert_int_equal(errno, EMSGSIZE);
    assert_int_equal(conversation_send(pair[0], packet, sizeof packet), 0);
    assert_int_equal(conversation_receive(pair[1], got, sizeof got), sizeof packet);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
}

static void
test_no_queue(void **state)
{
    const struct conversation_open open = sample("x", 1);

    (void)state;
    assert_int_equal(authlink_open(&t.link, 2, &t.c, &open), -1);
    assert_int_equal(errno, ENOTCONN);
    assert_int_equal(authlink_open(&t.link, AUTHLINK_POOLS_MAX, &t.c, &open), -1);
    assert_int_equal(errno, ENOTCONN);
    assert_int_equal(authlink_set_queue(&t.link, AUTHLINK_POOLS_MAX, t.queue), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(authlink_set_queue(&t.link, 0, -1), -1);
}

#define CROWD 400

static struct authlink_conversation crowd[CROWD];

/* As many as the queue takes, and more. How many wait. */
static size_t
open_crowd(void)
{
    struct conversation_open open = sample("x", 1);
    size_t waiting = 0;

    memset(crowd, 0, sizeof crowd);
    for (size_t i = 0; i < CROWD; i++) {
        crowd[i].answered = answered;
        open.session = i + 1;
        assert_int_equal(authlink_open(&t.link, 3, &crowd[i], &open), 0);
        waiting += crowd[i].queue != NULL;
    }
    return waiting;
}

/* The pool takes the next conversation, when the queue has one: whose it is. */
static uint64_t
next_session(void)
{
    static uint8_t packet[CONVERSATION_MAX];
    struct conversation_open got;
    char listener[256];

    assert_int_equal(loop_turn(t.loop, 0), 0);
    int fd = pool_take();
    const ssize_t n = conversation_receive(fd, packet, sizeof packet);

    assert_true(n > 0);
    assert_int_equal(conversation_open_decode(packet, (size_t)n, &got, listener), 0);
    fd_close(&fd);
    return got.session;
}

/* Those the queue has no room for wait, and come in their order; one that gives up never comes. */
static void
test_queue_full(void **state)
{
    (void)state;
    assert_in_range(open_crowd(), 10, CROWD - 10);
    assert_non_null(crowd[CROWD - 5].queue);
    authlink_end(&crowd[CROWD - 5]);
    authlink_end(&crowd[CROWD - 1]);
    for (size_t i = 0; i < CROWD - 1; i++) {
        if (i == CROWD - 5)
            continue;
        assert_non_null(crowd[i].link);
        assert_int_equal(next_session(), i + 1);
        authlink_end(&crowd[i]);
    }
    assert_int_equal(recv(t.queue, &(char) { 0 }, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

/* Nobody waits for a pool that is gone. */
static void
test_queue_ends_while_full(void **state)
{
    const struct conversation_open open = sample("x", 1);

    (void)state;
    assert_true(open_crowd() > 0);
    for (size_t i = CROWD; i-- > 0 && crowd[i].queue != NULL;)
        authlink_end(&crowd[i]);
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    assert_non_null(t.c.queue);
    fd_close(&t.queue);
    for (size_t i = 0; i < CROWD; i++)
        authlink_end(&crowd[i]);
    turn();
    assert_string_equal(t.why, "the queue to the auth processes is gone");
}

static void
test_out_of_descriptors(void **state)
{
    const struct conversation_open open = sample("x", 1);
    const int lowest = dup(0);
    struct rlimit limit;

    (void)state;
    assert_true(lowest >= 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit few = { (rlim_t)lowest + 1, limit.rlim_max };

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), -1);
    assert_int_equal(errno, EMFILE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(close(lowest), 0);
}

static void
test_end_twice(void **state)
{
    const struct conversation_open open = sample("x", 1);

    (void)state;
    authlink_end(&t.c);
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    int fd = pool_take();

    authlink_end(&t.c);
    authlink_end(&t.c);
    /* An answer to nobody disturbs nobody. */
    assert_int_equal(loop_turn(t.loop, 0), 0);
    assert_int_equal(t.answers, 0);
    fd_close(&fd);
}

static void
test_too_long_to_send(void **state)
{
    static uint8_t token[CONVERSATION_MAX];
    const struct conversation_open open = sample(token, sizeof token);

    (void)state;
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), -1);
    assert_int_equal(errno, EMSGSIZE);
    assert_true(all_zero(t.link.sending, CONVERSATION_MAX));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_success, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_rounds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pool_dies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answer_before_death, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_small_socket_buffer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queue_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queue_ends_while_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_out_of_descriptors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_long_to_send, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
