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
    uint8_t open[CONVERSATION_MAX]; /* OPEN of the conversation that the pool took, */
    size_t open_len;
    bool beside; /* which came with the descriptor, and not in it */
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
    authlink_init(&t.link, t.loop, AUTHLINK_PAIRS_MAX);
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

/* The pool takes a conversation from the queue, and its OPEN. */
static int
pool_take(void)
{
    int fd;
    ssize_t n = conversation_receive_passed(t.queue, t.open, sizeof t.open, &fd);

    assert_true(n > 0 && fd >= 0);
    t.beside = n > 1;
    if (!t.beside) {
        assert_int_equal(t.open[0], CONVERSATION_HANDOVER);
        n = conversation_receive(fd, t.open, sizeof t.open);
        assert_true(n > 1);
    }
    t.open_len = (size_t)n;
    return fd;
}

/* back: the pool's end is given back, -1: it is not. */
static void
pool_answer_with(int fd, enum auth_outcome outcome, int back)
{
    static uint8_t packet[CONVERSATION_MAX];
    const struct conversation_result result = { .outcome = outcome, .user = "alice",
        .answer = (const uint8_t *)"token", .answer_len = 5, .reason = "wrong-password" };
    const size_t len = conversation_result_encode(&result, packet, sizeof packet);

    assert_true(len > 0);
    assert_int_equal(conversation_send_passing(fd, packet, len, back), 0);
}

static void
pool_answer(int fd, enum auth_outcome outcome)
{
    pool_answer_with(fd, outcome, -1);
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

    /* OPEN is there as soon as the conversation is. */
    assert_true(t.beside);
    assert_int_equal(conversation_open_decode(t.open, t.open_len, &got, listener), 0);
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

    (void)state;
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    int fd = pool_take();

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

    assert_true(t.open_len > sizeof token);
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

static void
crowd_answered(struct authlink_conversation *c, const struct conversation_result *result, const char *why)
{
    assert_non_null(result);
    assert_null(why);
    assert_null(c->link);
}

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
    struct conversation_open got;
    char listener[256];

    assert_int_equal(loop_turn(t.loop, 0), 0);
    int fd = pool_take();

    assert_int_equal(conversation_open_decode(t.open, t.open_len, &got, listener), 0);
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

/* ---- pairs that come back ---- */

/* One whole conversation: what was given back with its last answer is closed by the pool. */
static void
converse(int *back)
{
    const struct conversation_open open = sample("x", 1);

    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    int fd = pool_take();

    pool_answer_with(fd, AUTH_SUCCESS, back != NULL ? *back : fd);
    fd_close(&fd);
    turn();
    assert_int_equal(t.outcome, AUTH_SUCCESS);
}

/* It serves the next conversation, and no other descriptor is opened. */
static void
test_a_pair_comes_back(void **state)
{
    (void)state;
    converse(NULL);
    assert_int_equal(t.link.queues[3].pair_count, 1);
    const uint64_t cookie = t.link.queues[3].pairs[0].cookie;
    const int descriptors = fd_count_open();

    for (int i = 0; i < 5; i++) {
        converse(NULL);
        assert_int_equal(t.link.queues[3].pair_count, 1);
        assert_true(t.link.queues[3].pairs[0].cookie == cookie);
        assert_int_equal(fd_count_open(), descriptors);
    }
}

/* Also then the end of file says that the process is gone, and that pair is not used again. */
static void
test_the_pool_dies_with_a_kept_pair(void **state)
{
    const struct conversation_open open = sample("x", 1);

    (void)state;
    converse(NULL);
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    assert_int_equal(t.link.queues[3].pair_count, 0);
    int fd = pool_take();

    fd_close(&fd);
    turn();
    assert_string_equal(t.why, "the auth process is gone");
    assert_int_equal(t.link.queues[3].pair_count, 0);
}

/* Another descriptor is not taken for the pair's, nor one that comes before the last answer. */
static void
test_something_else_comes_back(void **state)
{
    const struct conversation_open open = sample("x", 1);
    int pair[2];

    (void)state;
    converse(&(int) { STDERR_FILENO });
    assert_int_equal(t.link.queues[3].pair_count, 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    converse(&pair[0]);
    assert_int_equal(t.link.queues[3].pair_count, 0);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    int fd = pool_take();

    pool_answer_with(fd, AUTH_CONTINUE, fd);
    turn();
    fd_close(&fd);
    turn();
    assert_string_equal(t.why, "the auth process is gone");
    assert_int_equal(t.link.queues[3].pair_count, 0);
}

/* Who kept a copy and says something unasked loses the pair. */
static void
test_a_kept_pair_that_speaks(void **state)
{
    const struct conversation_open open = sample("x", 1);

    (void)state;
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    int fd = pool_take();

    pool_answer_with(fd, AUTH_SUCCESS, fd);
    turn();
    assert_int_equal(t.link.queues[3].pair_count, 1);
    pool_answer(fd, AUTH_SUCCESS);
    assert_int_equal(loop_turn(t.loop, 100), 0);
    assert_int_equal(t.link.queues[3].pair_count, 0);
    assert_int_equal(t.answers, 1);
    fd_close(&fd);
}

/* Nor does one serve again behind whose last answer there is more. */
static void
test_two_last_answers(void **state)
{
    const struct conversation_open open = sample("x", 1);

    (void)state;
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    int fd = pool_take();

    pool_answer_with(fd, AUTH_SUCCESS, fd);
    pool_answer_with(fd, AUTH_SUCCESS, fd);
    fd_close(&fd);
    turn();
    assert_int_equal(t.link.queues[3].pair_count, 0);
}

/* The bound is for all queues together. */
static void
test_pairs_of_two_queues(void **state)
{
    const struct conversation_open open = sample("x", 1);
    int pair[2];

    (void)state;
    t.link.pairs = 1;
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    int fd = pool_take();

    pool_answer_with(fd, AUTH_SUCCESS, fd);
    fd_close(&fd);
    turn();
    assert_int_equal(t.link.kept, 1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(authlink_set_queue(&t.link, 4, pair[0]), 0);
    assert_int_equal(authlink_open(&t.link, 4, &t.c, &open), 0);
    fd_close(&t.queue);
    t.queue = pair[1];
    fd = pool_take();
    pool_answer_with(fd, AUTH_SUCCESS, fd);
    fd_close(&fd);
    turn();
    assert_int_equal(t.link.queues[4].pair_count, 0);
    assert_int_equal(t.link.kept, 1);
}

/* A pair that an old queue's pool had is not for the next queue's. */
static void
test_pairs_end_with_their_queue(void **state)
{
    const struct conversation_open open = sample("x", 1);
    int pair[2];

    (void)state;
    converse(NULL);
    assert_int_equal(authlink_open(&t.link, 3, &t.c, &open), 0);
    int fd = pool_take();

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(authlink_set_queue(&t.link, 3, pair[0]), 0);
    fd_close(&t.queue);
    t.queue = pair[1];
    pool_answer_with(fd, AUTH_SUCCESS, fd);
    fd_close(&fd);
    turn();
    assert_int_equal(t.outcome, AUTH_SUCCESS);
    assert_int_equal(t.link.queues[3].pair_count, 0);
    converse(NULL);
    assert_int_equal(authlink_set_queue(&t.link, 3, dup(pair[0])), 0);
    assert_int_equal(t.link.queues[3].pair_count, 0);
}

/* Where descriptors are few none is kept. */
static void
test_no_pair_is_kept(void **state)
{
    const int descriptors = fd_count_open();

    (void)state;
    t.link.pairs = 0;
    converse(NULL);
    assert_int_equal(t.link.queues[3].pair_count, 0);
    assert_int_equal(fd_count_open(), descriptors);
}

/* No more are kept than the bound says; the one that speaks goes, the others stay. */
static void
test_as_many_pairs_as_are_kept(void **state)
{
    struct authlink_queue *q = &t.link.queues[3];
    const struct conversation_open open = sample("x", 1);
    int fds[AUTHLINK_PAIRS_MAX + 2];
    unsigned answers = 0;

    (void)state;
    memset(crowd, 0, sizeof crowd);
    for (size_t i = 0; i < SP_COUNT(fds); i++) {
        crowd[i].answered = crowd_answered;
        assert_int_equal(authlink_open(&t.link, 3, &crowd[i], &open), 0);
        assert_int_equal(loop_turn(t.loop, 0), 0);
        fds[i] = pool_take();
    }
    for (size_t i = 0; i < SP_COUNT(fds); i++)
        pool_answer_with(fds[i], AUTH_SUCCESS, fds[i]);
    while (answers < SP_COUNT(fds)) {
        assert_int_equal(loop_turn(t.loop, 100), 0);
        answers = 0;
        for (size_t i = 0; i < SP_COUNT(fds); i++)
            answers += crowd[i].link == NULL;
    }
    assert_int_equal(q->pair_count, AUTHLINK_PAIRS_MAX);
    const uint64_t last = q->pairs[AUTHLINK_PAIRS_MAX - 1].cookie;

    pool_answer(fds[0], AUTH_SUCCESS);
    assert_int_equal(loop_turn(t.loop, 100), 0);
    assert_int_equal(q->pair_count, AUTHLINK_PAIRS_MAX - 1);
    assert_true(q->pairs[0].cookie == last);
    for (size_t i = 0; i < SP_COUNT(fds); i++)
        fd_close(&fds[i]);
    /* What took the place of the lost one works. */
    for (size_t i = 0; i < AUTHLINK_PAIRS_MAX; i++) {
        converse(NULL);
        assert_int_equal(q->pair_count, AUTHLINK_PAIRS_MAX - 1);
    }
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
        cmocka_unit_test_setup_teardown(test_a_pair_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_pool_dies_with_a_kept_pair, setup, teardown),
        cmocka_unit_test_setup_teardown(test_something_else_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_kept_pair_that_speaks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_last_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pairs_of_two_queues, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pairs_end_with_their_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_pair_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_as_many_pairs_as_are_kept, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
