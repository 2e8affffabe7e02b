/* SPDX-License-Identifier: ISC */
/*
 * Load for measuring a SOCKS 5 gateway with GSS-API from outside: each of several processes logs in
 * with the caller's ticket and seals with lib/krb5msg, so that the client costs less than what it
 * measures. The destination is bench_load's. Everything that fails ends the process with status 1.
 *
 *   bench_gss sessions PROXY TARGET COUNT PROCESSES LEVEL [RATE]
 *                                                           log in, CONNECT, a byte each way, close;
 *                                                           RATE in a second at most
 *   bench_gss down PROXY TARGET BYTES PROCESSES LEVEL       BYTES in all from the destination
 *   bench_gss up PROXY TARGET BYTES PROCESSES LEVEL         BYTES in all to the destination
 *
 * PROXY and TARGET are ports on 127.0.0.1; LEVEL is 1..3 of RFC 1961, and must be what is agreed; 0
 * is method none, so that the same client shows what Kerberos adds.
 */
#include "auth/gssapi/gssapi_blob.h"
#include "auth/gssapi/gssapi_frame.h"
#include "auth/gssapi/gssapi_initiator.h"
#include "auth/gssapi/gssapi_protect.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROOM (4U * GSSAPI_MESSAGE_MAX)

struct load {
    uint16_t proxy, target;
    enum auth_protection level;
    uint64_t every_ns; /* a process begins a session no sooner after the one before; 0: at once */
};

/* A connection to the proxy, and what it sent that is not used yet. */
struct link {
    int fd;
    struct gssapi_protect *protect; /* NULL: not sealed */
    uint8_t *in;
    size_t at, have;
};

static uint8_t plain_room[GSSAPI_MESSAGE_MAX + 128];

static void
die(const char *what)
{
    fprintf(stderr, "bench_gss: %s\n", what);
    exit(1);
}

static void
link_send(struct link *l, const void *data, size_t len)
{
    const uint8_t *p = data;

    while (len > 0) {
        ssize_t n = send(l->fd, p, len, MSG_NOSIGNAL);

        if (n <= 0)
            die("the proxy does not take what is sent");
        p += n;
        len -= (size_t)n;
    }
}

static void
link_more(struct link *l)
{
    if (l->at > 0) {
        memmove(l->in, l->in + l->at, l->have - l->at);
        l->have -= l->at;
        l->at = 0;
    }
    ssize_t n = recv(l->fd, l->in + l->have, ROOM - l->have, 0);

    if (n <= 0)
        die("the proxy ended the connection");
    l->have += (size_t)n;
}

static void
link_open(struct link *l, const struct load *load)
{
    const uint8_t hello[] = { 5, 1, load->level == AUTH_PROTECTION_NONE ? 0 : GSSAPI_METHOD };
    struct sockaddr_in sin = { .sin_family = AF_INET,
        .sin_port = htons(load->proxy),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int on = 1;

    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&sin, sizeof sin) < 0)
        die("cannot connect to the proxy");
    (void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    l->at = l->have = 0;
    l->protect = NULL;
    link_send(l, hello, sizeof hello);
    while (l->have < 2)
        link_more(l);
    if (l->in[1] != hello[2])
        die("the proxy does not take the method");
    l->at = 2;
}

static void
link_close(struct link *l)
{
    (void)close(l->fd);
    if (l->protect != NULL)
        auth_gssapi_protect.free(l->protect);
}

/* ---- the login ---- */

static void
login_token(struct link *l, const void *token, size_t len)
{
    uint8_t head[GSSAPI_HEAD];

    gssapi_frame_head(GSSAPI_CONTEXT, len, head);
    link_send(l, head, sizeof head);
    link_send(l, token, len);
}

static struct gssapi_frame
login_answer(struct link *l)
{
    struct gssapi_frame frame;
    enum auth_frame r;

    while ((r = gssapi_frame(GSSAPI_CONTEXT, l->in + l->at, l->have - l->at, &frame)) ==
        AUTH_FRAME_MORE)
        link_more(l);
    if (r == AUTH_FRAME_BAD)
        die(frame.error);
    return frame;
}

static void
login_context(struct link *l, struct gssapi_initiator *initiator)
{
    struct gssapi_frame frame = { 0 };
    const void *token = NULL;
    size_t len = 0;
    char error[256];
    int r;

    while ((r = gssapi_initiator_step(initiator, frame.token_len > 0 ? l->in + l->at - frame.token_len : NULL,
                frame.token_len, &token, &len, error, sizeof error)) >= 0) {
        if (len > 0)
            login_token(l, token, len);
        if (r == 1 && len == 0)
            return;
        frame = login_answer(l);
        l->at += frame.used;
        if (r == 1)
            return; /* the server's empty last token */
    }
    die(error);
}

static void
login_level(struct link *l, const struct load *load)
{
    uint8_t message[512];
    struct auth_out out = { message, sizeof message, 0 };
    enum auth_protection level;
    const char *error = NULL;
    enum auth_frame r;
    size_t used;

    if (gssapi_protect_propose(l->protect, load->level, false, &out) != 0)
        die("the level cannot be proposed");
    link_send(l, message, out.len);
    while ((r = gssapi_protect_confirm(l->protect, l->in + l->at, l->have - l->at, &used, &level,
                &error)) == AUTH_FRAME_MORE)
        link_more(l);
    if (r == AUTH_FRAME_BAD)
        die(error);
    if (level != load->level)
        die("the proxy agrees to another level");
    l->at += used;
}

static void
login(struct link *l, const struct load *load)
{
    char error[256] = "";
    const char *why = NULL;
    uint8_t blob[GSSAPI_BLOB_MAX];
    struct gssapi_initiator *initiator =
        gssapi_initiator_new("rcmd", "localhost", error, sizeof error);

    if (initiator == NULL)
        die(error);
    login_context(l, initiator);
    size_t len = gssapi_initiator_export(initiator, blob, sizeof blob, error, sizeof error);

    if (len == 0)
        die(error);
    gssapi_initiator_free(&initiator);
    l->protect = gssapi_protect_initiator(blob, len, &why);
    if (l->protect == NULL)
        die(why);
    login_level(l, load);
}

/* ---- sealed messages ---- */

static void
sealed_send(struct link *l, const void *data, size_t len)
{
    uint8_t *plain = plain_room + 64;
    struct auth_sealed out;

    if (l->protect == NULL) {
        link_send(l, data, len);
        return;
    }
    memcpy(plain, data, len);
    if (auth_gssapi_protect.seal(l->protect, plain, len, &out) != 0)
        die("sealing failed");
    link_send(l, out.data, out.len);
}

/* Takes the next message; its plaintext's length. Without protection, what has come. */
static size_t
sealed_receive(struct link *l, uint8_t **plain)
{
    struct auth_opened opened;
    enum auth_frame r;

    if (l->protect == NULL) {
        if (l->have == l->at)
            link_more(l);
        *plain = l->in + l->at;
        opened.plain_len = l->have - l->at;
        l->at = l->have;
        return opened.plain_len;
    }
    while ((r = auth_gssapi_protect.open(l->protect, l->in + l->at, l->have - l->at, &opened)) ==
        AUTH_FRAME_MORE)
        link_more(l);
    if (r == AUTH_FRAME_BAD)
        die(opened.error);
    l->at += opened.used;
    *plain = opened.plain;
    return opened.plain_len;
}

static void
sealed_connect(struct link *l, const struct load *load)
{
    const uint8_t request[] = { 5, 1, 0, 1, 127, 0, 0, 1, (uint8_t)(load->target >> 8),
        (uint8_t)load->target };
    uint8_t *reply;

    link_open(l, load);
    if (load->level != AUTH_PROTECTION_NONE)
        login(l, load);
    sealed_send(l, request, sizeof request);
    if (sealed_receive(l, &reply) != 10 || reply[1] != 0)
        die("the proxy refuses the request");
}

/* ---- what is measured ---- */

/* Waits for the next beat, which a late one does not move. */
static void
beat(struct timespec *next, uint64_t every_ns)
{
    struct timespec left;

    if (every_ns == 0)
        return;
    next->tv_nsec += (long)(every_ns % 1000000000U);
    next->tv_sec += (time_t)(every_ns / 1000000000U) + next->tv_nsec / 1000000000L;
    next->tv_nsec %= 1000000000L;
    (void)clock_gettime(CLOCK_MONOTONIC, &left);
    left = (struct timespec) { .tv_sec = next->tv_sec - left.tv_sec, .tv_nsec = next->tv_nsec - left.tv_nsec };
    if (left.tv_nsec < 0) {
        left.tv_sec--;
        left.tv_nsec += 1000000000L;
    }
    if (left.tv_sec >= 0)
        (void)ppoll(NULL, 0, &left, NULL);
}

static void
run_sessions(struct link *l, const struct load *load, uint64_t count)
{
    struct timespec next;
    uint8_t *plain;

    (void)clock_gettime(CLOCK_MONOTONIC, &next);
    for (uint64_t i = 0; i < count; i++) {
        beat(&next, load->every_ns);
        sealed_connect(l, load);
        sealed_send(l, "x", 1);
        if (sealed_receive(l, &plain) != 1)
            die("no byte came back");
        link_close(l);
    }
}

static void
ask(struct link *l, uint8_t what, uint64_t bytes)
{
    uint8_t message[9] = { what };

    memcpy(message + 1, &bytes, sizeof bytes);
    sealed_send(l, message, sizeof message);
}

static void
run_down(struct link *l, const struct load *load, uint64_t bytes)
{
    uint8_t *plain;

    sealed_connect(l, load);
    ask(l, 'd', bytes);
    while (bytes > 0)
        bytes -= sealed_receive(l, &plain);
    link_close(l);
}

static void
run_up(struct link *l, const struct load *load, uint64_t bytes)
{
    size_t most;
    uint8_t *plain = plain_room + 64;
    struct auth_sealed out;

    sealed_connect(l, load);
    ask(l, 'u', bytes);
    most = auth_gssapi_protect.plain_max(l->protect);
    while (bytes > 0) {
        size_t len = bytes < most ? (size_t)bytes : most;

        if (auth_gssapi_protect.seal(l->protect, plain, len, &out) != 0)
            die("sealing failed");
        link_send(l, out.data, out.len);
        bytes -= len;
    }
    if (sealed_receive(l, &plain) != 1)
        die("the destination did not get all of it");
    link_close(l);
}

static const struct {
    const char *name;
    void (*run)(struct link *l, const struct load *load, uint64_t amount);
} verbs[] = { { "sessions", run_sessions }, { "down", run_down }, { "up", run_up } };

static void
child(void (*run)(struct link *, const struct load *, uint64_t), const struct load *load,
    uint64_t amount)
{
    struct link l = { .in = malloc(ROOM) };

    if (l.in == NULL)
        die("out of memory");
    run(&l, load, amount);
    free(l.in);
    exit(0);
}

static int
processes_run(void (*run)(struct link *, const struct load *, uint64_t), const struct load *load,
    uint64_t amount, uint64_t processes)
{
    int status, failed = 0;

    for (uint64_t i = 0; i < processes; i++) {
        pid_t pid = fork();

        if (pid < 0)
            die("fork failed");
        if (pid == 0)
            child(run, load, amount / processes);
    }
    while (wait(&status) > 0)
        failed += status != 0;
    return failed != 0;
}

static uint64_t
number(const char *text, uint64_t least)
{
    char *end;
    uint64_t v = strtoull(text, &end, 10);

    if (*text == '\0' || *end != '\0' || v < least)
        die("a number is wrong");
    return v;
}

int
main(int argc, char **argv)
{
    char error[256] = "";

    if (argc != 7 && argc != 8) {
        fprintf(stderr, "usage: bench_gss sessions|down|up PROXY TARGET AMOUNT PROCESSES LEVEL [RATE]\n");
        return 2;
    }
    const struct load load = { .proxy = (uint16_t)number(argv[2], 1),
        .target = (uint16_t)number(argv[3], 1),
        .level = (enum auth_protection)number(argv[6], 0),
        .every_ns = argc == 8 ? number(argv[5], 1) * 1000000000U / number(argv[7], 1) : 0 };

    if (auth_gssapi_protect.start != NULL && auth_gssapi_protect.start(error, sizeof error) != 0)
        die(error);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return processes_run(verbs[i].run, &load, number(argv[4], 1), number(argv[5], 1));
    die("no such measurement");
    return 2;
}
